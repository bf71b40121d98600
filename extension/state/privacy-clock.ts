/** The clocks of a person's data: what runs out by itself, which of them come first, and which need the person. */
import type { PrivacyOverview } from "../../shared/privacy.ts";

export const CLOCK_KINDS = ["purging", "incident", "deletion", "export", "policy", "inactivity"] as const;
export type ClockKind = (typeof CLOCK_KINDS)[number];

export interface PrivacyClock {
  readonly kind: ClockKind;
  /** ISO 8601: when it runs out; of an incident, when it happened. */
  readonly at: string;
  /** Of the policy. */
  readonly version?: number | undefined;
  /** Something is lost or decided unless the person does something. */
  readonly urgent: boolean;
}

const DAY_MS = 86_400_000;
/** A copy nobody downloaded is worth a badge when it is about to go. */
const LAST_CALL_MS = 2 * DAY_MS;

/** All that run, the most pressing first. `read`: ids of incidents the person has read. */
export function clocksOf(overview: PrivacyOverview, read: readonly string[], nowMs: number): readonly PrivacyClock[] {
  const { deletion, export: copy, nextPolicy, inactiveDeletionAt, incidents } = overview;
  const clocks: PrivacyClock[] = incidents
    .filter(({ id }) => !read.includes(id))
    .map(({ at }) => ({ kind: "incident", at, urgent: true }));
  if (deletion?.state === "purging") clocks.push({ kind: "purging", at: deletion.goneBy, urgent: false });
  if (deletion?.state === "grace") clocks.push({ kind: "deletion", at: deletion.purgeAt, urgent: true });
  if (copy?.state === "ready" && copy.expiresAt !== undefined) {
    const left = Date.parse(copy.expiresAt) - nowMs;
    if (left > 0)
      clocks.push({ kind: "export", at: copy.expiresAt, urgent: copy.downloads === 0 && left < LAST_CALL_MS });
  }
  if (nextPolicy !== undefined && !nextPolicy.acknowledged && !nextPolicy.objected) {
    clocks.push({ kind: "policy", at: nextPolicy.effectiveAt, version: nextPolicy.version, urgent: true });
  }
  if (inactiveDeletionAt !== undefined) clocks.push({ kind: "inactivity", at: inactiveDeletionAt, urgent: false });
  const first = (kind: ClockKind) => Math.min(CLOCK_KINDS.indexOf(kind), 2);
  return clocks.sort((a, b) => first(a.kind) - first(b.kind) || a.at.localeCompare(b.at));
}
