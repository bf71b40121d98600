/** Usage against what phones really did: nothing counted twice or for nothing, nothing lost but what the heartbeat's rule allows. */
import { BEAT_MS } from "../../../billing/usage/time-guard.ts";
import type { LeaseTimes } from "../../lease.ts";
import type { Happened } from "./chaos-driver.ts";
import type { Finding } from "./checker.ts";
import type { Fault, Remembered } from "./remembered.ts";
import type { World } from "./world.ts";

interface Span {
  readonly node: string;
  readonly from: number;
  readonly to: number;
}
interface Interval {
  readonly id: string;
  readonly phone: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly why: string | null;
}

/** Between a phone's start and the commit that says so, on a machine that has much else to do. */
const COMMIT_MS = 3_000;
/** From a phone's end to the server's hearing of it. */
const NOTICE_MS = 1_000;
/** What a clock may be off without being noticed (`time-guard.ts`). */
const UNSEEN_STEP_MS = 2_000;

/** When each phone really ran: until it was closed, its process was killed, or the next process of its node came. */
export function spansOf(journal: readonly Happened[], deaths: readonly Fault[], now: number): Map<string, Span[]> {
  const spans = new Map<string, Span[]>();
  const open = new Map<string, { phone: string; node: string; from: number }>();
  const end = (key: string, to: number) => {
    const one = open.get(key);
    if (one === undefined) return;
    open.delete(key);
    spans.set(one.phone, [...(spans.get(one.phone) ?? []), { node: one.node, from: one.from, to }]);
  };
  for (const one of journal.toSorted((a, b) => a.at - b.at)) {
    if (one.what === "on") open.set(`${one.node} ${one.phone}`, { phone: one.phone, node: one.node, from: one.at });
    if (one.what === "off") end(`${one.node} ${one.phone}`, one.at);
    if (one.what === "up" || one.what === "down")
      for (const [key, { node, from }] of [...open]) {
        if (node !== one.node) continue;
        const death = deaths.find(
          (fault) => fault.kind === "kill" && fault.node === node && fault.from >= from && fault.from <= one.at,
        );
        end(key, death?.from ?? one.at);
      }
  }
  for (const key of [...open.keys()]) end(key, now);
  return spans;
}

export async function checkUsage(world: World, known: Remembered, lease: LeaseTimes): Promise<Finding[]> {
  const now = Date.now();
  const rows = await world.query<{
    id: string;
    phone_id: string;
    started_at: Date;
    ended_at: Date | null;
    end_reason: string | null;
  }>(
    "select id, phone_id, started_at, ended_at, end_reason from perch.usage_intervals order by phone_id, started_at, ended_at",
  );
  const intervals = rows.map(
    (row): Interval => ({
      id: row.id,
      phone: row.phone_id,
      from: row.started_at.getTime(),
      to: row.ended_at?.getTime(),
      why: row.end_reason,
    }),
  );
  const spans = spansOf(world.journals(), known.faults, now);
  const stepped = new Set(known.faults.filter(({ kind }) => kind === "clock").map(({ node }) => node));
  const steps = known.faults.filter(({ kind }) => kind === "clock").length;
  const [overlaps, invented, lost, twice]: string[][] = [[], [], [], []];
  let [counted, ran] = [0, 0];
  // Usage of teams that are gone is gone with them.
  const kept = new Set((await world.query<{ id: string }>("select id from perch.phones")).map(({ id }) => id));
  for (const [phone, real] of spans) {
    const mine = intervals.filter((one) => one.phone === phone);
    const isSteady = real.every(({ node }) => !stepped.has(node));
    for (const [n, one] of mine.entries()) {
      const before = mine[n - 1];
      if (before !== undefined && one.from < (before.to ?? Number.POSITIVE_INFINITY))
        overlaps?.push(`${phone}: ${describe(before)} and ${describe(one)}.`);
      if (one.to === undefined) lost?.push(`${phone}: ${describe(one)} is open, and no node is there.`);
      const to = one.to ?? now;
      if (kept.has(phone)) counted += to - one.from;
      if (isSteady && to > one.from && !real.some((span) => span.from - 5 <= one.from && to <= span.to + NOTICE_MS))
        invented?.push(
          `${phone}: ${describe(one)} of [${real.map((span) => `${span.node} ${span.from}–${span.to}`).join(", ")}].`,
        );
    }
    const reallyRan = real.reduce((sum, span) => sum + span.to - span.from, 0);
    const reallyCounted = mine.reduce((sum, one) => sum + (one.to ?? now) - one.from, 0);
    if (kept.has(phone)) ran += reallyRan;
    if (!isSteady && reallyCounted > reallyRan + steps * UNSEEN_STEP_MS)
      invented?.push(
        `${phone} ran for ${reallyRan} ms at a node whose clock was set, and ${reallyCounted} ms were counted.`,
      );
    if (!kept.has(phone) || !isSteady) continue;
    for (const span of real) {
      const covered = mine.reduce((sum, one) => sum + overlap(span, { from: one.from, to: one.to ?? now }), 0);
      const missing = span.to - span.from - covered;
      const allowed = COMMIT_MS + BEAT_MS + troubleOf(span, known.faults, lease);
      if (missing > allowed)
        lost?.push(
          `${phone}: of ${span.node} ${span.from}–${span.to} (${span.to - span.from} ms) ${missing} ms are not counted; ${allowed} may be.`,
        );
    }
    // Awake again, a node that stood still for longer than its lease stops within a heartbeat.
    const sorted = real.toSorted((a, b) => a.from - b.from);
    for (const [n, span] of sorted.entries()) {
      const next = sorted[n + 1];
      if (next === undefined || next.from >= span.to) continue;
      const frozen = known.faults.some(
        ({ kind, node, from, to }) =>
          kind === "freeze" && node === span.node && from < span.to && span.to < to + 2 * lease.beatMs + COMMIT_MS,
      );
      if (!frozen) twice?.push(`${phone} ran at ${span.node} until ${span.to} and at ${next.node} from ${next.from}.`);
    }
  }
  return [
    {
      what: "Intervals of a phone do not overlap",
      seen: `${intervals.length} intervals of ${spans.size} phones`,
      wrong: overlaps ?? [],
    },
    {
      what: "No time is counted in which the phone did not run",
      seen: `${seconds(counted)} counted`,
      wrong: invented ?? [],
    },
    { what: "No time is lost but a heartbeat and the time of a fault", seen: `${seconds(ran)} run`, wrong: lost ?? [] },
    {
      what: "No phone runs at two nodes at once",
      seen: `${[...spans.values()].flat().length} times a phone was started`,
      wrong: twice ?? [],
    },
  ];
}

/** How long something was wrong while the phone ran: nothing can be written down then, and what follows is in doubt. */
function troubleOf(span: Span, faults: readonly Fault[], lease: LeaseTimes): number {
  const mine = faults.filter(
    ({ node, from, to, kind }) =>
      kind !== "clock" &&
      (node === undefined || node === span.node) &&
      from <= span.to &&
      to + lease.leaseMs >= span.from,
  );
  return mine.reduce(
    (sum, fault) => sum + Math.min(fault.to, span.to) - Math.max(fault.from, span.from) + 2 * BEAT_MS + lease.leaseMs,
    0,
  );
}

function overlap(one: { from: number; to: number }, other: { from: number; to: number }): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}
const describe = ({ id, from, to, why }: Interval) => `${id} ${from}–${to ?? "open"} (${why ?? ""})`;
const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
