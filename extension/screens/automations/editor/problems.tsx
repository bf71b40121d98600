/** What is wrong in a flow, in the order of its lines. */
import type { Diagnostic, Place } from "../../../../shared/flows/model.ts";
import { IconButton } from "../../../components/button.tsx";
import { Icon, type IconName } from "../../../components/icon.tsx";
import { MarkedWords } from "../marked-words.tsx";

export interface ProblemsProps {
  readonly diagnostics: readonly Diagnostic[];
  readonly onGoTo: (place: Place) => void;
  readonly onNext: () => void;
  readonly onPrevious: () => void;
}

const ICONS = { error: "error", warning: "warning", info: "info" } as const satisfies Record<
  Diagnostic["severity"],
  IconName
>;
const TONES = { error: "bad", warning: "warn", info: "neutral" } as const;
/** More than these are noise: the first ones explain the rest. */
const MOST_SHOWN = 20;

export function Problems({ diagnostics, onGoTo, onNext, onPrevious }: ProblemsProps) {
  if (diagnostics.length === 0) return null;
  return (
    <div className="problems">
      {diagnostics.length > 1 && (
        <div className="problems-bar">
          <span className="secondary">From one to the next</span>
          <IconButton icon="chevronUp" size="small" label="Previous problem" shortcut="Shift+F8" onClick={onPrevious} />
          <IconButton icon="chevronDown" size="small" label="Next problem" shortcut="F8" onClick={onNext} />
        </div>
      )}
      <ul className="diagnostics" aria-label="Problems">
        {diagnostics.slice(0, MOST_SHOWN).map((diagnostic, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may say the same of the same place
          <li key={index}>
            <button
              type="button"
              className="diagnostic"
              disabled={diagnostic.file !== undefined}
              onClick={() => onGoTo(diagnostic)}
            >
              <span className={`tone-${TONES[diagnostic.severity]}`}>
                <Icon name={ICONS[diagnostic.severity]} />
              </span>
              <span className="list-text">
                <span>
                  <MarkedWords text={diagnostic.message} />
                </span>
                <span className="secondary tabular">
                  {diagnostic.file === undefined ? "Line" : `${diagnostic.file}, line`} {diagnostic.line}, column{" "}
                  {diagnostic.column}
                </span>
              </span>
            </button>
          </li>
        ))}
        {diagnostics.length > MOST_SHOWN && (
          <li className="secondary row-note">And {diagnostics.length - MOST_SHOWN} more.</li>
        )}
      </ul>
    </div>
  );
}
