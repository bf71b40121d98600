/** What each mail says, in one table. There is no kind that advertises (policy clause P2.3). */
import type { MailKind } from "./mail.tables.ts";

/** The values a kind needs. A value that is missing makes rendering fail, which a test tries for every kind. */
export interface MailData {
  /** Nothing the one who signed up wrote: this mail goes to an address nobody has confirmed. */
  readonly confirm: { readonly link: string };
  readonly already_registered: { readonly signInLink: string; readonly resetLink: string };
  readonly reset: { readonly link: string };
  readonly new_sign_in: {
    readonly browser: string;
    readonly system: string;
    readonly at: string;
    readonly ip: string;
    readonly resetLink: string;
  };
  readonly password_changed: { readonly at: string; readonly supportLink: string };
  /** To the new address. */
  readonly email_change: { readonly link: string };
  /** To the address the account has: somebody asked for another one. */
  readonly email_change_asked: { readonly newEmail: string; readonly at: string; readonly securityLink: string };
  /** To the earlier address, once the change is made. */
  readonly email_changed: { readonly newEmail: string; readonly at: string; readonly undoLink: string };
  /** To both addresses, once a change was taken back. */
  readonly email_change_undone: { readonly email: string; readonly at: string; readonly supportLink: string };
  readonly second_factor_changed: {
    /** A sentence: "A passkey was added: Laptop." */
    readonly what: string;
    readonly at: string;
    readonly securityLink: string;
  };
  readonly token_created: {
    readonly name: string;
    readonly scopes: string;
    readonly at: string;
    readonly securityLink: string;
  };
  /** Locked-out recovery, step one: to the account's address. */
  readonly recovery: { readonly link: string; readonly waitUntil: string; readonly cancelLink: string };
  readonly account_recovered: { readonly at: string; readonly supportLink: string };
  readonly unusual_use: { readonly what: string; readonly at: string; readonly securityLink: string };
  readonly invitation: {
    readonly teamName: string;
    readonly invitedBy: string;
    /** "Operator: may use phones". */
    readonly role: string;
    readonly expiresAt: string;
    readonly link: string;
  };
  readonly ownership_transferred: {
    readonly teamName: string;
    readonly to: string;
    readonly at: string;
    readonly supportLink: string;
  };
  readonly removed_from_team: { readonly teamName: string; readonly at: string };
  readonly held_for_review: { readonly what: string; readonly reasons: string; readonly contestLink: string };
  readonly review_done: { readonly what: string; readonly outcome: string; readonly supportLink: string };
  readonly receipt: {
    readonly number: string;
    readonly amount: string;
    readonly period: string;
    readonly link: string;
  };
  readonly payment_failed: {
    readonly teamName: string;
    readonly amount: string;
    /** "until 12 December 2026 nothing changes but that no further phone starts". */
    readonly what: string;
    readonly link: string;
  };
  readonly payment_confirmation: { readonly teamName: string; readonly amount: string; readonly link: string };
  readonly trial_ending: {
    readonly teamName: string;
    /** "212 minutes". */
    readonly left: string;
    readonly endsAt: string;
    readonly link: string;
  };
  readonly budget_reached: {
    /** "The budget of the team Shop". */
    readonly what: string;
    readonly percent: string;
    readonly spent: string;
    readonly limit: string;
    /** "Its phones were parked." or nothing. */
    readonly consequence: string;
    readonly link: string;
  };
  readonly parked_for_balance: {
    readonly teamName: string;
    /** Names of phones. */
    readonly phones: string;
    readonly at: string;
    readonly link: string;
  };
  readonly subscription_ended: {
    readonly teamName: string;
    readonly plan: string;
    readonly at: string;
    readonly link: string;
  };
  readonly balance_frozen: { readonly teamName: string; readonly why: string; readonly supportLink: string };
  readonly refund: { readonly teamName: string; readonly amount: string; readonly what: string; readonly link: string };
  readonly export_ready: { readonly at: string; readonly link: string; readonly expiresAt: string };
  readonly account_deletion: { readonly at: string; readonly deletedAt: string; readonly undoLink: string };
  readonly data_request: {
    readonly what: string;
    readonly number: string;
    readonly dueAt: string;
    readonly link: string;
  };
  readonly account_deletion_undone: { readonly at: string; readonly signInLink: string };
  /** The last mail there is, sent while the address is still known. */
  readonly account_deleted: { readonly at: string; readonly kept: string; readonly certificateLink: string };
  readonly inactive: { readonly since: string; readonly deletedAt: string; readonly signInLink: string };
  readonly data_request_verify: { readonly what: string; readonly number: string; readonly link: string };
  readonly data_request_done: {
    readonly number: string;
    /** Sentences: what was done, or why not and where one may complain. */
    readonly answer: string;
    readonly link: string;
  };
  /** To the operator; numbers and kinds, nothing about a person. */
  readonly data_requests_due: { readonly count: string; readonly list: string };
  readonly policy_changed: { readonly effectiveAt: string; readonly summary: string; readonly link: string };
  /** What Art. 34(2) GDPR asks for, and which categories of the reader's data are concerned. */
  readonly breach: {
    readonly what: string;
    readonly at: string;
    readonly categories: string;
    readonly consequences: string;
    readonly measures: string;
    readonly todo: string;
    readonly link: string;
  };
  /** To the operator, about a clock that runs. */
  readonly operator_notice: { readonly subject: string; readonly what: string; readonly link: string };
  readonly support_received: { readonly dueAt: string };
}

/** Words, or words that end in a link. */
export type Paragraph = string | { readonly text: string; readonly link: string };

export interface Letter {
  readonly subject: string;
  /** Paragraphs before the button. */
  readonly before: readonly Paragraph[];
  readonly action?: { readonly label: string; readonly link: string };
  readonly after: readonly Paragraph[];
}

const LETTERS: { readonly [K in MailKind]: (data: MailData[K]) => Letter } = {
  confirm: ({ link }) => ({
    subject: "Confirm your Perch account",
    before: ["One step is left: confirm that this is your address. You will type the password you chose once more."],
    action: { label: "Confirm address", link },
    after: [
      "The link works once and for 24 hours.",
      "If you did not sign up, ignore this mail. Without the password nobody can finish, and the sign-up is gone after a day.",
    ],
  }),
  already_registered: ({ signInLink, resetLink }) => ({
    subject: "You already have a Perch account",
    before: [
      "Somebody, probably you, wanted to use this address for a Perch account. It has one already, so nothing was changed.",
    ],
    action: { label: "Sign in", link: signInLink },
    after: [
      { text: "If you forgot the password, set a new one:", link: resetLink },
      "If it was not you, there is nothing to do.",
    ],
  }),
  reset: ({ link }) => ({
    subject: "Set a new Perch password",
    before: ["You asked for a new password. Setting it signs you out everywhere."],
    action: { label: "Set a new password", link },
    after: [
      "The link works once and for 30 minutes.",
      "If you did not ask for it, ignore this mail; your password stays as it is.",
    ],
  }),
  new_sign_in: ({ browser, system, at, ip, resetLink }) => ({
    subject: "New sign-in to Perch",
    before: [
      "Somebody signed in to your account from a browser we have not seen before.",
      `${browser} on ${system}, ${at}, from ${ip}.`,
      "If that was you, there is nothing to do.",
    ],
    action: { label: "It was not me: set a new password", link: resetLink },
    after: ["Setting a new password signs everybody out."],
  }),
  password_changed: ({ at, supportLink }) => ({
    subject: "Your Perch password was changed",
    before: [`The password of your account was changed (${at}), and every other session was signed out.`],
    action: { label: "It was not me: write to us", link: supportLink },
    after: [],
  }),
  email_change: ({ link }) => ({
    subject: "Confirm your new Perch address",
    before: ["Somebody, probably you, wants to use this address for a Perch account."],
    action: { label: "Confirm address", link },
    after: ["The link works once and for 24 hours.", "If it was not you, ignore this mail; nothing changes."],
  }),
  email_change_asked: ({ newEmail, at, securityLink }) => ({
    subject: "A new address for your Perch account was asked for",
    before: [
      `Somebody signed in to your account asked to change its address to ${newEmail} (${at}). It changes once that address is confirmed.`,
      "If that was you, there is nothing to do.",
    ],
    action: { label: "It was not me: secure the account", link: securityLink },
    after: [],
  }),
  email_changed: ({ newEmail, at, undoLink }) => ({
    subject: "The address of your Perch account was changed",
    before: [`Your account now has the address ${newEmail} (${at}). Mail goes there from now on.`],
    action: { label: "It was not me: take it back", link: undoLink },
    after: ["The link works once and for 7 days. Taking it back signs everybody out."],
  }),
  email_change_undone: ({ email, at, supportLink }) => ({
    subject: "The address of your Perch account was changed back",
    before: [
      `The account has the address ${email} again (${at}). Everybody was signed out, and a new password has to be set from there.`,
      "Passkeys, codes of an app and API tokens that were added since the change was asked for are gone.",
    ],
    action: { label: "That is wrong: write to us", link: supportLink },
    after: [],
  }),
  second_factor_changed: ({ what, at, securityLink }) => ({
    subject: "How you sign in to Perch was changed",
    before: [what, `This happened ${at}. If that was you, there is nothing to do.`],
    action: { label: "It was not me: secure the account", link: securityLink },
    after: [],
  }),
  token_created: ({ name, scopes, at, securityLink }) => ({
    subject: "A new API token for Perch",
    before: [
      `The API token “${name}” was made in your name (${at}). It may do: ${scopes}.`,
      "If that was you, there is nothing to do.",
    ],
    action: { label: "It was not me: secure the account", link: securityLink },
    after: ["Setting a new password signs everybody out. Then revoke the token, under Account in the extension."],
  }),
  recovery: ({ link, waitUntil, cancelLink }) => ({
    subject: "Getting back into your Perch account",
    before: [
      "Somebody, probably you, says that they can no longer sign in with the second factor of your account.",
      `If that was you, use this link after ${waitUntil}. The wait gives an owner who still can sign in the time to say no.`,
    ],
    action: { label: "Get back in", link },
    after: [{ text: "If it was not you, say no here, and nothing changes:", link: cancelLink }],
  }),
  account_recovered: ({ at, supportLink }) => ({
    subject: "Your Perch account was recovered",
    before: [`The second factors of your account were removed after a recovery (${at}), and everybody was signed out.`],
    action: { label: "It was not me: write to us", link: supportLink },
    after: ["Set up a new second factor under Account."],
  }),
  unusual_use: ({ what, at, securityLink }) => ({
    subject: "Unusual use of your Perch account",
    before: [what, `We saw it ${at}. If that was you, there is nothing to do.`],
    action: { label: "It was not me: secure the account", link: securityLink },
    after: [],
  }),
  invitation: ({ teamName, invitedBy, role, expiresAt, link }) => ({
    subject: `${invitedBy} invites you to a team on Perch`,
    before: [`${invitedBy} invites you to the team “${teamName}”.`, `Your role would be: ${role}.`],
    action: { label: "See the invitation", link },
    after: [`It is open until ${expiresAt}. If you do not know who this is, ignore this mail.`],
  }),
  ownership_transferred: ({ teamName, to, at, supportLink }) => ({
    subject: "A team has a new owner",
    before: [`The team “${teamName}” now belongs to ${to} (${at}).`],
    action: { label: "That is wrong: write to us", link: supportLink },
    after: [],
  }),
  removed_from_team: ({ teamName, at }) => ({
    subject: "You are no longer in a team",
    before: [
      `You were removed from the team “${teamName}” (${at}). Its phones and automations are no longer yours to use.`,
    ],
    after: ["Your account and your other teams stay as they are."],
  }),
  held_for_review: ({ what, reasons, contestLink }) => ({
    subject: "A person has to look at your Perch account",
    before: [what, `Why: ${reasons}`, "A machine decided this. You may say why it is wrong, and a person decides."],
    action: { label: "Say why this is wrong", link: contestLink },
    after: [],
  }),
  review_done: ({ what, outcome, supportLink }) => ({
    subject: "A person looked at your Perch account",
    before: [what, outcome],
    action: { label: "Write to us", link: supportLink },
    after: [],
  }),
  receipt: ({ number, amount, period, link }) => ({
    subject: `Your Perch receipt ${number}`,
    before: [`Thank you. You paid ${amount} for ${period}.`],
    action: { label: "See the receipt", link },
    after: [],
  }),
  payment_failed: ({ teamName, amount, what, link }) => ({
    subject: "A payment to Perch failed",
    before: [`${amount} for the team ${teamName} could not be charged.`, what],
    action: { label: "Pay, or change how you pay", link },
    after: ["Nothing on your phones is lost meanwhile."],
  }),
  payment_confirmation: ({ teamName, amount, link }) => ({
    subject: "Confirm a payment to Perch",
    before: [`Your bank asks you to confirm ${amount} for the team ${teamName}.`],
    action: { label: "Confirm the payment", link },
    after: ["Until then it is not paid."],
  }),
  trial_ending: ({ teamName, left, endsAt, link }) => ({
    subject: "Your trial of Perch ends soon",
    before: [`The team ${teamName} has ${left} of its trial left, until ${endsAt}.`],
    action: { label: "See plans", link },
    after: ["There is no card behind the trial, so nothing is charged when it ends. Phones that are parked stay."],
  }),
  budget_reached: ({ what, percent, spent, limit, consequence, link }) => ({
    subject: `${what}: ${percent} used`,
    before: [`${what} is at ${spent} of ${limit} this month.`, ...(consequence === "" ? [] : [consequence])],
    action: { label: "See usage", link },
    after: [],
  }),
  parked_for_balance: ({ teamName, phones, at, link }) => ({
    subject: "Phones were parked: nothing is left to run them",
    before: [
      `The team ${teamName} has no phone time and no balance left, so these phones were parked (${at}): ${phones}.`,
      "What is on them stays.",
    ],
    action: { label: "Add phone time", link },
    after: [],
  }),
  subscription_ended: ({ teamName, plan, at, link }) => ({
    subject: `Your Perch plan ${plan} has ended`,
    before: [`The team ${teamName} is on Free again (${at}). Nothing more is charged.`],
    action: { label: "See plans", link },
    after: [],
  }),
  balance_frozen: ({ teamName, why, supportLink }) => ({
    subject: "Your Perch balance is frozen",
    before: [
      `The balance of the team ${teamName} cannot be used for now: ${why}`,
      "Phone time of your plan is not touched.",
    ],
    action: { label: "Ask us", link: supportLink },
    after: [],
  }),
  refund: ({ teamName, amount, what, link }) => ({
    subject: "Money goes back to you",
    before: [`${amount} goes back to the team ${teamName}: ${what}`, "Banks take 5 to 10 days to show it."],
    action: { label: "See invoices", link },
    after: [],
  }),
  export_ready: ({ at, link, expiresAt }) => ({
    subject: "Your data is ready to download",
    before: [`You asked for a copy of your data (${at}). It is ready.`],
    action: { label: "Download", link },
    after: [`It is there until ${expiresAt}, and only you can download it, where you are signed in.`],
  }),
  account_deletion: ({ at, deletedAt, undoLink }) => ({
    subject: "Your Perch account will be deleted",
    before: [`You asked to delete your account (${at}). Everything in it will be gone ${deletedAt}.`],
    action: { label: "Keep my account", link: undoLink },
    after: [],
  }),
  data_request: ({ what, number, dueAt, link }) => ({
    subject: `Your request ${number} about your data`,
    before: [what, `You have our answer by ${dueAt} at the latest.`],
    action: { label: "See the request", link },
    after: [],
  }),
  account_deletion_undone: ({ at, signInLink }) => ({
    subject: "Your Perch account stays",
    before: [`The deletion of your account was taken back (${at}). Everything is as it was, and you are signed out.`],
    action: { label: "Sign in", link: signInLink },
    after: [],
  }),
  account_deleted: ({ at, kept, certificateLink }) => ({
    subject: "Your Perch account is being deleted",
    before: [
      `The deletion of your account began (${at}). This is our last mail: your address goes with the rest.`,
      kept,
    ],
    action: { label: "See the certificate", link: certificateLink },
    after: ["The link shows how far it is, then the signed certificate, for 60 days. It names nobody."],
  }),
  inactive: ({ since, deletedAt, signInLink }) => ({
    subject: "Your Perch account is not used any more",
    before: [
      `You were last here ${since}. What nobody uses should not lie around, so the account will be deleted ${deletedAt}.`,
    ],
    action: { label: "Keep it: sign in", link: signInLink },
    after: [],
  }),
  data_request_verify: ({ what, number, link }) => ({
    subject: `Confirm your request ${number} about your data`,
    before: [what, "Nothing is done before you confirm that the request is yours."],
    action: { label: "Confirm the request", link },
    after: ["The link works once and for 14 days.", "If it was not you, ignore this mail; nothing changes."],
  }),
  data_request_done: ({ number, answer, link }) => ({
    subject: `Your request ${number} about your data is answered`,
    before: [answer],
    action: { label: "See the receipt", link },
    after: [],
  }),
  data_requests_due: ({ count, list }) => ({
    subject: `Perch: ${count} about personal data to answer`,
    before: [`Waiting for an answer: ${list}.`],
    after: ["See them with “npm run admin -- request list”; docs/privacy/requests.md says how to answer."],
  }),
  policy_changed: ({ effectiveAt, summary, link }) => ({
    subject: "The privacy policy of Perch changes",
    before: [`From ${effectiveAt} a new version of our privacy policy applies.`, summary],
    action: { label: "Read what changes", link },
    after: [],
  }),
  breach: ({ what, at, categories, consequences, measures, todo, link }) => ({
    subject: "Security notice about your Perch account",
    before: [
      `${what} (${at})`,
      `Of your data, this concerns: ${categories}.`,
      `What it may lead to: ${consequences}`,
      `What we have done: ${measures}`,
      `What you can do: ${todo}`,
    ],
    action: { label: "Ask us", link },
    after: [],
  }),
  operator_notice: ({ subject, what, link }) => ({
    subject,
    before: [what],
    action: { label: "Open Perch", link },
    after: ['Open the operator page with: npm run admin -- desk open --reason "why"'],
  }),
  support_received: ({ dueAt }) => ({
    subject: "We have your message",
    before: ["Thank you for writing. A person reads your message.", `You have our answer by ${dueAt} at the latest.`],
    after: [],
  }),
};

/** What a mail says. Throws when a value it needs is missing. */
export function letterOf<K extends MailKind>(kind: K, data: MailData[K]): Letter {
  const letter = LETTERS[kind](data);
  const words = [letter.subject, ...[...letter.before, ...letter.after].map(asText), ...linksOf(letter)];
  if (words.some((text) => text === undefined || /\bundefined\b/.test(text))) {
    throw new Error(`A mail of kind ${kind} lacks a value.`);
  }
  return letter;
}

/** Every address a letter leads to. */
export function linksOf({ before, action, after }: Letter): string[] {
  const inText = [...before, ...after].flatMap((part) => (typeof part === "string" ? [] : [part.link]));
  return action === undefined ? inText : [action.link, ...inText];
}

/** A paragraph as plain text. */
export function asText(part: Paragraph): string {
  return typeof part === "string" ? part : `${part.text} ${part.link}`;
}
