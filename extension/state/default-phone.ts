/** Which phone a page goes to when nobody said. */
import type { PhoneId } from "../../shared/id-values.ts";
import type { Phone } from "../../shared/phone-model.ts";

/** The chosen one if it is still there, else a running one, else the one used last; undefined when there is none. */
export function defaultPhone(phones: readonly Phone[], chosen: PhoneId | undefined): Phone | undefined {
  return phones.find((phone) => phone.id === chosen) ?? [...phones].sort(byUse)[0];
}

function byUse(a: Phone, b: Phone): number {
  const running = Number(b.state === "running") - Number(a.state === "running");
  return running !== 0 ? running : lastUse(b).localeCompare(lastUse(a));
}

function lastUse(phone: Phone): string {
  return phone.lastUsedAt ?? phone.startedAt ?? phone.createdAt;
}
