/** A ledger on a real database, with entitlements that a test sets. */
import { randomBytes } from "node:crypto";
import { PLANS } from "../../../shared/billing/catalogue.ts";
import { type Rated, type RunningPhone, rate } from "../../../shared/billing/rating.ts";
import { newId, type PhoneId, type TeamId, type UsageIntervalId, type UserId } from "../../../shared/ids.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { ManualClock } from "../../clock.ts";
import type { TestDatabase } from "../../db/testing.ts";
import type { NewMail } from "../../mail/mail.service.ts";
import { createBudgetsRepo } from "../budgets/budgets.repo.ts";
import { type Budgets, createBudgets } from "../budgets/budgets.service.ts";
import type { BudgetCrossed, Entitlements, EntitlementsOf, Ledger } from "../ports.ts";
import { createLedgerRepo } from "./ledger.repo.ts";
import { createLedger } from "./ledger.service.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface LedgerWorld {
  readonly db: TestDatabase["db"];
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  readonly budgets: Budgets;
  readonly mails: NewMail[];
  /** What a team may, from now on; without anything it is a Free team in the month by UTC, with no plan time. */
  entitle(teamId: TeamId, change: Partial<Entitlements>): void;
  /** A team with an owner whose address is confirmed. */
  addTeam(): Promise<{ readonly teamId: TeamId; readonly userId: UserId }>;
  /** Settles phones that run from `from` to now: funds, rating, entries. */
  settle(teamId: TeamId, running: readonly RunningPhone[], from: number, startedBy?: UserId): Promise<Settled>;
}
export interface Settled {
  readonly rated: Rated;
  readonly crossed: readonly BudgetCrossed[];
}

export function aPhone(startedAt: number): RunningPhone & { intervalId: UsageIntervalId; phoneId: PhoneId } {
  return { intervalId: newId("usageInterval"), phoneId: newId("phone"), startedAt };
}

export function monthAround(at: Date): Entitlements["month"] {
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { from: new Date(Date.UTC(year, month)), to: new Date(Date.UTC(year, month + 1)) };
}

export function createLedgerWorld({ db }: TestDatabase, start = Date.UTC(2026, 10, 26, 12)): LedgerWorld {
  const clock = new ManualClock(start);
  const changes = new Map<TeamId, Partial<Entitlements>>();
  const entitlements: EntitlementsOf = {
    async of(_reader, teamId, at) {
      return {
        ...{ plan: "free", cycle: undefined, addOns: { slot: 0, dedicated: 0, seat: 0, storage: 0 } },
        ...{ phonesAtOnce: PLANS.free.phonesAtOnce, seats: PLANS.free.seats, storageMb: PLANS.free.storageMb },
        ...{ includedMs: 0, month: monthAround(at), standing: "good", stopsAt: undefined, walletFrozen: false },
        ...{ overageCap: 0, timeZone: "UTC" },
        ...changes.get(teamId),
      } as const;
    },
  };
  const mails: NewMail[] = [];
  const budgets = createBudgets({
    ...{ db, clock, entitlements, repo: createBudgetsRepo(db), audit: createAudit(db, clock, randomBytes(32)) },
    mail: { queue: async (_tx, mail) => void mails.push(mail) },
    pageLink: createPageLinks(new URL("https://perch.example")),
  });
  const ledger = createLedger({ repo: createLedgerRepo(db), budgets, entitlements, clock, unbilled: false });
  return {
    ...{ db, clock, ledger, budgets, mails },
    entitle: (teamId, change) => void changes.set(teamId, { ...changes.get(teamId), ...change }),
    async addTeam() {
      const [teamId, userId] = [newId("team"), newId("user")];
      const at = new Date(clock.now());
      await db.tx(async (tx) => {
        await addUser(db, tx, { id: userId, email: `${userId.toLowerCase()}@x.example`, createdAt: at });
        await tx.insert(db.t.identities).values({ provider: "embedded", subject: userId, userId, verifiedAt: at });
        await tx.insert(db.t.teams).values({ id: teamId, name: "Shop", createdAt: at });
        await tx.insert(db.t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at });
      });
      return { teamId, userId };
    },
    settle: (teamId, running, from, startedBy) =>
      db.tx(async (tx) => {
        const at = new Date(clock.now());
        const funds = await ledger.funds(tx, teamId, at, new Date(from));
        const rated = rate(running, from, at.getTime(), funds);
        const people = new Map(running.map(({ intervalId }) => [intervalId, startedBy ?? null]));
        const crossed = await ledger.post(tx, teamId, { rated, startedBy: people }, at);
        return { rated, crossed };
      }),
  };
}
