/** Whom an operator suspended. The mark stands on the account or the team, where every look-up of a credential sees it. */
import { and, eq, inArray, isNotNull, isNull, ne } from "drizzle-orm";
import { type DecisionId, newId, type PhoneId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { ACTIVE_STATES } from "../phones/phones.repo.ts";

/** An account, or a team with everybody in it. */
export type Suspended = { readonly userId: UserId } | { readonly teamId: TeamId };

export interface SuspensionsRepo {
  /** False where there is no such account or team, or it is as wanted already. */
  mark(tx: Writer, which: Suspended, suspended: boolean): Promise<boolean>;
  /** Tells one person why, under their standing. */
  insert(tx: Writer, userId: UserId, teamId: TeamId | null, why: string): Promise<DecisionId>;
  /** Decisions that say why it is suspended, and have not been lifted. */
  open(tx: Writer, which: Suspended): Promise<readonly { readonly id: DecisionId; readonly userId: UserId }[]>;
  /** Phones that run or are about to. */
  activePhones(tx: Writer, id: TeamId): Promise<PhoneId[]>;
}

export function createSuspensionsRepo(db: Database, clock: Clock): SuspensionsRepo {
  const { users, teams, decisions, phones } = db.t;
  return {
    async mark(tx, which, suspended) {
      const values = { suspendedAt: suspended ? new Date(clock.now()) : null };
      const changes = (column: typeof users.suspendedAt | typeof teams.suspendedAt) =>
        suspended ? isNull(column) : isNotNull(column);
      const rows =
        "userId" in which
          ? await tx
              .update(users)
              .set(values)
              .where(and(eq(users.id, which.userId), isNull(users.deletedAt), changes(users.suspendedAt)))
              .returning({ id: users.id })
          : await tx
              .update(teams)
              .set(values)
              .where(and(eq(teams.id, which.teamId), changes(teams.suspendedAt)))
              .returning({ id: teams.id });
      return rows.length === 1;
    },
    async insert(tx, userId, teamId, why) {
      const id = newId("decision");
      const row = { id, userId, teamId, why, kind: "operator", action: "suspend", state: "in_force" } as const;
      const values = { ...row, score: 100, signals: [], createdAt: new Date(clock.now()) };
      await tx.insert(decisions).values(await db.keys.row(tx, decisions, values, userId));
      return id;
    },
    open: (tx, which) =>
      tx
        .select({ id: decisions.id, userId: decisions.userId })
        .from(decisions)
        .where(
          and(
            eq(decisions.action, "suspend"),
            ne(decisions.state, "lifted"),
            ...("userId" in which
              ? [eq(decisions.userId, which.userId), isNull(decisions.teamId)]
              : [eq(decisions.teamId, which.teamId)]),
          ),
        ),
    async activePhones(tx, id) {
      const rows = await tx
        .select({ id: phones.id })
        .from(phones)
        .where(and(eq(phones.teamId, id), inArray(phones.state, [...ACTIVE_STATES])));
      return rows.map((row) => row.id);
    },
  };
}
