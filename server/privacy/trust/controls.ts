/**
 * Clause by clause of the policy: what makes it true, and what shows that it is. `/trust` and `docs/privacy/clauses.md` are
 * made from this; a test holds that no clause is without a control and a check, and that every test named here exists.
 */
import type { LiveCheckId } from "./live-checks.ts";

/** A test, by the file it stands in and its title as written there. */
export interface Check {
  readonly file: string;
  readonly title: string;
}

export interface Control {
  /** One or two sentences for people. */
  readonly control: string;
  readonly checks: readonly Check[];
  /** What is looked at in the running server. */
  readonly live?: readonly LiveCheckId[];
  /** What no machine of ours can show, and who stands for it. */
  readonly attested?: string;
}

const check = (file: string, title: string): Check => ({ file, title });
const DATA_MAP = "server/privacy/data-map.test.ts";
const POLICY_TEXT = "shared/policy/policy-v1.test.ts";

export const CONTROLS: Readonly<Record<string, Control>> = {
  "P0.1": {
    control:
      "Every version of the policy is a file of its own with its date; a changed text without a new version fails.",
    checks: [
      check(POLICY_TEXT, "stands as it was published; a change is a new version"),
      check(POLICY_TEXT, "says when it took effect in the text as in the data"),
    ],
  },
  "P1.1": {
    control:
      "Every stored field names its purpose and its clause, or the program does not build. A field in the database that the list does not know stops the start. Calls with fields nobody asked for are refused.",
    checks: [
      check(DATA_MAP, "does not compile without a privacy tag on a column"),
      check("server/db/write-fence.test.ts", "does both on PostgreSQL"),
      check("server/privacy/map/stores.test.ts", "says everything about %s"),
      check(
        "server/db/write-fence.test.ts",
        "refuses to start on SQLite with a column or table nobody tagged, naming it",
      ),
      check("server/privacy/map/stores.test.ts", "says everything about %s"),
    ],
  },
  "P1.2": {
    control:
      "Name and address are all an account needs, the name may be left out, and a password is kept as argon2id alone.",
    checks: [
      check(
        "server/accounts/passwords.test.ts",
        "stores argon2id at the floor the policy promises and tells right from wrong",
      ),
    ],
    live: ["passwords"],
  },
  "P1.3": {
    control:
      "No field anywhere takes a card number; what looks like one is refused in whatever comes to us to be kept, and hidden in logs. Payments happen on Stripe's pages.",
    checks: [
      check(
        "server/billing/card-numbers.test.ts",
        "takes a card number in no call, and lets a phone have what is typed there",
      ),
      check("server/http/pages/pages.test.ts", "takes a support message, mails a receipt, and refuses card numbers"),
      check(
        "server/billing/billing.test.ts",
        "cannot be found from a person: no column leads to one, no search by address reaches them",
      ),
    ],
  },
  "P1.4": {
    control:
      "What can be recorded of the use is a closed list of actions; the addresses a person visits in their own tabs are not in it and never leave the browser.",
    checks: [
      check(
        "e2e/rules/page-rules.e2e.ts",
        "starts one run where the person said so, with what was read and no address but that",
      ),
      check("server/privacy/map/stores.test.ts", "is listed, all of it and nothing else"),
    ],
  },
  "P1.5": {
    control: "IP address, browser and time zone stand in sessions only, are shown to the person, and go after 90 days.",
    checks: [
      check(
        "server/privacy/retention/plan.test.ts",
        "after any sweep, whatever age rows have and however long nothing was swept",
      ),
    ],
  },
  "P2.0": {
    control: "Each field says what it is used for, out of a closed list made of this section.",
    checks: [check("server/privacy/map/stores.test.ts", "keep nothing for a forbidden use, whatever they are")],
  },
  "P2.1": {
    control: "Sessions are kept as hashes, end by themselves, are listed and revoked within a second.",
    checks: [
      check(
        "e2e/security/strangers.e2e.ts",
        "ABUSE-07 a revoked session's stream ends within a second, and nothing comes after",
      ),
    ],
  },
  "P2.2": {
    control: "Phones run on this server; removing one wipes it and looks that it is gone.",
    checks: [
      check(
        "server/phones/drivers/web/lifecycle.test.ts",
        "ABUSE-28 shows nothing of a removed phone to the next, and leaves no byte of it on the disk",
      ),
    ],
  },
  "P2.3": {
    control:
      "The kinds of mail are a closed list in which advertising does not exist; no picture, no link and no counter in them leads elsewhere.",
    checks: [
      check("server/mail/outbox.test.ts", "refuses a letter that leads elsewhere or lacks a value"),
      check("server/mail/mail.test.ts", "sends what was queued once, and forgets the links"),
    ],
  },
  "P2.4": {
    control:
      "Every decision of the rules against abuse is shown to the person with its reasons, can be contested before a human, and is gone after 90 days. What is counted is counted under keyed hashes that go within a week.",
    checks: [
      check(
        "server/http/pages/standing-page.test.ts",
        "gives the reasons, takes one's word without a script, and shows it as text",
      ),
      check(
        "server/admin/admin.test.ts",
        "lists what waits for a person, and lifts it with a reason the person is told",
      ),
    ],
  },
  "P2.5": {
    control:
      "Numbers are summed over fixed cubes, written only for ten people and more, and whoever leaves is not counted.",
    checks: [
      check(
        "server/privacy/metrics/metrics.test.ts",
        "nine people leave no trace, ten are a number, and a day that was added up stays as it is",
      ),
      check("server/privacy/metrics/metrics.test.ts", "make no cell of fewer than ten people, and one of ten"),
    ],
  },
  "P2.6": {
    control:
      "No code sells or shares: uses like that are forbidden words in the list of fields, and the server can connect to nobody but the listed processors.",
    checks: [
      check("server/privacy/map/stores.test.ts", "keep nothing for a forbidden use, whatever they are"),
      check("server/privacy/processors/outbound.test.ts", "stops fetch, name servers and datagrams"),
      check("server/http/pages/pages.test.ts", "gives machines security.txt and gpc.json"),
    ],
  },
  "P3.1": {
    control:
      "Whoever works for this server stands in a register with their agreement; without one a public server does not start.",
    checks: [
      check(
        "server/privacy/processors/processors.test.ts",
        "stops a start in production without an agreement, or with a retention that breaks the 30 days",
      ),
    ],
    live: ["processors"],
  },
  "P3.2": {
    control:
      "Sign-in, database and files are kept on the server itself unless the operator names a Supabase project or a database elsewhere, which then stand in the register. Who deletes their account is deleted there.",
    checks: [
      check(
        "server/privacy/processors/processors.test.ts",
        "holds what is configured, with what the operator stated about it",
      ),
      check(
        "server/privacy/processors/processors.test.ts",
        "names the Supabase project where people sign in through one, and not on this machine",
      ),
      check(
        "server/accounts/supabase/server.test.ts",
        "is retried until Supabase answers, and is listed, when a person is erased",
      ),
    ],
    live: ["processors"],
    attested: "What Supabase does with what it is given stands in its contract with the operator.",
  },
  "P3.3": {
    control:
      "Stripe gets name and address of who buys, and payments happen on its pages; without a Stripe key nothing is sent to it. Who deletes their account is deleted there, but for the payments that the law keeps.",
    checks: [
      check(
        "server/privacy/processors/processors.test.ts",
        "names Stripe where bills go through it, and where it is, and not where they go to the sandbox",
      ),
      check(
        "server/billing/stripe/forgetting.test.ts",
        "takes the customers of their teams along, broken off and asked again, and is told what the law keeps",
      ),
      check(
        "server/privacy/processors/processors.test.ts",
        "is empty with embedded defaults, and for what runs on this machine",
      ),
    ],
    live: ["processors"],
    attested: "What Stripe does stands in its contract with the operator.",
  },
  "P3.4": {
    control:
      "Without a partner phones run on this server itself, or on the operator's machines. A phone of the partner is deleted there and looked for afterwards; until it was seen to be gone, it is not told gone.",
    checks: [
      check(
        "server/privacy/processors/processors.test.ts",
        "is empty with embedded defaults, and for what runs on this machine",
      ),
      check(
        "server/phones/drivers/geelark/lifecycle.test.ts",
        "are wiped whatever state they are in, and only what was seen to be gone is told gone",
      ),
      check(
        "server/phones/drivers/geelark/lifecycle.test.ts",
        "leave no secret and nothing about a person in the database or the log",
      ),
    ],
    live: ["processors"],
    attested: "What a partner does on its own machines stands in its contract with the operator.",
  },
  "P3.5": {
    control:
      "Mail goes to the one mail server the operator named, over TLS 1.3, and what is kept of it here goes after 7 days.",
    checks: [
      check(
        "server/privacy/processors/processors.test.ts",
        "holds what is configured, with what the operator stated about it",
      ),
      check("server/mail/smtp.test.ts", "does not leave, and the operator reads why"),
    ],
    live: ["processors"],
    attested: "How long the mail provider keeps a copy stands in its contract; more than 14 days stops the start.",
  },
  "P3.6": {
    control: "The register names each agreement with its date.",
    checks: [check("server/privacy/processors/processors.test.ts", "says in sentences what is wrong with its file")],
    live: ["processors"],
    attested: "That a contract binds somebody to secrecy can be read, not measured: the operator stands for it.",
  },
  "P4.1": {
    control:
      "Nothing of an active account goes because it is old, but for what has a shorter rule of its own. An account nobody uses for two years is announced three times before it goes.",
    checks: [
      check(
        "server/privacy/retention/retention.test.ts",
        "forgets everything within its days and keeps what belongs to the account",
      ),
    ],
  },
  "P4.2": {
    control:
      "Deleting is a list of steps made from the list of fields, each looked after when it is done, proved byte by byte, and signed. Backups older than 14 days do not exist, and one that is put back erases again first.",
    checks: [
      check(
        "server/privacy/canary-gate.test.ts",
        "leaves no byte of her when the erasure is done, and her address opens in no older backup",
      ),
      check(
        "server/privacy/canary-gate.test.ts",
        "does not come back with an old backup: it is gone again before anybody is served",
      ),
      check(
        "server/privacy/canary-gate.test.ts",
        "is gone after thirty days from the backups, too, and then even from the ledger",
      ),
      check(
        "server/privacy/erasure/erasure.test.ts",
        "shows what goes, asks once, and erases exactly that; nobody else loses a byte",
      ),
      check(
        "server/db/write-fence.test.ts",
        "keeps a person out of every table, by every column, and everybody else in",
      ),
      check(
        "server/backup/backup.test.ts",
        "goes when it gets older than 14 days, with half ones, and nothing else goes",
      ),
      check("server/privacy/retention/budget.test.ts", "are the sum of their parts"),
    ],
    live: ["erasures", "backups"],
  },
  "P4.3": {
    control:
      "Billing records and the entries of the ledger stand in tables of their own that no search by address reaches. With the team they lose what leads to it, to its phones and to when these ran, and they go when the law allows.",
    checks: [
      check("server/billing/billing.test.ts", "is never more than 7 years, wherever and whenever"),
      check(
        "server/billing/billing.test.ts",
        "cannot be found from a person: no column leads to one, no search by address reaches them",
      ),
      check("server/billing/billing.test.ts", "stay without the team when that goes, and go at the end of the term"),
      check(
        "server/privacy/canary-gate.test.ts",
        "leaves no byte of her when the erasure is done, and her address opens in no older backup",
      ),
    ],
    live: ["billing_records"],
  },
  "P4.4": {
    control:
      "Every hour what is older than 90 days becomes a count of a day: action, plan, region. Nothing leads back.",
    checks: [
      check(
        "server/audit/audit.test.ts",
        "entries become counts that lead to nobody, and the chain goes on from where it begins now",
      ),
      check(
        "server/privacy/retention/plan.test.ts",
        "after any sweep, whatever age rows have and however long nothing was swept",
      ),
      check("server/privacy/retention/overdue.test.ts", "serves nobody before what outlived its rule is gone"),
    ],
    live: ["activity"],
  },
  "P5.1": {
    control: "What is held is shown at once, in the panel and on the web, made from the list of fields.",
    checks: [check("server/privacy/privacy.test.ts", "counts their own rows only, in words from the data map")],
  },
  "P5.2": {
    control:
      "What can be corrected is corrected by the person at once; what is disputed gets their statement beside it.",
    checks: [
      check(
        "server/privacy/requests/requests.test.ts",
        "leave a correction to the operator, who answers it, and say at once by when",
      ),
    ],
  },
  "P5.3": {
    control: "Two clicks and a fresh proof; 7 days to change one's mind, or at once.",
    checks: [
      check(
        "server/privacy/canary-gate.test.ts",
        "lets nobody write about her any more, whatever the table, and goes on for all others",
      ),
      check(
        "server/privacy/erasure/erasure.test.ts",
        "shows what goes, asks once, and erases exactly that; nobody else loses a byte",
      ),
    ],
    live: ["erasures"],
  },
  "P5.4": {
    control:
      "One archive with everything exportable, checked for completeness and for nothing of anybody else, and another Perch reads it.",
    checks: [
      check(
        "server/privacy/export/archive.test.ts",
        "holds every exportable column of every table, with the person's own value",
      ),
      check("server/privacy/export/archive.test.ts", "ABUSE-39 holds nothing of anybody else"),
      check("server/privacy/export/archive.test.ts", "has lines that fit their schemas, each of them"),
    ],
  },
  "P5.5": {
    control:
      "The home page links to the contact page, which works without an account; a request that came by letter or mail is entered with the day it came.",
    checks: [
      check("server/http/pages/pages.test.ts", "shows home with policy and contact links, to anybody"),
      check(
        "server/privacy/requests/requests.test.ts",
        "keep their true arrival, never one to come, and ask their sender",
      ),
    ],
  },
  "P5.6": {
    control: "The day an answer is due is the earlier of 30 days and one month; the operator is reminded five times.",
    checks: [
      check(
        "server/privacy/requests/due-date.test.ts",
        "is the earlier of 30 days and one calendar month, for every day there is",
      ),
      check(
        "server/privacy/requests/requests.test.ts",
        "remind on the days of the list, hour by hour, once each, and name nobody",
      ),
    ],
    live: ["requests"],
  },
  "P6.1": {
    control: "Every cookie stands in a register; one that does not is refused at run time.",
    checks: [
      check(
        "server/http/pages/pages.test.ts",
        "names the cookie __Host- and marks it Secure under https, and asks for TLS from then on",
      ),
    ],
  },
  "P6.2": {
    control: "What the extension remembers of the interface is a choice out of a list, and stays in the browser.",
    checks: [check("server/privacy/map/stores.test.ts", "is listed, all of it and nothing else")],
  },
  "P6.3": {
    control: "No page loads anything from elsewhere, and no cookie is sent to or from another site.",
    checks: [check("server/http/pages/pages.test.ts", "sends strict headers with every page and every error")],
  },
  "P7.1": {
    control:
      "This server speaks TLS 1.3 and nothing older, wherever it answers or calls; beyond its own machine it does not start without.",
    checks: [
      check("server/http/listener.test.ts", "speaks no %s"),
      check("server/mail/smtp.test.ts", "does not leave, and the operator reads why"),
    ],
    live: ["in_transit"],
  },
  "P7.2": {
    control:
      "The database, files of runs, exports, backups and parked phones are encrypted, and what names a person is sealed with a key of that person's own. A running phone is not: its browser needs the files plain.",
    checks: [
      check("server/db/sqlite.test.ts", "refuses a database that is not encrypted and leaves it as it was"),
      check("server/db/sqlite.test.ts", "leaves no byte of a destroyed key in the file of keys"),
      check(
        "server/phones/drivers/web/lifecycle.test.ts",
        "are encrypted while they are parked, and as they were when they run again",
      ),
      check("server/backup/backup.test.ts", "brings everything back as it was, and has nothing plain in it"),
    ],
    live: ["at_rest"],
    attested: "The disk below a running phone is encrypted, or not, by whoever runs the machine.",
  },
  "P7.3": {
    control: "argon2id with at least 19 MiB; older hashes are renewed at the next sign-in.",
    checks: [
      check(
        "server/accounts/passwords.test.ts",
        "stores argon2id at the floor the policy promises and tells right from wrong",
      ),
    ],
    live: ["passwords"],
  },
  "P7.4": {
    control:
      "The file is readable by the server's user alone and its key lies elsewhere; people are looked at through commands that ask why.",
    checks: [check("server/admin/operator.test.ts", "lists accounts, and everybody listed sees it")],
    live: ["at_rest"],
  },
  "P7.5": {
    control: "Every look by an operator is an entry in a sealed chain, with the reason, and the person sees it.",
    checks: [
      check("server/audit/audit.test.ts", "finds every flipped byte of stored text"),
      check("server/admin/operator.test.ts", "lists accounts, and everybody listed sees it"),
    ],
    live: ["audit"],
  },
  "P7.6": {
    control:
      "An incident has a 72-hour clock; whom it concerns is computed from the list of fields, and everybody is told by mail and in the panel.",
    checks: [
      check(
        "server/privacy/incidents/incidents.test.ts",
        "tells everybody once, goes on after a stop, and closes when everybody and the authority know",
      ),
      check(
        "server/privacy/incidents/incidents.test.ts",
        "finds exactly whom an exposed column concerns, and with which categories",
      ),
      check(
        "server/privacy/incidents/incident-clock.test.ts",
        "are never over without a red sign while somebody waits",
      ),
    ],
    live: ["incidents"],
  },
  "P8.1": {
    control:
      "All versions stay public with what changed between them; a new category, use or processor does not build without a new version.",
    checks: [check(POLICY_TEXT, "stands as it was published; a change is a new version")],
    live: ["policy"],
  },
  "P8.2": {
    control:
      "A version comes into force 14 days after the last person was told, and what needs it stays off until then.",
    checks: [
      check(
        "server/privacy/policy/policy.test.ts",
        "applies a version 14 days after the last notice arrived, and not a minute sooner",
      ),
      check(
        "server/privacy/policy/policy-clock.test.ts",
        "never end early: not before its own date, nor within 14 days of the announcement or of the last notice",
      ),
    ],
    live: ["policy"],
  },
  "P9.1": {
    control: "The contact link stands on the home page and in the foot of every page, and in the panel.",
    checks: [check("server/http/pages/pages.test.ts", "shows home with policy and contact links, to anybody")],
  },
};
