/** The closed set of error codes both sides know. The server maps each to one HTTP status in `server/errors.ts`. */
export const ERROR_CODES = [
  "bad_input",
  "unauthenticated",
  "session_ended",
  "step_up_required",
  "second_factor_required",
  "held_for_review",
  "processing_restricted",
  "account_closing",
  "forbidden",
  "not_found",
  "conflict",
  "limit_reached",
  "payment_required",
  "rate_limited",
  "too_large",
  "unsupported_media_type",
  "phone_not_running",
  "phone_unavailable",
  "address_not_allowed",
  "address_unreachable",
  "capability_missing",
  "idempotency_mismatch",
  "version_mismatch",
  "misdirected",
  "unavailable",
  "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * What every failed call carries as `error.data.perch`: a code to branch on, a sentence to show,
 * the request id to quote to support, and where the input was wrong.
 */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number;
}
