/** Which phone the next run goes to. */
import { useState } from "react";
import type { PhoneId } from "../../../shared/id-values.ts";
import type { Phone } from "../../../shared/phone-model.ts";
import { usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import { sortedPhones } from "../phone/model/phone-list.ts";

export interface RunPhone {
  readonly phones: readonly Phone[];
  /** Undefined while the team has no phone. */
  readonly chosen: Phone | undefined;
  readonly choose: (id: string) => void;
}

export function useRunPhone(): RunPhone {
  const { phones, defaultPhoneId } = usePhones();
  const [choice, setChoice] = useState<PhoneId>();
  return {
    phones: sortedPhones(phones),
    chosen: defaultPhone(phones, choice ?? defaultPhoneId),
    choose: (id) => setChoice(phones.find((phone) => phone.id === id)?.id),
  };
}
