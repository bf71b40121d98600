/** What takes more than one variable: defaults that hang on others, and combinations that do not fit. */
import { relative, resolve } from "node:path";
import type { BillingMode } from "../../shared/billing/billing.ts";
import { PerchError } from "../errors.ts";
import type { S3Access } from "../files/s3-client.ts";
import type { CertificateFiles } from "../http/tls-certificate.ts";
import type { GeelarkConfig } from "../phones/drivers/geelark/driver.ts";
import type { Variables } from "./variables.ts";

export interface Config
  extends Omit<
    Variables,
    "PUBLIC_URL" | "KEY_FILE" | "BACKUP_DIR" | "TLS_CERT_FILE" | "TLS_KEY_FILE" | `S3_${string}`
  > {
  readonly publicUrl: URL;
  readonly keyFile: string;
  readonly backupDir: string;
  /** Set when the server itself serves https. */
  readonly certificate: CertificateFiles | undefined;
  /** How bills are sent: through Stripe, to a sandbox on this machine, or not at all. */
  readonly billingMode: BillingMode;
  /** Set where phones of the cloud-phone partner can be had. */
  readonly geelark: GeelarkConfig | undefined;
  /** Set where files go to a bucket. */
  readonly s3: S3Config | undefined;
  /** Set where people sign in through a Supabase project. */
  readonly supabase: SupabaseConfig | undefined;
  /** What works and is probably not meant, a sentence each. */
  readonly warnings: readonly string[];
}

export interface S3Config {
  readonly access: S3Access;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
}

export interface SupabaseConfig {
  /** Scheme, host and port. */
  readonly url: string;
  readonly serviceKey: string;
  readonly anonKey: string;
  /** Supabase believes only its newer secret keys about whose address a sign-in comes from. */
  readonly passesAddress: boolean;
}

/** What a team may have where no plan says it. */
const UNBILLED_PHONES = { kept: 10, running: 4 } as const;
export const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/** What several settings say together, or why they do not fit. */
export function complete(values: Variables, warnings: readonly string[]): Config {
  const { PUBLIC_URL, KEY_FILE, BACKUP_DIR, TLS_CERT_FILE, TLS_KEY_FILE, ...rest } = values;
  const certificate = certificateOf(TLS_CERT_FILE, TLS_KEY_FILE);
  const publicUrl = new URL(PUBLIC_URL ?? `${certificate === undefined ? "http" : "https"}://localhost:${values.PORT}`);
  if (certificate !== undefined && publicUrl.protocol !== "https:") {
    throw new PerchError(
      "bad_input",
      "With TLS_CERT_FILE the server speaks https only. Set PUBLIC_URL to its https address.",
    );
  }
  if (!LOOPBACK.has(values.HOST) && (publicUrl.protocol !== "https:" || PUBLIC_URL === undefined)) {
    throw new PerchError(
      "bad_input",
      `HOST ${values.HOST} can be reached by others, so people must come through TLS: set TLS_CERT_FILE and TLS_KEY_FILE, or put a proxy with TLS 1.3 in front, and set PUBLIC_URL to the https address.`,
    );
  }
  const { OTEL_EXPORTER_OTLP_ENDPOINT: collector } = values;
  if (collector?.startsWith("http:") && !LOOPBACK.has(new URL(collector).hostname)) {
    throw new PerchError("bad_input", "OTEL_EXPORTER_OTLP_ENDPOINT must be https, unless it is on this machine.");
  }
  if (values.DATABASE_DIRECT_URL !== undefined && values.DATABASE_URL === undefined) {
    throw new PerchError(
      "bad_input",
      "DATABASE_DIRECT_URL is set without DATABASE_URL. Set both, or DATABASE_URL alone.",
    );
  }
  const dataDir = resolve(values.DATA_DIR);
  const keyFile = resolve(KEY_FILE ?? `${dataDir}.key`);
  if (!relative(dataDir, keyFile).startsWith("..")) {
    throw new PerchError(
      "bad_input",
      "KEY_FILE stands inside DATA_DIR. Keep the key outside, so that a copy of the data is worth nothing alone.",
    );
  }
  const mode = billingMode(values, publicUrl);
  return {
    ...rest,
    PHONES_PER_TEAM: rest.PHONES_PER_TEAM ?? (mode === "off" ? UNBILLED_PHONES.kept : undefined),
    RUNNING_PER_TEAM: rest.RUNNING_PER_TEAM ?? (mode === "off" ? UNBILLED_PHONES.running : undefined),
    DATA_DIR: dataDir,
    publicUrl,
    keyFile,
    backupDir: resolve(BACKUP_DIR ?? `${dataDir}.backups`),
    certificate,
    billingMode: mode,
    geelark: geelarkOf(values),
    s3: s3Of(values),
    supabase: supabaseOf(values),
    warnings,
  };
}

/** A sandbox where nobody else can reach it; in public only Stripe itself, or no bills. */
function billingMode(
  values: Pick<Variables, "BILLING" | "STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET" | "STRIPE_API_BASE">,
  publicUrl: URL,
): BillingMode {
  const { BILLING, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE } = values;
  if (BILLING === "off") return "off";
  const isHere = LOOPBACK.has(publicUrl.hostname.replace(/^\[|\]$/g, ""));
  if (BILLING === "sandbox") {
    if (isHere) return "sandbox";
    throw new PerchError(
      "bad_input",
      "BILLING is sandbox, where no money moves, and PUBLIC_URL can be reached by others. Set STRIPE_SECRET_KEY and BILLING=auto, or BILLING=off.",
    );
  }
  if (STRIPE_SECRET_KEY === undefined) return isHere ? "sandbox" : "off";
  if (STRIPE_WEBHOOK_SECRET.length === 0) {
    throw new PerchError(
      "bad_input",
      "STRIPE_SECRET_KEY is set and STRIPE_WEBHOOK_SECRET is not, so what Stripe tells could not be believed. Set it, or BILLING=off.",
    );
  }
  if (STRIPE_API_BASE?.startsWith("http:") && !LOOPBACK.has(new URL(STRIPE_API_BASE).hostname)) {
    throw new PerchError("bad_input", "STRIPE_API_BASE must be https, unless it is on this machine.");
  }
  return "stripe";
}

function geelarkOf(values: Variables): GeelarkConfig | undefined {
  const { GEELARK_APP_ID: appId, GEELARK_API_KEY: apiKey, GEELARK_TOKEN: token, GEELARK_PROXY: proxy } = values;
  const { GEELARK_API_BASE: base, GEELARK_MODELS: versions, GEELARK_REGION: region } = values;
  if (appId === undefined && apiKey === undefined && token === undefined) {
    if (proxy === undefined) return undefined;
    throw new PerchError(
      "bad_input",
      "GEELARK_PROXY is set and no key is. Set GEELARK_APP_ID and GEELARK_API_KEY, or GEELARK_TOKEN.",
    );
  }
  if ((appId === undefined) !== (apiKey === undefined)) {
    const missing = appId === undefined ? "GEELARK_APP_ID" : "GEELARK_API_KEY";
    throw new PerchError(
      "bad_input",
      `${missing} is missing. Calls to GeeLark are signed with both, the id and its key.`,
    );
  }
  if (proxy === undefined) {
    throw new PerchError(
      "bad_input",
      "GEELARK_PROXY is missing. GeeLark makes no phone without a proxy: save one in its client and write its number.",
    );
  }
  if (base.startsWith("http:") && !LOOPBACK.has(new URL(base).hostname)) {
    throw new PerchError("bad_input", "GEELARK_API_BASE must be https, unless it is on this machine.");
  }
  const key = appId === undefined || apiKey === undefined ? undefined : { appId, apiKey };
  return { access: { base, key, token }, versions, region, proxy };
}

function certificateOf(certFile: string | undefined, keyFile: string | undefined): CertificateFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const missing = certFile === undefined ? "TLS_CERT_FILE" : "TLS_KEY_FILE";
    throw new PerchError("bad_input", `${missing} is missing. TLS needs both, the certificate and its key.`);
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

function s3Of(values: Variables): S3Config | undefined {
  const { S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket, S3_PREFIX: prefix } = values;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  const needed = { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_ACCESS_KEY_ID: accessKeyId };
  const missing = Object.entries({ ...needed, S3_SECRET_ACCESS_KEY: secretAccessKey }).filter(([, value]) => !value);
  if (missing.length === 4) return undefined;
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) {
    const names = missing.map(([name]) => name).join(", ");
    throw new PerchError(
      "bad_input",
      `${names} missing. Files go to S3 with all of S3_ENDPOINT, S3_BUCKET and its key.`,
    );
  }
  const url = new URL(endpoint);
  if (url.protocol === "http:" && !LOOPBACK.has(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new PerchError("bad_input", "S3_ENDPOINT must be https, unless it is on this machine.");
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new PerchError(
      "bad_input",
      "S3_ENDPOINT has only scheme, host, port and path. Keys have settings of their own.",
    );
  }
  const access = { endpoint, region, bucket, accessKeyId, secretAccessKey };
  return { access, prefix: prefix === "" ? "" : `${prefix}/` };
}

function supabaseOf(values: Variables): SupabaseConfig | undefined {
  const { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: serviceKey, SUPABASE_ANON_KEY: anonKey } = values;
  if (url === undefined && serviceKey === undefined && anonKey === undefined) return undefined;
  if (url === undefined || serviceKey === undefined || anonKey === undefined) {
    const missing = Object.entries({
      SUPABASE_URL: url,
      SUPABASE_SERVICE_ROLE_KEY: serviceKey,
      SUPABASE_ANON_KEY: anonKey,
    })
      .filter(([, value]) => value === undefined)
      .map(([name]) => name);
    throw new PerchError(
      "bad_input",
      `Sign-in through Supabase needs ${missing.join(" and ")} as well. See docs/supabase.md.`,
    );
  }
  if (url.startsWith("http:") && !LOOPBACK.has(new URL(url).hostname)) {
    throw new PerchError("bad_input", "SUPABASE_URL must be https, unless it is on this machine.");
  }
  if (serviceKey === anonKey) {
    throw new PerchError(
      "bad_input",
      "SUPABASE_SERVICE_ROLE_KEY and SUPABASE_ANON_KEY are the same. They are two keys.",
    );
  }
  return { url, serviceKey, anonKey, passesAddress: serviceKey.startsWith("sb_secret_") };
}
