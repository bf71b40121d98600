/**
 * What this browser remembers of the privacy overview between two looks at it, so that badge, popup and tabs can say it:
 * the nearest clock, and whether the account rests. Dates and kinds only, nothing of the data itself.
 */
import * as z from "zod/mini";
import type { DeletionView, PrivacyOverview } from "../../shared/privacy.ts";
import { clocksOf, type PrivacyClock } from "./privacy-clock.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

export interface PrivacyMark {
  /** Origin of the server it is about; a mark of another one says nothing. */
  readonly server: string;
  /** The nearest clock. */
  readonly clock?: PrivacyClock | undefined;
  /** Why the server refuses to work with the person's data. */
  readonly hold?: "restricted" | "closing" | undefined;
  /** ISO 8601: from then on a session that ended means that the account is gone, and with it all that is kept here. */
  readonly purgeAt?: string | undefined;
  /** Ids of incidents the person has read. */
  readonly read: readonly string[];
}

/** Written by this file's callers alone, as what they read; a change of shape is a new version. */
const markSchema = z.unknown() as unknown as z.ZodMiniType<PrivacyMark | undefined>;

export function privacyMark(): Stored<PrivacyMark | undefined> {
  return stored<PrivacyMark | undefined>({
    area: "local",
    key: "privacy",
    version: 1,
    schema: markSchema,
    initial: undefined,
  });
}

/** The purge has begun: whatever this computer's clock says. */
export const AT_ONCE = new Date(0).toISOString();

/** From when on the account is gone. One that was to go now is so by the server's word, however the two clocks differ. */
export function goneFrom({ state, askedAt, purgeAt }: Pick<DeletionView, "state" | "askedAt" | "purgeAt">): string {
  return state === "grace" && purgeAt !== askedAt ? purgeAt : AT_ONCE;
}

/** The mark of what the server just said. */
export function markOf(
  server: string,
  overview: PrivacyOverview,
  before: PrivacyMark | undefined,
  nowMs: number,
): PrivacyMark {
  const { deletion, preferences } = overview;
  const read = before?.server === server ? before.read : [];
  return {
    server,
    read,
    clock: clocksOf(overview, read, nowMs)[0],
    hold: deletion !== undefined ? "closing" : preferences.restricted ? "restricted" : undefined,
    purgeAt: deletion && goneFrom(deletion),
  };
}

/** Whether the end of the session means that the account is gone. */
export function isGone(mark: PrivacyMark | undefined, server: string | undefined, nowMs: number): boolean {
  return mark?.purgeAt !== undefined && mark.server === server && Date.parse(mark.purgeAt) <= nowMs;
}
