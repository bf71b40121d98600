/** One of a few, each with a line that says what it is: native radio buttons, so arrows choose. */
import { type ReactNode, useId } from "react";
import "./choice-cards.css";

export interface Choice<Id extends string> {
  readonly id: Id;
  readonly label: string;
  readonly detail?: ReactNode;
  /** Why it cannot be chosen, as a sentence. */
  readonly unavailable?: string;
}

export interface ChoiceCardsProps<Id extends string> {
  /** Accessible name of the group. */
  readonly label: string;
  readonly choices: readonly Choice<Id>[];
  readonly chosen: Id | undefined;
  readonly onChoose: (id: Id) => void;
  /** Side by side, for two short ones. */
  readonly beside?: boolean;
}

export function ChoiceCards<Id extends string>(props: ChoiceCardsProps<Id>) {
  const { label, choices, chosen, onChoose, beside = false } = props;
  const name = useId();
  return (
    <fieldset className={`choice-cards${beside ? " choice-cards-beside" : ""}`}>
      <legend className="sr-only">{label}</legend>
      {choices.map(({ id, label: words, detail, unavailable }) => (
        <label key={id} className="choice-card">
          <input
            type="radio"
            name={name}
            checked={id === chosen}
            disabled={unavailable !== undefined}
            onChange={() => onChoose(id)}
          />
          <span className="choice-text">
            <span className="choice-label">{words}</span>
            {detail !== undefined && <span className="secondary">{detail}</span>}
            {unavailable !== undefined && <span className="secondary choice-unavailable">{unavailable}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
