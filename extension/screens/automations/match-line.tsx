/** How many elements the step at the cursor means on the phone, and which of them is taken. */
import type { FlowMatches } from "../../../shared/automation-model.ts";
import { Icon } from "../../components/icon.tsx";
import { matchWords } from "./model/match-words.ts";
import "./peek.css";

export interface MatchLineProps {
  readonly matches: FlowMatches | undefined;
  readonly phoneName: string;
  /** Whether the picture is shown; undefined where it always is. */
  readonly open?: boolean;
  readonly onToggle?: () => void;
}

export function MatchLine({ matches, phoneName, open, onToggle }: MatchLineProps) {
  const { words, tone } = matchWords(matches, phoneName);
  return (
    <div className="match-line">
      <span className={`run-state tone-${tone}`} role="status">
        {tone !== "neutral" && <Icon name={tone === "warn" ? "warning" : "check"} />}
        <span>{words}</span>
      </span>
      {onToggle !== undefined && (
        <button type="button" className="check-line" aria-expanded={open} onClick={onToggle}>
          <Icon name="phone" />
          {open === true ? "Hide" : "Show"}
        </button>
      )}
    </div>
  );
}
