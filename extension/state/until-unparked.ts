/** For an offer about a parked phone, e.g. to undo the parking. */
import type { PhoneId } from "../../shared/id-values.ts";
import type { PhonesStore } from "./phones.ts";

/** Calls back once the phone is not parked any more, whoever started or removed it; as `until` of a toast. */
export function untilUnparked(phones: PhonesStore, phoneId: PhoneId): (onGone: () => void) => () => void {
  return (onGone) =>
    phones.subscribe(() => {
      const state = phones.snapshot().phones.find((phone) => phone.id === phoneId)?.state;
      if (state !== "parked" && state !== "parking") onGone();
    });
}
