/** Every interval a phone ran, the newest first, and why each was charged. */
import { useCallback, useMemo, useState } from "react";
import type { UsageExplanation, UsageLine } from "../../../shared/billing/billing.ts";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { type DayRange, dayIn, dayWords, rangeWords } from "./model/usage-range.ts";

export interface UsageLinesProps {
  readonly range: DayRange;
  readonly timeZone: string;
  /** Leads back from one day to all of them. */
  readonly onAll: (() => void) | undefined;
}

export function UsageLines({ range, timeZone, onAll }: UsageLinesProps) {
  const { from, to } = range;
  const read = useMemo(() => (api: Api) => api.usage.lines.query({ from, to }), [from, to]);
  const { value, failure, reload } = useRemote(read);
  const [more, setMore] = useState<{ readonly lines: readonly UsageLine[]; readonly next: string | undefined }>();
  const [why, setWhy] = useState<UsageLine>();
  const calls = useCall();
  const lines = [...(value?.lines ?? []), ...(more?.lines ?? [])];
  const next = more === undefined ? value?.next : more.next;
  const older = async () => {
    if (next === undefined) return;
    const result = await calls.run("older", (api) => api.usage.lines.query({ from, to, cursor: next }));
    if (result?.ok === true)
      setMore({ lines: [...(more?.lines ?? []), ...result.value.lines], next: result.value.next });
  };
  return (
    <Card
      title={onAll === undefined ? "Every interval" : from === to ? dayWords(from) : rangeWords(range)}
      action={
        onAll !== undefined && (
          <Button size="small" kind="quiet" onClick={onAll}>
            All days
          </Button>
        )
      }
    >
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading intervals" rows={4} />}
      {value !== undefined && lines.length === 0 && <p className="secondary card-words">No phone ran.</p>}
      <ul className="list" aria-label="Intervals">
        {lines.map((line) => (
          <Line
            key={line.intervalId}
            line={line}
            day={dayWords(dayIn(Date.parse(line.from), timeZone))}
            onWhy={() => setWhy(line)}
          />
        ))}
      </ul>
      {next !== undefined && (
        <div className="card-foot">
          <Button size="small" busy={calls.busy("older")} onClick={() => void older()}>
            Show older
          </Button>
        </div>
      )}
      {why !== undefined && <WhyDialog line={why} timeZone={timeZone} onClose={() => setWhy(undefined)} />}
    </Card>
  );
}

interface LineProps {
  readonly line: UsageLine;
  readonly day: string;
  readonly onWhy: () => void;
}

function Line({ line, day, onWhy }: LineProps) {
  return (
    <li className="list-row usage-line">
      <span className="list-text">
        <span className="list-title invoice-title">
          <span className="truncate">{line.phone}</span>
          {line.running && <Badge tone="accent">running</Badge>}
        </span>
        <span className="secondary tabular">
          {day}, {line.words} · {line.member}
        </span>
      </span>
      <Button size="small" kind="quiet" aria-label={`Why: ${line.phone}, ${day}`} onClick={onWhy}>
        Why
      </Button>
    </li>
  );
}

interface WhyDialogProps {
  readonly line: UsageLine;
  readonly timeZone: string;
  readonly onClose: () => void;
}

/** Amounts of usage have the currency of the server, as its summary says; a line carries none. */
function WhyDialog({ line, timeZone, onClose }: WhyDialogProps) {
  const { intervalId } = line;
  const read = useCallback(
    async (api: Api): Promise<{ readonly explained: UsageExplanation; readonly currency: string }> => {
      const [explained, { currency }] = await Promise.all([
        api.usage.explain.query({ intervalId }),
        api.billing.burn.query(),
      ]);
      return { explained, currency };
    },
    [intervalId],
  );
  const { value, failure, reload } = useRemote(read);
  const at = (iso: string) => new Date(iso).toLocaleTimeString(undefined, { timeZone, timeStyle: "medium" });
  return (
    <Dialog
      title={line.amount === undefined || line.amount === 0 ? "What covered this" : "Why this was charged"}
      onClose={onClose}
    >
      <p>
        <b>{line.phone}</b>, started by {line.member}, {dayWords(dayIn(Date.parse(line.from), timeZone))},{" "}
        {at(line.from)} to {line.running ? "now" : at(line.to)}.
      </p>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading the reasons" rows={3} />}
      {value !== undefined && <Explained {...value} at={at} />}
    </Dialog>
  );
}

interface ExplainedProps {
  readonly explained: UsageExplanation;
  readonly currency: string;
  readonly at: (iso: string) => string;
}

function Explained({ explained, currency, at }: ExplainedProps) {
  const { line, pieces, corrections, ended } = explained;
  const money = (amount: number | undefined) => (amount === undefined ? undefined : moneyWords(amount, currency));
  const sum = [...pieces, ...corrections].reduce((total, { amount = 0 }) => total + amount, 0);
  return (
    <>
      <ol className="pieces" aria-label="Pieces">
        {pieces.map((piece) => (
          <li key={piece.from} className={`piece piece-${piece.cover}`}>
            <span className="piece-head">
              <b>{piece.name}</b>
              <span className="tabular">{money(piece.amount)}</span>
            </span>
            <span className="secondary tabular">
              {at(piece.from)} to {at(piece.to)}, {durationWords(piece.ms)}
            </span>
            <span>{piece.why}</span>
          </li>
        ))}
        {corrections.map((correction) => (
          <li key={correction.at + correction.reason} className="piece">
            <span className="piece-head">
              <b>Taken back</b>
              <span className="tabular">{money(correction.amount)}</span>
            </span>
            <span>{correction.reason}</span>
          </li>
        ))}
      </ol>
      {line.amount !== undefined && (
        <p className="piece-head piece-sum">
          <b>In all</b>
          <b className="tabular">{moneyWords(sum, currency)}</b>
        </p>
      )}
      <p className="secondary">{ended}</p>
    </>
  );
}
