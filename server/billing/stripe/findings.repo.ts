/** What does not fit between Stripe, the mirror and the ledger: told to the operator, once each. */
import { desc, eq, isNull, max } from "drizzle-orm";
import { newId, type ReconcileRunId, type TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";

export type RunRow = Database["t"]["reconcileRuns"]["$inferSelect"];
export type FindingRow = Database["t"]["reconcileFindings"]["$inferSelect"];
export type FindingKind = FindingRow["kind"];

export interface NewFinding {
  readonly kind: FindingKind;
  readonly objectId: string;
  readonly words: string;
  readonly teamId?: TeamId | undefined;
  /** Repaired by itself: nobody has to do anything. */
  readonly isRepaired?: boolean;
}

export interface FindingsRepo {
  /** False when it was found before. Outside a run it stands as a check of its own. */
  add(tx: Writer, finding: NewFinding, runId?: ReconcileRunId): Promise<boolean>;
  begin(tx: Writer, run: Pick<RunRow, "id" | "kind" | "startedAt">): Promise<void>;
  finish(tx: Writer, id: ReconcileRunId, run: Pick<RunRow, "finishedAt" | "eventsUntil" | "looked">): Promise<void>;
  /** Up to when events were seen by checks that ended. */
  eventsUntil(): Promise<Date | undefined>;
  open(): Promise<FindingRow[]>;
}

export function createFindingsRepo(db: Database, clock: Clock): FindingsRepo {
  const { reconcileRuns, reconcileFindings } = db.t;
  return {
    async add(tx, { isRepaired = false, teamId, ...finding }, runId) {
      const at = new Date(clock.now());
      const id = runId ?? newId("reconcileRun");
      const rows = await tx
        .insert(reconcileFindings)
        .values({
          ...finding,
          ...{ id: `${finding.kind}:${finding.objectId}`, runId: id, teamId: teamId ?? null },
          ...{ resolvedAt: isRepaired ? at : null, createdAt: at },
        })
        .onConflictDoNothing()
        .returning({ id: reconcileFindings.id });
      if (rows.length === 1 && runId === undefined) {
        const run = { id, kind: "light", startedAt: at, finishedAt: at, eventsUntil: null, looked: 1 } as const;
        await tx.insert(reconcileRuns).values(run);
      }
      return rows.length === 1;
    },
    async begin(tx, run) {
      await tx.insert(reconcileRuns).values({ ...run, finishedAt: null, eventsUntil: null, looked: 0 });
    },
    async finish(tx, id, run) {
      await tx.update(reconcileRuns).set(run).where(eq(reconcileRuns.id, id));
    },
    async eventsUntil() {
      const [row] = await db.read.select({ until: max(reconcileRuns.eventsUntil) }).from(reconcileRuns);
      return row?.until ?? undefined;
    },
    open: async () =>
      db.read
        .select()
        .from(reconcileFindings)
        .where(isNull(reconcileFindings.resolvedAt))
        .orderBy(desc(reconcileFindings.createdAt)),
  };
}
