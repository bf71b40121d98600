/** Usage: how long phones ran, by day and by phone, member or automation, down to each interval and why it cost what it did. */
import { useMemo, useState } from "react";
import type { UsageDays, UsageSummary } from "../../../shared/billing/billing.ts";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Select, TextField } from "../../components/field.tsx";
import { Fold } from "../../components/fold.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { saveBlob } from "../phone/save-blob.ts";
import { usageBars } from "./model/usage-bars.ts";
import {
  type DayRange,
  dayIn,
  lastMonth,
  monthSoFar,
  type RangeKind,
  rangeProblem,
  rangeWords,
} from "./model/usage-range.ts";
import { UsageChart, UsageTable } from "./usage-chart.tsx";
import { UsageLines } from "./usage-lines.tsx";

type By = "phone" | "member" | "flow";
const BY_WORDS = { phone: "By phone", member: "By member", flow: "By automation" } as const satisfies Record<
  By,
  string
>;
const RANGES = { month: "This month", last: "Last month", custom: "Other days" } as const satisfies Record<
  RangeKind,
  string
>;
const SHOWN = 6;

interface UsageRead {
  readonly by: By;
  readonly range: DayRange;
  readonly summary: UsageSummary;
  readonly days: UsageDays;
}

/** The team's time zone is in the answer; until there is one this computer's is as good a guess as any. */
const GUESS = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function UsagePage({ onBack }: { readonly onBack: () => void }) {
  const [kind, setKind] = useState<RangeKind>("month");
  const [custom, setCustom] = useState<DayRange>(() => monthSoFar(Date.now(), GUESS));
  const [by, setBy] = useState<By>("phone");
  const [timeZone, setTimeZone] = useState(GUESS);
  const today = dayIn(Date.now(), timeZone);
  const problem = kind === "custom" ? rangeProblem(custom, today) : undefined;
  const { from, to } = rangeOf(kind, timeZone) ?? custom;
  const wrong = problem !== undefined;
  const read = useMemo(
    () =>
      async (api: Api): Promise<UsageRead | undefined> => {
        if (wrong) return undefined;
        const range = { from, to };
        const [summary, days] = await Promise.all([
          api.usage.summary.query(range),
          api.usage.days.query({ ...range, by }),
        ]);
        setTimeZone(days.timeZone);
        // Where it is another day than here, the team's days are read next, and these are never shown.
        const theirs = rangeOf(kind, days.timeZone) ?? range;
        if (theirs.from !== from || theirs.to !== to) return undefined;
        return { by, range, summary, days };
      },
    [kind, from, to, by, wrong],
  );
  const { value, failure, loading, reload } = useRemote(read);
  const calls = useCall();
  const csv = async () => {
    const result = await calls.run("csv", (api) => api.usage.csv.query({ from, to }));
    if (result?.ok === true) saveBlob(new Blob([result.value.csv], { type: "text/csv" }), result.value.name);
  };
  const abroad = timeZone !== GUESS;
  return (
    <div className="screen billing">
      <PageHead
        back="Billing"
        onBack={onBack}
        title="Usage"
        detail={wrong ? undefined : rangeWords({ from, to })}
        actions={
          <IconButton
            icon="download"
            label="Download as CSV"
            tooltip="left"
            busy={calls.busy("csv")}
            disabled={wrong}
            onClick={() => void csv()}
          />
        }
      />
      <ClockNotice />
      <div className="usage-filters">
        <Select
          aria-label="Days"
          options={Object.entries(RANGES).map(([id, label]) => ({ value: id, label }))}
          value={kind}
          onChange={({ target }) => {
            if (target.value === "custom") setCustom({ from, to });
            setKind(RANGE_OF[target.value] ?? "month");
          }}
        />
        <Select
          aria-label="Summed"
          options={Object.entries(BY_WORDS).map(([id, label]) => ({ value: id, label }))}
          value={by}
          onChange={({ target }) => setBy(BY_OF[target.value] ?? "phone")}
        />
        {kind === "custom" && (
          <>
            <TextField
              type="date"
              label="From"
              value={custom.from}
              max={today}
              {...(problem !== undefined && { error: problem })}
              onChange={({ target }) => setCustom({ ...custom, from: target.value })}
            />
            <TextField
              type="date"
              label="To"
              value={custom.to}
              onChange={({ target }) => setCustom({ ...custom, to: target.value })}
            />
          </>
        )}
      </div>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && loading && !wrong && <Skeleton label="Loading usage" rows={6} />}
      {value !== undefined && !wrong && <Usage key={value.by + value.range.from + value.range.to} read={value} />}
      {abroad && (
        <p className="secondary billing-foot">Days and times are those of {timeZone}, where the team bills.</p>
      )}
    </div>
  );
}

function rangeOf(kind: RangeKind, timeZone: string): DayRange | undefined {
  if (kind === "custom") return undefined;
  return kind === "month" ? monthSoFar(Date.now(), timeZone) : lastMonth(Date.now(), timeZone);
}

const RANGE_OF: Readonly<Record<string, RangeKind>> = { month: "month", last: "last", custom: "custom" };
const BY_OF: Readonly<Record<string, By>> = { phone: "phone", member: "member", flow: "flow" };

function Usage({ read }: { readonly read: UsageRead }) {
  const { by, range, summary, days } = withoutPrices(read);
  const [only, setOnly] = useState<string>();
  const [day, setDay] = useState<DayRange>();
  const [all, setAll] = useState(false);
  const bars = useMemo(() => usageBars(days, range, only), [days, range, only]);
  const { currency } = days;
  if (summary.phoneMs === 0) {
    return (
      <EmptyState icon="chart" title="Nothing ran in these days">
        Every minute a phone runs is listed here, with what covered it and why.
      </EmptyState>
    );
  }
  const sorted = [...days.series].sort((a, b) => b.ms - a.ms);
  const series = all || sorted.length <= SHOWN + 1 ? sorted : sorted.slice(0, SHOWN);
  const one = sorted.find(({ id }) => id === only);
  const cost = (amount: number | undefined) => (amount === undefined ? "" : `, ${moneyWords(amount, currency)}`);
  const whole =
    one === undefined
      ? `${durationWords(summary.phoneMs)}${cost(summary.amount)}`
      : `${durationWords(one.ms)}${cost(one.amount)}`;
  return (
    <>
      <Card>
        <UsageChart
          key={range.from + range.to}
          bars={bars}
          currency={currency}
          whole={one === undefined ? `In all ${whole}` : `${one.name} ${whole}`}
          chosen={day?.from}
          onChoose={(bar) => setDay(bar === undefined ? undefined : { from: bar.from, to: bar.to })}
        />
        <ul className="series" aria-label={BY_WORDS[by]}>
          {series.map(({ id, name, ms, amount }) => (
            <li key={id}>
              <button
                type="button"
                className="series-row"
                aria-pressed={id === only}
                onClick={() => setOnly(id === only ? undefined : id)}
              >
                <span className="series-name truncate">{name}</span>
                <span className="tabular">{durationWords(ms)}</span>
                {amount !== undefined && (
                  <span className="series-amount secondary tabular">{moneyWords(amount, currency)}</span>
                )}
                <span className="series-share" aria-hidden="true">
                  <span style={{ width: `${(ms / summary.phoneMs) * 100}%` }} />
                </span>
              </button>
            </li>
          ))}
        </ul>
        {series.length < sorted.length && (
          <div>
            <Button size="small" kind="quiet" icon="chevronDown" onClick={() => setAll(true)}>
              {sorted.length - series.length} more
            </Button>
          </div>
        )}
      </Card>
      <div className="folds">
        <Fold icon="stopwatch" title="What covered it" glance={summary.byCover[0]?.name ?? ""}>
          {() => <Covers summary={summary} />}
        </Fold>
        <Fold icon="file" title="As a table" glance="">
          {() => <UsageTable bars={bars} currency={currency} />}
        </Fold>
      </div>
      <UsageLines
        key={(day ?? range).from + (day ?? range).to}
        range={day ?? range}
        timeZone={days.timeZone}
        onAll={day && (() => setDay(undefined))}
      />
    </>
  );
}

/** Where no bills are sent, amounts of nothing say nothing. */
function withoutPrices(read: UsageRead): UsageRead {
  const { summary, days } = read;
  if (!summary.byCover.every(({ cover }) => cover === "included")) return read;
  const bare = <T extends { readonly amount?: number }>({ amount: _, ...rest }: T) => rest;
  return {
    ...read,
    summary: { ...bare(summary), byCover: summary.byCover.map(bare) },
    days: { ...days, series: days.series.map((one) => ({ ...bare(one), days: one.days.map(bare) })) },
  };
}

function Covers({ summary }: { readonly summary: UsageSummary }) {
  return (
    <dl className="sums tabular">
      {summary.byCover.map(({ cover, name, ms, amount }) => (
        <div className="sums-row" key={cover + name}>
          <dt>{name}</dt>
          <dd>
            {durationWords(ms)}
            {amount !== undefined && <span className="secondary"> {moneyWords(amount, summary.currency)}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
