/**
 * Data rights as both sides see them. States and reasons of requests are those of the Data Rights Protocol 1.0
 * (Consumer Reports); everything about what is held is derived from the server's data map.
 */
import { z } from "zod";
import { email, fullName } from "./accounts.ts";
import {
  type DataExportId,
  type DataRequestId,
  dataExportId,
  dataRequestId,
  type ErasureId,
  type IncidentId,
  type StatementId,
  statementId,
  type TeamId,
  teamId,
  type UserId,
  userId,
} from "./ids.ts";

/** One category of data the service holds about the person. */
export interface HeldCategory {
  /** fideslang data category, e.g. `user.contact.email`. */
  readonly category: string;
  readonly label: string;
  /** Why, in words. */
  readonly purpose: string;
  readonly items: number;
  /** ISO 8601; absent when there is none. */
  readonly oldestAt?: string;
  /** When it goes, in words derived from the retention rule. */
  readonly leaves: string;
  /** The next thing of it that goes by itself, and when (ISO 8601). */
  readonly next?: { readonly items: number; readonly at: string };
  /** Where it lives, in words. */
  readonly place: string;
  /** Clauses of the policy that cover it. */
  readonly clauses: readonly string[];
  /** Where the person corrects it: a field of `privacy.rectify`, a screen, or nothing. */
  readonly rectify: "self" | "support" | "none";
}

export interface ProcessorView {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly region: string;
  /** Days the processor keeps data after we delete it, at most. */
  readonly retentionDays: number;
  /** Whether the operator named a data processing agreement. */
  readonly agreement: boolean;
  readonly lastContactAt?: string;
}

export const REQUEST_KINDS = ["access", "export", "rectify", "delete", "restrict", "object"] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];
/** How it reached us. */
export const REQUEST_CHANNELS = ["panel", "web", "mail", "post", "form"] as const;
export type RequestChannel = (typeof REQUEST_CHANNELS)[number];
/** Data Rights Protocol 1.0, §3.03. */
export const REQUEST_STATES = ["open", "in_progress", "fulfilled", "denied", "revoked", "expired"] as const;
export type RequestState = (typeof REQUEST_STATES)[number];
export const REQUEST_REASONS = [
  "need_user_verification",
  "suspected_fraud",
  "insufficient_verification",
  "no_match",
  "claim_not_covered",
  "outside_jurisdiction",
  "too_many_requests",
  "other",
] as const;
export type RequestReason = (typeof REQUEST_REASONS)[number];

export interface RequestView {
  readonly id: DataRequestId;
  /** What people quote: `DR-2026-0001`. */
  readonly number: string;
  readonly kind: RequestKind;
  readonly channel: RequestChannel;
  readonly state: RequestState;
  readonly reason?: RequestReason;
  readonly receivedAt: string;
  readonly dueAt: string;
  readonly closedAt?: string;
  /** What was answered, in sentences. */
  readonly answer?: string;
  /** The signed receipt; see `SignedReceipt`. */
  readonly receipt?: SignedReceipt;
}

/** JSON in RFC 8785 form, signed with Ed25519 (RFC 8032); the public key is at `/trust/key`. */
export interface SignedReceipt {
  readonly statement: Readonly<Record<string, unknown>>;
  /** base64url. */
  readonly signature: string;
  readonly keyId: string;
}

export const requestText = z.string().trim().max(2000, "Use at most 2,000 characters.");
export const idempotencyKey = z.string().min(8).max(128);
export const makeRequestInput = z.strictObject({
  kind: z.enum(REQUEST_KINDS),
  text: requestText.optional(),
  idempotencyKey,
});
export const requestRef = z.strictObject({ requestId: dataRequestId });

/** Fields a person corrects themselves here; others are corrected where they are shown. */
export const rectifyInput = z.union([
  z.strictObject({ field: z.literal("fullName"), value: fullName }),
  z.strictObject({ field: z.literal("email"), value: email }),
]);
/** A statement attached to what is disputed and cannot be corrected (Art. 16 GDPR). */
export const disputeInput = z.strictObject({
  category: z.string().max(60),
  text: z.string().trim().min(1, "Write what is wrong.").max(2000, "Use at most 2,000 characters."),
});
export const statementRef = z.strictObject({ statementId });
export interface StatementView {
  readonly id: StatementId;
  readonly category: string;
  readonly label: string;
  readonly text: string;
  readonly at: string;
}

export const preferencesInput = z.strictObject({
  /** Art. 18 GDPR: keep, but do nothing with it. */
  restricted: z.boolean().optional(),
  /** Whether the person's use counts in the anonymised numbers. */
  metrics: z.boolean().optional(),
});
export interface Preferences {
  readonly restricted: boolean;
  readonly metrics: boolean;
}

export const EXPORT_STATES = ["waiting", "running", "ready", "failed", "revoked", "expired"] as const;
export type ExportState = (typeof EXPORT_STATES)[number];
export interface ExportView {
  readonly id: DataExportId;
  readonly state: ExportState;
  readonly askedAt: string;
  readonly readyAt?: string;
  readonly expiresAt?: string;
  /** Rows written so far, and how many there will be about. */
  readonly rows: number;
  readonly rowsExpected: number;
  readonly bytes?: number;
  readonly downloads: number;
  /** Why it failed, in a sentence. */
  readonly failure?: string;
}
export interface ExportEstimate {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly parts: readonly { readonly id: string; readonly label: string; readonly rows: number }[];
}
export const exportInput = z.strictObject({ idempotencyKey });
export const exportRef = z.strictObject({ exportId: dataExportId });
/**
 * Answer of `privacy.downloadExport`: an address for one POST within a minute, with an optional form field `passphrase`
 * (then the answer is an age file).
 */
export interface ExportDownload {
  readonly url: string;
  readonly expiresAt: string;
}

/** What a copy made by another Perch brings. */
export const IMPORT_KINDS = ["phone", "flow", "file", "rule", "profile", "statement", "preference"] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];
export interface ImportItem {
  readonly kind: ImportKind;
  readonly name: string;
  /** `here`: there already, from this import or by itself. */
  readonly change: "new" | "here" | "left_out";
  /** Why it is left out, or what is different, in a sentence. */
  readonly reason?: string;
}
/** Answer of `POST /privacy/import?mode=preview|apply`, a form with `file` and `passphrase`. */
export interface DataImport {
  /** Of the export. */
  readonly id: string;
  readonly madeAt: string;
  /** The address it was made for. */
  readonly email: string;
  readonly items: readonly ImportItem[];
  /** What never comes along and has to be made anew, in sentences. */
  readonly again: readonly string[];
  readonly applied: boolean;
}
export const IMPORT_PATH = "/privacy/import";
export const importMode = z.enum(["preview", "apply"]);

/** What becomes of a team that has other members when its only owner goes. */
export const teamChoice = z.discriminatedUnion("choice", [
  z.strictObject({ teamId, choice: z.literal("transfer"), to: userId }),
  z.strictObject({ teamId, choice: z.literal("close") }),
]);
export const deleteInput = z.strictObject({
  idempotencyKey,
  /** The person's own address, typed: nobody does this by mistake. */
  confirmation: z.string().max(254),
  /** Skips the 7 days of grace. */
  now: z.boolean().default(false),
  teams: z.array(teamChoice).max(50).default([]),
});

export interface DeletePreview {
  /** Rows and files that go, by what they are called. */
  readonly goes: readonly { readonly label: string; readonly items: number }[];
  /** What stays with a team, without the person's name. */
  readonly staysWithTeams: readonly { readonly label: string; readonly items: number }[];
  /** What the law makes us keep, and until when (ISO 8601). */
  readonly kept: readonly {
    readonly label: string;
    readonly items: number;
    readonly until: string;
    readonly law: string;
  }[];
  /** Teams that need a choice, with who could own them. */
  readonly teams: readonly {
    readonly teamId: TeamId;
    readonly name: string;
    readonly heirs: readonly { readonly userId: UserId; readonly name: string }[];
  }[];
  readonly graceDays: number;
  /** When everything is gone at the latest, backups included, if asked for now (ISO 8601). */
  readonly goneBy: string;
}

export const ERASURE_STATES = ["grace", "purging", "done", "undone"] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];
export interface DeletionView {
  readonly id: ErasureId;
  readonly state: ErasureState;
  readonly askedAt: string;
  readonly purgeAt: string;
  readonly goneBy: string;
  readonly steps: readonly {
    readonly store: string;
    readonly label: string;
    readonly state: "waiting" | "done" | "late";
  }[];
}

export interface PolicyNotice {
  readonly version: number;
  readonly effectiveAt: string;
  readonly summary: string;
  readonly url: string;
  readonly acknowledged: boolean;
  readonly objected: boolean;
}
export const policyRef = z.strictObject({ version: z.int().min(1) });

export interface IncidentNotice {
  readonly id: IncidentId;
  readonly at: string;
  readonly what: string;
  readonly todo: string;
  readonly categories: readonly string[];
}

/** One look of the operator at the person's data. */
export interface AccessLogEntry {
  readonly at: string;
  readonly words: string;
  readonly reason?: string;
  /** The role the operator named. */
  readonly role?: string;
}

/** Answer of `privacy.overview`. */
export interface PrivacyOverview {
  readonly categories: readonly HeldCategory[];
  readonly processors: readonly ProcessorView[];
  readonly policy: { readonly version: number; readonly effectiveAt: string; readonly url: string };
  /** A version that was announced and is not in force yet. */
  readonly nextPolicy?: PolicyNotice;
  readonly preferences: Preferences;
  /** The newest export that is not over. */
  readonly export?: ExportView;
  readonly deletion?: DeletionView;
  readonly incidents: readonly IncidentNotice[];
  /** Looks of the operator in the last 90 days. */
  readonly staffLooks: number;
  readonly openRequests: number;
  /** When inactivity would delete the account, once a notice was sent. */
  readonly inactiveDeletionAt?: string;
  readonly supportUrl: string;
  readonly trustUrl: string;
}
