/** What the Account screens say of scopes, tokens, standing and what lets somebody in. */
import type { Scope } from "../../../../shared/access.ts";
import type { DecisionView, SecurityOverview, TOKEN_DAYS, TokenView } from "../../../../shared/accounts.ts";
import { calendarDate, timeAgo } from "../../phone/model/run-time.ts";

const DAY_MS = 86_400_000;

export const SCOPE_WORDS = {
  "phones:view": { name: "See phones", detail: "List them, watch their screens, read automations and runs" },
  "phones:control": { name: "Use phones", detail: "Launch, drive, park and remove them, run automations" },
  account: { name: "Account", detail: "Read who you are, your sessions and tokens" },
  team: { name: "Team", detail: "Read the team and its activity, and manage it as far as your role may" },
  billing: { name: "Billing", detail: "Read usage, and what it costs as far as your role may" },
  privacy: { name: "Data", detail: "Read and export what is held about you" },
} as const satisfies Record<Scope, { name: string; detail: string }>;

type TokenDays = (typeof TOKEN_DAYS)[number];
export const TOKEN_DAYS_WORDS = {
  7: "7 days",
  30: "30 days",
  90: "90 days",
  365: "One year",
} as const satisfies Record<TokenDays, string>;

/** When something stops by itself: `ends in 3 days`, `ends in 5 h`, `ended`. */
export function endsWords(at: string, nowMs: number): string {
  const leftMs = Date.parse(at) - nowMs;
  if (leftMs <= 0) return "ended";
  if (leftMs < 3_600_000) return "ends within the hour";
  if (leftMs < 2 * DAY_MS) return `ends in ${Math.round(leftMs / 3_600_000)} h`;
  return `ends in ${Math.round(leftMs / DAY_MS)} days`;
}

export function tokenDetail(token: TokenView, me: string | undefined, nowMs: number): string {
  const parts = [
    token.lastUsedAt === undefined ? "never used" : `used ${timeAgo(token.lastUsedAt, nowMs)}`,
    endsWords(token.expiresAt, nowMs),
    ...(token.createdBy.id === me ? [] : [`by ${token.createdBy.name}`]),
  ];
  return parts.join(" · ");
}

/** What stands between somebody else and the account, in a line. */
export function protectionWords(security: SecurityOverview): { readonly words: string; readonly weak: boolean } {
  const { totp, passkeys, password } = security;
  const parts = [
    ...(password === null ? [] : ["Password"]),
    ...(totp === null ? [] : ["codes from an app"]),
    ...(passkeys.length === 0 ? [] : [passkeys.length === 1 ? "1 passkey" : `${passkeys.length} passkeys`]),
  ];
  if (totp === null && passkeys.length === 0) return { words: "A password alone protects your account", weak: true };
  const words = parts.join(", ");
  return { words: words.charAt(0).toUpperCase() + words.slice(1), weak: false };
}

const DECISION_TITLES = {
  sign_up: { verify_first: "Your account has to be confirmed first", hold: "Your account is held for review" },
  launch: { verify_first: "Starting phones needs a confirmation first", hold: "Starting phones is held for review" },
} as const;

export function decisionTitle({ kind, action }: DecisionView): string {
  if (action === "allow") return "Allowed";
  return kind === "operator" || action === "suspend" ? "Suspended by an operator" : DECISION_TITLES[kind][action];
}

export function decisionState({ state, at }: DecisionView, nowMs: number): { words: string; tone: "warn" | "neutral" } {
  switch (state) {
    case "in_force":
      return { words: `In force since ${calendarDate(at, nowMs)}`, tone: "warn" };
    case "contested":
      return { words: "Contested, being looked at", tone: "warn" };
    case "lifted":
      return { words: "Lifted", tone: "neutral" };
    case "upheld":
      return { words: "Looked at and upheld", tone: "warn" };
  }
}

/** A base32 key in groups of four, as it is easiest to type. */
export function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}
