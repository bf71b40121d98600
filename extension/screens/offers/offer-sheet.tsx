/**
 * The question before a run: which rule, on which site and phone, and exactly the values that would be sent. It stands in
 * the popup and the panel, where no page can draw over it or click it. Nothing in its headings comes from a page.
 */
import { type ReactNode, useId } from "react";
import type { Phone } from "../../../shared/phone-model.ts";
import { Button } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import type { FittingRule } from "../../rules/by-hand.ts";
import { phoneWords, sourceWords } from "./offer-words.ts";
import "./offer-sheet.css";

export interface OfferSheetProps {
  readonly fitting: FittingRule;
  /** Absent while it is not known. */
  readonly flowName: string | undefined;
  readonly phones: readonly Phone[];
  /** The phone chosen for a rule that asks. */
  readonly phoneId: Phone["id"] | undefined;
  readonly busy: boolean;
  readonly onPhone: (id: Phone["id"]) => void;
  readonly onRun: (yes: "once" | "site") => void;
  readonly onNotNow: () => void;
  /** What went wrong with the last try. */
  readonly problem?: ReactNode;
}

export function OfferSheet(props: OfferSheetProps) {
  const { fitting, flowName, phones, phoneId, busy, onPhone, onRun, onNotNow, problem } = props;
  const { saved, offer } = fitting;
  const { rule } = saved;
  const titleId = useId();
  const where = phoneWords(rule.action, phones);
  return (
    <section className="offer-sheet" aria-labelledby={titleId}>
      <h2 id={titleId}>
        {rule.name} <span className="offer-host">on {offer.host}</span>
      </h2>
      <p>
        Runs {flowName === undefined ? "its automation" : <strong>{flowName}</strong>}
        {where === undefined ? "." : ` ${where}.`}
      </p>
      {where === undefined && (
        <Select
          aria-label="Phone"
          // Arrows and digits choose here, and nothing else.
          onKeyDown={(event) => event.stopPropagation()}
          value={phoneId ?? ""}
          options={phones.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={({ target }) => {
            const chosen = phones.find(({ id }) => id === target.value);
            if (chosen !== undefined) onPhone(chosen.id);
          }}
        />
      )}
      <div data-line className="offer-values-frame">
        {offer.values.length === 0 ? (
          <p className="secondary">It sends nothing of the page.</p>
        ) : (
          <>
            <p className="secondary">It sends exactly this:</p>
            <dl className="offer-values">
              {offer.values.map(({ name, value, source }) => (
                <div key={name}>
                  <dt>
                    <code>{name}</code> <span className="secondary">{sourceWords(source)}</span>
                  </dt>
                  <dd>
                    <bdi>{value}</bdi>
                  </dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </div>
      {problem}
      <div className="offer-actions" data-line>
        <Button
          kind="primary"
          icon="start"
          busy={busy}
          disabled={where === undefined && phoneId === undefined}
          onClick={() => onRun("once")}
        >
          Run
        </Button>
        {rule.confirm !== "always" && (
          <Button busy={busy} disabled={where === undefined && phoneId === undefined} onClick={() => onRun("site")}>
            Always on this site
          </Button>
        )}
        <Button kind="quiet" onClick={onNotNow}>
          Not now
        </Button>
      </div>
    </section>
  );
}
