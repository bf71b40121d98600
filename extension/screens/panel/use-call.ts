/**
 * Calls made by a button: which ones run now, and a toast when one fails. One that needs a fresh proof of who asks has
 * the person confirm it and is made again, once.
 */
import { useCallback, useRef, useState } from "react";
import type { Api } from "../../api/client.ts";
import { type Failure, failureSentence, isRefused } from "../../api/errors.ts";
import { useToast } from "../../components/toast.tsx";
import { usePage } from "../../state/app-context.tsx";
import type { CallResult } from "../../state/phones.ts";
import { usePanelWays } from "./panel-ways.ts";

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
  const ways = usePanelWays();
  const running = useRef(new Set<string>());
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const run = useCallback(
    async <T>(key: string, work: (api: Api) => Promise<T>, shown?: (failure: Failure) => boolean) => {
      if (running.current.has(key)) return undefined;
      running.current.add(key);
      setKeys(new Set(running.current));
      let result = await phones.call(work);
      if (!result.ok && isRefused(result.failure, "step_up_required") && (await ways.confirmIdentity()))
        result = await phones.call(work);
      running.current.delete(key);
      setKeys(new Set(running.current));
      if (!result.ok && isGated(result.failure)) void phones.refresh();
      if (!result.ok && !isSaidElsewhere(result.failure) && shown?.(result.failure) !== true) {
        toast({
          text: failureSentence(result.failure),
          tone: "error",
          ...(isRefused(result.failure, "held_for_review") && {
            action: { label: "See why", onSelect: () => ways.toAccount("standing") },
          }),
          ...(isRefused(result.failure, "payment_required") && {
            action: { label: "Add phone time", onSelect: () => ways.toAccount("billing") },
          }),
        });
      }
      return result;
    },
    [phones, toast, ways],
  );
  return { busy: (key) => keys.has(key), run };
}

/**
 * Being signed out, in a team that asks for a second factor, or at rest by one's own wish, replaces the whole screen, and
 * who did not confirm who they are knows it; saying it twice helps nobody.
 */
function isSaidElsewhere(failure: Failure): boolean {
  if (failure.kind === "signed_out") return true;
  return isRefused(failure, "step_up_required") || isGated(failure);
}

/** What keeps everything of the team closed; reading the phones anew shows it in the place of all of that. */
function isGated(failure: Failure): boolean {
  return (
    isRefused(failure, "second_factor_required") ||
    isRefused(failure, "processing_restricted") ||
    isRefused(failure, "account_closing")
  );
}
