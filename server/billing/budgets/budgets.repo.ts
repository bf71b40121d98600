/** Budgets in the database. */
import { and, asc, count, eq, gte, inArray, isNull, ne, notExists, sql } from "drizzle-orm";
import type { PhoneId, TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

export type BudgetRow = Tables["budgets"]["$inferSelect"];
export type BudgetOf = Pick<BudgetRow, "scope" | "memberId" | "phoneId">;
export interface BudgetNames {
  readonly members: ReadonlyMap<UserId, string>;
  readonly phones: ReadonlyMap<PhoneId, string>;
}
export interface MoneyReader {
  readonly userId: UserId;
  readonly email: string;
}

export interface BudgetsRepo {
  /** The oldest first. */
  ofTeam(reader: Reader, teamId: TeamId): Promise<BudgetRow[]>;
  insert(tx: Writer, row: BudgetRow): Promise<void>;
  change(tx: Writer, id: string, to: Partial<Pick<BudgetRow, "limit" | "month" | "spent" | "alerted">>): Promise<void>;
  /** False when the team has no such budget. */
  remove(tx: Writer, teamId: TeamId, id: string): Promise<boolean>;
  isMember(reader: Reader, teamId: TeamId, userId: UserId): Promise<boolean>;
  hasPhone(reader: Reader, teamId: TeamId, phoneId: PhoneId): Promise<boolean>;
  /** What was used from a day on, of the whole team, one phone, or the phones one member started. */
  usedSince(reader: Reader, teamId: TeamId, of: BudgetOf, day: string): Promise<{ ms: number; amount: number }>;
  /** Who started an interval; nobody when it is gone. */
  starterOf(reader: Reader, intervalId: string): Promise<UserId | null>;
  names(reader: Reader, teamId: TeamId): Promise<BudgetNames>;
  teamName(reader: Reader, teamId: TeamId): Promise<string>;
  /** Whom money concerns: owners, and who has the role for billing; not who is being erased. */
  moneyReaders(reader: Reader, teamId: TeamId): Promise<MoneyReader[]>;
}

export function createBudgetsRepo(db: Database): BudgetsRepo {
  const { budgets, phones, teams, teamMembers, users, ledgerEntries, usageIntervals, erasureFence } = db.t;
  const isLive = and(eq(users.id, teamMembers.userId), isNull(users.deletedAt));
  return {
    ofTeam: async (reader, teamId) =>
      reader.select().from(budgets).where(eq(budgets.teamId, teamId)).orderBy(asc(budgets.createdAt), asc(budgets.id)),
    insert: async (tx, row) => void (await tx.insert(budgets).values(row)),
    change: async (tx, id, to) => void (await tx.update(budgets).set(to).where(eq(budgets.id, id))),
    async remove(tx, teamId, id) {
      const gone = await tx
        .delete(budgets)
        .where(and(eq(budgets.id, id), eq(budgets.teamId, teamId)))
        .returning({ id: budgets.id });
      return gone.length > 0;
    },
    async isMember(reader, teamId, userId) {
      const membership = and(eq(teamMembers.teamId, teamId), eq(teamMembers.userId, userId));
      const [row] = await reader.select({ found: count() }).from(teamMembers).where(membership);
      return row !== undefined && row.found > 0;
    },
    async hasPhone(reader, teamId, phoneId) {
      const own = and(eq(phones.id, phoneId), eq(phones.teamId, teamId), ne(phones.state, "removed"));
      const [row] = await reader.select({ found: count() }).from(phones).where(own);
      return row !== undefined && row.found > 0;
    },
    async usedSince(reader, teamId, { scope, memberId, phoneId }, day) {
      const intervals =
        scope === "member" && memberId !== null
          ? reader
              .select({ id: usageIntervals.id })
              .from(usageIntervals)
              .where(and(eq(usageIntervals.startedBy, memberId), eq(usageIntervals.teamId, teamId)))
          : undefined;
      const [row] = await reader
        .select({
          ms: sql<number>`coalesce(sum(${ledgerEntries.ms}), 0)`.mapWith(Number),
          amount: sql<number>`coalesce(sum(${ledgerEntries.amount}), 0)`.mapWith(Number),
        })
        .from(ledgerEntries)
        .where(
          and(
            eq(ledgerEntries.teamId, teamId),
            gte(ledgerEntries.day, day),
            ne(ledgerEntries.cover, "credit"),
            ne(ledgerEntries.cover, "uncovered"),
            scope === "phone" && phoneId !== null ? eq(ledgerEntries.phoneId, phoneId) : undefined,
            intervals && inArray(ledgerEntries.intervalId, intervals),
          ),
        );
      return row ?? { ms: 0, amount: 0 };
    },
    async starterOf(reader, intervalId) {
      const [row] = await reader
        .select({ startedBy: usageIntervals.startedBy })
        .from(usageIntervals)
        .where(sql`${usageIntervals.id} = ${intervalId}`);
      return row?.startedBy ?? null;
    },
    async names(reader, teamId) {
      const members = await reader
        .select({ id: teamMembers.userId, fullName: users.fullName, email: users.emailShown })
        .from(teamMembers)
        .innerJoin(users, isLive)
        .where(eq(teamMembers.teamId, teamId));
      const named = await reader
        .select({ id: phones.id, name: phones.name })
        .from(phones)
        .where(eq(phones.teamId, teamId));
      return {
        members: new Map(members.map(({ id, fullName, email }) => [id, fullName ?? email])),
        phones: new Map(named.map(({ id, name }) => [id, name])),
      };
    },
    async teamName(reader, teamId) {
      const [row] = await reader.select({ name: teams.name }).from(teams).where(eq(teams.id, teamId));
      return row?.name ?? "";
    },
    moneyReaders: async (reader, teamId) =>
      reader
        .select({ userId: teamMembers.userId, email: users.emailShown })
        .from(teamMembers)
        .innerJoin(users, isLive)
        .where(
          and(
            eq(teamMembers.teamId, teamId),
            inArray(teamMembers.role, ["owner", "billing"]),
            notExists(
              reader
                .select({ one: sql`1` })
                .from(erasureFence)
                .where(sql`${erasureFence.subject} = ${teamMembers.userId}`),
            ),
          ),
        )
        .orderBy(asc(teamMembers.joinedAt), asc(teamMembers.userId)),
  };
}
