/** Corrections reach everybody who holds the corrected value (Art. 19 GDPR). */
import type { UserId } from "../../../shared/ids.ts";
import type { Writer } from "../../db/database.ts";

export interface Correction {
  readonly userId: UserId;
  readonly field: "fullName" | "email";
}

/** Leaves word for each processor, in the transaction that corrects; the value is read when it is passed on. */
export type TellProcessors = (tx: Writer, correction: Correction) => Promise<void>;

/** No processor keeps a name or address of its own: mail carries what is true when it is sent. */
export const nobodyToTell: TellProcessors = async () => {};
