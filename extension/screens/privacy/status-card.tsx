/** The first line: all clear, or the nearest clock with the one thing to do about it. The other clocks stand below. */
import type { ReactNode } from "react";
import type { DeletionView, ExportView, PrivacyOverview } from "../../../shared/privacy.ts";
import { Button } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import type { ClockKind, PrivacyClock } from "../../state/privacy-clock.ts";
import { clockWords } from "../../state/privacy-clock-words.ts";
import { progressOf } from "./model/export-progress.ts";
import { clockDetail, statusOf } from "./model/privacy-words.ts";
import { ProgressLine } from "./progress-line.tsx";

const ICONS: Readonly<Record<ClockKind, IconName>> = {
  purging: "trash",
  incident: "warning",
  deletion: "trash",
  export: "download",
  policy: "file",
  inactivity: "clock",
};

const VERBS: Partial<Readonly<Record<ClockKind, string>>> = {
  incident: "Read",
  deletion: "Undo",
  export: "Download",
  policy: "See changes",
};

export interface StatusCardProps {
  readonly overview: PrivacyOverview;
  readonly clocks: readonly PrivacyClock[];
  /** The copy that is being made. */
  readonly making: ExportView | undefined;
  readonly now: number;
  readonly busy: ClockKind | "allow" | undefined;
  readonly onClock: (kind: ClockKind) => void;
  readonly onAllow: () => void;
  readonly onMaking: () => void;
}

export function StatusCard(props: StatusCardProps) {
  const { overview, clocks, making, now, busy, onClock, onAllow, onMaking } = props;
  const [clock, ...others] = clocks;
  const status = statusOf(overview, clock, now);
  const restricted = overview.preferences.restricted;
  const action = (each: PrivacyClock, primary: boolean) => {
    const verb = VERBS[each.kind];
    if (verb === undefined) return null;
    return (
      <Button
        size="small"
        kind={primary ? "primary" : "secondary"}
        busy={busy === each.kind}
        onClick={() => onClock(each.kind)}
      >
        {verb}
      </Button>
    );
  };
  const allow = (
    <Button size="small" kind={clock === undefined ? "primary" : "secondary"} busy={busy === "allow"} onClick={onAllow}>
      Allow again
    </Button>
  );
  return (
    <section className="privacy-status" aria-label="Status">
      <div className="status-line" role="status">
        <span className={`privacy-shield privacy-shield-${status.tone}`}>
          <Icon name={clock === undefined ? (restricted ? "hand" : "shield") : ICONS[clock.kind]} size={20} />
        </span>
        <div className="list-text">
          <h1>{status.title}</h1>
          <p className="secondary">{status.detail}</p>
        </div>
        {clock !== undefined ? action(clock, true) : restricted && allow}
      </div>
      {overview.deletion?.state === "purging" && <Steps deletion={overview.deletion} />}
      {others.map((each) => (
        <Further key={each.kind + each.at} icon={ICONS[each.kind]} action={action(each, false)}>
          <span>{clockWords(each, now)}</span>
          <span className="secondary">{clockDetail(each, now)}</span>
        </Further>
      ))}
      {restricted && clock !== undefined && (
        <Further icon="hand" action={allow}>
          <span>Use of your data is restricted</span>
        </Further>
      )}
      {making !== undefined && (
        <Further
          icon="download"
          action={
            <Button size="small" onClick={onMaking}>
              Show
            </Button>
          }
        >
          <span>Your copy is being made</span>
          <ProgressLine label="Your copy" progress={progressOf(making, now)} />
        </Further>
      )}
    </section>
  );
}

interface FurtherProps {
  readonly icon: IconName;
  readonly action: ReactNode;
  readonly children: ReactNode;
}

function Further({ icon, action, children }: FurtherProps) {
  return (
    <div className="status-more">
      <Icon name={icon} />
      <div className="list-text">{children}</div>
      {action}
    </div>
  );
}

const STEP_WORDS = { waiting: "waits", done: "gone", late: "late" } as const;

function Steps({ deletion }: { readonly deletion: DeletionView }) {
  const done = deletion.steps.filter(({ state }) => state === "done").length;
  return (
    <div className="status-steps">
      <p className="secondary tabular">
        {done} of {deletion.steps.length} places are empty, each looked at again after it was emptied.
      </p>
      <ol aria-label="Steps of the deletion">
        {deletion.steps.map(({ store, label, state }) => (
          <li key={store} className={`step step-${state}`}>
            {state === "done" ? (
              <Icon name="check" />
            ) : state === "late" ? (
              <Icon name="warning" />
            ) : (
              <Icon name="clock" />
            )}
            <span>{label}</span>
            <span className="secondary">{STEP_WORDS[state]}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
