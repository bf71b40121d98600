/** Domain errors: services throw these; `base.router.ts` and `http/` turn them into answers in one place each. */
import type { ErrorCode } from "../shared/errors.ts";

export interface ErrorDetails {
  readonly fields?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** An error a person may read: `message` is a sentence that says what happened and what to do. */
export class PerchError extends Error {
  override readonly name = "PerchError";
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.fields = details.fields;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** A domain error, also one that a query failed with: drizzle-orm wraps what its driver throws. */
export function domainErrorOf(error: unknown): PerchError | undefined {
  const at = error instanceof Error && error.message.startsWith("Failed query") ? error.cause : error;
  return at instanceof PerchError ? at : undefined;
}

export const HTTP_STATUS = {
  bad_input: 400,
  unauthenticated: 401,
  session_ended: 401,
  step_up_required: 403,
  second_factor_required: 403,
  held_for_review: 403,
  processing_restricted: 403,
  account_closing: 403,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  limit_reached: 409,
  payment_required: 402,
  rate_limited: 429,
  too_large: 413,
  unsupported_media_type: 415,
  phone_not_running: 409,
  phone_unavailable: 503,
  address_not_allowed: 403,
  address_unreachable: 502,
  capability_missing: 400,
  idempotency_mismatch: 409,
  version_mismatch: 426,
  misdirected: 421,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** The only sentence an unexpected error ever shows; the request id is appended by the caller. */
export const INTERNAL_MESSAGE =
  "Something went wrong on the server. Try again; if it keeps happening, send us the request id.";
