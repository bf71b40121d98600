/** Reads the audit log a page at a time, and the names of who and what its entries are about. */
import { and, type Column, desc, eq, gte, inArray, isNotNull, lt, lte, or, type SQL } from "drizzle-orm";
import { type IdKind, idPattern, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import type { ActivityDetail } from "./activity-words.ts";
import type { AuditAction } from "./audit.repo.ts";

export interface ActivityRow {
  readonly chain: string;
  readonly seq: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  readonly detail: ActivityDetail | null;
}
export interface ActivityFilter {
  readonly actions?: readonly AuditAction[] | undefined;
  readonly actor?: UserId | undefined;
  readonly object?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}
/** Where a page ended. */
export interface ActivityPlace {
  readonly at: Date;
  readonly chain: string;
  readonly seq: number;
}

export interface ActivityRepo {
  /**
   * The team's chain, the newest first, without what was forgotten: entries of `shown` actions, and any that the
   * person did or that are about them.
   */
  ofTeam(
    teamId: TeamId,
    me: UserId,
    shown: readonly AuditAction[],
    filter: ActivityFilter,
    before: number | undefined,
    limit: number,
  ): Promise<ActivityRow[]>;
  /** From every chain: what the person did of `own` actions, and all that is about them. The newest first. */
  ofPerson(
    me: UserId,
    own: readonly AuditAction[],
    filter: ActivityFilter,
    before: ActivityPlace | undefined,
    limit: number,
  ): Promise<ActivityRow[]>;
  /** Names of people who are in a team with this person, the person included. */
  peopleKnownTo(me: UserId): Promise<Map<string, string>>;
  /** Names of the team's things among these ids. */
  objectNames(teamId: TeamId, ids: readonly string[]): Promise<Map<string, string>>;
}

export function createActivityRepo(db: Database): ActivityRepo {
  const { auditLog, teamMembers, users } = db.t;
  const { chain, seq, at, actor, action, object, detail } = auditLog;
  const columns = { chain, seq, at, actor, action, object, detail };

  const matches = (filter: ActivityFilter): (SQL | undefined)[] => [
    isNotNull(at),
    isNotNull(actor),
    filter.actions && inArray(action, [...filter.actions]),
    filter.actor && eq(actor, filter.actor),
    filter.object === undefined ? undefined : eq(object, filter.object),
    filter.from && gte(at, filter.from),
    filter.to && lte(at, filter.to),
  ];
  /** `matches` left out those without. */
  const whole = (rows: readonly (Omit<ActivityRow, "at" | "actor"> & { at: Date | null; actor: string | null })[]) =>
    rows.flatMap((row) => (row.at === null || row.actor === null ? [] : [{ ...row, at: row.at, actor: row.actor }]));

  return {
    async ofTeam(teamId, me, shown, filter, before, limit) {
      const read = (what: SQL | undefined) =>
        db.read
          .select(columns)
          .from(auditLog)
          .where(and(eq(chain, teamId), before === undefined ? undefined : lt(seq, before), what, ...matches(filter)))
          .orderBy(desc(seq))
          .limit(limit);
      if (filter.actor !== undefined || filter.object !== undefined) {
        return whole(await read(or(inArray(action, [...shown]), eq(actor, me), eq(object, me))));
      }
      // One kind of thing at a time, each from its index: however rare it is, nothing else is looked through.
      const kinds = shown.filter((one) => filter.actions === undefined || filter.actions.includes(one));
      const parts = await Promise.all([
        ...kinds.map((one) => read(eq(action, one))),
        read(eq(actor, me)),
        read(eq(object, me)),
      ]);
      const found = new Map(whole(parts.flat()).map((row) => [row.seq, row]));
      return [...found.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
    },
    async ofPerson(me, own, filter, before, limit) {
      const later =
        before &&
        or(
          lt(at, before.at),
          and(eq(at, before.at), or(lt(chain, before.chain), and(eq(chain, before.chain), lt(seq, before.seq)))),
        );
      const rows = await db.read
        .select(columns)
        .from(auditLog)
        .where(and(or(and(eq(actor, me), inArray(action, [...own])), eq(object, me)), later, ...matches(filter)))
        .orderBy(desc(at), desc(chain), desc(seq))
        .limit(limit);
      return whole(rows);
    },
    async peopleKnownTo(me) {
      const mine = db.read.select({ id: teamMembers.teamId }).from(teamMembers).where(eq(teamMembers.userId, me));
      const rows = await db.read
        .selectDistinct({ id: users.id, name: users.fullName, email: users.emailShown })
        .from(users)
        .innerJoin(teamMembers, eq(teamMembers.userId, users.id))
        .where(inArray(teamMembers.teamId, mine));
      return new Map(rows.map(({ id, name, email }) => [id, name ?? email]));
    },
    async objectNames(teamId, ids) {
      const { phones, flows, runs, rules, webhooks, secrets, apiTokens, teamInvitations: invitations, teams } = db.t;
      const { read } = db;
      const of = (table: { teamId: Column; id: Column }, wanted: readonly string[]) =>
        and(eq(table.teamId, teamId), inArray(table.id, [...wanted]));
      const queries: readonly [IdKind, (at: readonly string[]) => PromiseLike<{ id: string; name: string }[]>][] = [
        ["phone", (at) => read.select({ id: phones.id, name: phones.name }).from(phones).where(of(phones, at))],
        ["flow", (at) => read.select({ id: flows.id, name: flows.name }).from(flows).where(of(flows, at))],
        ["run", (at) => read.select({ id: runs.id, name: runs.name }).from(runs).where(of(runs, at))],
        [
          "webhook",
          (at) => read.select({ id: webhooks.id, name: webhooks.name }).from(webhooks).where(of(webhooks, at)),
        ],
        ["secret", (at) => read.select({ id: secrets.id, name: secrets.name }).from(secrets).where(of(secrets, at))],
        [
          "apiToken",
          (at) => read.select({ id: apiTokens.id, name: apiTokens.name }).from(apiTokens).where(of(apiTokens, at)),
        ],
        ["team", () => read.select({ id: teams.id, name: teams.name }).from(teams).where(eq(teams.id, teamId))],
        [
          "invitation",
          (at) =>
            read
              .select({ id: invitations.id, name: invitations.emailShown })
              .from(invitations)
              .where(of(invitations, at)),
        ],
        [
          "rule",
          async (at) => {
            const found = await read.select({ id: rules.id, rule: rules.rule }).from(rules).where(of(rules, at));
            return found.map(({ id, rule }) => ({ id, name: rule.name }));
          },
        ],
      ];
      const names = new Map<string, string>();
      for (const [kind, query] of queries) {
        const wanted = ids.filter((id) => idPattern(kind).test(id));
        if (wanted.length === 0) continue;
        for (const { id, name } of await query(wanted)) names.set(id, name);
      }
      return names;
    },
  };
}
