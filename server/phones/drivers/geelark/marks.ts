/** What stands in the remark of a phone at the partner, so that it is found again: whose server's, and which phone. */
import { type PhoneId, phoneId } from "../../../../shared/ids.ts";

export interface Marks {
  remark(id: PhoneId): string;
  /** Undefined for what is not this server's. */
  phoneIn(remark: string): PhoneId | undefined;
}

const MARK_LENGTH = 16;

/** `mark` keeps two servers with one account apart. */
export function createMarks(mark: string): Marks {
  const prefix = `perch ${mark.slice(0, MARK_LENGTH)} `;
  return {
    remark: (id) => `${prefix}${id}`,
    phoneIn(remark) {
      const text = remark.trim();
      return text.startsWith(prefix) ? phoneId.safeParse(text.slice(prefix.length)).data : undefined;
    },
  };
}
