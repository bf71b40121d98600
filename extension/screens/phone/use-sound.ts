/** Which phones are heard. Off at first, and remembered for as long as the panel is open. */
import { useCallback, useState } from "react";
import type { PhoneId } from "../../../shared/ids.ts";
import { useToast } from "../../components/toast.tsx";
import type { SoundTrouble } from "./live/sound.ts";

const TROUBLE_WORDS: Readonly<Record<SoundTrouble, string>> = {
  no_decoder: "This browser cannot play the phone's sound. A current Chrome, Edge or Firefox plays it.",
  failed: "The phone's sound stopped. Turn it on again to try once more.",
};

export interface SoundChoice {
  readonly on: boolean;
  readonly onToggle: () => void;
  readonly onTrouble: (trouble: SoundTrouble) => void;
}

export function useSound(phoneId: PhoneId | undefined): SoundChoice {
  const toast = useToast();
  const [heard, setHeard] = useState<ReadonlySet<PhoneId>>(new Set());
  const on = phoneId !== undefined && heard.has(phoneId);
  const turn = useCallback(
    (wanted: boolean) =>
      setHeard((before) => {
        const next = new Set(before);
        if (phoneId !== undefined) next[wanted ? "add" : "delete"](phoneId);
        return next;
      }),
    [phoneId],
  );
  return {
    on,
    onToggle: () => turn(!on),
    onTrouble(trouble) {
      turn(false);
      toast({ text: TROUBLE_WORDS[trouble], tone: "error" });
    },
  };
}
