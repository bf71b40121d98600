/** Web phones' files outside the node that runs them, sealed, so that another node can go on with a phone whose node is gone. */
import type { PhoneId } from "../../shared/ids.ts";

export interface ProfileArchive {
  /** Keeps what a parked phone stored; replaces what was kept before. */
  archive(phoneId: PhoneId): Promise<void>;
  /** Puts it into this node's storage of phones. */
  restore(phoneId: PhoneId): Promise<void>;
  has(phoneId: PhoneId): Promise<boolean>;
  /** Forgets it, with the phone. */
  remove(phoneId: PhoneId): Promise<void>;
}

/** Where nothing is kept outside. */
export const NO_ARCHIVE: ProfileArchive = {
  archive: async () => {},
  restore: () => Promise.reject(new Error("No phone was archived.")),
  has: async () => false,
  remove: async () => {},
};
