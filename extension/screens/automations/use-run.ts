/** Watches one run to its end, through lost connections and closed panels. */
import { useCallback, useEffect, useState } from "react";
import { hasEnded } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { hear, isComplete, type RunLog, runLog } from "./model/run-log.ts";

export interface WatchedRun {
  /** Undefined until the server answered. */
  readonly log: RunLog | undefined;
  /** Why it could not be read; what is shown may be old. */
  readonly failure: Failure | undefined;
  /** Reads it anew, e.g. after it was told to go on. */
  readonly reload: () => void;
}

/** Between attempts to follow again, growing from the first to the last. */
const RETRY_MS = [1_000, 2_000, 5_000] as const;

/** Nothing is watched while `runId` is undefined. */
export function useRun(runId: RunId | undefined): WatchedRun {
  const { app, phones } = usePage();
  const { server } = usePhones();
  const [log, setLog] = useState<RunLog>();
  const [failure, setFailure] = useState<Failure>();
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks for all of it again
  useEffect(() => {
    if (server === undefined || runId === undefined) return;
    let current: RunLog | undefined;
    let stopStream: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempts = 0;
    let left = false;

    const show = (next: RunLog) => {
      current = next;
      setLog(next);
    };
    const read = async (): Promise<boolean> => {
      const result = await phones.call((api) => api.runs.get.query({ runId }));
      if (left) return false;
      setFailure(result.ok ? undefined : result.failure);
      if (result.ok) show(runLog(result.value, current));
      return result.ok;
    };
    const again = () => {
      timer = setTimeout(() => void watch(), RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)]);
      attempts += 1;
    };
    const watch = async () => {
      if (!(await read())) {
        if (!left) again();
        return;
      }
      if (current === undefined || isComplete(current)) return;
      stopStream = app.followRun?.(
        server,
        { runId, after: current.heard },
        {
          onOpen: () => {
            attempts = 0;
          },
          onEvent: (seq, event) => {
            if (left || current === undefined) return;
            const fresh = seq > current.run.lastEvent;
            show(hear(current, seq, event));
            // When it began and ended is in the answer alone.
            if (fresh && event.type === "run") void read();
          },
          onLost: (finished) => {
            if (left) return;
            // The server says an ended run is told to its end, even if it no longer has every event.
            if (finished && current !== undefined && hasEnded(current.run.state)) void read();
            else again();
          },
        },
      );
    };
    void watch();
    return () => {
      left = true;
      clearTimeout(timer);
      stopStream?.();
    };
  }, [app, phones, server, runId, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { log: log?.run.id === runId ? log : undefined, failure, reload };
}
