/** What happened to the phones since the panel was opened, folded from their states; newest first. */
import type { PhoneId } from "../../../../shared/ids.ts";
import { PHONE_REASON_WORDS } from "../../../../shared/phone-words.ts";
import type { Phone, PhoneState } from "../../../../shared/phones.ts";

export interface ActivityEntry {
  readonly id: number;
  readonly phoneId: PhoneId;
  readonly phoneName: string;
  readonly words: string;
  readonly tone: "neutral" | "good" | "bad";
  /** Unix milliseconds. */
  readonly at: number;
}

/** Oldest entries fall off: this is a glance at now, not a record. */
export const MAX_ACTIVITY_ENTRIES = 100;

/** Compares two states of the list and adds an entry for each phone whose state changed. */
export function addActivity(
  entries: readonly ActivityEntry[],
  before: readonly Phone[],
  after: readonly Phone[],
  nowMs: number,
): readonly ActivityEntry[] {
  const known = new Map(before.map((phone) => [phone.id, phone]));
  const added: Omit<ActivityEntry, "id">[] = [];
  for (const phone of after) {
    const earlier = known.get(phone.id);
    known.delete(phone.id);
    const words = earlier?.state === phone.state ? sightWords(earlier, phone) : stateWords(phone, earlier?.state);
    if (words !== undefined) added.push({ phoneId: phone.id, phoneName: phone.name, at: nowMs, ...words });
  }
  for (const gone of known.values()) {
    added.push({ phoneId: gone.id, phoneName: gone.name, at: nowMs, words: "Removed.", tone: "neutral" });
  }
  if (added.length === 0) return entries;
  const firstId = (entries[0]?.id ?? 0) + 1;
  const numbered = added.map((entry, index) => ({ ...entry, id: firstId + index }));
  return [...numbered.reverse(), ...entries].slice(0, MAX_ACTIVITY_ENTRIES);
}

/** The server loses and finds phones while they run. */
function sightWords(earlier: Phone, phone: Phone): Pick<ActivityEntry, "words" | "tone"> | undefined {
  const [was, is] = [earlier, phone].map(({ unreachableSince }) => unreachableSince !== undefined);
  if (was === is || phone.state !== "running") return undefined;
  return is ? { words: "Out of reach. The server keeps trying.", tone: "bad" } : { words: "Back.", tone: "good" };
}

function stateWords(phone: Phone, earlier: PhoneState | undefined): Pick<ActivityEntry, "words" | "tone"> {
  const reason = phone.reason === undefined ? undefined : PHONE_REASON_WORDS[phone.reason];
  switch (phone.state) {
    case "creating":
      return { words: "Made.", tone: "neutral" };
    case "starting":
      return { words: "Starting.", tone: "neutral" };
    case "running":
      return { words: earlier === "running" ? "Running." : "Started.", tone: "good" };
    case "parking":
      return { words: "Parking.", tone: "neutral" };
    case "parked":
      return { words: reason ?? "Parked.", tone: "neutral" };
    case "failed":
      return { words: reason ?? "Failed.", tone: "bad" };
    case "removed":
      return { words: "Removed.", tone: "neutral" };
  }
}
