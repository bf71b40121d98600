/** Decisions of the rules against abuse. */
import { and, asc, count, desc, eq, inArray, isNull, ne } from "drizzle-orm";
import type { DecisionAction, DecisionKind, DecisionState } from "../../shared/accounts.ts";
import { type DecisionId, newId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import type { Verdict } from "./score.ts";

export interface DecisionRow {
  readonly id: DecisionId;
  readonly userId: UserId;
  readonly kind: DecisionKind;
  readonly action: DecisionAction;
  readonly state: DecisionState;
  readonly score: number;
  readonly signals: readonly { readonly signal: string; readonly weight: number }[];
  readonly contest: string | null;
  /** What an operator wrote, who suspended the account or this team. */
  readonly why: string | null;
  readonly teamId: TeamId | null;
  readonly createdAt: Date;
}

export interface DecisionsRepo {
  insert(tx: Writer, userId: UserId, kind: DecisionKind, verdict: Verdict): Promise<DecisionId>;
  /** The newest first. */
  listOf(userId: UserId): Promise<DecisionRow[]>;
  listOfIn(tx: Writer, userId: UserId): Promise<DecisionRow[]>;
  /** What waits for a person to look at: everything in force or contested that holds, contested ones first. */
  listOpen(tx: Writer): Promise<(DecisionRow & { readonly email: string })[]>;
  find(tx: Writer, id: DecisionId): Promise<DecisionRow | undefined>;
  contest(tx: Writer, id: DecisionId, text: string): Promise<void>;
  settle(tx: Writer, id: DecisionId, state: "lifted" | "upheld", why: string): Promise<void>;
  /** Living accounts of the server. */
  accounts(tx: Writer): Promise<number>;
}

export function createDecisionsRepo(db: Database, clock: Clock): DecisionsRepo {
  const { decisions, users } = db.t;
  const columns = {
    id: decisions.id,
    userId: decisions.userId,
    kind: decisions.kind,
    action: decisions.action,
    state: decisions.state,
    score: decisions.score,
    signals: decisions.signals,
    contest: decisions.contest,
    why: decisions.why,
    teamId: decisions.teamId,
    createdAt: decisions.createdAt,
  };
  /** Words about a decision are sealed with the key of the person it is about. */
  const words = async <V extends object>(tx: Writer, id: DecisionId, values: V): Promise<V> => {
    const [row] = await tx.select({ userId: decisions.userId }).from(decisions).where(eq(decisions.id, id));
    return row === undefined ? values : db.keys.row(tx, decisions, values, row.userId);
  };
  const listOf = (reader: Reader, userId: UserId): Promise<DecisionRow[]> =>
    reader
      .select(columns)
      .from(decisions)
      .where(eq(decisions.userId, userId))
      .orderBy(desc(decisions.createdAt), asc(decisions.id));
  return {
    async insert(tx, userId, kind, { action, score, signals }) {
      const id = newId("decision");
      await tx
        .insert(decisions)
        .values({ id, userId, kind, action, state: "in_force", score, signals, createdAt: new Date(clock.now()) });
      return id;
    },
    listOf: (userId) => listOf(db.read, userId),
    listOfIn: (tx, userId) => listOf(tx, userId),
    async listOpen(tx) {
      return tx
        .select({ ...columns, email: users.emailShown })
        .from(decisions)
        .innerJoin(users, and(eq(users.id, decisions.userId), isNull(users.deletedAt)))
        .where(and(inArray(decisions.state, ["in_force", "contested"]), ne(decisions.action, "allow")))
        .orderBy(asc(decisions.state), asc(decisions.createdAt), asc(decisions.id));
    },
    async find(tx, id) {
      const [row] = await tx.select(columns).from(decisions).where(eq(decisions.id, id));
      return row;
    },
    async contest(tx, id, text) {
      await tx
        .update(decisions)
        .set(await words(tx, id, { state: "contested" as const, contest: text, contestedAt: new Date(clock.now()) }))
        .where(eq(decisions.id, id));
    },
    async settle(tx, id, state, why) {
      await tx
        .update(decisions)
        .set(await words(tx, id, { state, review: why, reviewedAt: new Date(clock.now()) }))
        .where(eq(decisions.id, id));
    },
    async accounts(tx) {
      const [row] = await tx.select({ accounts: count() }).from(users).where(isNull(users.deletedAt));
      return row?.accounts ?? 0;
    },
  };
}
