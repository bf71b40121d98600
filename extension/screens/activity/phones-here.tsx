/** What happened to the team's phones while this panel was open. Nothing of it is stored. */
import { Icon } from "../../components/icon.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useNow } from "../../components/use-now.ts";
import type { ActivityEntry } from "../phone/model/activity.ts";
import { clockTime, timeAgo } from "../phone/model/run-time.ts";

export function PhonesHere({ entries }: { readonly entries: readonly ActivityEntry[] }) {
  const now = useNow(true);
  if (entries.length === 0) return null;
  return (
    <Card>
      <details className="phones-here">
        <summary>
          <Icon name="chevronRight" />
          <span className="list-text">
            <span className="list-title">Phones, while this panel was open</span>
            <span className="secondary">Not stored; gone when you close it</span>
          </span>
          <span className="secondary tabular">{entries.length}</span>
        </summary>
        <List label="Phones, while this panel was open">
          {entries.map((entry) => {
            const at = new Date(entry.at).toISOString();
            return (
              <ListRow
                key={entry.id}
                lead={
                  <span className={`activity-${entry.tone}`}>
                    <Icon name={entry.tone === "bad" ? "error" : entry.tone === "good" ? "start" : "clock"} />
                  </span>
                }
                title={entry.phoneName}
                detail={entry.words}
                trail={
                  <time className="secondary tabular" dateTime={at} title={clockTime(at)}>
                    {timeAgo(at, now)}
                  </time>
                }
              />
            );
          })}
        </List>
      </details>
    </Card>
  );
}
