/** A value read from the server for one screen: loading, there, or failed with what can be done. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import type { Api } from "../../api/client.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";

export interface Remote<T> {
  /** The last value read; stays while it is read again or after a failure. */
  readonly value: T | undefined;
  readonly failure: Failure | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** The last value read, kept by whoever outlives the screen, so that coming back to it shows something at once. */
export type LastRead<T> = RefObject<T | undefined>;

/** Reads on mount, again when the server is back, and when asked. `read` must be stable (defined outside or memoised). */
export function useRemote<T>(read: (api: Api) => Promise<T>, last?: LastRead<T>): Remote<T> {
  const { phones } = usePage();
  const { status } = usePhones();
  const [state, setState] = useState<Omit<Remote<T>, "reload">>({
    value: last?.current,
    failure: undefined,
    loading: true,
  });
  const turn = useRef(0);
  const reload = useCallback(() => {
    turn.current += 1;
    const mine = turn.current;
    setState((before) => ({ ...before, loading: true }));
    void phones.call(read).then((result) => {
      if (mine !== turn.current) return;
      if (result.ok && last !== undefined) last.current = result.value;
      setState((before) =>
        result.ok
          ? { value: result.value, failure: undefined, loading: false }
          : { value: before.value, failure: result.failure, loading: false },
      );
    });
  }, [phones, read, last]);
  const known = status !== "loading" && status !== "no_server";
  const live = status === "live";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `live` turning true is the moment to read again
  useEffect(() => {
    if (known) reload();
  }, [known, live, reload]);
  return { ...state, reload };
}
