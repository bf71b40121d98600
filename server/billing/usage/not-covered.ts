/** A phone that may not start, or goes on no longer, because nothing pays for it. */
import type { PhoneReason } from "../../../shared/phones.ts";
import { PerchError } from "../../errors.ts";

/** `balance`: no phone time and no money is left · `budget`: one is used up · `payment`: one failed. */
export type NoCover = Extract<PhoneReason, "balance" | "budget" | "payment">;

export class NotCovered extends PerchError {
  readonly reason: NoCover;
  constructor(reason: NoCover, message: string) {
    super("payment_required", message);
    this.reason = reason;
  }
}
