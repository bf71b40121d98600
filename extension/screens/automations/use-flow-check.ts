/** What the server says about a text, kept current while it is typed. */
import { useEffect, useMemo, useState } from "react";
import type { FlowValidation } from "../../../shared/automation-model.ts";
import type { FlowId } from "../../../shared/id-values.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import type { CallResult } from "../../state/phones.ts";
import { flowChecker } from "./model/flow-checker.ts";

export interface FlowCheck {
  /** Of the text as it is now, or a moment ago; undefined before the first answer. */
  readonly result: FlowValidation | undefined;
  /** The server did not answer: what is shown may be old. */
  readonly failed: boolean;
  /** `result` is about exactly this text. */
  readonly current: boolean;
}

/** `flowId`: the saved automation the text is of, whose place its file names count from. */
export function useFlowCheck(source: string, flowId?: FlowId): FlowCheck {
  const { phones } = usePage();
  const { status } = usePhones();
  const [answer, setAnswer] = useState<{ source: string; result: FlowValidation }>();
  const [failed, setFailed] = useState(false);
  const checker = useMemo(
    () =>
      flowChecker(
        async (text): Promise<{ text: string; result: CallResult<FlowValidation> }> => ({
          text,
          result: await phones.call((api) =>
            api.flows.validate.query({ source: text, ...(flowId !== undefined && { flowId }) }),
          ),
        }),
        ({ text, result }) => {
          setFailed(!result.ok);
          if (result.ok) setAnswer({ source: text, result: result.value });
        },
      ),
    [phones, flowId],
  );
  const live = status === "live";
  // biome-ignore lint/correctness/useExhaustiveDependencies: a server that is back is asked again
  useEffect(() => {
    checker.check(source);
    return () => checker.stop();
  }, [checker, source, live]);
  return { result: answer?.result, failed, current: answer?.source === source };
}
