/**
 * The server's side of AWS Signature Version 4, written from the Amazon S3 API Reference ("Signature Calculations for the
 * Authorization Header", "Authenticating Requests: Using Query Parameters"), whose examples `sigv4.test.ts` checks it with.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface SignedRequest {
  readonly method: string;
  /** As it came: path and query, percent-encoded. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const MOST_SKEW_MS = 15 * 60_000;

/** What S3 calls the fault; undefined for a good request. */
export function faultOf(request: SignedRequest, keys: Keys, now: number): string | undefined {
  const [path = "/", search = ""] = request.target.split("?", 2);
  const query = pairsOf(search);
  const asked = new Map(query);
  const presigned = asked.has("X-Amz-Algorithm");
  const header = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    request.headers["authorization"] ?? "",
  );
  if (!presigned && header === null) return "AccessDenied";
  const [credential, signedHeaders, signature, date] = presigned
    ? ["X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"].map((name) => asked.get(name) ?? "")
    : [header?.[1], header?.[2], header?.[3], request.headers["x-amz-date"]];
  const [accessKeyId, day, region, service, end] = (credential ?? "").split("/");
  if (accessKeyId !== keys.accessKeyId) return "InvalidAccessKeyId";
  if (service !== "s3" || end !== "aws4_request" || region !== keys.region || !(date ?? "").startsWith(day ?? "-")) {
    return "AuthorizationHeaderMalformed";
  }
  const at = momentOf(date ?? "");
  if (presigned) {
    const lasts = Number(asked.get("X-Amz-Expires"));
    if (!(lasts >= 1 && lasts <= 604_800)) return "AuthorizationQueryParametersError";
    if (now > at + lasts * 1000 || now < at - MOST_SKEW_MS) return "AccessDenied";
  } else if (Number.isNaN(at) || Math.abs(now - at) > MOST_SKEW_MS) return "RequestTimeTooSkewed";
  const names = (signedHeaders ?? "").split(";");
  if (!names.includes("host")) return "AccessDenied";
  // Every x-amz- header that is sent has to be signed.
  if (Object.keys(request.headers).some((name) => name.startsWith("x-amz-") && !names.includes(name)))
    return "AccessDenied";
  const payload = presigned ? "UNSIGNED-PAYLOAD" : (request.headers["x-amz-content-sha256"] ?? "");
  const canonical = [
    request.method,
    path,
    query
      .filter(([name]) => name !== "X-Amz-Signature")
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${(request.headers[name] ?? "").trim().replaceAll(/ +/g, " ")}`),
    "",
    names.join(";"),
    payload,
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const digest = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, digest].join("\n");
  const key = [day ?? "", keys.region, "s3", "aws4_request"].reduce<Buffer>(
    (before, part) => hmac(before, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  );
  const right = hmac(key, toSign);
  const given = Buffer.from(signature ?? "", "hex");
  return right.length === given.length && timingSafeEqual(right, given) ? undefined : "SignatureDoesNotMatch";
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function pairsOf(search: string): [string, string][] {
  return search
    .split("&")
    .filter(Boolean)
    .map((pair) => {
      const [name = "", value = ""] = pair.split("=", 2);
      return [decodeURIComponent(name), decodeURIComponent(value.replaceAll("+", " "))];
    });
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function momentOf(date: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}
