/**
 * Billing records: what the law makes a seller keep. Nothing here leads to an account once that is gone, and no search by
 * address reaches it (clause P4.3). Read through `admin billing …` alone, with a reason.
 */
import type { BillingRecordId, TeamId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, personal } from "../privacy/tags.ts";

const billing = {
  use: ["essential.service.payment_processing"],
  clause: "P4.3",
  basis: "legal_obligation",
  retain: "billing",
  erase: "legal",
} as const;

export function billingTables(k: Kit) {
  const billingRecords = k.table(
    "billing_records",
    {
      owner: "team",
      subject: { none: "Led to from the team while there is one; afterwards to nobody but the name on the invoice." },
      clock: "legalUntil",
    },
    {
      id: k.text(operational("billing")).$type<BillingRecordId>().primaryKey(),
      /** Cut when the team goes. */
      teamId: k.text({ ...ofTeam("billing"), erase: "legal" }).$type<TeamId>(),
      number: k.text(operational("billing")).notNull(),
      /** ISO 3166-1 alpha-2: whose law says how long. */
      country: k.text(operational("billing")).notNull(),
      issuedAt: k.instant(operational("billing")).notNull(),
      legalUntil: k.instant(operational("billing")).notNull(),
      currency: k.text(operational("billing")).notNull(),
      /** Minor units. */
      net: k.int(operational("billing")).notNull(),
      tax: k.int(operational("billing")).notNull(),
      lines: k.json<readonly { readonly words: string; readonly amount: number }[]>(operational("billing")).notNull(),
      /** Name and address on the invoice, sealed with a key of the server. */
      billTo: k.text(
        personal("user.payment", {
          ...billing,
          holds: ["user.name", "user.contact.email"],
          rectify: "support",
          export: { never: "Restricted; a person gives copies of invoices after checking who asks." },
        }),
      ),
    },
    (t) => [
      k.uniqueIndex("billing_records_number").on(t.number),
      k.index("billing_records_team").on(t.teamId),
      k.index("billing_records_until").on(t.legalUntil),
    ],
  );
  return { billingRecords };
}
