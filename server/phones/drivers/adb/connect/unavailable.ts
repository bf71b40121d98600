/** Why a device could not be reached, as an error a person reads and a phone's reason. */
import { PerchError } from "../../../../errors.ts";
import type { AdbReason } from "../ports.ts";

export class AdbUnavailable extends PerchError {
  readonly reason: AdbReason;

  constructor(reason: AdbReason, message: string, details: { readonly cause?: unknown } = {}) {
    super("phone_unavailable", message, details);
    this.reason = reason;
  }
}
