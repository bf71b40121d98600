/**
 * What the operator does about money. Every look and every change asks why; owners of the team see it in their access log.
 * What needs Stripe is left for the running server, so that a command works beside it.
 */
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { type LedgerEntryId, newId, type TeamId } from "../../../shared/ids.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { NewJob } from "../../jobs/jobs.repo.ts";
import type { EntitlementsOf, Ledger } from "../ports.ts";
import type { BillingDeskRepo, Customer, EntryRow, FindingRow } from "./billing-desk.repo.ts";

/** Jobs a command leaves: the server asks Stripe. */
export const REFUND_JOB = "billing.operator_refund";
const DAY_MS = 24 * 3_600_000;

export interface CustomerLine extends Customer {
  readonly plan: string;
  readonly standing: string;
  /** Minor units. */
  readonly balance: number;
}

export interface BillingDesk {
  customers(reason: string): Promise<CustomerLine[]>;
  entries(of: { readonly teamId: TeamId } | { readonly entryId: LedgerEntryId }, reason: string): Promise<EntryRow[]>;
  /** Into the balance, in minor units. */
  creditMoney(teamId: TeamId, amount: number, reason: string): Promise<void>;
  /** Phone time that ends after `days`. */
  creditTime(teamId: TeamId, ms: number, days: number, reason: string): Promise<void>;
  /** Takes an entry back by an opposite one. */
  correct(entryId: LedgerEntryId, reason: string): Promise<LedgerEntryId>;
  /** Unused balance goes back to where it came from. */
  refund(teamId: TeamId, amount: number, reason: string): Promise<void>;
  findings(reason: string): Promise<FindingRow[]>;
  /** Somebody looked at it and put it right. */
  resolve(findingId: string, reason: string): Promise<void>;
  /** Whether the balance may be used: after a dispute or a warning of fraud was looked at, say. */
  setFrozen(teamId: TeamId, frozen: boolean, reason: string): Promise<void>;
  /** Leaves work about no team in particular for the running server. */
  leave(job: NewJob, action: AuditAction, reason: string): Promise<void>;
  /** Keeps that something was done that is about no team in particular. */
  record(action: AuditAction, reason: string): Promise<void>;
}

export function createBillingDesk(options: {
  db: Database;
  repo: BillingDeskRepo;
  ledger: Ledger;
  entitlements: EntitlementsOf;
  audit: Audit;
  clock: Clock;
  enqueue: (tx: Writer, job: NewJob) => Promise<boolean>;
  /** What of a team's balance may go back. */
  refundable: (tx: Writer, teamId: TeamId) => Promise<number>;
}): BillingDesk {
  const { db, repo, ledger, entitlements, audit, clock, enqueue } = options;

  /** One entry for each owner concerned; one that names nobody where there is none. */
  async function tell(tx: Writer, teams: readonly TeamId[], action: AuditAction, detail: Record<string, string>) {
    const owners = await repo.ownersOf(tx, teams);
    const entry = { chain: "server", actor: "operator", action } as const;
    if (owners.length === 0) await audit.record(tx, { ...entry, detail });
    for (const object of owners) await audit.record(tx, { ...entry, object, detail });
  }
  async function demandTeam(tx: Writer, teamId: TeamId): Promise<void> {
    if (!(await repo.hasTeam(tx, teamId))) {
      throw new PerchError("not_found", "There is no such team. List them with: billing customers.");
    }
  }
  const given = (amount: number) => `${amount} minor units of ${CURRENCY.toUpperCase()}`;

  return {
    customers: (reason) =>
      db.tx(async (tx) => {
        const at = new Date(clock.now());
        const lines: CustomerLine[] = [];
        for (const customer of await repo.customers(tx)) {
          const { plan, standing } = await entitlements.of(tx, customer.teamId, at);
          lines.push({ ...customer, plan, standing, balance: await ledger.balance(tx, customer.teamId) });
        }
        const teams = lines.map(({ teamId }) => teamId);
        await tell(tx, teams, "admin.billing_read", { reason, what: "customers" });
        return lines;
      }),

    entries: (of, reason) =>
      db.tx(async (tx) => {
        if ("teamId" in of) await demandTeam(tx, of.teamId);
        const rows = "teamId" in of ? await repo.entriesOf(tx, of.teamId) : await repo.entry(tx, of.entryId);
        if (rows.length === 0 && "entryId" in of) throw new PerchError("not_found", "There is no such entry.");
        const teams = "teamId" in of ? [of.teamId] : rows.flatMap(({ teamId }) => teamId ?? []);
        await tell(tx, teams, "admin.billing_read", { reason, what: "ledger" });
        return rows;
      }),

    creditMoney: (teamId, amount, reason) =>
      db.tx(async (tx) => {
        await demandTeam(tx, teamId);
        const sourceId = newId("grant");
        await ledger.credit(tx, { teamId, amount, source: "operator", sourceId, reason });
        await tell(tx, [teamId], "admin.billing_credited", { reason, what: given(amount) });
      }),

    creditTime: (teamId, ms, days, reason) =>
      db.tx(async (tx) => {
        await demandTeam(tx, teamId);
        const startsAt = new Date(clock.now());
        const name = `${Math.floor(ms / 60_000)} minutes, given`;
        await ledger.grant(tx, {
          ...{ teamId, kind: "promo", name, ms, source: "operator", sourceId: newId("grant"), reason },
          ...{ startsAt, expiresAt: new Date(startsAt.getTime() + days * DAY_MS) },
        });
        await tell(tx, [teamId], "admin.billing_credited", { reason, what: name });
      }),

    correct: (entryId, reason) =>
      db.tx(async (tx) => {
        const [entry] = await repo.entry(tx, entryId);
        const id = await ledger.reverse(tx, entryId, reason);
        await tell(tx, entry?.teamId ? [entry.teamId] : [], "admin.billing_corrected", { reason, entry: entryId });
        return id;
      }),

    refund: (teamId, amount, reason) =>
      db.tx(async (tx) => {
        await demandTeam(tx, teamId);
        const most = await options.refundable(tx, teamId);
        if (amount > most) {
          throw new PerchError(
            "conflict",
            `At most ${given(most)} of the balance can go back: what is unused of top-ups.`,
          );
        }
        const key = newId("job");
        await enqueue(tx, { kind: REFUND_JOB, input: { teamId, amount, key }, dedupeKey: `refund:${key}` });
        await tell(tx, [teamId], "admin.billing_refunded", { reason, what: given(amount) });
      }),

    findings: (reason) =>
      db.tx(async (tx) => {
        const rows = await repo.findings(tx);
        const teams = [...new Set(rows.flatMap(({ teamId }) => teamId ?? []))];
        await tell(tx, teams, "admin.billing_read", { reason, what: "findings" });
        return rows;
      }),

    resolve: (findingId, reason) =>
      db.tx(async (tx) => {
        const found = await repo.resolve(tx, findingId, new Date(clock.now()));
        if (found === undefined) throw new PerchError("not_found", "No such finding is open. See: billing findings.");
        const detail = { reason, finding: findingId };
        await tell(tx, found.teamId === null ? [] : [found.teamId], "admin.billing_reconciled", detail);
      }),

    setFrozen: (teamId, frozen, reason) =>
      db.tx(async (tx) => {
        await demandTeam(tx, teamId);
        if (!(await repo.setFrozen(tx, teamId, frozen ? new Date(clock.now()) : null))) {
          const is = frozen ? "is frozen already, or the team never bought anything" : "is not frozen";
          throw new PerchError("conflict", `The balance ${is}.`);
        }
        const action = frozen ? "billing.frozen" : "billing.unfrozen";
        await audit.record(tx, { chain: teamId, actor: "operator", action, object: teamId, detail: { reason } });
      }),

    leave: (job, action, reason) =>
      db.tx(async (tx) => {
        await enqueue(tx, job);
        await tell(tx, [], action, { reason, what: job.kind });
      }),

    record: (action, reason) => db.tx((tx) => tell(tx, [], action, { reason })),
  };
}
