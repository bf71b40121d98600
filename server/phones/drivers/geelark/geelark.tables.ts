/** What the cloud-phone partner has of ours, and what it told: it keeps its own history three days only. */
import type { PhoneId } from "../../../../shared/ids.ts";
import type { Kit } from "../../../db/dialect.ts";
import { operational } from "../../../privacy/tags.ts";
import type { phoneTables } from "../../phones.tables.ts";

export function geelarkTables(k: Kit, { phones }: ReturnType<typeof phoneTables>) {
  const partnerPhones = k.table(
    "partner_phones",
    { owner: "system", subject: { none: "Numbers of phones at the partner." }, clock: "createdAt" },
    {
      phoneId: k
        .text(operational("phone"))
        .$type<PhoneId>()
        .primaryKey()
        .references(() => phones.id, { onDelete: "cascade" }),
      /** Unknown until the partner answered; a creation that was cut off is found by our id in its remark. */
      vendorId: k.text(operational("phone")),
      /** Its last state in the partner's own words. */
      vendorState: k.text(operational("phone")),
      createdAt: k.instant(operational("phone")).notNull(),
    },
    (t) => [k.uniqueIndex("partner_phones_vendor").on(t.vendorId)],
  );
  const partnerHints = k.table(
    "partner_hints",
    { owner: "system", subject: { none: "Hashes of messages that came." }, clock: "at" },
    {
      /** SHA-256 of type, object and time of the event: a second one with it is a repetition. */
      hash: k.text(operational("week")).primaryKey(),
      at: k.instant(operational("week")).notNull(),
    },
    (t) => [k.index("partner_hints_at").on(t.at)],
  );
  const partnerCharges = k.table(
    "partner_charges",
    { owner: "system", subject: { none: "What the partner charges the operator." }, clock: "at" },
    {
      /** The partner's own number of the transaction. */
      id: k.text(operational("billing")).primaryKey(),
      vendorId: k.text(operational("billing")).notNull(),
      chargeType: k.int(operational("billing")).notNull(),
      /** As the partner writes it; not our money. */
      amount: k.text(operational("billing")).notNull(),
      usedMinutes: k.int(operational("billing")).notNull(),
      at: k.instant(operational("billing")).notNull(),
    },
    (t) => [k.index("partner_charges_phone").on(t.vendorId, t.at), k.index("partner_charges_at").on(t.at)],
  );
  return { partnerPhones, partnerHints, partnerCharges };
}
