/** Phone time that is left: how much, from where, and how long it lasts. */
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { minutesWords } from "../../../shared/billing/words.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/surface.tsx";
import { calendarDate } from "../phone/model/run-time.ts";
import { afterWords, forecastWords, grantParts } from "./model/billing-words.ts";

export interface MinutesCardProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly onAdd: () => void;
}

export function MinutesCard({ summary, mayManage, onAdd }: MinutesCardProps) {
  const { grants, minutesLeftMs } = summary;
  const now = Date.now();
  const forecast = forecastWords(summary, now);
  const parts = grantParts(grants);
  return (
    <Card
      title="Phone time left"
      action={
        mayManage && (
          <Button size="small" onClick={onAdd}>
            Add minutes
          </Button>
        )
      }
    >
      <p className="figure tabular">{minutesWords(minutesLeftMs)}</p>
      <div className="minutes-bar" aria-hidden="true">
        {parts.map(({ kind, name, percent }) => (
          <span key={kind + name} className={`minutes-part minutes-${kind}`} style={{ width: `${percent}%` }} />
        ))}
      </div>
      <ul className="legend" aria-label="Where phone time comes from">
        {grants.map((grant) => (
          <li key={grant.kind + grant.name + (grant.expiresAt ?? "")}>
            <span className={`legend-mark minutes-${grant.kind}`} aria-hidden="true" />
            <span className="legend-name truncate">{grant.name}</span>
            <span className="tabular">{minutesWords(grant.remainingMs)} left</span>
            {grant.expiresAt !== undefined && (
              <span className="legend-until secondary tabular">until {calendarDate(grant.expiresAt, now)}</span>
            )}
          </li>
        ))}
      </ul>
      <p className="secondary tabular card-words">
        {forecast} {afterWords(summary)}
      </p>
    </Card>
  );
}
