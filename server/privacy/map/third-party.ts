/** How an export shows what is somebody else's (Art. 15(4) GDPR): their address masked, themselves as "Member 2". */
import { idPattern } from "../../../shared/id-values.ts";
import type { ColumnPrivacy } from "../tags.ts";
import type { Person } from "./rows-of.repo.ts";

const A_PERSON = idPattern("user");

/**
 * Masks values for one person's export. People are numbered in the order they come up, the same for the whole export;
 * the person is number 1 and keeps their own values.
 */
export function createMask(person: Person): (tag: ColumnPrivacy, value: unknown) => unknown {
  const numbers = new Map<string, number>();
  return ({ thirdParty }, value) => {
    if (thirdParty === undefined || typeof value !== "string") return value;
    if (thirdParty === "address") return value.toLowerCase() === person.email ? value : maskedAddress(value);
    if (value === person.userId || !A_PERSON.test(value)) return value;
    const number = numbers.get(value) ?? numbers.size + 2;
    numbers.set(value, number);
    return `Member ${number}`;
  };
}

/** `anna@example.com` as `a•••@e•••`. */
export function maskedAddress(address: string): string {
  const [local = "", domain = ""] = address.split("@");
  return `${[...local].slice(0, 1).join("")}•••@${[...domain].slice(0, 1).join("")}•••`;
}
