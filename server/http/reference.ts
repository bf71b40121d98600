/**
 * What a person quotes and an operator looks for: ten letters and digits without those that are mistaken for each other
 * (Crockford's base 32), in two groups, like `K7P2M-9XQ4D`. 50 random bits: of a million requests two share one once in
 * two thousand such logs. It stands in the answer, in the log and in traces.
 */
import { randomBytes } from "node:crypto";

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP = 5;
export const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;

/** Random bytes are fetched for many requests at once, which costs a tenth. */
export function createReferences(random: (size: number) => Buffer = randomBytes): () => string {
  let bytes: Buffer = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at + 2 * GROUP > bytes.length) {
      bytes = random(128 * 2 * GROUP);
      at = 0;
    }
    let text = "";
    for (const end = at + 2 * GROUP; at < end; at += 1) {
      text += LETTERS[(bytes[at] ?? 0) & 31];
      if (text.length === GROUP) text += "-";
    }
    return text;
  };
}
