/** Where the next run goes. */
import { useState } from "react";
import type { Phone } from "../../../shared/phone-model.ts";
import { usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import { sortedPhones } from "../phone/model/phone-list.ts";
import { readTarget, type TagTarget, type TargetOption, targetOptions } from "./model/run-target.ts";

export interface RunPhone {
  /** Phones, and tags that several phones carry. */
  readonly options: readonly TargetOption[];
  readonly value: string;
  /** Undefined while the team has no phone. */
  readonly chosen: Phone | undefined;
  /** Set when not one phone but a tag's are meant. */
  readonly many: TagTarget | undefined;
  readonly choose: (value: string) => void;
}

export function useRunPhone(): RunPhone {
  const { phones, defaultPhoneId } = usePhones();
  const [choice, setChoice] = useState<string>();
  const options = targetOptions(sortedPhones(phones));
  // What was chosen may be gone: a phone that is removed, a tag that no phone carries any more.
  const valid = options.some(({ value }) => value === choice) ? choice : undefined;
  const chosen = defaultPhone(phones, phones.find(({ id }) => id === valid)?.id ?? defaultPhoneId);
  return {
    options,
    value: valid ?? chosen?.id ?? "",
    chosen,
    many: valid === undefined ? undefined : readTarget(valid),
    choose: setChoice,
  };
}
