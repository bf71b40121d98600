/** What a call into the browser came to. Reasons are closed unions, so every screen can say what to do about each. */
export type Result<T, Reason extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason; readonly detail?: string };

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function failure<Reason extends string>(
  reason: Reason,
  cause?: unknown,
): { readonly ok: false; readonly reason: Reason; readonly detail?: string } {
  return cause === undefined ? { ok: false, reason } : { ok: false, reason, detail: messageOf(cause) };
}

/** The browser's own words for what went wrong; for logs and for telling reasons apart, not for people. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
