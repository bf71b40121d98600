/**
 * What was refused, in the log (OWASP ASVS 5.0 V16.3): which call, why, and the request id to find more by. No person and
 * no address stands in it. A flood writes a few lines a minute and how many were left out, so it does not fill the disk.
 */
import type { ErrorCode } from "../../shared/errors.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

const MINUTE_MS = 60_000;
export const REFUSALS_A_MINUTE = 60;

/** What speaks for somebody trying what they may not; a form filled in wrongly does not. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "unauthenticated",
  "forbidden",
  "second_factor_required",
  "held_for_review",
  "rate_limited",
  "misdirected",
  "unsupported_media_type",
  "too_large",
]);

export interface Refusals {
  note(refused: { readonly requestId: string; readonly code: ErrorCode; readonly procedure?: string }): void;
}

export function createRefusals({ log, clock }: { readonly log: Log; readonly clock: Clock }): Refusals {
  let began = 0;
  let count = 0;
  return {
    note({ requestId, code, procedure }) {
      if (!REFUSALS.has(code)) return;
      const now = clock.now();
      if (now - began >= MINUTE_MS) {
        if (count > REFUSALS_A_MINUTE) log.warn("More was refused", { count: count - REFUSALS_A_MINUTE });
        began = now;
        count = 0;
      }
      count += 1;
      if (count <= REFUSALS_A_MINUTE) log.warn("Refused", { requestId, code, procedure });
    },
  };
}
