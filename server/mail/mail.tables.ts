/** Mail outbox: rows are written in the transaction that makes the mail true. */
import type { UserId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { fingerprint, operational, person, personal, reference } from "../privacy/tags.ts";

export const MAIL_KINDS = [
  "confirm",
  "already_registered",
  "reset",
  "new_sign_in",
  "password_changed",
  "email_change",
  "email_change_asked",
  "email_changed",
  "email_change_undone",
  "second_factor_changed",
  "token_created",
  "recovery",
  "account_recovered",
  "unusual_use",
  "invitation",
  "ownership_transferred",
  "removed_from_team",
  "held_for_review",
  "review_done",
  "receipt",
  "payment_failed",
  "payment_confirmation",
  "trial_ending",
  "budget_reached",
  "parked_for_balance",
  "subscription_ended",
  "balance_frozen",
  "refund",
  "export_ready",
  "account_deletion",
  "account_deletion_undone",
  "account_deleted",
  "inactive",
  "data_request",
  "data_request_verify",
  "data_request_done",
  "data_requests_due",
  "policy_changed",
  "breach",
  "operator_notice",
  "support_received",
] as const;
export type MailKind = (typeof MAIL_KINDS)[number];
export const MAIL_STATES = ["waiting", "sent", "failed"] as const;
export type MailState = (typeof MAIL_STATES)[number];

const mail = { use: ["essential.service.notifications.email"], clause: "P2.3", retain: "week" } as const;

export function mailTables(k: Kit) {
  const mailOutbox = k.table(
    "mail_outbox",
    {
      owner: "user",
      people: ["customer", "invitee", "visitor"],
      subject: { column: "userId", also: ["recipientIndex"] },
      clock: "createdAt",
    },
    {
      id: k.text(operational("week")).primaryKey(),
      userId: k.text(person(mail)).$type<UserId>(),
      recipient: k.sealed("mail_outbox.recipient", "server", personal("user.contact.email", mail)).notNull(),
      recipientIndex: k.fingerprint("recipient", fingerprint(mail)),
      kind: k.oneOf(MAIL_KINDS, personal("user.behavior", mail)).notNull(),
      /** Values the template needs; holds single-use links, so it is nulled once sent. */
      data: k.json<Record<string, string>>(
        personal("user.authorization.credentials", {
          ...mail,
          holds: ["user.contact.email", "user.name", "user.device.ip_address", "user.device.device_id"],
          export: { never: "Holds single-use links; sealed, and empty once sent." },
        }),
      ),
      /** Names the event the mail is about: queued twice, it is one mail. */
      dedupeKey: k.text(
        personal("user.unique_id", { ...mail, export: { never: "The id of what the mail is about." } }),
      ),
      state: k.oneOf(MAIL_STATES, reference("week")).notNull(),
      createdAt: k.instant(personal("user.behavior", mail)).notNull(),
      sentAt: k.instant(personal("user.behavior", mail)),
      /** Why it failed: the mail server's reply code, never its words, which may name the address. */
      failure: k.text(operational("week")),
    },
    (t) => [
      k.uniqueIndex("mail_outbox_dedupe").on(t.dedupeKey),
      k.index("mail_outbox_created").on(t.createdAt),
      k.index("mail_outbox_state").on(t.state),
      k.index("mail_outbox_person").on(t.userId),
      k.index("mail_outbox_recipient").on(t.recipientIndex),
    ],
  );
  return { mailOutbox };
}
