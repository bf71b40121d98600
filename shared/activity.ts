/** What the audit log shows people: a team's activity, and what concerns one person. */
import { z } from "zod";
import { userId } from "./ids.ts";

export const ACTIVITY_GROUPS = ["phones", "automations", "team", "account", "operator"] as const;
export type ActivityGroup = (typeof ACTIVITY_GROUPS)[number];

export const activityInput = z.strictObject({
  group: z.enum(ACTIVITY_GROUPS).optional(),
  /** Only what this person did. */
  actor: z.optional(userId),
  /** Only what happened to this thing: a phone, flow, run, … by its id. */
  object: z.string().max(64).optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  /** `next` of an earlier answer. */
  cursor: z.string().max(96).optional(),
  limit: z.int().min(1).max(100).default(50),
});
export type ActivityInput = z.input<typeof activityInput>;

export interface ActivityEntry {
  /** Unique within its chain; the newest is the highest. */
  readonly seq: number;
  readonly at: string;
  readonly group: ActivityGroup;
  /** A name from the closed list of `server/audit/audit.repo.ts`, like `phone.launched`. */
  readonly action: string;
  /** What happened, in words, without who: "launched a phone". */
  readonly words: string;
  /** Who did it, as members know them; "The operator", "The server", "A former member". */
  readonly actor: { readonly name: string; readonly isMe: boolean };
  /** The thing it happened to. Its name when it still has one. */
  readonly object?: { readonly id: string; readonly name?: string };
  /** Why, where somebody had to say so: a privileged read. */
  readonly reason?: string;
}

/** Answer of `audit.team` and `audit.mine`, the newest first. */
export interface Activity {
  readonly entries: readonly ActivityEntry[];
  readonly next?: string;
}
