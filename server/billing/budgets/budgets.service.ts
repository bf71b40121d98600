/** Budgets of a team, its members and phones: so much money, or phone time, a month; told at 50, 80 and 100 %. */
import type { z } from "zod";
import type { BudgetView, budgetInput, removeBudgetInput } from "../../../shared/billing/billing.ts";
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { localDay } from "../../../shared/billing/local-days.ts";
import { minutesWords, moneyWords } from "../../../shared/billing/words.ts";
import { type BudgetId, budgetId, newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { BudgetCrossed, EntitlementsOf } from "../ports.ts";
import type { BudgetNames, BudgetOf, BudgetRow, BudgetsRepo } from "./budgets.repo.ts";
import { countUses, markOf, type Use } from "./counting.ts";

const MOST_BUDGETS = 50;

/** For the ledger: what was used is counted in the transaction that writes it. */
export interface BudgetCounts {
  /** Gives the marks that were passed: of each budget the highest, once a month. */
  count(tx: Writer, teamId: TeamId, uses: readonly Use[]): Promise<readonly BudgetCrossed[]>;
  starterOf(reader: Reader, intervalId: string): Promise<UserId | null>;
}

export interface Budgets extends BudgetCounts {
  set(scope: TeamScope, input: z.output<typeof budgetInput>): Promise<BudgetView>;
  remove(scope: TeamScope, input: z.output<typeof removeBudgetInput>): Promise<void>;
  /** As they stand this month. */
  list(reader: Reader, teamId: TeamId, at: Date): Promise<readonly BudgetView[]>;
  /** Mails those whom money concerns, once for each budget, month and mark. Call `mail.wake` after the commit. */
  alert(tx: Writer, teamId: TeamId, crossed: readonly BudgetCrossed[]): Promise<void>;
}

export function createBudgets(options: {
  db: Database;
  repo: BudgetsRepo;
  audit: Pick<Audit, "record">;
  mail: Pick<Mail, "queue">;
  entitlements: EntitlementsOf;
  clock: Clock;
  pageLink: PageLinks;
}): Budgets {
  const { db, repo, audit, mail, entitlements, clock, pageLink } = options;
  const now = () => new Date(clock.now());

  async function monthOf(reader: Reader, teamId: TeamId, at: Date): Promise<string> {
    const { timeZone } = await entitlements.of(reader, teamId, at);
    return localDay(at.getTime(), timeZone).day.slice(0, 7);
  }

  async function demandOwn(tx: Writer, teamId: TeamId, { memberId, phoneId }: BudgetOf): Promise<void> {
    if (memberId !== null && !(await repo.isMember(tx, teamId, memberId))) {
      throw new PerchError("not_found", "There is no such member in your team.");
    }
    if (phoneId !== null && !(await repo.hasPhone(tx, teamId, phoneId))) {
      throw new PerchError("not_found", "There is no such phone in your team.");
    }
  }

  return {
    set: ({ teamId, userId }, input) =>
      db.tx(async (tx) => {
        const { measure, limit } = input;
        const { scope } = input;
        const of: BudgetOf = {
          scope: scope.kind,
          memberId: scope.kind === "member" ? scope.userId : null,
          phoneId: scope.kind === "phone" ? scope.phoneId : null,
        };
        await demandOwn(tx, teamId, of);
        const all = await repo.ofTeam(tx, teamId);
        const known = all.find((one) => isSame(one, of) && one.measure === measure);
        if (known === undefined && all.length >= MOST_BUDGETS) {
          throw new PerchError(
            "limit_reached",
            `A team has at most ${MOST_BUDGETS} budgets. Remove one that is not needed any more.`,
          );
        }
        const at = now();
        const month = await monthOf(tx, teamId, at);
        const used = await repo.usedSince(tx, teamId, of, `${month}-01`);
        const counted = { month, spent: Math.max(0, measure === "money" ? used.amount : used.ms), alerted: 0 };
        const row: BudgetRow = {
          ...{ ...of, ...counted, teamId, measure, limit },
          ...{ id: known?.id ?? newId("budget"), createdAt: known?.createdAt ?? at },
        };
        // What is reached at a lower mark already is no news to who sets the budget; that nothing is left is acted on.
        const mark = markOf(row);
        const set = { ...row, alerted: mark === 100 ? 80 : mark };
        if (known === undefined) await repo.insert(tx, set);
        else await repo.change(tx, known.id, { ...counted, limit, alerted: set.alerted });
        await audit.record(tx, {
          ...{ chain: teamId, actor: userId, action: "billing.budget_set", object: row.id },
          detail: { scope: of.scope, measure, limit },
        });
        return viewOf(set, await repo.names(tx, teamId), month);
      }),
    remove: ({ teamId, userId }, input) =>
      db.tx(async (tx) => {
        if (!(await repo.remove(tx, teamId, input.budgetId))) {
          throw new PerchError("not_found", "There is no such budget in your team.");
        }
        const entry = { chain: teamId, actor: userId, action: "billing.budget_removed" } as const;
        await audit.record(tx, { ...entry, object: input.budgetId });
      }),
    async list(reader, teamId, at) {
      const rows = await repo.ofTeam(reader, teamId);
      if (rows.length === 0) return [];
      const [names, month] = [await repo.names(reader, teamId), await monthOf(reader, teamId, at)];
      return rows.map((row) => viewOf(row, names, month));
    },
    starterOf: repo.starterOf,
    async count(tx, teamId, uses) {
      const crossed: BudgetCrossed[] = [];
      if (uses.length === 0) return crossed;
      for (const budget of await repo.ofTeam(tx, teamId)) {
        const counted = countUses(budget, uses);
        if (counted === undefined) continue;
        const { crossed: percent, ...change } = counted;
        await repo.change(tx, budget.id, change);
        if (percent !== undefined) crossed.push({ budgetId: asBudgetId(budget.id), percent });
      }
      return crossed;
    },
    async alert(tx, teamId, crossed) {
      if (crossed.length === 0) return;
      const rows = await repo.ofTeam(tx, teamId);
      const names = await repo.names(tx, teamId);
      const team = await repo.teamName(tx, teamId);
      for (const { budgetId: id, percent } of crossed) {
        const row = rows.find((one) => one.id === id);
        if (row === undefined) continue;
        const name = nameOf(row, names);
        const what =
          row.scope === "team" ? `The budget of the team ${team}` : `The budget of ${name} in the team ${team}`;
        const data = {
          ...{ what, percent: `${percent} %`, spent: measured(row, row.spent), limit: measured(row, row.limit) },
          consequence: percent === 100 ? "Phones it counts are parked and do not start again this month." : "",
          link: pageLink("/"),
        };
        for (const { userId, email } of await repo.moneyReaders(tx, teamId)) {
          const dedupeKey = `budget:${id}:${row.month}:${percent}:${userId}`;
          await mail.queue(tx, { kind: "budget_reached", recipient: email, userId, data, dedupeKey });
        }
      }
    },
  };
}

function isSame(a: BudgetOf, b: BudgetOf): boolean {
  return a.scope === b.scope && a.memberId === b.memberId && a.phoneId === b.phoneId;
}

function measured({ measure }: Pick<BudgetRow, "measure">, value: number): string {
  return measure === "money" ? moneyWords(value, CURRENCY) : minutesWords(value);
}

function nameOf({ scope, memberId, phoneId }: BudgetOf, { members, phones }: BudgetNames): string {
  if (scope === "team") return "The whole team";
  if (scope === "member") return (memberId !== null && members.get(memberId)) || "Somebody who left";
  return (phoneId !== null && phones.get(phoneId)) || "A phone that is gone";
}

function viewOf(row: BudgetRow, names: BudgetNames, month: string): BudgetView {
  const { id, scope, measure, limit, memberId, phoneId } = row;
  return {
    ...{ id, scope, measure, limit, month, name: nameOf(row, names) },
    ...(phoneId !== null && { phoneId }),
    ...(memberId !== null && { userId: memberId }),
    spent: row.month === month ? row.spent : 0,
  };
}

/** Checked here, because the column's type does not say it. */
function asBudgetId(id: string): BudgetId {
  return budgetId.parse(id);
}
