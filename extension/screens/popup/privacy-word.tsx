/** What the way to Privacy says: the nearest clock, or that there is none. */
import { clockWords } from "../../state/privacy-clock-words.ts";
import { usePrivacyMark } from "../../state/use-privacy-mark.ts";

export function PrivacyWord() {
  const mark = usePrivacyMark();
  if (mark === undefined) return "Privacy";
  const { clock, hold } = mark;
  if (clock !== undefined && clock.kind !== "inactivity") return clockWords(clock, Date.now());
  return hold === "restricted" ? "Use of data restricted" : "Privacy ✓";
}
