/** What the cloud-phone partner has of ours, and what it told: it keeps its own history three days only. */
import type { PhoneId } from "../../../../shared/ids.ts";
import type { Kit } from "../../../db/dialect.ts";
import { operational } from "../../../privacy/tags.ts";

export function geelarkTables(k: Kit) {
  const partnerPhones = k.table(
    "partner_phones",
    { owner: "system", subject: { none: "Numbers of phones at the partner." }, clock: "removedAt" },
    {
      /** Also of phones that are removed since, as long as their usage is kept: charges come after. */
      phoneId: k.text(operational("quarter")).$type<PhoneId>().primaryKey(),
      /** Unknown until the partner answered; a creation that was cut off is found by our id in its remark. */
      vendorId: k.text(operational("quarter")),
      /** Its last state in the partner's own words. */
      vendorState: k.text(operational("quarter")),
      createdAt: k.instant(operational("quarter")).notNull(),
      /** The partner was seen to have it no more then. */
      removedAt: k.instant(operational("quarter")),
    },
    (t) => [k.uniqueIndex("partner_phones_vendor").on(t.vendorId), k.index("partner_phones_removed").on(t.removedAt)],
  );
  const partnerStrays = k.table(
    "partner_strays",
    { owner: "system", subject: { none: "Numbers of phones at the partner that nobody here has." }, clock: "seenAt" },
    {
      vendorId: k.text(operational("month")).primaryKey(),
      /** First seen then; it is deleted a while after. */
      seenAt: k.instant(operational("month")).notNull(),
    },
    (t) => [k.index("partner_strays_seen").on(t.seenAt)],
  );
  const partnerLocks = k.table(
    "partner_locks",
    { owner: "system", subject: { none: "Calls the partner refuses for a while." }, clock: "until" },
    {
      /** Of one call of its interface. */
      path: k.text(operational("week")).primaryKey(),
      until: k.instant(operational("week")).notNull(),
    },
    (t) => [k.index("partner_locks_until").on(t.until)],
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
  return { partnerPhones, partnerStrays, partnerLocks, partnerHints, partnerCharges };
}
