/** The order of the phone switcher. */
import type { Phone } from "../../../../shared/phones.ts";

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

function lastTouched(phone: Phone): string {
  return phone.lastUsedAt ?? phone.startedAt ?? phone.createdAt;
}
