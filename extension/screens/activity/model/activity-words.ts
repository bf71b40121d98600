/** The audit log in the panel's words: who did it, on which day, in which kind. */
import type { ActivityEntry, ActivityGroup } from "../../../../shared/activity.ts";
import type { IconName } from "../../../components/icon.tsx";
import { calendarDate } from "../../phone/model/run-time.ts";

export const GROUP_LOOK = {
  phones: { words: "Phones", icon: "phone" },
  automations: { words: "Automations", icon: "automation" },
  team: { words: "Team", icon: "team" },
  account: { words: "Accounts", icon: "key" },
  operator: { words: "Operator", icon: "eye" },
} as const satisfies Record<ActivityGroup, { words: string; icon: IconName }>;

/** `You launched a phone`. */
export function entryWords({ actor, words }: ActivityEntry): string {
  return `${actor.isMe ? "You" : actor.name} ${words}`;
}

export interface Day {
  /** `Today`, `Yesterday`, else the date in the person's locale. */
  readonly title: string;
  readonly entries: readonly ActivityEntry[];
}

/** Entries, which come the newest first, by the day they happened on where the person is. */
export function byDay(entries: readonly ActivityEntry[], nowMs: number): readonly Day[] {
  const days: { title: string; entries: ActivityEntry[] }[] = [];
  for (const entry of entries) {
    const title = dayTitle(entry.at, nowMs);
    const last = days.at(-1);
    if (last?.title === title) last.entries.push(entry);
    else days.push({ title, entries: [entry] });
  }
  return days;
}

function dayTitle(at: string, nowMs: number): string {
  const day = new Date(at).toDateString();
  if (day === new Date(nowMs).toDateString()) return "Today";
  const yesterday = new Date(nowMs);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === yesterday.toDateString() ? "Yesterday" : calendarDate(at, nowMs);
}
