/**
 * How calls to the partner are signed, and how its own are known: a token, or an id with a key that never leaves this machine
 * (GeeLark OpenAPI, "Request Instructions"; webhooks are signed the same way, "Webhook Instruction").
 */
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";

export interface GeelarkAccess {
  /** Origin of its interface. */
  readonly base: string;
  /** Signs calls where it is set: unlike a token the key is not sent. */
  readonly key: { readonly appId: string; readonly apiKey: string } | undefined;
  readonly token: string | undefined;
}

const NONCE_LENGTH = 6;
/** A signed message of the partner may be this old, or this early. */
const TOLERANCE_MS = 10 * 60_000;
/** An id of a call: a UUID, with or without dashes. */
const TRACE = /^[0-9a-f-]{32,36}$/i;

/** Upper-case hexadecimal SHA-256 of the parts one after the other. */
export function signature(of: { appId: string; traceId: string; ts: string; nonce: string; apiKey: string }): string {
  const { appId, traceId, ts, nonce, apiKey } = of;
  return createHash("sha256").update(`${appId}${traceId}${ts}${nonce}${apiKey}`).digest("hex").toUpperCase();
}

/** The headers of one call. */
export function signedHeaders({ key, token }: GeelarkAccess, now: number): Readonly<Record<string, string>> {
  const traceId = randomUUID();
  if (key === undefined) return { traceId, Authorization: `Bearer ${token ?? ""}` };
  const [ts, nonce] = [String(now), traceId.slice(0, NONCE_LENGTH)];
  return { appId: key.appId, traceId, ts, nonce, sign: signature({ ...key, traceId, ts, nonce }) };
}

/**
 * Whether headers are the partner's, by either scheme that is set up. `Bearer: <token>` is how its page on webhooks writes
 * what its page on calls writes as `Bearer <token>`. The body is not signed, so what it says is only a hint.
 */
export function isSigned(
  { key, token }: GeelarkAccess,
  header: (name: string) => string | undefined,
  now: number,
): boolean {
  const traceId = header("traceId") ?? "";
  const bearer = /^Bearer:? +(\S{1,2000})$/i.exec(header("Authorization") ?? "")?.[1];
  if (bearer !== undefined) return token !== undefined && TRACE.test(traceId) && isSame(bearer, token);
  const [appId, ts, nonce, sign] = ["appId", "ts", "nonce", "sign"].map((name) => header(name) ?? "");
  if (key === undefined || appId === undefined || ts === undefined || nonce === undefined || sign === undefined) {
    return false;
  }
  const isRecent = /^\d{13}$/.test(ts) && Math.abs(now - Number(ts)) <= TOLERANCE_MS;
  const fits = TRACE.test(traceId) && isSame(appId, key.appId);
  const isGood = isSame(sign, signature({ ...key, traceId, ts, nonce }));
  return isGood && fits && isRecent;
}

/** In a time that tells nothing, lengths included. */
function isSame(given: string, right: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(right));
}
