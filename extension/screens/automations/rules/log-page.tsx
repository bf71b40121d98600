/** "Why did this (not) run": the last evaluations, with every condition and the gate that stopped it. */
import { useEffect, useState } from "react";
import type { Explanation } from "../../../../shared/rules/explain.ts";
import { Icon, type IconName } from "../../../components/icon.tsx";
import { EmptyState } from "../../../components/notice.tsx";
import { PageHead } from "../../../components/page-head.tsx";
import { Card } from "../../../components/surface.tsx";
import { evaluationLog, watchEvaluationLog } from "../../../rules/evaluation-log.ts";
import { clockTime } from "../../phone/model/run-time.ts";
import { ChecksList } from "./checks-list.tsx";

const LOOK = {
  fired: { icon: "start", tone: "good", words: "Ran" },
  stopped: { icon: "hand", tone: "warn", words: "Held back" },
  fits: { icon: "check", tone: "neutral", words: "Fits" },
  "no fit": { icon: "close", tone: "neutral", words: "Did not fit" },
} as const satisfies Record<Explanation["outcome"], { icon: IconName; tone: string; words: string }>;

export interface LogPageProps {
  /** Of one rule alone. */
  readonly ruleKey: string | undefined;
  readonly onBack: () => void;
}

export function LogPage({ ruleKey, onBack }: LogPageProps) {
  const [log, setLog] = useState<readonly Explanation[]>([]);
  useEffect(() => {
    const look = () => void evaluationLog().then(setLog);
    look();
    return watchEvaluationLog(look);
  }, []);
  const shown = log.filter(({ ruleId }) => ruleKey === undefined || ruleId === ruleKey).toReversed();
  return (
    <div className="screen">
      <PageHead
        back={ruleKey === undefined ? "All rules" : "The rule"}
        onBack={onBack}
        title="Why did it (not) run"
        detail="Since the browser started, kept here alone"
      />
      {shown.length === 0 ? (
        <EmptyState icon="activity" title="Nothing was judged yet">
          A rule is judged when you open a page on one of its sites. Pages elsewhere wake nothing.
        </EmptyState>
      ) : (
        <Card>
          <ul className="log-list" aria-label="Evaluations">
            {shown.map((one) => (
              <li key={`${one.ruleId} ${one.at}`}>
                <Entry one={one} />
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

function Entry({ one }: { readonly one: Explanation }) {
  const { icon, tone, words } = LOOK[one.outcome];
  return (
    <details className="log-entry">
      <summary>
        <span className={`tone-${tone}`}>
          <Icon name={icon} />
        </span>
        <span className="list-text">
          <span>
            {words}: {one.ruleName}
          </span>
          <span className="secondary">
            <bdi>{one.words}</bdi>
          </span>
          <span className="secondary">
            {one.host === "" ? "no page" : one.host} · by {one.start}
          </span>
        </span>
        <time className="secondary tabular" dateTime={new Date(one.at).toISOString()}>
          {clockTime(new Date(one.at).toISOString())}
        </time>
      </summary>
      <ChecksList checks={one.checks} />
    </details>
  );
}
