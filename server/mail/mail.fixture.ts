/** One example of every mail, with what people may write into it. For tests. */
import type { MailData } from "./mail.templates.ts";

export const SAMPLES: MailData = {
  confirm: { link: "https://perch.example/confirm?token=t" },
  already_registered: { signInLink: "https://perch.example/sign-in", resetLink: "https://perch.example/reset" },
  reset: { link: "https://perch.example/reset/new?token=t" },
  new_sign_in: {
    browser: "Fire<b>fox 153",
    system: "Windows",
    at: "1 January 2026, 14:05 UTC",
    ip: "192.0.2.1",
    resetLink: "https://perch.example/reset",
  },
  password_changed: { at: "1 January 2026, 14:05 UTC", supportLink: "https://perch.example/support" },
  email_change: { link: "https://perch.example/email/confirm?token=t" },
  email_change_asked: {
    newEmail: "new@x.example",
    at: "1 January 2026, 14:05 UTC",
    securityLink: "https://perch.example/account",
  },
  email_changed: {
    newEmail: "new@x.example",
    at: "1 January 2026, 14:05 UTC",
    undoLink: "https://perch.example/email/undo?token=t",
  },
  email_change_undone: {
    email: "old@x.example",
    at: "1 January 2026, 14:05 UTC",
    supportLink: "https://perch.example/support",
  },
  second_factor_changed: {
    what: "A passkey was added: <b>Laptop.",
    at: "1 January 2026, 14:05 UTC",
    securityLink: "https://perch.example/account",
  },
  token_created: {
    name: "CI <b>",
    scopes: "phones:view",
    at: "1 January 2026, 14:05 UTC",
    securityLink: "https://perch.example/account",
  },
  recovery: {
    link: "https://perch.example/recover?token=t",
    waitUntil: "1 January 2026, 14:05 UTC",
    cancelLink: "https://perch.example/recover/cancel?token=t",
  },
  account_recovered: { at: "1 January 2026, 14:05 UTC", supportLink: "https://perch.example/support" },
  unusual_use: {
    what: "Somebody signed in from two places far apart.",
    at: "1 January 2026, 14:05 UTC",
    securityLink: "https://perch.example/account",
  },
  invitation: {
    teamName: "Shop <b>",
    invitedBy: "Ada Byron",
    role: "Operator: may use phones",
    expiresAt: "1 January 2026, 14:05 UTC",
    link: "https://perch.example/invite?token=t",
  },
  ownership_transferred: {
    teamName: "Shop",
    to: "Ada Byron",
    at: "1 January 2026, 14:05 UTC",
    supportLink: "https://perch.example/support",
  },
  removed_from_team: { teamName: "Shop", at: "1 January 2026, 14:05 UTC" },
  held_for_review: {
    what: "Launching is held.",
    reasons: "Many sign-ups.",
    contestLink: "https://perch.example/account/standing",
  },
  review_done: { what: "We looked.", outcome: "It is lifted.", supportLink: "https://perch.example/support" },
  receipt: { number: "R-1", amount: "$12.00", period: "January 2026", link: "https://perch.example/billing" },
  export_ready: {
    at: "1 January 2026, 14:05 UTC",
    link: "https://perch.example/export?token=t",
    expiresAt: "1 January 2026, 14:05 UTC",
  },
  account_deletion: {
    at: "1 January 2026, 14:05 UTC",
    deletedAt: "1 January 2026, 14:05 UTC",
    undoLink: "https://perch.example/undo?token=t",
  },
  data_request: {
    what: "You asked to correct your data.",
    number: "D-1",
    dueAt: "31 January 2026",
    link: "https://perch.example/privacy",
  },
  account_deletion_undone: { at: "1 January 2026, 14:05 UTC", signInLink: "https://perch.example/sign-in" },
  account_deleted: {
    at: "1 January 2026, 14:05 UTC",
    kept: "Billing records stay until 2033, because the law asks for them.",
    certificateLink: "https://perch.example/erasure?token=t",
  },
  inactive: {
    since: "1 January 2024",
    deletedAt: "1 March 2026",
    signInLink: "https://perch.example/sign-in",
  },
  data_request_verify: {
    what: "Somebody, probably you, asked us to delete the account.",
    number: "DR-2026-0001",
    link: "https://perch.example/data-request?token=t",
  },
  data_request_done: {
    number: "DR-2026-0001",
    answer: "Your <b>name was corrected.",
    link: "https://perch.example/data-request/receipt?token=t",
  },
  data_requests_due: { count: "1 request", list: "DR-2026-0001 (delete): due 31 January 2026, 5 days left" },
  policy_changed: { effectiveAt: "1 February 2026", summary: "One clause.", link: "https://perch.example/privacy" },
  breach: {
    what: "A backup was read.",
    at: "1 January 2026, 14:05 UTC",
    categories: "E-mail address, Your name",
    consequences: "You may get mail that pretends to be ours.",
    measures: "The backup was moved.",
    todo: "Set a new password.",
    link: "https://perch.example/security",
  },
  operator_notice: {
    subject: "Incident: 12 hours left",
    what: "A backup was read: 3 people wait.",
    link: "https://perch.example/operator",
  },
  support_received: { dueAt: "31 January 2026" },
};
