/**
 * The ledger: what there is to pay with, and what covered which phone time. Entries are only added; what is left of a grant
 * is the sum of its entries, moved in the transaction that writes them and compared every night.
 */
import { createHash } from "node:crypto";
import { CURRENCY, PAY_AS_YOU_GO, PLANS, TRIAL } from "../../../shared/billing/catalogue.ts";
import { localDay } from "../../../shared/billing/local-days.ts";
import { type Funds, TIME_GRANTS, type TimeGrant } from "../../../shared/billing/rating.ts";
import { minutesWords, moneyWords } from "../../../shared/billing/words.ts";
import { type GrantId, newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Reader, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { BudgetCounts } from "../budgets/budgets.service.ts";
import type { Entitlements, EntitlementsOf, Ledger, NewGrant } from "../ports.ts";
import type { GrantRow, LedgerRepo } from "./ledger.repo.ts";
import type { LedgerSource } from "./ledger.tables.ts";
import { createPosting } from "./posting.ts";
import { createReversing } from "./reversing.ts";

const DAY_MS = 86_400_000;

/** `unbilled`: this server sends no bills, everything is included. */
export function createLedger(options: {
  repo: LedgerRepo;
  budgets: BudgetCounts;
  entitlements: EntitlementsOf;
  clock: Clock;
  unbilled: boolean;
}): Ledger {
  const { repo, budgets, entitlements, clock, unbilled } = options;
  const now = () => new Date(clock.now());

  /** The day it is for the team. */
  async function today(reader: Reader, teamId: TeamId): Promise<string> {
    const { timeZone } = await entitlements.of(reader, teamId, now());
    return localDay(clock.now(), timeZone).day;
  }

  /** An entry for the giving keeps what was given, and why, also when the grant is gone with its team. */
  async function give(tx: Writer, grant: NewGrant, entrySourceId: string, day: string): Promise<boolean> {
    const { teamId, kind, name, ms, source, sourceId, startsAt, expiresAt = null, reason = null } = grant;
    demandWhole(ms);
    const id = newId("grant");
    const createdAt = now();
    const row: GrantRow = {
      ...{ id, teamId, kind, name, source, sourceId, startsAt, expiresAt, createdAt },
      ...{ total: ms, remaining: ms },
    };
    if (!(await repo.insertGrant(tx, row))) return false;
    const entry = { teamId, cover: "credit", source, sourceId: entrySourceId, day, createdAt } as const;
    if ((await repo.insertEntry(tx, { ...entry, grantId: id, delta: ms, reason })) === undefined) {
      throw new Error(`A grant is new, and its source ${source} has an entry.`);
    }
    return true;
  }

  /** Plan time of the month; after a change to a larger plan the difference. Nothing is ever taken away. */
  async function giveMonth(tx: Writer, teamId: TeamId, { plan, includedMs, month, standing, timeZone }: Entitlements) {
    if (standing === "stopped") return;
    const ms = includedMs - (await repo.planGiven(tx, teamId, month.from));
    if (ms <= 0) return;
    const grant: NewGrant = {
      teamId,
      kind: "plan",
      name: `${PLANS[plan].name}: ${minutesWords(ms)}`,
      ms,
      source: "period",
      sourceId: `${teamId}:${month.from.toISOString()}:${plan}:${includedMs}`,
      startsAt: month.from,
      expiresAt: month.to,
    };
    await give(tx, grant, newId("ledgerEntry"), localDay(clock.now(), timeZone).day);
  }

  /** Once for each team, and once for each person: a digest of who they are stays, which leads to nobody once they are gone. */
  async function giveTrial(tx: Writer, teamId: TeamId, at: Date, since: Date, timeZone: string): Promise<void> {
    if (await repo.hadTrial(tx, teamId)) return;
    const owner = await repo.confirmedOwner(tx, teamId);
    if (owner === undefined) return;
    const person = trialOf(owner);
    if ((await repo.entryOf(tx, "trial", person)) !== undefined) return;
    const grant: NewGrant = {
      teamId,
      kind: "promo",
      name: `Trial: ${minutesWords(TRIAL.ms)}`,
      ms: TRIAL.ms,
      source: "trial",
      sourceId: teamId,
      startsAt: since,
      expiresAt: new Date(at.getTime() + TRIAL.days * DAY_MS),
    };
    if (await give(tx, grant, person, localDay(clock.now(), timeZone).day)) {
      await repo.noteTrial(tx, teamId, timeZone, at);
    }
  }

  async function walletOf(tx: Writer, teamId: TeamId): Promise<GrantId> {
    const known = await repo.wallet(tx, teamId);
    if (known !== undefined) return known.id;
    const id = newId("grant");
    const at = now();
    await repo.insertGrant(tx, {
      ...{ id, teamId, kind: "wallet", name: "Balance", source: "checkout", sourceId: teamId },
      ...{ total: 0, remaining: 0, startsAt: at, expiresAt: null, createdAt: at },
    });
    return id;
  }

  async function moveMoney(
    tx: Writer,
    money: { teamId: TeamId; delta: number; source: LedgerSource; sourceId: string; reason: string | undefined },
  ): Promise<boolean> {
    const { teamId, delta, source, sourceId, reason = null } = money;
    const grantId = await walletOf(tx, teamId);
    const day = await today(tx, teamId);
    const entry = { teamId, cover: "credit", source, sourceId, day, createdAt: now() } as const;
    const made = await repo.insertEntry(tx, { ...entry, grantId, amount: 0 - delta, delta, reason });
    if (made === undefined) return false;
    if (!(await repo.move(tx, grantId, delta))) throw new Error("A balance would have fallen below zero.");
    return true;
  }

  async function fundsOf(tx: Writer, teamId: TeamId, may: Entitlements, at: Date, since: Date): Promise<Funds> {
    const { addOns, month, walletFrozen, overageCap, timeZone } = may;
    const grants = await repo.timeGrants(tx, teamId, since);
    const wallet = walletFrozen ? 0 : ((await repo.wallet(tx, teamId))?.remaining ?? 0);
    const spent = overageCap === 0 ? 0 : await repo.overage(tx, teamId, month.from, month.to);
    return {
      unbilled: false,
      dedicated: new Set(await repo.dedicated(tx, teamId, addOns.dedicated)),
      slots: addOns.slot,
      grants: grants.flatMap(timeGrant),
      wallet,
      overage: Math.max(0, overageCap - Math.max(0, spent)),
      rate: PAY_AS_YOU_GO,
      timeZone,
      days: await repo.days(tx, teamId, localDay(Math.min(at.getTime(), since.getTime()), timeZone).day),
    };
  }

  return {
    async funds(tx, teamId, at, since = at) {
      const may = await entitlements.of(tx, teamId, at);
      if (unbilled) return { ...UNBILLED, timeZone: may.timeZone };
      if (since < may.month.from) await giveMonth(tx, teamId, await entitlements.of(tx, teamId, since));
      await giveMonth(tx, teamId, may);
      await giveTrial(tx, teamId, at, since, may.timeZone);
      return fundsOf(tx, teamId, may, at, since);
    },
    ...createPosting({ repo, budgets }),
    async grant(tx, grant) {
      return give(tx, grant, grant.sourceId, await today(tx, grant.teamId));
    },
    async credit(tx, { teamId, amount, source, sourceId, reason }) {
      demandWhole(amount);
      return moveMoney(tx, { teamId, delta: amount, source, sourceId, reason });
    },
    async debit(tx, { teamId, amount, whole, source, sourceId, reason }) {
      demandWhole(amount);
      const before = await repo.entryOf(tx, source, sourceId);
      if (before !== undefined) return Math.max(0, 0 - before.delta);
      const balance = (await repo.wallet(tx, teamId))?.remaining ?? 0;
      if (whole && balance < amount) {
        throw new PerchError(
          "conflict",
          `The balance is ${moneyWords(balance, CURRENCY)}. Choose an amount up to that.`,
        );
      }
      const taken = Math.min(balance, amount);
      await moveMoney(tx, { teamId, delta: 0 - taken, source, sourceId, reason });
      return taken;
    },
    ...createReversing({ repo, budgets, now }),
    balance: async (reader, teamId) => (await repo.wallet(reader, teamId))?.remaining ?? 0,
    overage: (reader, teamId, from, to) => repo.overage(reader, teamId, from, to),
    verify: (reader) => repo.differing(reader),
  };
}

const UNBILLED: Omit<Funds, "timeZone"> = {
  ...{ unbilled: true, dedicated: new Set(), slots: 0, grants: [], wallet: 0, overage: 0 },
  ...{ rate: PAY_AS_YOU_GO, days: [] },
};

function timeGrant({ id, kind, remaining, startsAt, expiresAt }: GrantRow): TimeGrant[] {
  const known = TIME_GRANTS.find((one) => one === kind);
  if (known === undefined) return [];
  const until = expiresAt === null ? {} : { expiresAt: expiresAt.getTime() };
  return [{ id, kind: known, remainingMs: remaining, startsAt: startsAt.getTime(), ...until }];
}

/** Which person had a trial: user ids are random, so it leads nowhere once the person's is gone. */
function trialOf(owner: UserId): string {
  return createHash("sha256").update(`trial:${owner}`).digest("base64url");
}

function demandWhole(value: number): void {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new RangeError("What is given or taken is whole and above zero.");
}
