/** Ids that sort in the order they were made in and cannot be guessed: addresses of hosted pages are made of them. */
import { randomInt } from "node:crypto";
import { type Kind, PREFIX } from "./objects.ts";

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_LENGTH = 22;

export type MakeId = (what: Kind | "si" | "il" | "li" | "req" | "idem" | "dlv") => string;

export function createIds(now: () => number): MakeId {
  let last = 0;
  return (what) => {
    last = Math.max(last + 1, now() * 1_000);
    const stamp = last.toString(36).padStart(11, "0");
    const random = Array.from({ length: RANDOM_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
    return `${what in PREFIX ? PREFIX[what as Kind] : what}_sbx${stamp}${random}`;
  };
}
