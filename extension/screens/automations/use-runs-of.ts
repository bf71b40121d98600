/** The last runs of one automation; none while they are not known. */
import { useCallback, useEffect, useState } from "react";
import { hasEnded, type RunSummary } from "../../../shared/automation-model.ts";
import type { FlowId } from "../../../shared/id-values.ts";
import { usePage } from "../../state/app-context.tsx";

const SHOWN_RUNS = 5;
/** While one goes on, how often the list asks how it is. */
const POLL_MS = 2_000;

export interface RunsOf {
  readonly list: readonly RunSummary[];
  readonly reload: () => void;
}

export function useRunsOf(id: FlowId | undefined): RunsOf {
  const { phones } = usePage();
  const [list, setList] = useState<readonly RunSummary[]>([]);
  const [asked, setAsked] = useState(0);
  const reload = useCallback(() => setAsked((count) => count + 1), []);
  const going = list.some(({ state }) => !hasEnded(state));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` is the wish to read again
  useEffect(() => {
    if (id === undefined) return;
    let left = false;
    void phones
      .call((api) => api.runs.list.query({ flowId: id, limit: SHOWN_RUNS }))
      .then((result) => {
        if (!left && result.ok) setList(result.value);
      });
    return () => {
      left = true;
    };
  }, [phones, id, asked]);
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [going, reload]);
  return { list, reload };
}
