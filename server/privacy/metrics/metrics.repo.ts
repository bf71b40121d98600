/**
 * Anonymised numbers about how reliable the service is (policy clause P2.5). A day is added up once, after it is over, and
 * never again: nobody's leaving or coming changes what stands there.
 */
import { and, asc, eq, gte, inArray, isNotNull, lt, ne, or } from "drizzle-orm";
import { ONLY_PLAN } from "../../billing/plan.ts";
import type { Database } from "../../db/database.ts";
import type { Sweep } from "../retention/sweeps.repo.ts";
import { type Cell, type Contribution, cubesOf, type Metric } from "./cubes.ts";

const DAY_MS = 24 * 3_600_000;
/** Days looked back for: a server that was off longer has nothing to add up for the rest. */
const DAYS_BACK = 7;
/** Says that the day was added up, whether or not anything of it may be shown. */
const COUNTED = { metric: "counted", driver: "", plan: "" } as const;

const RUN_METRICS: Readonly<Record<string, Metric>> = {
  passed: "runs_passed",
  warned: "runs_passed",
  failed: "runs_failed",
  timed_out: "runs_failed",
  cancelled: "runs_ended_early",
  interrupted: "runs_ended_early",
};

/** Adds up the days that are over. */
export function metricsSweep(db: Database): Sweep {
  const { metricCells, auditLog, phones, runs, privacyPreferences } = db.t;
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

  async function isCounted(day: string): Promise<boolean> {
    return (
      (await db.read.$count(metricCells, and(eq(metricCells.day, day), eq(metricCells.metric, COUNTED.metric)))) > 0
    );
  }

  /** Who does not take part. */
  async function apart(): Promise<Set<string>> {
    const { userId, leftMetricsAt, restrictedAt } = privacyPreferences;
    const rows = await db.read
      .select({ userId })
      .from(privacyPreferences)
      .where(or(isNotNull(leftMetricsAt), isNotNull(restrictedAt)));
    return new Set(rows.map((row) => row.userId));
  }

  async function contributions(start: Date, end: Date): Promise<Contribution[]> {
    const found: Contribution[] = [];
    const add = (metric: Metric, driver: string, person: string | null, amount: number) => {
      if (person !== null) found.push({ metric, driver, plan: ONLY_PLAN, person, amount });
    };
    const logged = await db.read
      .select({
        at: auditLog.at,
        actor: auditLog.actor,
        action: auditLog.action,
        phone: phones.id,
        driver: phones.driver,
        owner: phones.createdBy,
      })
      .from(auditLog)
      .innerJoin(phones, eq(phones.id, auditLog.object))
      .where(
        and(
          gte(auditLog.at, start),
          lt(auditLog.at, end),
          inArray(auditLog.action, ["phone.launched", "phone.started", "phone.parked", "phone.removed"]),
        ),
      )
      .orderBy(asc(auditLog.at));
    const since = new Map<string, number>();
    const seen = new Set<string>();
    const minutes = (from: number, to: number) => (to - from) / 60_000;
    for (const { at, actor, action, phone, driver, owner } of logged) {
      const when = at?.getTime() ?? start.getTime();
      if (action === "phone.launched") {
        add("phones_launched", driver, actor, 1);
        add("people_launching", driver, actor, 1);
        seen.add(phone);
      } else if (action === "phone.started") {
        since.set(phone, when);
        seen.add(phone);
      } else {
        // A phone that ends without having begun today ran when the day began.
        const from = since.get(phone) ?? (seen.has(phone) ? undefined : start.getTime());
        if (from !== undefined) add("phone_minutes", driver, owner, minutes(from, when));
        since.delete(phone);
        seen.add(phone);
      }
    }
    const running = await db.read
      .select({ id: phones.id, driver: phones.driver, owner: phones.createdBy, startedAt: phones.startedAt })
      .from(phones)
      .where(and(isNotNull(phones.startedAt), lt(phones.startedAt, end)));
    for (const { id, driver, owner } of running) {
      const from = since.get(id) ?? (seen.has(id) ? undefined : start.getTime());
      if (from !== undefined) add("phone_minutes", driver, owner, minutes(from, end.getTime()));
    }
    const ended = await db.read
      .select({ state: runs.state, person: runs.createdBy, driver: phones.driver })
      .from(runs)
      .innerJoin(phones, eq(phones.id, runs.phoneId))
      .where(and(gte(runs.finishedAt, start), lt(runs.finishedAt, end)));
    for (const { state, person, driver } of ended) {
      const metric = RUN_METRICS[state];
      if (metric !== undefined) add(metric, driver, person, 1);
    }
    const away = await apart();
    return found.filter(({ person }) => !away.has(person));
  }

  return {
    name: "numbers of the day",
    async batch(now) {
      for (let back = DAYS_BACK; back >= 1; back -= 1) {
        const day = dayOf(now - back * DAY_MS);
        if (await isCounted(day)) continue;
        const start = new Date(`${day}T00:00:00Z`);
        const cells = cubesOf(await contributions(start, new Date(start.getTime() + DAY_MS)));
        await db.tx(async (tx) => {
          const rows = [COUNTED, ...cells].map((cell) => ({ value: 0, ...cell, day }));
          // Another node may have been first.
          await tx.insert(metricCells).values(rows).onConflictDoNothing();
        });
      }
      return 0;
    },
  };
}

/** What may be shown to anybody, from a day on. */
export async function publishedMetrics(db: Database, from: string): Promise<(Cell & { readonly day: string })[]> {
  const { metricCells } = db.t;
  const rows = await db.read
    .select()
    .from(metricCells)
    .where(and(gte(metricCells.day, from), ne(metricCells.metric, COUNTED.metric)))
    .orderBy(asc(metricCells.day), asc(metricCells.metric), asc(metricCells.driver), asc(metricCells.plan));
  return rows.map((row) => ({ ...row, metric: asMetric(row.metric) }));
}

/** Only `metricsSweep` writes the table, and besides its mark only metrics. */
function asMetric(text: string): Metric {
  return text as Metric;
}
