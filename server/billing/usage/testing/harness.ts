/**
 * Phones with a real database, ledger and meter, over a driver in memory and two clocks that a test moves: time that passes,
 * and the wall clock, which may also be set.
 */
import { randomBytes } from "node:crypto";
import { PLANS } from "../../../../shared/billing/catalogue.ts";
import { newId, type PhoneId, type TeamId } from "../../../../shared/ids.ts";
import { DEFAULT_PROFILE, type DriverKind } from "../../../../shared/phones.ts";
import { createPageLinks } from "../../../accounts/page-links.ts";
import { createAudit } from "../../../audit/audit.repo.ts";
import { type Clock, ManualClock, type Monotonic } from "../../../clock.ts";
import type { TestDatabase } from "../../../db/testing.ts";
import { silentLog } from "../../../log.ts";
import type { NewMail } from "../../../mail/mail.service.ts";
import { FakeDriver } from "../../../phones/testing/fake-driver.ts";
import { composePhones } from "../../../phones/testing/harness.ts";
import type { TeamScope } from "../../../teams/team-scope.ts";
import { createBudgetsRepo } from "../../budgets/budgets.repo.ts";
import { createBudgets } from "../../budgets/budgets.service.ts";
import { createLedgerRepo } from "../../ledger/ledger.repo.ts";
import { createLedger } from "../../ledger/ledger.service.ts";
import type { Entitlements, EntitlementsOf } from "../../ports.ts";
import { createUsageParts } from "../compose.ts";
import { BEAT_MS } from "../time-guard.ts";

export const PHONE_DISK_MB = 100;
const PUBLIC_URL = new URL("https://perch.example");

/** What outlives a restart of the server. */
export class Machine {
  readonly test: TestDatabase;
  readonly clock: ManualClock;
  readonly stored: FakeDriver["stored"] = new Map();
  readonly mails: NewMail[] = [];
  readonly unbilled: boolean;
  readonly beatMs: number;
  readonly kind: DriverKind;
  readonly #rights = new Map<TeamId, Partial<Entitlements>>();
  #steady = 0;
  #boots = 0;

  constructor(test: TestDatabase, options: { unbilled?: boolean; beatMs?: number; kind?: DriverKind } = {}) {
    this.test = test;
    this.clock = new ManualClock(Date.UTC(2026, 10, 26, 12));
    this.unbilled = options.unbilled ?? false;
    this.beatMs = options.beatMs ?? BEAT_MS;
    this.kind = options.kind ?? "web";
  }
  /** Milliseconds that passed. */
  get steady(): number {
    return this.#steady;
  }
  pass(ms: number): void {
    this.#steady += ms;
    this.clock.advance(ms);
  }
  /** Somebody sets the wall clock. */
  setClock(by: number): void {
    this.clock.advance(by);
  }
  /** What a team may, from now on; without anything it is a Free team in the month by UTC, with no plan time. */
  entitle(teamId: TeamId, change: Partial<Entitlements>): void {
    this.#rights.set(teamId, { ...this.#rights.get(teamId), ...change });
  }
  /** Starts a server. `node`: the machine it says it runs on; `before`: the driver whose Androids run on. */
  boot(node = "node-1", before?: FakeDriver) {
    this.#boots += 1;
    const running = new Set(before?.running);
    const driver = new FakeDriver(this.stored, { kind: this.kind, running });
    for (const id of before?.out ?? []) driver.out.add(id);
    const at = composeMetered({
      ...{ test: this.test, clock: this.clock, driver, mails: this.mails },
      ...{ monotonic: { now: () => this.#steady }, beatMs: this.beatMs, unbilled: this.unbilled },
      ...{ node, boot: `boot-${this.#boots}`, auditKey: AUDIT_KEY },
      rights: (teamId) => this.#rights.get(teamId),
    });
    /** Time passes, with its heartbeats. */
    const live = async (ms: number) => {
      for (let left = ms; left > 0; left -= this.beatMs) {
        this.pass(Math.min(left, this.beatMs));
        await at.meter.beat();
      }
    };
    return { ...at, live };
  }
}

/** Phones with all that counts them, as a server puts them together. `rights`: what a team may, beyond next to nothing. */
export function composeMetered(options: {
  test: TestDatabase;
  driver: FakeDriver;
  clock: Clock;
  monotonic: Monotonic;
  beatMs: number;
  node: string;
  boot: string;
  auditKey: Buffer;
  rights: (teamId: TeamId) => Partial<Entitlements> | undefined;
  unbilled?: boolean;
  mails?: NewMail[];
}) {
  const { test, clock, driver, rights, monotonic, beatMs, node, boot, unbilled = false, mails = [] } = options;
  const { db } = test;
  const entitlements: EntitlementsOf = {
    of: async (_reader, teamId, at) => {
      const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
      return {
        ...{ plan: "free", cycle: undefined, addOns: { slot: 0, dedicated: 0, seat: 0, storage: 0 } },
        ...{ phonesAtOnce: 100, seats: PLANS.free.seats, storageMb: 100 * PHONE_DISK_MB },
        month: { from: new Date(Date.UTC(year, month)), to: new Date(Date.UTC(year, month + 1)) },
        ...{ includedMs: 0, standing: "good", stopsAt: undefined, walletFrozen: false, overageCap: 0, timeZone: "UTC" },
        ...rights(teamId),
      } as const;
    },
  };
  const audit = createAudit(db, clock, options.auditKey);
  const queue = async (_tx: unknown, mail: NewMail) => void mails.push(mail);
  const budgetsRepo = createBudgetsRepo(db);
  const budgets = createBudgets({
    ...{ db, clock, entitlements, audit, repo: budgetsRepo, mail: { queue }, pageLink: createPageLinks(PUBLIC_URL) },
  });
  const ledger = createLedger({ repo: createLedgerRepo(db), budgets, entitlements, clock, unbilled });
  const usage = createUsageParts({
    others: () => [],
    ...{ db, clock, audit, ledger, entitlements, budgets, budgetsRepo, log: silentLog, publicUrl: PUBLIC_URL },
    ...{ monotonic, mail: { queue, wake() {} }, node, boot, beatMs },
    ...{ alive: () => driver.runningPhones(), phoneDiskMb: PHONE_DISK_MB },
  });
  const phones = composePhones(test, clock, driver, {}, usage.metering);
  const meter = usage.meter(phones.lifecycle);
  /** Phones that were made and parked before. */
  const parked = (scope: TeamScope, count: number) =>
    db.tx(async (tx) => {
      const made = { teamId: scope.teamId, createdBy: scope.userId, driver: driver.kind, rotated: false } as const;
      const ids: PhoneId[] = [];
      for (let n = 0; n < count; n += 1) {
        const { id } = await phones.repo.insert(tx, {
          ...{ ...made, id: newId("phone"), name: `Phone ${n}`, profile: DEFAULT_PROFILE, settings: {} },
          ...{ state: "parked", createdAt: new Date(clock.now()) },
        });
        ids.push(id);
      }
      return ids;
    });
  return { ...phones, ...usage, phonesRepo: phones.repo, ledger, budgets, meter, parked };
}
export type Booted = ReturnType<Machine["boot"]>;

const AUDIT_KEY = randomBytes(32);

/** Nothing runs any more, and nothing ever did: for the next test on the same database. */
export async function forgetPhones({ db }: TestDatabase): Promise<void> {
  await db.tx(async (tx) => {
    for (const table of [db.t.usageHolds, db.t.usageIntervals, db.t.phones]) await tx.delete(table);
  });
}

/** The intervals of a phone, in order, in plain numbers. */
export async function intervalsOf({ db }: TestDatabase, phoneId: PhoneId) {
  const rows = await db.read.select().from(db.t.usageIntervals);
  return rows
    .filter((row) => row.phoneId === phoneId)
    .map(({ id, startedAt, lastSeenAt, endedAt, endReason, ratedAt, startedBy }) => ({
      ...{ id, from: startedAt.getTime(), seen: lastSeenAt.getTime(), to: endedAt?.getTime() },
      ...{ why: endReason, rated: ratedAt.getTime(), startedBy },
    }))
    .sort((a, b) => a.from - b.from || (a.to ?? Infinity) - (b.to ?? Infinity));
}

/** What the ledger has of a phone's time, in order. */
export async function entriesOf({ db }: TestDatabase, phoneId: PhoneId) {
  const rows = await db.read.select().from(db.t.ledgerEntries);
  return rows
    .filter((row) => row.phoneId === phoneId && row.source === "usage")
    .map(({ intervalId, cover, ms, amount, fromAt, toAt }) => ({
      ...{ intervalId, cover, ms, amount, from: fromAt?.getTime() ?? 0, to: toAt?.getTime() ?? 0 },
    }))
    .sort((a, b) => a.from - b.from);
}
