/** Runs, newest first: what it was, how it ended, how long it took, where and when. */
import type { RunSummary } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { Icon } from "../../components/icon.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePhones } from "../../state/app-context.tsx";
import { timeAgo } from "../phone/model/run-time.ts";
import { RUN_STATE_LOOK, runDuration, triggerWords } from "./model/run-words.ts";

export interface RunsListProps {
  readonly runs: readonly RunSummary[];
  readonly onRun: (id: RunId) => void;
  /** Leaves out the name, where all are runs of one automation. */
  readonly unnamed?: boolean;
}

export function RunsList({ runs, onRun, unnamed = false }: RunsListProps) {
  const now = useNow(true);
  const { phones } = usePhones();
  return (
    <ul className="list" aria-label="Runs">
      {runs.map((run) => {
        const look = RUN_STATE_LOOK[run.state];
        const duration = runDuration(run, now);
        const phone =
          run.anyPhone === true
            ? "the first free phone"
            : (phones.find(({ id }) => id === run.phoneId)?.name ?? "a removed phone");
        const trigger = triggerWords(run);
        return (
          <li key={run.id} className="automation-row">
            <button type="button" className="row-button row-button-icon" onClick={() => onRun(run.id)}>
              <span className={`tone-${look.tone}`}>
                <Icon name={look.icon} />
              </span>
              <span className="list-text">
                <span className="list-title truncate">{unnamed ? look.words : run.name}</span>
                <span className="secondary tabular">
                  {unnamed ? "" : `${look.words} · `}
                  {duration === undefined ? "" : `${duration} · `}
                  {phone}
                  {trigger !== undefined && ` · ${trigger}`}
                </span>
              </span>
              <time className="secondary tabular row-time" dateTime={run.createdAt}>
                {timeAgo(run.createdAt, now)}
              </time>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
