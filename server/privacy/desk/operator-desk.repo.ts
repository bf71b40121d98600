/** What waits for the operator: numbers, kinds, states and moments. No name, no address and no id of a person. */
import { and, asc, count, eq, inArray, isNotNull, like, max, min, or, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { RequestChannel, RequestKind, RequestState } from "../../../shared/privacy.ts";
import type { Database } from "../../db/database.ts";
import { columnNamed, dataMap } from "../map/data-map.ts";
import { RETENTION, type Retention } from "../tags.ts";

export interface WaitingRequest {
  readonly number: string;
  readonly kind: RequestKind;
  readonly channel: RequestChannel;
  readonly state: RequestState;
  readonly receivedAt: Date;
  readonly dueAt: Date;
}
export interface RunningErasure {
  readonly state: string;
  readonly askedAt: Date;
  readonly purgeAt: Date;
  /** Stores that do not answer. */
  readonly lateStores: readonly string[];
}
export interface OldestRow {
  readonly rule: Retention;
  readonly days: number;
  readonly table: string;
  readonly oldestAt: Date;
}

export interface OperatorDeskRepo {
  requests(): Promise<WaitingRequest[]>;
  erasures(): Promise<RunningErasure[]>;
  mailFailures(): Promise<{ kind: string; failure: string | null; mails: number }[]>;
  lastSweep(): Promise<Date | undefined>;
  /** The oldest row of each table under each rule that counts days. */
  oldest(): Promise<OldestRow[]>;
}

export function createOperatorDeskRepo(db: Database): OperatorDeskRepo {
  const { dataRequests, erasures, erasureSteps, mailOutbox, jobs } = db.t;
  return {
    async requests() {
      const { number, kind, channel, state, receivedAt, dueAt } = dataRequests;
      return db.read
        .select({ number, kind, channel, state, receivedAt, dueAt })
        .from(dataRequests)
        .where(inArray(state, ["open", "in_progress"]))
        .orderBy(asc(dueAt));
    },
    async erasures() {
      const running = await db.read
        .select({ id: erasures.id, state: erasures.state, askedAt: erasures.askedAt, purgeAt: erasures.purgeAt })
        .from(erasures)
        .where(inArray(erasures.state, ["grace", "purging"]))
        .orderBy(asc(erasures.purgeAt));
      const late = await db.read
        .select({ erasureId: erasureSteps.erasureId, store: erasureSteps.store })
        .from(erasureSteps)
        .where(eq(erasureSteps.state, "late"));
      return running.map(({ id, ...erasure }) => ({
        ...erasure,
        lateStores: late.filter(({ erasureId }) => erasureId === id).map(({ store }) => store),
      }));
    },
    mailFailures: async () =>
      db.read
        .select({ kind: mailOutbox.kind, failure: mailOutbox.failure, mails: count() })
        .from(mailOutbox)
        .where(eq(mailOutbox.state, "failed"))
        .groupBy(mailOutbox.kind, mailOutbox.failure),
    async lastSweep() {
      const [row] = await db.read
        .select({ at: max(jobs.finishedAt) })
        .from(jobs)
        .where(and(like(jobs.kind, "retention.%"), eq(jobs.state, "done")));
      return row?.at ?? undefined;
    },
    async oldest() {
      const found: OldestRow[] = [];
      for (const table of dataMap(db.t)) {
        const clock: SQLiteColumn = columnNamed(table, table.about.clock).column;
        if (clock.dataType !== "date") continue;
        for (const [rule, days] of dayRules(table.columns.map(({ tag }) => tag.retain))) {
          const under = table.columns.filter(({ tag }) => tag.retain === rule).map(({ column }) => isNotNull(column));
          const [row] = await db.read
            .select({ oldestAt: moment(clock) })
            .from(table.table)
            .where(or(...under));
          if (row?.oldestAt instanceof Date) found.push({ rule, days, table: table.name, oldestAt: row.oldestAt });
        }
      }
      return found;
    },
  };
}

function dayRules(rules: readonly Retention[]): ReadonlyMap<Retention, number> {
  return new Map(
    rules.flatMap((rule) => {
      const about = RETENTION[rule];
      return "days" in about ? [[rule, about.days] as const] : [];
    }),
  );
}

/** `min` keeps the column's mapping, so a moment comes back as a Date on both engines. */
function moment(column: SQLiteColumn): SQL<Date | null> {
  return min(column) as SQL<Date | null>;
}
