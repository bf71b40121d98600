/** Calls made by a button: which ones run now, and a toast when one fails. */
import { useCallback, useRef, useState } from "react";
import type { Api } from "../../api/client.ts";
import { type Failure, failureSentence } from "../../api/errors.ts";
import { useToast } from "../../components/toast.tsx";
import { usePage } from "../../state/app-context.tsx";
import type { CallResult } from "../../state/phones.ts";

export interface Calls {
  /** True while a call under this key runs. */
  busy(key: string): boolean;
  /** Runs one call; a second one under the same key while it runs does nothing and gives undefined. */
  run<T>(
    key: string,
    work: (api: Api) => Promise<T>,
    /** Failures that the caller shows in place; no toast says them. */
    shown?: (failure: Failure) => boolean,
  ): Promise<CallResult<T> | undefined>;
}

export function useCall(): Calls {
  const { phones } = usePage();
  const toast = useToast();
  const running = useRef(new Set<string>());
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const run = useCallback(
    async <T>(key: string, work: (api: Api) => Promise<T>, shown?: (failure: Failure) => boolean) => {
      if (running.current.has(key)) return undefined;
      running.current.add(key);
      setKeys(new Set(running.current));
      const result = await phones.call(work);
      running.current.delete(key);
      setKeys(new Set(running.current));
      // Being signed out replaces the whole screen; saying it twice helps nobody.
      if (!result.ok && result.failure.kind !== "signed_out" && shown?.(result.failure) !== true) {
        toast({ text: failureSentence(result.failure), tone: "error" });
      }
      return result;
    },
    [phones, toast],
  );
  return { busy: (key) => keys.has(key), run };
}
