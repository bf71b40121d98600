/** What a person's rights hold in panel tests: realistic numbers and lengths, and every state a test asks for. */
import { newId } from "../../shared/ids.ts";
import type {
  AccessLogEntry,
  DeletePreview,
  DeletionView,
  ExportView,
  HeldCategory,
  IncidentNotice,
  PolicyNotice,
  PrivacyOverview,
  ProcessorView,
  RequestView,
  StatementView,
} from "../../shared/privacy.ts";

const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
const ahead = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

export class StubRights {
  requests: RequestView[] = [];
  statements: StatementView[] = [];
  looks: AccessLogEntry[] = [];
  preview: DeletePreview = stubDeletePreview();
  /** How many answers about a copy it takes until it is ready; a test that looks at the progress makes it many. */
  copyTakes = 2;
  /** What was sent to be saved, and with which passphrase. */
  saved: { readonly passphrase: string | undefined }[] = [];
  /** The overview fails with this, whoever asks and however often. */
  broken: string | undefined;
  /** The file went between the answer and the form. */
  copyGone = false;
  /** What was brought in: the modes that were asked for. */
  imports: string[] = [];

  /** A copy moves on by one answer. */
  advance(copy: ExportView): ExportView {
    if (copy.state !== "waiting" && copy.state !== "running") return copy;
    const rows = Math.min(copy.rows + Math.ceil(copy.rowsExpected / this.copyTakes), copy.rowsExpected);
    const running = { ...copy, state: "running" as const, rows };
    return rows < copy.rowsExpected ? running : readyCopy(running);
  }
}

export function stubCopy(over: Partial<ExportView> = {}): ExportView {
  return {
    id: newId("dataExport"),
    state: "waiting",
    askedAt: new Date().toISOString(),
    rows: 0,
    rowsExpected: 12_480,
    downloads: 0,
    ...over,
  };
}

export function readyCopy(copy: ExportView = stubCopy()): ExportView {
  return {
    ...copy,
    state: "ready",
    rows: copy.rowsExpected,
    readyAt: new Date().toISOString(),
    expiresAt: ahead(6.9),
    bytes: 3_180_000,
  };
}

export function stubDeletion(over: Partial<DeletionView> = {}): DeletionView {
  return {
    id: newId("erasure"),
    state: "grace",
    askedAt: ago(1.5),
    purgeAt: ahead(5.5),
    goneBy: ahead(33),
    steps: [],
    ...over,
  };
}

const STORES = [
  ["sessions", "Sessions and tokens", "done"],
  ["phones", "Phones and what is on them", "done"],
  ["files", "Files, recordings and run artifacts", "done"],
  ["database", "Rows about you in the database", "waiting"],
  ["mail", "Mail that waits to be sent", "waiting"],
  ["stripe", "Stripe", "late"],
  ["backups", "Backups, as they age out", "waiting"],
] as const;

export function stubPurge(): DeletionView {
  const steps = STORES.map(([store, label, state]) => ({ store, label, state }));
  return stubDeletion({ state: "purging", purgeAt: ago(0.01), goneBy: ahead(29), steps });
}

export function stubNextPolicy(): PolicyNotice {
  return {
    version: 2,
    effectiveAt: ahead(14),
    summary:
      "Pictures of failed runs may be kept for 60 days instead of 30, so that you can compare them. Nobody new gets your data, and nothing else changes.",
    url: "/privacy?compare=1..2",
    acknowledged: false,
    objected: false,
  };
}

export function stubIncident(): IncidentNotice {
  return {
    id: newId("incident"),
    at: ago(1.2),
    what: "For 40 minutes a mistake of ours showed names of phones to members of other teams on this server. It is put right, and nobody could open or change anything.",
    todo: "You need not do anything. If a phone's name said something private, rename the phone.",
    categories: ["user.content.private"],
  };
}

export function stubLooks(): AccessLogEntry[] {
  return [
    {
      at: ago(4.2),
      words: "Read your account and sessions",
      role: "support",
      reason: "You asked on 20 Nov why a sign-in failed.",
    },
    { at: ago(31), words: "Read your billing records", role: "billing", reason: "Yearly audit of invoices." },
  ];
}

export const STRIPE: ProcessorView = {
  id: "stripe",
  name: "Stripe",
  purpose: "Payments: your address, and what you pay for.",
  region: "European Union and United States",
  retentionDays: 14,
  agreement: true,
  lastContactAt: ago(2),
};
export const MAIL_PROVIDER: ProcessorView = {
  id: "smtp",
  name: "Mail provider",
  purpose: "Carries the mail we send you.",
  region: "European Union",
  retentionDays: 7,
  agreement: false,
};

export function stubRequests(): RequestView[] {
  const receipt = {
    statement: { number: "DR-2026-0004", state: "fulfilled" },
    signature: "c3R1Yi1zaWduYXR1cmU",
    keyId: "2026-11",
  };
  return [
    {
      id: newId("dataRequest"),
      number: "DR-2026-0009",
      kind: "rectify",
      channel: "panel",
      state: "in_progress",
      receivedAt: ago(3),
      dueAt: ahead(27),
    },
    {
      id: newId("dataRequest"),
      number: "DR-2026-0004",
      kind: "export",
      channel: "panel",
      state: "fulfilled",
      receivedAt: ago(20),
      dueAt: ahead(10),
      closedAt: ago(20),
      answer: "A copy of 11,204 entries was made and saved once.",
      receipt,
    },
  ];
}

/** What an account of some weeks holds. */
export function manyCategories(): HeldCategory[] {
  const here = { place: "On this server, encrypted", clauses: ["P1.2", "P4.1"], rectify: "support" } as const;
  return [
    {
      ...here,
      category: "user.behavior",
      label: "What you did in the product",
      purpose: "to prove who did what, for you and for us; to keep your account secure",
      items: 1204,
      oldestAt: ago(88),
      leaves: "After 90 days it becomes a count without names.",
      next: { items: 31, at: ahead(1.6) },
    },
    {
      ...here,
      category: "user.content.private",
      label: "What you wrote or keep on phones",
      purpose: "to run your phones; to run your automations",
      items: 68,
      oldestAt: ago(40),
      leaves: "When you remove the phone or the automation.",
      next: { items: 4, at: ahead(12) },
    },
    {
      ...here,
      category: "user.device.device_id",
      label: "Browser and system (user agent)",
      purpose: "to keep your account secure",
      items: 3,
      oldestAt: ago(40),
      leaves: "90 days after the session ended.",
    },
    {
      ...here,
      category: "user.account.settings",
      label: "Settings of your phones",
      purpose: "to run your phones",
      items: 12,
      oldestAt: ago(12),
      leaves: "When you remove the phone.",
      rectify: "self",
    },
    {
      ...here,
      category: "user.contact.email",
      label: "E-mail address",
      purpose: "to sign you in; to send you mail about your account",
      items: 1,
      oldestAt: ago(40),
      leaves: "When you delete your account.",
      rectify: "self",
    },
    {
      ...here,
      category: "user.name",
      label: "Your name",
      purpose: "to sign you in",
      items: 1,
      oldestAt: ago(40),
      leaves: "When you delete your account.",
      rectify: "self",
    },
    {
      ...here,
      category: "user.authorization.password",
      label: "Password (hashed)",
      purpose: "to sign you in",
      items: 1,
      oldestAt: ago(40),
      leaves: "When you delete your account.",
      rectify: "self",
    },
    {
      ...here,
      category: "user.device.ip_address",
      label: "IP address",
      purpose: "to keep your account secure; to stop abuse",
      items: 3,
      oldestAt: ago(40),
      leaves: "90 days after the session ended.",
    },
    {
      ...here,
      category: "user.location.imprecise",
      label: "Time zone",
      purpose: "to keep your account secure",
      items: 2,
      oldestAt: ago(40),
      leaves: "90 days after the session ended.",
    },
    {
      ...here,
      category: "user.payment",
      label: "Billing records",
      purpose: "because the law asks for it",
      items: 0,
      leaves: "7 years after the year of the invoice.",
    },
    {
      ...here,
      category: "user.privacy_preferences",
      label: "Your privacy settings and requests",
      purpose: "because the law asks for it",
      items: 0,
      leaves: "3 years after the answer.",
    },
  ];
}

export function stubDeletePreview(): DeletePreview {
  return {
    goes: [
      { label: "Account, sessions and tokens", items: 9 },
      { label: "Phones and what is on them", items: 2 },
      { label: "Automations, runs and their pictures", items: 1284 },
      { label: "Record of what you did", items: 1204 },
    ],
    staysWithTeams: [{ label: "Automations you wrote for Shop crew", items: 5 }],
    kept: [{ label: "Invoices", items: 3, until: "2033-12-31T00:00:00.000Z", law: "tax law, 7 years" }],
    teams: [],
    graceDays: 7,
    goneBy: ahead(30),
  };
}

export function stubPrivacy(): PrivacyOverview {
  return {
    categories: manyCategories(),
    processors: [],
    policy: { version: 1, effectiveAt: "2026-01-01T00:00:00.000Z", url: "/privacy" },
    preferences: { restricted: false, metrics: true },
    incidents: [],
    staffLooks: 0,
    openRequests: 0,
    supportUrl: "/support",
    trustUrl: "/trust",
  };
}
