/** Says where times are shown that they are wrong while this computer's clock is. */
import { useSyncExternalStore } from "react";
import { Notice } from "../../components/notice.tsx";
import { usePage } from "../../state/app-context.tsx";

const nothing = () => () => {};

export function ClockNotice() {
  const { skew } = usePage().app;
  const minutes = useSyncExternalStore(skew?.subscribe ?? nothing, () => skew?.minutes() ?? 0);
  if (minutes === 0) return null;
  return (
    <Notice
      tone="warn"
      title={`This computer's clock is ${durationWords(Math.abs(minutes))} ${minutes > 0 ? "ahead" : "behind"}.`}
    >
      Times below are wrong by as much, and codes from an app on this computer will not work. Set the clock.
    </Notice>
  );
}

/** `5 min`, `3 h`, `2 days`. */
function durationWords(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
