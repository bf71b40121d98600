/** Saving what is written of an automation, with the button, before a run, or with the keys for it. */
import { useEffect, useRef } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import type { FlowId } from "../../../shared/id-values.ts";
import type { Failure } from "../../api/errors.ts";
import { flowIdOf } from "../../state/flow-drafts.ts";
import type { useCall } from "../panel/use-call.ts";
import type { DraftsState } from "./use-flow-drafts.ts";
import type { useSavedFlow } from "./use-saved-flow.ts";

export interface SaveFlowOptions {
  /** As in `flow-drafts.ts`. */
  readonly flowKey: string;
  readonly flow: ReturnType<typeof useSavedFlow>;
  readonly drafts: DraftsState;
  readonly calls: ReturnType<typeof useCall>;
  /** A new automation was saved for the first time. */
  readonly onSaved: (id: FlowId) => void;
}

/** Gives what is saved now; undefined when it could not be, which is told on the screen. */
export function useSaveFlow({ flowKey, flow, drafts, calls, onSaved }: SaveFlowOptions) {
  const id = flowIdOf(flowKey);
  /** What is on the screen right now, for answers that come later. */
  const current = { draft: drafts.drafts?.[flowKey], saved: flow.saved };
  const latest = useRef(current);
  latest.current = current;

  return async (): Promise<FlowDetail | undefined> => {
    const sent = latest.current.draft;
    if (sent === undefined) return latest.current.saved;
    if (sent.name.trim() === "") return undefined;
    const overtakenBy = (failure: Failure) => failure.kind === "refused" && failure.error.code === "conflict";
    const result = await calls.run(
      "save",
      (api) =>
        api.flows.save.mutate({
          ...(id !== undefined && { flowId: id }),
          ...(sent.base !== undefined && { base: sent.base }),
          name: sent.name,
          source: sent.source,
        }),
      overtakenBy,
    );
    if (result?.ok !== true) {
      // Someone else's version is read, so that both can be looked at.
      if (result !== undefined && overtakenBy(result.failure)) flow.reload();
      return undefined;
    }
    const { draft: now } = latest.current;
    // What was typed while it was on its way is a change of its own.
    const typed = now !== undefined && (now.name !== sent.name || now.source !== sent.source);
    flow.put(result.value);
    if (id === undefined) drafts.put(flowKey, undefined);
    drafts.put(result.value.id, typed ? { ...now, base: result.value.updatedAt } : undefined);
    if (id === undefined) onSaved(result.value.id);
    return result.value;
  };
}

/** Ctrl+S, or ⌘S. */
export function useSaveKey(save: () => Promise<unknown>, mayControl: boolean): void {
  const saveByKey = useRef(save);
  saveByKey.current = save;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      if (mayControl) void saveByKey.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [mayControl]);
}
