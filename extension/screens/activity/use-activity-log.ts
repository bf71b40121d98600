/** The audit log as the server tells it, page by page, the newest first. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { ActivityEntry, ActivityInput } from "../../../shared/activity.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage } from "../../state/app-context.tsx";

/** Whose: what happened in the team, or what concerns the person. */
export type LogName = "team" | "mine";
export type LogFilter = Pick<ActivityInput, "group" | "actor" | "object">;

export interface ActivityLog {
  /** Undefined before anything was read with this filter. */
  readonly entries: readonly ActivityEntry[] | undefined;
  readonly failure: Failure | undefined;
  readonly hasOlder: boolean;
  readonly readingOlder: boolean;
  readonly older: () => void;
  readonly reload: () => void;
}

const PAGE = 30;

interface Read {
  readonly filter: LogFilter;
  readonly entries: readonly ActivityEntry[] | undefined;
  readonly next: string | undefined;
  readonly failure: Failure | undefined;
}

/** `filter` must stay the same object while it says the same. */
export function useActivityLog(log: LogName, filter: LogFilter): ActivityLog {
  const { phones } = usePage();
  const [read, setRead] = useState<Read>({ filter, entries: undefined, next: undefined, failure: undefined });
  const [readingOlder, setReadingOlder] = useState(false);
  /** What is asked last counts; answers to earlier questions do not. */
  const turn = useRef(0);
  const ask = useCallback(
    async (cursor?: string) => {
      turn.current += 1;
      const mine = turn.current;
      setReadingOlder(cursor !== undefined);
      const input: ActivityInput = { ...filter, limit: PAGE, ...(cursor !== undefined && { cursor }) };
      const result = await phones.call((api) => api.audit[log].query(input));
      if (mine !== turn.current) return;
      setReadingOlder(false);
      setRead((before) => {
        const same = before.filter === filter;
        if (!result.ok) {
          const { entries, next } = same ? before : { entries: undefined, next: undefined };
          return { filter, entries, next, failure: result.failure };
        }
        const { entries, next } = result.value;
        const earlier = cursor !== undefined && same ? (before.entries ?? []) : [];
        return { filter, entries: [...earlier, ...entries], next, failure: undefined };
      });
    },
    [phones, log, filter],
  );
  useEffect(() => void ask(), [ask]);
  const current = read.filter === filter ? read : { entries: undefined, next: undefined, failure: undefined };
  return {
    entries: current.entries,
    failure: current.failure,
    hasOlder: current.next !== undefined,
    readingOlder,
    older: () => void ask(current.next),
    reload: () => void ask(),
  };
}
