/** What a rule wanted and what was there, line by line. */
import type { Check } from "../../../../shared/rules/evaluate.ts";
import { Icon } from "../../../components/icon.tsx";

export function ChecksList({ checks }: { readonly checks: readonly Check[] }) {
  return (
    <ul className="rule-checks" aria-label="Conditions">
      {checks.map(({ kind, holds, wanted, observed }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line's place is all it has
        <li key={index} className="rule-check">
          <span className={holds ? "tone-good" : "tone-bad"}>
            <Icon name={holds ? "check" : "close"} />
          </span>
          <span>
            <span className="sr-only">{holds ? "Holds: " : "Does not hold: "}</span>
            <bdi>{wanted}</bdi>
          </span>
          {kind !== "start" && (
            <span className="secondary">
              there was <bdi>{observed}</bdi>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
