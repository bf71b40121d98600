/** The order of the phone switcher, and what each phone is. */
import { deviceProfile, type Phone } from "../../../../shared/phones.ts";

/** Running phones first, then the most recently used, then by name. */
export function sortedPhones(phones: readonly Phone[]): readonly Phone[] {
  return [...phones].sort(
    (a, b) =>
      Number(isAwake(b)) - Number(isAwake(a)) ||
      lastTouched(b).localeCompare(lastTouched(a)) ||
      a.name.localeCompare(b.name),
  );
}

/** Running or on its way there. */
export function isAwake(phone: Phone): boolean {
  return phone.state === "running" || phone.state === "starting" || phone.state === "creating";
}

/** What it is, in a word: a web phone's size, or Android. */
export function kindWords(phone: Phone): string {
  return phone.capabilities.android ? "Android" : deviceProfile(phone.profile).label;
}

function lastTouched(phone: Phone): string {
  return phone.lastUsedAt ?? phone.startedAt ?? phone.createdAt;
}
