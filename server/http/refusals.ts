/**
 * What was refused or could not be done, in the log (OWASP ASVS 5.0 V16.3): which call, why, and the request id to find more by. No person and
 * no address stands in it. A flood writes a few lines a minute and how many were left out, so it does not fill the disk.
 */
import type { ErrorCode } from "../../shared/errors.ts";
import type { Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";

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
/** What could not be done for somebody who may do it: an outside service is away, a phone does not answer. */
const AWAY: ReadonlySet<ErrorCode> = new Set(["unavailable", "phone_unavailable"]);

export interface Refusals {
  note(refused: {
    readonly requestId: string;
    readonly code: ErrorCode;
    readonly procedure?: string;
    /** Why it could not be done. */
    readonly cause?: unknown;
  }): void;
}

export function createRefusals({ log, clock }: { readonly log: Log; readonly clock: Clock }): Refusals {
  let began = 0;
  let count = 0;
  return {
    note({ requestId, code, procedure, cause }) {
      const isAway = AWAY.has(code);
      if (!REFUSALS.has(code) && !isAway) return;
      const now = clock.now();
      if (now - began >= MINUTE_MS) {
        if (count > REFUSALS_A_MINUTE) log.warn("More was refused", { count: count - REFUSALS_A_MINUTE });
        began = now;
        count = 0;
      }
      count += 1;
      if (count > REFUSALS_A_MINUTE) return;
      if (!isAway) log.warn("Refused", { requestId, code, procedure });
      else
        log.warn("Could not be done now", {
          requestId,
          code,
          procedure,
          ...(cause !== undefined && errorFields(cause)),
        });
    },
  };
}
