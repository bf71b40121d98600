/**
 * How things stand now, for a scrape. Each part is asked by itself: where the database does not answer, the others are
 * shown all the same, and `perch_metrics_part_up` says which are missing.
 */
import type { Family, Labels } from "./exposition.ts";

export interface GaugeSources {
  readonly version: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  now(): number;
  phones(): Promise<readonly { readonly driver: string; readonly state: string; readonly count: number }[]>;
  unreachablePhones(): Promise<number>;
  phonesHere(): { readonly running: number; readonly moving: number };
  screens(): {
    readonly viewers: number;
    readonly framesSent: number;
    readonly framesDropped: number;
    readonly inputsIgnored: number;
  };
  /** Since phone time was last counted; undefined before the first time. */
  meterLagMs(): number | undefined;
  jobs(): Promise<{ readonly counts: Readonly<Record<string, number>>; readonly overdueMs: number }>;
  mail(): Promise<{ readonly waiting: number; readonly failed: number; readonly lagMs: number }>;
  billing(): Promise<{
    readonly gauges: Readonly<Record<string, number>>;
    readonly findings: Readonly<Record<string, number>>;
    readonly lastCheck: Date | undefined;
  }>;
  transactions(): { readonly running: number; readonly waiting: number };
  /** Undefined where the engine has no pool. */
  pool(): { readonly idle: number; readonly busy: number; readonly waiting: number } | undefined;
}

export async function gauges(sources: GaugeSources): Promise<Family[]> {
  const parts: Readonly<Record<string, () => Family[] | Promise<Family[]>>> = {
    process: () => processFamilies(sources),
    phones: () => phoneFamilies(sources),
    screens: () => screenFamilies(sources),
    jobs: () => jobFamilies(sources),
    mail: () => mailFamilies(sources),
    billing: () => billingFamilies(sources),
    database: () => databaseFamilies(sources),
  };
  const names = Object.keys(parts);
  const found = await Promise.allSettled(Object.values(parts).map(async (part) => part()));
  const up = found.map((one, at) => ({
    labels: { part: names[at] ?? "" },
    value: one.status === "fulfilled" ? 1 : 0,
  }));
  return [
    { name: "perch_metrics_part_up", help: "Whether a part of this scrape could be read.", type: "gauge", samples: up },
    ...found.flatMap((one) => (one.status === "fulfilled" ? one.value : [])),
  ];
}

const gauge = (name: string, help: string, value: number, labels?: Labels): Family => ({
  ...{ name, help, type: "gauge" },
  samples: [labels === undefined ? { value } : { labels, value }],
});
const counter = (name: string, help: string, value: number): Family => ({
  ...{ name, help, type: "counter", samples: [{ value }] },
});
const byLabel = (name: string, help: string, label: string, counts: Readonly<Record<string, number>>): Family => ({
  ...{ name, help, type: "gauge" },
  samples: Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value })),
});

function processFamilies({ version, startedAt }: GaugeSources): Family[] {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    gauge("perch_build_info", "Version of Perch and of Node, always 1.", 1, { version, node: process.version }),
    gauge("process_start_time_seconds", "When this process started, in Unix time.", startedAt / 1000),
    gauge("process_resident_memory_bytes", "Memory of this process, without its browsers.", rss),
    counter("process_cpu_seconds_total", "CPU time of this process.", (user + system) / 1e6),
    gauge("nodejs_heap_size_used_bytes", "Used part of the JavaScript heap.", heapUsed),
    gauge("nodejs_external_memory_bytes", "Memory of objects bound to JavaScript ones, buffers above all.", external),
  ];
}

async function phoneFamilies(sources: GaugeSources): Promise<Family[]> {
  const { running, moving } = sources.phonesHere();
  const counts = await sources.phones();
  return [
    {
      ...{ name: "perch_phones", help: "Phones in the database, by kind and state; the same on every node." },
      type: "gauge",
      samples: counts.map(({ driver, state, count }) => ({ labels: { driver, state }, value: count })),
    },
    gauge(
      "perch_phones_unreachable",
      "Running phones that do not answer; the same on every node.",
      await sources.unreachablePhones(),
    ),
    gauge("perch_phones_running_here", "Phones that run on this node.", running),
    gauge("perch_phones_moving_here", "Phones of this node whose picture is watched and moves.", moving),
  ];
}

function screenFamilies(sources: GaugeSources): Family[] {
  const { viewers, framesSent, framesDropped, inputsIgnored } = sources.screens();
  const lagMs = sources.meterLagMs();
  return [
    gauge("perch_screen_viewers", "People watching a screen through this node.", viewers),
    counter("perch_screen_frames_sent_total", "Pictures sent to viewers.", framesSent),
    counter("perch_screen_frames_dropped_total", "Pictures viewers were too slow for.", framesDropped),
    counter("perch_screen_inputs_ignored_total", "Touches and keys of viewers who had no control.", inputsIgnored),
    ...(lagMs === undefined
      ? []
      : [gauge("perch_meter_lag_seconds", "Time since this node last counted phone time.", lagMs / 1000)]),
  ];
}

async function jobFamilies(sources: GaugeSources): Promise<Family[]> {
  const { counts, overdueMs } = await sources.jobs();
  return [
    byLabel("perch_jobs", "Jobs by state; the same on every node.", "state", {
      ...{ ready: 0, running: 0, dead: 0 },
      ...counts,
    }),
    gauge("perch_jobs_overdue_seconds", "How long the job that waits longest has been due.", overdueMs / 1000),
  ];
}

async function mailFamilies(sources: GaugeSources): Promise<Family[]> {
  const { waiting, failed, lagMs } = await sources.mail();
  return [
    gauge("perch_mail_waiting", "Mail in the outbox.", waiting),
    gauge("perch_mail_failed", "Mail that will never arrive.", failed),
    gauge("perch_mail_lag_seconds", "Age of the mail that waits longest to be sent.", lagMs / 1000),
  ];
}

const BILLING_HELP: Readonly<Record<string, string>> = {
  billing_past_due: "Teams whose payment is overdue.",
  billing_findings: "Open differences between the books, and to Stripe.",
  stripe_calls_waiting: "Calls to Stripe that are still to be made.",
  stripe_calls_failed: "Calls to Stripe that were given up.",
};

async function billingFamilies(sources: GaugeSources): Promise<Family[]> {
  const { gauges: values, findings, lastCheck } = await sources.billing();
  return [
    ...Object.entries(values).map(([name, value]) => gauge(`perch_${name}`, BILLING_HELP[name] ?? name, value)),
    byLabel("perch_ledger_findings", "Open differences in the books, by kind.", "kind", findings),
    ...(lastCheck === undefined
      ? []
      : [
          gauge(
            "perch_ledger_checked_timestamp_seconds",
            "When the books were last compared, in Unix time.",
            lastCheck.getTime() / 1000,
          ),
        ]),
  ];
}

function databaseFamilies(sources: GaugeSources): Family[] {
  const pool = sources.pool();
  return [
    byLabel("perch_database_transactions", "Writing transactions of this node, by state.", "state", {
      ...sources.transactions(),
    }),
    ...(pool === undefined
      ? []
      : [byLabel("perch_database_connections", "Connections of this node's pool, by state.", "state", { ...pool })]),
  ];
}
