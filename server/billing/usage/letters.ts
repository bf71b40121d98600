/** What owners and billing people are told of a team's use: budgets that fill up, phones that were parked. */
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import type { TeamId } from "../../../shared/ids.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Writer } from "../../db/database.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";
import type { BudgetCrossed } from "../ports.ts";
import type { BudgetRow, UsageRepo } from "./usage.repo.ts";

/** More names are not listed in one mail. */
const NAMED = 10;

export interface UsageLetters {
  budgetsCrossed(tx: Writer, teamId: TeamId, crossed: readonly BudgetCrossed[]): Promise<void>;
  parkedForBalance(tx: Writer, teamId: TeamId, names: readonly string[], at: Date): Promise<void>;
}

export function createUsageLetters(options: {
  repo: Pick<UsageRepo, "budgetsOf" | "phoneName">;
  people: Pick<TeamsRepo, "findIn" | "membersIn">;
  mail: Pick<Mail, "queue">;
  page: PageLinks;
}): UsageLetters {
  const { repo, people, mail, page } = options;

  async function readersOf(tx: Writer, teamId: TeamId) {
    const members = await people.membersIn(tx, teamId);
    return members.filter(({ role }) => role === "owner" || role === "billing");
  }

  async function nameOf(tx: Writer, budget: BudgetRow, teamName: string): Promise<string> {
    if (budget.scope === "team") return `The budget of the team ${teamName}`;
    if (budget.scope === "phone") {
      const name = budget.phoneId === null ? undefined : await repo.phoneName(tx, budget.phoneId);
      return `The budget of the phone ${name ?? "that was removed"} in the team ${teamName}`;
    }
    const member = (await people.membersIn(tx, budget.teamId)).find(({ userId }) => userId === budget.memberId);
    return `The budget of ${member?.fullName ?? member?.email ?? "a member"} in the team ${teamName}`;
  }

  return {
    async budgetsCrossed(tx, teamId, crossed) {
      if (crossed.length === 0) return;
      const team = await people.findIn(tx, teamId);
      const budgets = await repo.budgetsOf(tx, teamId);
      const readers = await readersOf(tx, teamId);
      for (const { budgetId, percent } of crossed) {
        const budget = budgets.find(({ id }) => id === budgetId);
        if (budget === undefined || team === undefined) continue;
        const words = (value: number) =>
          budget.measure === "money" ? moneyWords(value, CURRENCY) : durationWords(value);
        const data = {
          what: await nameOf(tx, budget, team.name),
          percent: `${percent} %`,
          spent: words(budget.spent),
          limit: words(budget.limit),
          consequence: percent < 100 ? "" : "Phones it stops are parked until next month or a higher budget.",
          link: page("/billing"),
        };
        for (const { userId, email } of readers) {
          const dedupeKey = `budget:${budgetId}:${budget.month}:${percent}:${userId}`;
          await mail.queue(tx, { kind: "budget_reached", userId, recipient: email, data, dedupeKey });
        }
      }
    },
    async parkedForBalance(tx, teamId, names, at) {
      const team = await people.findIn(tx, teamId);
      if (team === undefined) return;
      const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
      const data = {
        teamName: team.name,
        phones: `${names.slice(0, NAMED).join(", ")}${more}`,
        at: momentWords(at),
        link: page("/billing"),
      };
      for (const { userId, email } of await readersOf(tx, teamId)) {
        await mail.queue(tx, { kind: "parked_for_balance", userId, recipient: email, data });
      }
    },
  };
}
