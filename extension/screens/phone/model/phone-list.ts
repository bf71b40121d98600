/** The team's phones as the panel knows them: a list from `phones.list`, kept current by `phones.events`. */
import type { PhoneId } from "../../../../shared/ids.ts";
import type { Phone, PhoneEvent } from "../../../../shared/phones.ts";

/** Applies one event. A phone not seen before is added; a removed one disappears. */
export function applyPhoneEvent(phones: readonly Phone[], event: PhoneEvent): readonly Phone[] {
  switch (event.type) {
    case "phone":
      return upsertPhone(phones, event.phone);
    case "removed":
      return phones.filter((phone) => phone.id !== event.phoneId);
    case "idle_warning":
      return phones.map((phone) => (phone.id === event.phoneId ? { ...phone, parksAt: event.parksAt } : phone));
  }
}

/** Puts in the server's newest view of one phone, as an event or the answer of a call brings it. */
export function upsertPhone(phones: readonly Phone[], phone: Phone): readonly Phone[] {
  const others = phones.filter((other) => other.id !== phone.id);
  if (phone.state === "removed") return others;
  const index = phones.findIndex((other) => other.id === phone.id);
  if (index === -1) return [...phones, phone];
  return phones.map((other) => (other.id === phone.id ? phone : other));
}

/** Running phones first, then the most recently used; the order of the switcher. */
export function sortedPhones(phones: readonly Phone[]): readonly Phone[] {
  return [...phones].sort(
    (a, b) =>
      Number(isAwake(b)) - Number(isAwake(a)) ||
      lastTouched(b).localeCompare(lastTouched(a)) ||
      a.name.localeCompare(b.name),
  );
}

/** The phone to show: the wanted one if it is still there, else the first of the switcher. */
export function choosePhone(phones: readonly Phone[], wanted: PhoneId | undefined): Phone | undefined {
  return phones.find((phone) => phone.id === wanted) ?? sortedPhones(phones)[0];
}

/** Running or on its way there. */
export function isAwake(phone: Phone): boolean {
  return phone.state === "running" || phone.state === "starting" || phone.state === "creating";
}

function lastTouched(phone: Phone): string {
  return phone.lastUsedAt ?? phone.startedAt ?? phone.createdAt;
}
