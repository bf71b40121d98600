/** What happened to the team's phones while this panel was open. Nothing of it is stored. */
import { Icon } from "../../components/icon.tsx";
import { EmptyState } from "../../components/notice.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useNow } from "../../components/use-now.ts";
import type { ActivityEntry } from "../phone/model/activity.ts";
import { clockTime, timeAgo } from "../phone/model/run-time.ts";

export function ActivityScreen({ entries }: { readonly entries: readonly ActivityEntry[] }) {
  const now = useNow(true);
  if (entries.length === 0) {
    return (
      <EmptyState icon="activity" title="Nothing has happened yet">
        Phones that start, park or stop while this panel is open are listed here. The list goes when you close it.
      </EmptyState>
    );
  }
  return (
    <div className="screen">
      <header className="screen-head">
        <h1>Activity</h1>
        <p className="secondary">Since you opened this panel. It is not stored.</p>
      </header>
      <Card>
        <List label="Activity">
          {entries.map((entry) => (
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
                <time
                  className="secondary tabular"
                  dateTime={new Date(entry.at).toISOString()}
                  title={clockTime(new Date(entry.at).toISOString())}
                >
                  {timeAgo(new Date(entry.at).toISOString(), now)}
                </time>
              }
            />
          ))}
        </List>
      </Card>
    </div>
  );
}
