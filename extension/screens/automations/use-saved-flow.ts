/** The saved automation a page is about. A new one has none until it is saved for the first time. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import type { FlowId } from "../../../shared/id-values.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";

export interface SavedFlow {
  readonly saved: FlowDetail | undefined;
  readonly failure: Failure | undefined;
  /** What a save answered; nothing is read again. */
  readonly put: (flow: FlowDetail) => void;
  readonly reload: () => void;
}

/** `id` is undefined for a new automation. */
export function useSavedFlow(id: FlowId | undefined): SavedFlow {
  const { phones } = usePage();
  const { status } = usePhones();
  const [saved, setSaved] = useState<FlowDetail>();
  const [failure, setFailure] = useState<Failure>();
  const known = useRef<FlowId>(undefined);
  const put = useCallback((flow: FlowDetail) => {
    known.current = flow.id;
    setSaved(flow);
    setFailure(undefined);
  }, []);
  const read = useCallback(
    async (flowId: FlowId) => {
      const result = await phones.call((api) => api.flows.get.query({ flowId }));
      if (result.ok) put(result.value);
      else setFailure(result.failure);
    },
    [phones, put],
  );
  const live = status === "live";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `live` turning true is the moment to read again
  useEffect(() => {
    if (id !== undefined && known.current !== id) void read(id);
  }, [id, live, read]);
  // Someone may have saved it while the panel was not looked at.
  useEffect(() => {
    if (id === undefined) return;
    const onShown = () => {
      if (document.visibilityState === "visible") void read(id);
    };
    document.addEventListener("visibilitychange", onShown);
    return () => document.removeEventListener("visibilitychange", onShown);
  }, [id, read]);
  return {
    saved: saved?.id === id ? saved : undefined,
    failure,
    put,
    reload: () => {
      if (id !== undefined) void read(id);
    },
  };
}
