/** What people call the rows of each table and the other places where something of theirs is. */
import type { Tables } from "../../db/tables.ts";
import type { Retention } from "../tags.ts";

/** Several tables may be one thing to a person. A table without words does not compile. */
export const TABLE_WORDS = {
  users: "Your account: name and address",
  identities: "Ways to sign in",
  passwordCredentials: "Ways to sign in",
  totpFactors: "Ways to sign in",
  backupCodes: "Ways to sign in",
  passkeys: "Ways to sign in",
  oneTimeTokens: "Links and codes that wait",
  connectCodes: "Links and codes that wait",
  streamTickets: "Links and codes that wait",
  sessions: "Sessions: where and with what you signed in",
  apiTokens: "API tokens",
  teams: "Teams",
  teamMembers: "Memberships of teams",
  teamInvitations: "Invitations",
  phones: "Phones",
  phoneArchives: "Phones",
  phoneCopies: "Machines phones were on before",
  flows: "Automations",
  fileContents: "Files of automations",
  workspaceFiles: "Files of automations",
  runs: "Runs of automations",
  suites: "Runs of automations",
  runPool: "Runs of automations",
  runSteps: "What runs did",
  runEvents: "What runs did",
  runArtifacts: "Pictures and reports of runs",
  runFiles: "Files of automations",
  secrets: "Secrets of automations",
  secretGrants: "Secrets of automations",
  rules: "Page rules",
  ruleStarts: "Page rules",
  webhooks: "Webhooks",
  webhookCalls: "Webhooks",
  recordings: "Recordings",
  recordingSteps: "Recordings",
  jobs: "Work that waits on the server",
  topics: "News of teams",
  events: "News of teams",
  auditLog: "The activity log: who, what and when; that something was done stays",
  auditHeads: "Seals of the activity log",
  idempotencyKeys: "Answers kept against doing a thing twice",
  rateLimits: "Counters against abuse",
  decisions: "Decisions of the rules against abuse",
  abuseCounts: "Counters against abuse",
  mailOutbox: "Mail to you",
  supportRequests: "Messages to support",
  serverKeys: "Keys of the server",
  dataRequests: "That you made requests about your data, and how they were answered",
  statements: "Statements you added",
  privacyPreferences: "Your privacy settings",
  dataExports: "Copies of your data",
  erasures: "That an account was deleted",
  erasureSteps: "That an account was deleted",
  erasureFence: "The lock against late writes",
  policyVersions: "Versions of the policy",
  policyNotices: "Notices of a new policy",
  incidents: "Security incidents",
  incidentPeople: "Security incidents that concerned you",
  metricCells: "Numbers about nobody",
  activityDays: "Numbers about nobody",
  billingRecords: "Billing records",
  usageIntervals: "When phones ran",
  usageHolds: "When phones ran",
  budgets: "Budgets",
  grants: "Phone time and balance",
  ledgerEntries: "Billing records",
  paygDays: "When phones ran",
  billingAccounts: "How your teams pay",
  dedicatedPhones: "How your teams pay",
  subscriptions: "Plans your teams bought",
  invoices: "Invoices",
  moneyBack: "Refunds and disputes",
  checkouts: "Purchases",
  stripeEvents: "Messages from Stripe",
  stripeCalls: "Calls to Stripe",
  reconcileRuns: "Checks of the books",
  reconcileFindings: "Checks of the books",
  sandboxObjects: "What the billing sandbox holds",
  androidDevices: "Devices phones run on",
  phoneHosts: "Machines phones run on",
  nodes: "Machines the server runs on",
  backups: "How backups went",
  announcements: "What the operator told everybody",
  faults: "Counts of what failed",
  phoneContainers: "Machines phones run on",
  partnerPhones: "Phones at our cloud-phone partner",
  partnerStrays: "Phones at our cloud-phone partner",
  partnerLocks: "Messages from our cloud-phone partner",
  partnerHints: "Messages from our cloud-phone partner",
  partnerCharges: "What our cloud-phone partner charged us",
  uploads: "Files on their way to phones",
} as const satisfies Record<keyof Tables, string>;

/** Only where there are such. */
export const GONE_MACHINES = "gone-machines";

/** Stores outside the database. */
export const STORE_WORDS = {
  phones: "Phones and everything on them",
  "phone-copies": "Copies of phones on machines that had them before",
  [GONE_MACHINES]:
    "Copies of phones on machines the operator has declared destroyed and forgotten: nobody could look there",
  "files-elsewhere": "Files of runs, uploads and copies on the server's other machines",
  "run-files": "Pictures and reports of runs",
  uploads: "Files on their way to phones",
  exports: "Copies of your data",
  "processor:storage": "The file storage: all of it",
  "last-mail": "The last mail",
  keys: "Your encryption key",
  settle: "Traces in the database file",
  scan: "A search of every byte",
} as const;

/** Why the law wants it, by the rule that says how long. */
export const LAW_WORDS: Partial<Record<Retention, string>> = {
  billing: "Tax and accounting law; clause P4.3 of the privacy policy",
  request: "Records of requests (CCPA regulations §7101); clause P5.6 of the privacy policy",
};

/** What a step of the purge is called in the list people see: one line for all of the database. */
export function storeOf(step: string): { readonly store: string; readonly label: string } {
  if (step.includes(":") && !step.startsWith("processor:")) return { store: "database", label: "The database" };
  const known = Object.entries(STORE_WORDS).find(([store]) => store === step);
  if (known === undefined && step.startsWith("processor:")) {
    return { store: step, label: `Our processor ${step.slice("processor:".length)}` };
  }
  return { store: step, label: known?.[1] ?? step };
}
