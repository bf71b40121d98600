/** Why a phone is as it is; loaded for those that say so. */
import type { PhoneReason } from "../../../shared/phone-model.ts";
import { PHONE_REASON_WORDS } from "../../../shared/phone-words.ts";

export function Reason({ reason }: { readonly reason: PhoneReason }) {
  return PHONE_REASON_WORDS[reason];
}
