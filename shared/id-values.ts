/** Branded identifiers. Ids are prefixed, random (128 bit) and never carry meaning. Their schemas are in `ids.ts`. */

declare const brand: unique symbol;
export type Branded<T, B extends string> = T & { readonly [brand]: B };

export const ID_PREFIXES = {
  user: "usr",
  team: "team",
  phone: "ph",
  session: "ses",
  apiToken: "tok",
  job: "job",
  viewer: "vw",
  flow: "fl",
  run: "run",
  rule: "rule",
  secret: "sec",
  recording: "rec",
  webhook: "hook",
  suite: "suite",
  invitation: "inv",
  passkey: "pk",
  decision: "dec",
  dataRequest: "dsr",
  dataExport: "exp",
  erasure: "era",
  statement: "stm",
  incident: "inc",
  billingRecord: "bill",
  usageInterval: "use",
  grant: "grant",
  ledgerEntry: "entry",
  budget: "bud",
  checkout: "chk",
  stripeCall: "call",
  reconcileRun: "recon",
  upload: "upl",
  androidDevice: "dev",
  phoneHost: "host",
  node: "node",
  announcement: "ann",
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

export type UserId = Branded<string, "user">;
export type TeamId = Branded<string, "team">;
export type PhoneId = Branded<string, "phone">;
export type SessionId = Branded<string, "session">;
export type ApiTokenId = Branded<string, "apiToken">;
/** Whatever a caller signed in with: a person's session, or an API token. */
export type CredentialId = SessionId | ApiTokenId;
export type JobId = Branded<string, "job">;
export type ViewerId = Branded<string, "viewer">;
export type FlowId = Branded<string, "flow">;
export type RunId = Branded<string, "run">;
export type RuleId = Branded<string, "rule">;
export type SecretId = Branded<string, "secret">;
export type RecordingId = Branded<string, "recording">;
export type WebhookId = Branded<string, "webhook">;
export type SuiteId = Branded<string, "suite">;
export type InvitationId = Branded<string, "invitation">;
export type PasskeyId = Branded<string, "passkey">;
export type DecisionId = Branded<string, "decision">;
export type DataRequestId = Branded<string, "dataRequest">;
export type DataExportId = Branded<string, "dataExport">;
export type ErasureId = Branded<string, "erasure">;
export type StatementId = Branded<string, "statement">;
export type IncidentId = Branded<string, "incident">;
export type BillingRecordId = Branded<string, "billingRecord">;
export type UsageIntervalId = Branded<string, "usageInterval">;
export type GrantId = Branded<string, "grant">;
export type LedgerEntryId = Branded<string, "ledgerEntry">;
export type BudgetId = Branded<string, "budget">;
export type CheckoutId = Branded<string, "checkout">;
export type StripeCallId = Branded<string, "stripeCall">;
export type ReconcileRunId = Branded<string, "reconcileRun">;
export type UploadId = Branded<string, "upload">;
export type AndroidDeviceId = Branded<string, "androidDevice">;
export type PhoneHostId = Branded<string, "phoneHost">;
export type NodeId = Branded<string, "node">;
export type AnnouncementId = Branded<string, "announcement">;

/** A new random id (128 bits from the platform's CSPRNG); works in browsers and Node. */
export function newId<K extends IdKind>(kind: K): Branded<string, K> {
  return `${ID_PREFIXES[kind]}_${base64Url(crypto.getRandomValues(new Uint8Array(16)))}` as Branded<string, K>;
}

/** The text of an id of one kind: `<prefix>_<22 base64url characters>`. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIXES[kind]}_[A-Za-z0-9_-]{22}$`);
}

/** Tells a session from an API token by its prefix. */
export function isSessionId(id: CredentialId): id is SessionId {
  return id.startsWith(`${ID_PREFIXES.session}_`);
}

/** Unpadded base64url (RFC 4648 §5) of bytes. */
export function base64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
