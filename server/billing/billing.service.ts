/**
 * What the law makes a seller keep (policy clause P4.3): written once, read by the team it is about and, with a reason, by
 * the operator; cut from the team when that goes, and gone at the end of the law's term.
 */
import { z } from "zod";
import { type BillingRecordId, newId, type TeamId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { seal, unseal } from "../seal.ts";
import type { BillingRepo, BillingRow } from "./billing.repo.ts";
import { legalUntil } from "./billing-terms.ts";

/** Name and address as they stand on the invoice. */
const billTo = z.strictObject({ name: z.string(), address: z.string(), taxId: z.string().optional() });
export type BillTo = z.output<typeof billTo>;

export interface NewBillingRecord {
  readonly teamId: TeamId;
  /** As printed on the invoice. */
  readonly number: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly issuedAt: Date;
  /** ISO 4217. */
  readonly currency: string;
  /** Minor units. */
  readonly net: number;
  readonly tax: number;
  readonly lines: readonly { readonly words: string; readonly amount: number }[];
  readonly billTo: BillTo;
}
export interface BillingRecord extends Omit<NewBillingRecord, "teamId" | "billTo"> {
  readonly id: BillingRecordId;
  readonly legalUntil: Date;
  readonly billTo: BillTo | undefined;
}

export interface Billing {
  record(tx: Writer, record: NewBillingRecord): Promise<BillingRecordId>;
  /** For people of the team who may see its billing; the caller has checked. The newest first. */
  ofTeam(teamId: TeamId): Promise<BillingRecord[]>;
  /** For the operator. Recorded with the reason, for those who own the team, as long as there is one. */
  show(number: string, reason: string): Promise<BillingRecord>;
}

/** `key`: 32 bytes that seal whom an invoice was made out to. */
export function createBilling(options: { db: Database; repo: BillingRepo; audit: Audit; key: Buffer }): Billing {
  const { db, repo, audit, key } = options;

  function opened({ teamId: _, billTo: sealed, ...row }: BillingRow): BillingRecord {
    const text = sealed === null ? undefined : unseal(key, row.id, sealed);
    return { ...row, billTo: text === undefined ? undefined : billTo.parse(JSON.parse(text)) };
  }

  return {
    async record(tx, { billTo: who, ...record }) {
      const id = newId("billingRecord");
      const until = legalUntil(record.country, record.issuedAt);
      const sealed = seal(key, id, JSON.stringify(who));
      await repo.insert(tx, { ...record, id, legalUntil: until, billTo: sealed });
      return id;
    },
    ofTeam: async (teamId) => (await repo.ofTeam(teamId)).map(opened),
    show: (number, reason) =>
      db.tx(async (tx) => {
        const row = await repo.byNumber(tx, number);
        if (row === undefined) {
          throw new PerchError("not_found", `There is no billing record ${number}. Give the number on the invoice.`);
        }
        const owners = row.teamId === null ? [] : await repo.ownersOf(tx, row.teamId);
        const entry = { chain: "server", actor: "operator", action: "admin.billing_records_read" } as const;
        for (const object of owners.length === 0 ? [row.id] : owners) {
          await audit.record(tx, { ...entry, object, detail: { reason } });
        }
        return opened(row);
      }),
  };
}
