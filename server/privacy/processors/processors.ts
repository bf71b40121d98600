/**
 * Who processes personal data on the operator's behalf, given the configuration; with embedded defaults nobody. The
 * register is also the list of hosts the server may connect to, see `outbound.ts`.
 */
import type { BillingMode } from "../../../shared/billing/billing.ts";
import type { ProcessorView } from "../../../shared/privacy.ts";
import { PerchError } from "../../errors.ts";
import type { ProcessorErasure } from "../erasure/purge-stores.ts";
import { LONGEST_COPY_DAYS } from "../retention/budget.ts";
import type { ProcessorStatement, ProcessorStatements } from "./processors-file.ts";

export const PROCESSOR_IDS = ["database", "storage", "mail", "stripe", "geelark", "supabase"] as const;
export type ProcessorId = (typeof PROCESSOR_IDS)[number];

export interface Processor {
  readonly id: ProcessorId;
  readonly name: string;
  /** Art. 4(8) GDPR. */
  readonly role: "processor";
  readonly purpose: string;
  readonly region: string;
  /** fideslang data categories it gets. */
  readonly categories: readonly string[];
  readonly agreement: { readonly reference: string; readonly date: string } | undefined;
  readonly retentionDays: number;
  readonly breachContact: string | undefined;
  /** Hosts and ports the server may connect to because of it. */
  readonly contacts: readonly { readonly host: string; readonly port: number }[];
  /** Left out where what it holds goes with our own rows, or by its own retention alone. */
  readonly erasure?: ProcessorErasure;
}

const UNSTATED: ProcessorStatement = { region: "not stated", retentionDays: LONGEST_COPY_DAYS };

export interface ProcessorsConfig {
  readonly SMTP_URL?: string | undefined;
  readonly DATABASE_URL?: string | undefined;
  readonly billingMode?: BillingMode | undefined;
  readonly STRIPE_API_BASE?: string | undefined;
  readonly s3?: { readonly access: { readonly endpoint: string } } | undefined;
  readonly geelark?: { readonly access: { readonly base: string } } | undefined;
  readonly supabase?: { readonly url: string } | undefined;
}

/** Configured, and on another machine: what runs beside the server is the operator's own. */
export function processorsOf(config: ProcessorsConfig, stated: ProcessorStatements = {}): Processor[] {
  const { DATABASE_URL, SMTP_URL, billingMode, STRIPE_API_BASE = "https://api.stripe.com", geelark, s3 } = config;
  const { supabase } = config;
  const made: (Processor | undefined)[] = [
    DATABASE_URL === undefined
      ? undefined
      : processor("database", DATABASE_URL, stated, {
          name: (host) => `PostgreSQL at ${host}`,
          purpose: "keeps the database",
          categories: ["user"],
          port: () => 5432,
        }),
    // What it has to forget goes with `bucketErasure`, also where it is on this machine.
    s3 === undefined
      ? undefined
      : processor("storage", s3.access.endpoint, stated, {
          name: (host) => (host.endsWith(".supabase.co") ? "Supabase Storage" : `File storage at ${host}`),
          purpose: "keeps files: of runs, copies of data, uploads and parked phones, sealed by this server",
          categories: ["user"],
          port: (protocol) => (protocol === "http:" ? 80 : 443),
        }),
    SMTP_URL === undefined
      ? undefined
      : processor("mail", SMTP_URL, stated, {
          name: (host) => `Mail server ${host}`,
          purpose: "delivers mail about your account",
          categories: ["user.contact.email", "user.name"],
          port: (protocol) => (protocol === "smtps:" ? 465 : 587),
        }),
    billingMode !== "stripe"
      ? undefined
      : processor("stripe", STRIPE_API_BASE, stated, {
          name: (host) => (host === "api.stripe.com" ? "Stripe" : `Stripe at ${host}`),
          purpose: "takes payments and sends invoices",
          categories: ["user.contact.email", "user.name", "user.payment", "user.unique_id.pseudonymous"],
          port: (protocol) => (protocol === "http:" ? 80 : 443),
        }),
    // Nothing of its own to forget: each phone is deleted there, and looked at, before it is gone here.
    geelark === undefined
      ? undefined
      : processor("geelark", geelark.access.base, stated, {
          name: (host) => (host === "openapi.geelark.com" ? "GeeLark" : `GeeLark at ${host}`),
          purpose: "runs Android phones in its cloud, with what is on them",
          categories: ["user.content.private", "user.behavior", "user.account.settings"],
          port: (protocol) => (protocol === "http:" ? 80 : 443),
        }),
    // Told to forget by `compose-rights.ts`, on this machine as elsewhere.
    supabase === undefined
      ? undefined
      : processor("supabase", supabase.url, stated, {
          name: (host) => (host.endsWith(".supabase.co") ? "Supabase" : `Supabase at ${host}`),
          purpose: "checks passwords and codes when you sign in",
          categories: ["user.contact.email", "user.authorization", "user.unique_id", "user.device.ip_address"],
          port: (protocol) => (protocol === "http:" ? 80 : 443),
        }),
  ];
  return made.filter((one) => one !== undefined);
}

function processor(
  id: ProcessorId,
  address: string,
  stated: ProcessorStatements,
  about: {
    readonly name: (host: string) => string;
    readonly purpose: string;
    readonly categories: readonly string[];
    readonly port: (protocol: string) => number;
  },
): Processor | undefined {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  // A socket file has no host.
  if (host === "" || isOnThisMachine(host)) return undefined;
  const { name, region, agreement, retentionDays, breachContact } = stated[id] ?? UNSTATED;
  return {
    ...{ id, role: "processor", purpose: about.purpose, categories: about.categories },
    ...{ name: name ?? about.name(host), region, retentionDays, agreement, breachContact },
    contacts: [{ host, port: Number(url.port) || about.port(url.protocol) }],
  };
}

export function isOnThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * @throws PerchError where people from elsewhere are served and a processor has no agreement, or keeps what was deleted
 * for longer than the promise of 30 days leaves it.
 */
export function demandAgreements(processors: readonly Processor[], publicUrl: URL): void {
  const isProduction = publicUrl.protocol === "https:" && !isOnThisMachine(publicUrl.hostname.replace(/^\[|\]$/g, ""));
  if (!isProduction) return;
  const problems = processors.flatMap(({ id, name, agreement, retentionDays }) => [
    ...(agreement === undefined
      ? [`${name} would process personal data without an agreement. Name it in PROCESSORS_FILE under “${id}”.`]
      : []),
    ...(retentionDays > LONGEST_COPY_DAYS
      ? [
          `${name} keeps what was deleted for ${retentionDays} days; people are promised that everything is gone within 30, which leaves a processor ${LONGEST_COPY_DAYS}.`,
        ]
      : []),
  ]);
  if (problems.length > 0) throw new PerchError("bad_input", problems.join("\n"));
}

/** What people read of a processor. */
export function processorView(processor: Processor, lastContactAt: Date | undefined): ProcessorView {
  const { id, name, purpose, region, retentionDays, agreement } = processor;
  const contact = lastContactAt && { lastContactAt: lastContactAt.toISOString() };
  return { id, name, purpose, region, retentionDays, agreement: agreement !== undefined, ...contact };
}
