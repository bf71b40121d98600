/** Entries of the log by day. A privileged read stands out with the reason that was given for it. */
import type { ActivityEntry } from "../../../shared/activity.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Card } from "../../components/surface.tsx";
import { clockTime } from "../phone/model/run-time.ts";
import { byDay, entryWords, GROUP_LOOK } from "./model/activity-words.ts";
import type { ActivityLog } from "./use-activity-log.ts";
import "./activity.css";

export interface ActivityListProps {
  readonly entries: readonly ActivityEntry[];
  readonly log: Pick<ActivityLog, "hasOlder" | "readingOlder" | "older">;
  /** Shows what happened to one thing alone. */
  readonly onObject?: (object: NonNullable<ActivityEntry["object"]>) => void;
}

export function ActivityList({ entries, log, onObject }: ActivityListProps) {
  return (
    <>
      {byDay(entries, Date.now()).map(({ title, entries: ofDay }) => (
        <Card key={title} title={title}>
          <ul className="list" aria-label={title}>
            {ofDay.map((entry) => (
              <Entry key={`${entry.seq} ${entry.at}`} entry={entry} onObject={onObject} />
            ))}
          </ul>
        </Card>
      ))}
      {log.hasOlder && (
        <div>
          <Button icon="chevronDown" busy={log.readingOlder} onClick={log.older}>
            Show older
          </Button>
        </div>
      )}
    </>
  );
}

interface EntryProps {
  readonly entry: ActivityEntry;
  readonly onObject: ActivityListProps["onObject"] | undefined;
}

function Entry({ entry, onObject }: EntryProps) {
  const { object, reason, at, group } = entry;
  const name = object?.name;
  return (
    <li className={`list-row log-entry${reason === undefined ? "" : " log-privileged"}`}>
      <span className="list-lead" title={GROUP_LOOK[group].words}>
        <Icon name={GROUP_LOOK[group].icon} />
      </span>
      <span className="list-text">
        <span className="list-title">{entryWords(entry)}</span>
        {object !== undefined && name !== undefined && onObject !== undefined && (
          <button
            type="button"
            className="log-object"
            aria-label={`Show only what happened to ${name}`}
            onClick={() => onObject(object)}
          >
            {name}
          </button>
        )}
        {name !== undefined && onObject === undefined && <span className="secondary">{name}</span>}
        {reason !== undefined && <span className="log-reason">Reason: {reason}</span>}
      </span>
      <time className="secondary tabular" dateTime={at} title={new Date(at).toLocaleString()}>
        {clockTime(at)}
      </time>
    </li>
  );
}
