/** Runs in the database: asking for one, the queue and lease of a phone, events. What a leased run writes is fenced. */
import { and, asc, desc, eq, gt, inArray, isNull, lt, max, ne, notInArray, or, sql } from "drizzle-orm";
import type { RunEvent, RunState } from "../../shared/automation-model.ts";
import type { FlowId, NodeId, PhoneId, RunId, TeamId, UserId } from "../../shared/ids.ts";
import { type Database, isUniqueViolation, type Reader, type Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type RunRow = Tables["runs"]["$inferSelect"];
export type NewRun = Tables["runs"]["$inferInsert"];
export type RunChange = Partial<
  Pick<
    RunRow,
    | "state"
    | "error"
    | "holder"
    | "leaseUntil"
    | "starts"
    | "startedAt"
    | "finishedAt"
    | "cancelAskedAt"
    | "pooled"
    | "moves"
  >
>;
export type StepRow = Tables["runSteps"]["$inferSelect"];
export type ArtifactRow = Tables["runArtifacts"]["$inferSelect"];

/** The right to work on a run and its phone, until someone else has it. */
export interface Lease {
  readonly runId: RunId;
  readonly phoneId: PhoneId;
  readonly holder: string;
  readonly fence: number;
}

/** Rows of one statement; engines bound the values it may carry. */
const AT_ONCE = 500;

export const LEASED_STATES = ["leased", "running"] as const satisfies readonly RunState[];

/** Announced when a run waits for a node to take it. */
export const RUN_WAITS = "run-waits";

export interface RunFilter {
  readonly flowId?: FlowId | undefined;
  readonly phoneId?: PhoneId | undefined;
  readonly states?: readonly RunState[] | undefined;
  readonly before?: RunId | undefined;
  readonly limit: number;
}

export interface RunsRepo {
  list(scope: TeamScope, filter: RunFilter): Promise<RunRow[]>;
  find(scope: TeamScope, id: RunId): Promise<RunRow | undefined>;
  findAnywhere(id: RunId): Promise<RunRow | undefined>;
  findByKey(tx: Writer, teamId: TeamId, key: string): Promise<RunRow | undefined>;
  waiting(tx: Writer, teamId: TeamId): Promise<number>;
  /** Of the team's runs, those this person asked for that wait or are worked on. */
  unfinishedOf(tx: Writer, teamId: TeamId, userId: UserId): Promise<RunId[]>;
  /** The next place in a team's queue. */
  nextTurn(tx: Writer, teamId: TeamId): Promise<number>;
  /** `pool`: any of these phones may take the run, in this order of preference. */
  insert(tx: Writer, row: NewRun, pool?: readonly PhoneId[]): Promise<RunRow>;
  steps(id: RunId): Promise<StepRow[]>;
  artifacts(id: RunId): Promise<ArtifactRow[]>;
  artifact(id: RunId, name: string): Promise<ArtifactRow | undefined>;
  events(id: RunId, after: number, limit: number): Promise<{ seq: number; data: RunEvent }[]>;
  /** Changes a run that is in one of `from`; undefined when it is not. */
  change(tx: Writer, id: RunId, from: readonly RunState[], change: RunChange): Promise<RunRow | undefined>;
  /**
   * Takes the longest waiting run that a phone nobody works on may do. `busy`: phones to leave alone. `resting`: phones
   * that take no run another phone may do; one that runs already goes before one that has to be started.
   */
  lease(
    holder: string,
    until: Date,
    except: {
      readonly busy: readonly PhoneId[];
      readonly resting: readonly PhoneId[];
      /** Nodes whose phones' runs may be taken, and nobody's; undefined: all. */
      readonly nodes: readonly NodeId[] | undefined;
    },
  ): Promise<RunRow | undefined>;
  /** A phone takes the run no more; gives how many still may. */
  leavePool(tx: Writer, id: RunId, phoneId: PhoneId): Promise<number>;
  renew(lease: Lease, until: Date): Promise<{ held: boolean; cancelAskedAt: Date | null }>;
  /** Changes a leased run; undefined when the lease is lost. */
  changeLeased(tx: Writer, lease: Lease, change: RunChange): Promise<RunRow | undefined>;
  /** Appends events; false when a lease is given and lost (roll back then). */
  append(tx: Writer, id: RunId, events: readonly RunEvent[], at: Date, lease?: Lease): Promise<boolean>;
  /** Leased runs whose lease ran out by `now`; all of them when `now` is undefined. */
  abandoned(now: Date | undefined): Promise<RunRow[]>;
  /** Which of these exist and still have their details. */
  known(ids: readonly RunId[]): Promise<Set<RunId>>;
}

export function createRunsRepo(db: Database): RunsRepo {
  const { runs, runPool, runSteps, runEvents, runArtifacts, phones } = db.t;
  /** A phone a waiting run may go to: its own, or each of its pool. */
  const phone = sql<PhoneId>`coalesce(${runPool.phoneId}, ${runs.phoneId})`;
  const readiness = sql`case when ${phones.state} = 'running' then 0 else 1 end`;
  /** Runs with each phone they may go to; the caller says which. */
  const eligible = (from: Reader) =>
    from
      .select({ id: runs.id, teamId: runs.teamId, phoneId: phone, position: runPool.position })
      .from(runs)
      .leftJoin(runPool, and(eq(runs.pooled, true), eq(runPool.runId, runs.id)))
      .leftJoin(phones, eq(phones.id, phone));
  const held = ({ runId, fence, holder }: Lease) =>
    and(eq(runs.id, runId), eq(runs.fence, fence), eq(runs.holder, holder), inArray(runs.state, [...LEASED_STATES]));
  return {
    async list(scope, { flowId, phoneId, states, before, limit }) {
      const known =
        before === undefined
          ? undefined
          : (
              await db.read
                .select()
                .from(runs)
                .where(and(eq(runs.id, before), eq(runs.teamId, scope.teamId)))
            )[0];
      return db.read
        .select()
        .from(runs)
        .where(
          and(
            eq(runs.teamId, scope.teamId),
            flowId === undefined ? undefined : eq(runs.flowId, flowId),
            phoneId === undefined ? undefined : eq(runs.phoneId, phoneId),
            states === undefined ? undefined : inArray(runs.state, [...states]),
            known === undefined
              ? undefined
              : or(
                  lt(runs.createdAt, known.createdAt),
                  and(eq(runs.createdAt, known.createdAt), lt(runs.id, known.id)),
                ),
          ),
        )
        .orderBy(desc(runs.createdAt), desc(runs.id))
        .limit(limit);
    },
    async find(scope, id) {
      const [row] = await db.read
        .select()
        .from(runs)
        .where(and(eq(runs.id, id), eq(runs.teamId, scope.teamId)));
      return row;
    },
    async findAnywhere(id) {
      const [row] = await db.read.select().from(runs).where(eq(runs.id, id));
      return row;
    },
    async findByKey(tx, teamId, key) {
      const [row] = await tx
        .select()
        .from(runs)
        .where(and(eq(runs.teamId, teamId), eq(runs.idempotencyKey, key)));
      return row;
    },
    waiting: async (tx, teamId) =>
      tx.$count(runs, and(eq(runs.teamId, teamId), inArray(runs.state, ["queued", ...LEASED_STATES]))),
    async unfinishedOf(tx, teamId, userId) {
      const rows = await tx
        .select({ id: runs.id })
        .from(runs)
        .where(
          and(eq(runs.teamId, teamId), eq(runs.createdBy, userId), inArray(runs.state, ["queued", ...LEASED_STATES])),
        );
      return rows.map(({ id }) => id);
    },
    async nextTurn(tx, teamId) {
      const [row] = await tx
        .select({ last: max(runs.turn) })
        .from(runs)
        .where(eq(runs.teamId, teamId));
      return (row?.last ?? 0) + 1;
    },
    async insert(tx, row, pool) {
      const [inserted] = await tx
        .insert(runs)
        .values({ ...row, pooled: pool !== undefined })
        .returning();
      if (inserted === undefined) throw new Error("An inserted run was not returned.");
      if (pool !== undefined && pool.length > 0) {
        await tx.insert(runPool).values(pool.map((phoneId, position) => ({ runId: row.id, phoneId, position })));
      }
      return inserted;
    },
    steps: async (id) => db.read.select().from(runSteps).where(eq(runSteps.runId, id)).orderBy(asc(runSteps.seq)),
    artifacts: async (id) =>
      db.read
        .select()
        .from(runArtifacts)
        .where(eq(runArtifacts.runId, id))
        .orderBy(asc(runArtifacts.createdAt), asc(runArtifacts.name)),
    async artifact(id, name) {
      const [row] = await db.read
        .select()
        .from(runArtifacts)
        .where(and(eq(runArtifacts.runId, id), eq(runArtifacts.name, name)));
      return row;
    },
    events: async (id, after, limit) =>
      db.read
        .select({ seq: runEvents.seq, data: runEvents.data })
        .from(runEvents)
        .where(and(eq(runEvents.runId, id), gt(runEvents.seq, after)))
        .orderBy(asc(runEvents.seq))
        .limit(limit),
    async change(tx, id, from, change) {
      const [row] = await tx
        .update(runs)
        .set(change)
        .where(and(eq(runs.id, id), inArray(runs.state, [...from])))
        .returning();
      return row;
    },
    async lease(holder, until, { busy, resting, nodes }) {
      const taken = await db.read
        .select({ phoneId: runs.phoneId, lane: runs.lane })
        .from(runs)
        .where(inArray(runs.state, [...LEASED_STATES]));
      const blocked = [...new Set([...busy, ...taken.map((row) => row.phoneId)])];
      const lanes = [...new Set(taken.flatMap(({ lane }) => (lane === null ? [] : [lane])))];
      const open = and(
        eq(runs.state, "queued"),
        lanes.length > 0 ? or(isNull(runs.lane), notInArray(runs.lane, lanes)) : undefined,
        nodes && or(isNull(phones.nodeId), inArray(phones.nodeId, [...nodes])),
        resting.length > 0 ? or(isNull(runPool.phoneId), notInArray(runPool.phoneId, [...resting])) : undefined,
      );
      const candidates = await eligible(db.read)
        .where(and(open, blocked.length > 0 ? notInArray(phone, blocked) : undefined))
        .orderBy(asc(runs.createdAt), asc(runs.turn), asc(readiness), asc(runPool.position))
        .limit(20);
      for (const { phoneId } of candidates) {
        try {
          const row = await db.tx(async (tx) => {
            const [first] = await eligible(tx)
              .where(and(open, eq(phone, phoneId)))
              .orderBy(asc(runs.turn))
              .limit(1);
            if (first === undefined) return undefined;
            // Over the whole team, because a run that moves takes its number away from the phone it was on.
            const [last] = await tx
              .select({ fence: max(runs.fence) })
              .from(runs)
              .where(eq(runs.teamId, first.teamId));
            const [leased] = await tx
              .update(runs)
              .set({
                state: "leased",
                phoneId,
                ...(first.position !== null && { shard: first.position }),
                holder,
                leaseUntil: until,
                fence: (last?.fence ?? 0) + 1,
              })
              .where(and(eq(runs.id, first.id), eq(runs.state, "queued"), isNull(runs.cancelAskedAt)))
              .returning();
            return leased;
          });
          if (row !== undefined) return row;
        } catch (error) {
          if (!isUniqueViolation(error)) throw error;
        }
      }
      return undefined;
    },
    async leavePool(tx, id, phoneId) {
      await tx.delete(runPool).where(and(eq(runPool.runId, id), eq(runPool.phoneId, phoneId)));
      return tx.$count(runPool, eq(runPool.runId, id));
    },
    async renew(lease, until) {
      const [row] = await db.tx((tx) =>
        tx.update(runs).set({ leaseUntil: until }).where(held(lease)).returning({ cancelAskedAt: runs.cancelAskedAt }),
      );
      return { held: row !== undefined, cancelAskedAt: row?.cancelAskedAt ?? null };
    },
    async changeLeased(tx, lease, change) {
      const [row] = await tx.update(runs).set(change).where(held(lease)).returning();
      return row;
    },
    async append(tx, id, events, at, lease) {
      const [row] = await tx
        .update(runs)
        .set({ eventSeq: sql`${runs.eventSeq} + ${events.length}` })
        .where(lease === undefined ? eq(runs.id, id) : held(lease))
        .returning({ eventSeq: runs.eventSeq });
      if (row === undefined) return false;
      const first = row.eventSeq - events.length + 1;
      await tx.insert(runEvents).values(events.map((data, index) => ({ runId: id, seq: first + index, data, at })));
      if (db.engine === "postgres") {
        await db.announce(tx, id);
        if (events.some((event) => event.type === "run" && event.state === "queued")) await db.announce(tx, RUN_WAITS);
      }
      return true;
    },
    abandoned: async (now) =>
      db.read
        .select()
        .from(runs)
        .where(and(inArray(runs.state, [...LEASED_STATES]), now === undefined ? undefined : lt(runs.leaseUntil, now))),
    async known(ids) {
      const found = new Set<RunId>();
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const rows = await db.read
          .select({ id: runs.id })
          .from(runs)
          .where(and(inArray(runs.id, ids.slice(at, at + AT_ONCE)), ne(runs.source, "")));
        for (const { id } of rows) found.add(id);
      }
      return found;
    },
  };
}
