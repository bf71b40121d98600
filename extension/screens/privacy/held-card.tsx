/** Everything held about the person, by kind: how much, how old, and what of it goes next. Opens in place. */
import { useState } from "react";
import type { HeldCategory } from "../../../shared/privacy.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Card } from "../../components/surface.tsx";
import { calendarDate } from "../phone/model/run-time.ts";
import { byNearness, heldLine, itemWords, nextWords } from "./model/privacy-words.ts";

/** What fits on the first screen. */
const SHOWN = 4;

export interface HeldCardProps {
  readonly categories: readonly HeldCategory[];
  readonly now: number;
  /** Address of the policy, for links to its clauses. */
  readonly policy: string | undefined;
  readonly onCorrect: (category: HeldCategory) => void;
}

export function HeldCard({ categories, now, policy, onCorrect }: HeldCardProps) {
  const [all, setAll] = useState(false);
  const sorted = byNearness(categories);
  const fits = sorted.length <= SHOWN + 1;
  const shown = all || fits ? sorted : sorted.slice(0, SHOWN);
  return (
    <Card title="What we hold">
      {categories.length === 0 && <p className="secondary">Nothing is held about you.</p>}
      <ul className="list" aria-label="What we hold">
        {shown.map((category) => (
          <li key={category.category}>
            <Held category={category} now={now} policy={policy} onCorrect={() => onCorrect(category)} />
          </li>
        ))}
      </ul>
      {!fits && (
        <button type="button" className="held-all" aria-expanded={all} onClick={() => setAll(!all)}>
          <Icon name={all ? "chevronUp" : "chevronDown"} />
          {all ? "Fewer" : restWords(sorted.slice(SHOWN))}
        </button>
      )}
    </Card>
  );
}

function restWords(rest: readonly HeldCategory[]): string {
  const empty = rest.filter(({ items }) => items === 0).length;
  return `${rest.length} more kinds${empty === 0 ? "" : `, ${empty} of them empty`}`;
}

interface HeldProps {
  readonly category: HeldCategory;
  readonly now: number;
  readonly policy: string | undefined;
  readonly onCorrect: () => void;
}

function Held({ category, now, policy, onCorrect }: HeldProps) {
  const { label, items, purpose, oldestAt, leaves, next, place, clauses, rectify } = category;
  return (
    <details className="held">
      <summary>
        <span className="list-text">
          <span className="held-label">
            <span className="truncate">{label}</span>
            <span className="secondary tabular">{itemWords(items)}</span>
          </span>
          <span className="secondary tabular truncate">{heldLine(category, now)}</span>
        </span>
        <Icon name="chevronRight" />
      </summary>
      <dl className="held-facts">
        <dt>Why</dt>
        <dd>{purpose}</dd>
        <dt>Oldest</dt>
        <dd>{oldestAt === undefined ? "There is none." : calendarDate(oldestAt, now)}</dd>
        <dt>Goes</dt>
        <dd>
          {leaves}
          {next !== undefined && ` Next: ${nextWords(next, now)}.`}
        </dd>
        <dt>Where</dt>
        <dd>{place}</dd>
        {clauses.length > 0 && (
          <>
            <dt>Promised</dt>
            <dd className="clauses">
              {clauses.map((clause) =>
                policy === undefined ? (
                  <span key={clause}>{clause}</span>
                ) : (
                  <a key={clause} href={`${policy}#${clause}`} target="_blank" rel="noreferrer">
                    {clause}
                  </a>
                ),
              )}
            </dd>
          </>
        )}
        {rectify !== "none" && (
          <>
            <dt>Wrong?</dt>
            <dd>
              <Button size="small" kind="quiet" onClick={onCorrect}>
                {rectify === "self" ? "Correct it" : "Dispute it"}
              </Button>
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}
