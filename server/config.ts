/** Configuration: parsed once from the environment, passed in as a value. `.env.example` is generated from this. */
import { isIP } from "node:net";
import { relative, resolve } from "node:path";
import { z } from "zod";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import type { BillingMode } from "../shared/billing/billing.ts";
import { parseEgressAllow } from "./egress/allow.ts";
import { parseAuthority } from "./egress/host.ts";
import { PerchError } from "./errors.ts";
import type { CertificateFiles } from "./http/tls-certificate.ts";
import { ANDROID_VERSIONS, REGIONS } from "./phones/drivers/geelark/catalogue.ts";
import type { GeelarkConfig } from "./phones/drivers/geelark/driver.ts";

/** As what an operator looks at or changes what is somebody's. */
export const OPERATOR_ROLES = ["operator", "support", "privacy", "security", "owner"] as const;

const wholeNumber = (least: number, most: number) => {
  const error = `Write a whole number from ${least} to ${most}.`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= least && value <= most, error);
};
const whole = (fallback: number, least: number, most: number) => wholeNumber(least, most).default(fallback);
const minutes = (fallback: number) => whole(fallback, 1, 60 * 24 * 30);
const count = (fallback: number, most: number) => whole(fallback, 1, most);
const address = (protocol: RegExp, like: string) => z.url({ protocol, error: `Write an address like ${like}.` });
const origin = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      /^https?:$/.test(new URL(text).protocol) &&
      new URL(text).href === `${new URL(text).origin}/`,
    "Write only scheme, host and port, like https://perch.example.",
  )
  .transform((text) => new URL(text).origin);

/** Every variable with the line that explains it. Order is the order in `.env.example`. */
const VARIABLES = {
  PORT: { schema: whole(8787, 0, 65535), about: "Port to listen on." },
  HOST: {
    schema: z.string().default("127.0.0.1"),
    about: "Address to listen on. Anything but loopback needs an https PUBLIC_URL.",
  },
  PUBLIC_URL: {
    schema: origin.optional(),
    about: "Where people reach the server. Default: http://localhost:PORT, https with TLS_CERT_FILE.",
  },
  TLS_CERT_FILE: {
    schema: z.string().min(1).optional(),
    about:
      "Certificate chain in PEM: the server itself then serves https, TLS 1.3. Renewed files are taken up by themselves.",
  },
  TLS_KEY_FILE: { schema: z.string().min(1).optional(), about: "Private key in PEM of TLS_CERT_FILE." },
  DATA_DIR: { schema: z.string().min(1).default("./data"), about: "Folder for the database and the phones." },
  KEY_FILE: {
    schema: z.string().min(1).optional(),
    about: "File with the encryption key, outside DATA_DIR. Made on first start. Default: DATA_DIR.key.",
  },
  BACKUP_DIR: {
    schema: z.string().min(1).optional(),
    about: "Folder for backups, on another disk if there is one. Default: DATA_DIR.backups.",
  },
  BACKUP_DAYS: {
    schema: whole(14, 1, 14),
    about: "Backups older than this are removed: 14 at most, because what people had erased is in them.",
  },
  DATABASE_URL: {
    schema: address(/^postgres(ql)?$/, "postgres://user:password@host/database").optional(),
    about: "PostgreSQL instead of the embedded SQLite: postgres://user:password@host/database.",
  },
  CHROME_PATH: { schema: z.string().min(1).optional(), about: "Browser for web phones instead of the bundled one." },
  PHONE_SANDBOX: {
    schema: z.enum(["on", "off"], { error: "Write on or off." }).default("on"),
    about: "off runs phone browsers without Chromium's sandbox. Only where the system cannot do it.",
  },
  EGRESS_ALLOW: {
    schema: z.string().default("").transform(egressAllow),
    about: "Private addresses phones may reach all the same, as host:port,host:port.",
  },
  EXTENSION_IDS: {
    schema: z
      .string()
      .regex(/^([a-p]{32}(,[a-p]{32})*)?$/, "Chrome extension ids are 32 letters a to p, separated by commas.")
      .default(CHROME_EXTENSION_ID)
      .transform((ids) => ids.split(",").filter(Boolean)),
    about: "Ids of Chrome extensions that may connect.",
  },
  TRUSTED_PROXIES: {
    schema: z
      .string()
      .default("")
      .transform((list) =>
        list
          .split(",")
          .map((ip) => ip.trim())
          .filter(Boolean),
      )
      .refine((list) => list.every((ip) => isIP(ip) !== 0), "Write IP addresses, separated by commas."),
    about: "Addresses of proxies whose X-Forwarded-For is believed.",
  },
  PHONES_PER_TEAM: {
    schema: wholeNumber(1, 10_000).optional(),
    about:
      "Most phones a team may keep, whatever its plan. Default: what the plan has room for; 10 where nobody is billed.",
  },
  RUNNING_PER_TEAM: {
    schema: wholeNumber(1, 1_000).optional(),
    about:
      "Most phones a team may run at once, whatever its plan. Default: what the plan says; 4 where nobody is billed.",
  },
  RUNNING_PHONES: { schema: count(20, 10_000), about: "Most web phones this machine runs at once." },
  MOVING_PHONES: {
    schema: count(6, 1_000),
    about: "Most watched, moving web phones before this machine takes no more.",
  },
  IDLE_MINUTES: { schema: minutes(30), about: "A phone nobody uses is parked after this long." },
  LONGEST_SESSION_MINUTES: { schema: minutes(720), about: "A phone is parked after running this long." },
  PHONE_MEMORY_MB: { schema: count(1024, 65_536), about: "Most memory one phone may use." },
  PHONE_DISK_MB: { schema: count(512, 65_536), about: "Most disk one phone may use." },
  WARM_PHONES: {
    schema: z
      .enum(["0", "1"], { error: "Write 0 or 1." })
      .default("1")
      .transform((text): 0 | 1 => (text === "1" ? 1 : 0)),
    about: "Phones kept ready for an instant launch: 0 or 1.",
  },
  SMTP_URL: {
    schema: address(/^smtps?$/, "smtps://user:password@host").optional(),
    about: "Mail server, smtps://user:password@host. Without it mail is shown at /mail on this machine.",
  },
  MAIL_FROM: { schema: z.string().default("Perch <no-reply@localhost>"), about: "Sender of mail." },
  BILLING: {
    schema: z.enum(["auto", "sandbox", "off"], { error: "Write auto, sandbox or off." }).default("auto"),
    about:
      "auto: Stripe where STRIPE_SECRET_KEY is set, else a sandbox without money on this machine and off in public. Or sandbox, off.",
  },
  STRIPE_SECRET_KEY: {
    schema: z
      .string()
      .regex(
        /^(sk|rk)_(test|live)_\w{8,}$/,
        "Write a secret or restricted key of Stripe: sk_test_…, sk_live_…, rk_test_… or rk_live_….",
      )
      .optional(),
    about: "Stripe's secret key, better a restricted one: sk_… or rk_….",
  },
  STRIPE_WEBHOOK_SECRET: {
    schema: z
      .string()
      .default("")
      .transform((list) => list.split(",").map((one) => one.trim()))
      .transform((list) => list.filter(Boolean))
      .refine((list) => list.every((one) => /^whsec_\S{8,}$/.test(one)), "Write whsec_…, several with commas between."),
    about: "Signing secret of the webhook at PUBLIC_URL/webhooks/stripe; while it is changed, both, with a comma.",
  },
  STRIPE_API_BASE: {
    schema: origin.optional(),
    about: "Another address for Stripe's API, as for tests. Default: https://api.stripe.com.",
  },
  STRIPE_TAX: {
    schema: z.enum(["on", "off"], { error: "Write on or off." }).default("off"),
    about: "on: Stripe Tax works out taxes and asks for tax ids. Needs registrations in Stripe.",
  },
  STRIPE_METER: {
    schema: z
      .string()
      .regex(/^[\w.-]{1,100}$/, "Write the event name of a meter: letters, digits, dots, hyphens.")
      .optional(),
    about: "Event name of a Stripe meter that gets each team's minutes by the hour, for reports alone.",
  },
  REGION: {
    schema: z
      .string()
      .regex(/^[\w-]{1,20}$/, "Use up to 20 letters, digits and hyphens.")
      .default("local"),
    about: "Where this server stands, as anonymised counts name it: eu-central, say.",
  },
  INACTIVE_MONTHS: {
    schema: z.coerce.number().int().min(0).max(120).default(24),
    about: "An account nobody signs in to for this long is deleted, after three notices. 0: never.",
  },
  SUPPORT_EMAIL: {
    schema: z.email({ error: "Write an e-mail address." }).optional(),
    about: "Support address shown beside the support form; alarms about incidents go there too.",
  },
  OPERATOR_ROLE: {
    schema: z
      .enum(OPERATOR_ROLES, {
        error: "Write operator, support, privacy, security or owner.",
      })
      .default("operator"),
    about: "As what admin commands are run, shown to whose data they read; --role says it for one command.",
  },
  ADB_SERVER: {
    schema: z
      .string()
      .default("127.0.0.1:5037")
      .transform((text, context) => (text === "off" ? undefined : hostAndPort(text, context))),
    about:
      "ADB server whose Android devices can be phones, as host:port, or off. It is never started or stopped from here.",
  },
  ANDROID_IMAGES: {
    schema: z.string().min(1).optional(),
    about:
      "JSON with the Android images phones in containers are made of; see docs/android-hosts.md. Unset: there are none.",
  },
  DOCKER_HOST: {
    schema: z.string().min(1).optional(),
    about:
      "Docker Engine that runs phones in containers: unix:///var/run/docker.sock, or tcp://host:2376. More: npm run admin -- hosts add.",
  },
  DOCKER_CERT_PATH: {
    schema: z.string().min(1).optional(),
    about: "Folder with ca.pem, cert.pem and key.pem for DOCKER_HOST, where that is another machine.",
  },
  DOCKER_PHONES: { schema: count(4, 1_000), about: "Phones the machine of DOCKER_HOST keeps, parked ones too." },
  KUBERNETES_CONFIG: {
    schema: z.string().min(1).optional(),
    about:
      "Kubernetes cluster that runs phones as pods: a kubeconfig file, or cluster where this server is a pod of it. See docs/deploy.md.",
  },
  KUBERNETES_NAMESPACE: {
    schema: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "Write the name of a namespace: small letters, digits, hyphens.")
      .default("perch-phones"),
    about: "Namespace for phones and nothing else, made by deploy/kubernetes/phones.yaml.",
  },
  KUBERNETES_PHONES: { schema: count(100, 10_000), about: "Phones the cluster keeps, parked ones too." },
  KUBERNETES_NODES: {
    schema: z.string().default("perch.phones=yes").transform(nodeLabels),
    about: "Labels of the cluster's nodes that phones may be put on, as name=value,name=value.",
  },
  KUBERNETES_STORAGE_CLASS: {
    schema: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "Write the name of a storage class.")
      .optional(),
    about: "Storage class for what phones store, encrypted, with reclaimPolicy Delete. Default: the cluster's.",
  },
  KUBERNETES_DISK_GB: { schema: count(16, 10_000), about: "Disk each phone of the cluster gets." },
  ANDROID_DEVICES: {
    schema: z.enum(["registered", "discovered"], { error: "Write registered or discovered." }).default("registered"),
    about:
      "registered: only devices added with npm run admin -- android add are phones. discovered: all of the ADB server's.",
  },
  SCRCPY_SERVER_PATH: {
    schema: z.string().min(1).optional(),
    about: "The file scrcpy-server of scrcpy 3.3.3, for live video of Android phones. Without it they show pictures.",
  },
  SCRCPY_SERVER_SHA256: {
    schema: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, "Write the 64 hexadecimal digits that sha256sum prints.")
      .transform((text) => text.toLowerCase())
      .optional(),
    about: "SHA-256 of SCRCPY_SERVER_PATH where it is a build of your own. That of the release is known.",
  },
  GEELARK_APP_ID: {
    schema: z
      .string()
      .regex(/^\w{8,64}$/, "Write the appId of your team at GeeLark.")
      .optional(),
    about: "Cloud phones of GeeLark: the appId of your team there, with GEELARK_API_KEY and GEELARK_PROXY.",
  },
  GEELARK_API_KEY: {
    schema: z
      .string()
      .regex(/^\w{16,128}$/, "Write the API key of your team at GeeLark.")
      .optional(),
    about: "The API key that belongs to GEELARK_APP_ID. Calls are signed with it; it is never sent.",
  },
  GEELARK_TOKEN: {
    schema: z
      .string()
      .regex(/^\S{16,2000}$/, "Write the API token of GeeLark's client, without blanks.")
      .optional(),
    about: "GeeLark's API token, instead of GEELARK_APP_ID and GEELARK_API_KEY, or where its webhooks come with it.",
  },
  GEELARK_API_BASE: {
    schema: origin.default("https://openapi.geelark.com"),
    about: "Another address for GeeLark's API, as of npm run partner:emulator.",
  },
  GEELARK_MODELS: {
    schema: z
      .string()
      .default("android-14")
      .transform((text) => text.split(",").map((one) => one.trim().replace(/^android-/, "")))
      .pipe(
        z
          .array(z.enum(ANDROID_VERSIONS, { error: `Write android-${ANDROID_VERSIONS.join(", android-")}, or some.` }))
          .min(1),
      ),
    about: "Androids phones at GeeLark are made of, the usual one first: android-14,android-13.",
  },
  GEELARK_REGION: {
    schema: z.enum(REGIONS, { error: `Write ${REGIONS.join(" or ")}.` }).optional(),
    about: "Where phones at GeeLark stand: sgp is Singapore, cn is China. Default: GeeLark's own choice.",
  },
  GEELARK_PROXY: {
    schema: z
      .string()
      .regex(
        /^(\d{1,9}|(socks5|https?):\/\/\S{1,500})$/,
        "Write the number of a proxy saved at GeeLark, or socks5://….",
      )
      .optional(),
    about:
      "Through which phones at GeeLark reach the internet: the number of a proxy saved there. It makes none without.",
  },
  PROCESSORS_FILE: {
    schema: z.string().min(1).optional(),
    about: "JSON with region, agreement and retention of who processes data for you; see docs/privacy/processors.md.",
  },
} as const;

function egressAllow(text: string, context: z.RefinementCtx) {
  try {
    return parseEgressAllow(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
}

function nodeLabels(text: string, context: z.RefinementCtx): Readonly<Record<string, string>> {
  const pairs = text
    .split(",")
    .filter(Boolean)
    .map((pair) => pair.trim().split("="));
  const isLabel = ([name = "", value, ...more]: readonly string[]) =>
    /^[\w./-]{1,200}$/.test(name) && /^[\w.-]{0,63}$/.test(value ?? " ") && more.length === 0;
  if (pairs.every(isLabel)) return Object.fromEntries(pairs);
  context.addIssue({ code: "custom", message: "Write labels like perch.phones=yes, separated by commas." });
  return z.NEVER;
}

function hostAndPort(text: string, context: z.RefinementCtx) {
  const target = parseAuthority(text);
  if (target !== undefined && target.port !== 0) return { host: target.host, port: target.port };
  context.addIssue({ code: "custom", message: "Write host:port, like 127.0.0.1:5037, or off." });
  return z.NEVER;
}

type Variables = { [Name in keyof typeof VARIABLES]: z.output<(typeof VARIABLES)[Name]["schema"]> };

/** Variables of later features: known, so that setting one is not an error, and told about at start. */
const LATER = ["SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY", "S3_ENDPOINT"] as const;
/** Prefixes of our own names: a name that starts so and is not known is a spelling mistake. */
const OWN_PREFIXES = [
  "PHONE_",
  "PHONES_",
  "RUNNING_",
  "EGRESS_",
  "IDLE_",
  "KEY_FILE",
  "PERCH_",
  "DATABASE_URL",
  "MAIL_",
  "SMTP_",
  "MOVING_",
  "LONGEST_",
  "WARM_",
  "TRUSTED_",
  "EXTENSION_",
  "TLS_",
  "BACKUP_",
  "PROCESSORS_",
  "INACTIVE_",
  "OPERATOR_",
  "BILLING",
  "STRIPE_",
  "SCRCPY_",
  "GEELARK_",
  // "ANDROID_" and "ADB_" alone are other programs' too: ANDROID_HOME, ADB_SERVER_SOCKET.
  "ANDROID_DEVICE",
  "ANDROID_IMAGE",
  "DOCKER_PHONE",
];

export interface Config
  extends Omit<Variables, "PUBLIC_URL" | "KEY_FILE" | "BACKUP_DIR" | "TLS_CERT_FILE" | "TLS_KEY_FILE"> {
  readonly publicUrl: URL;
  readonly keyFile: string;
  readonly backupDir: string;
  /** Set when the server itself serves https. */
  readonly certificate: CertificateFiles | undefined;
  /** How bills are sent: through Stripe, to a sandbox on this machine, or not at all. */
  readonly billingMode: BillingMode;
  /** Set where phones of the cloud-phone partner can be had. */
  readonly geelark: GeelarkConfig | undefined;
  /** Set variables that this version does not use yet. */
  readonly notUsedYet: readonly string[];
}

/** Parses the environment. Throws `PerchError` that names each bad variable, why, and what to write. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries(VARIABLES)) {
    const raw = env[name]?.trim() || undefined;
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${name}: ${parsed.error.issues[0]?.message ?? "not valid"}`);
  }
  for (const name of Object.keys(env)) {
    if (name in VARIABLES || !OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) || name.startsWith("PERCH_E2E"))
      continue;
    problems.push(`${name}: there is no such setting. The known ones are in .env.example.`);
  }
  if (problems.length > 0) {
    throw new PerchError(
      "bad_input",
      `These settings need a correction:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
  return complete(asVariables(values), env);
}

/** Each value was parsed by its own schema just before. */
function asVariables(values: Record<string, unknown>): Variables {
  return values as Variables;
}

/** What a team may have where no plan says it. */
const UNBILLED_PHONES = { kept: 10, running: 4 } as const;
const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

function complete(values: Variables, env: Readonly<Record<string, string | undefined>>): Config {
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
    notUsedYet: LATER.filter((name) => env[name] !== undefined && env[name] !== ""),
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

/** One line about billing for the start of the server. */
export function billingLine({ billingMode: mode, STRIPE_SECRET_KEY: key, publicUrl }: Config): string {
  if (mode === "off") return "Billing is off: nobody pays, and phones run within the plan everybody has.";
  if (mode === "sandbox") return "Billing is a sandbox on this machine: no money moves. Set STRIPE_SECRET_KEY to bill.";
  const isTest = key?.includes("_test_") ?? false;
  if (!isTest) return "Billing goes through Stripe.";
  const public_ = publicUrl.protocol === "https:" && !LOOPBACK.has(publicUrl.hostname);
  return `Billing goes through Stripe's test mode: no money moves${public_ ? ", though people reach this server" : ""}.`;
}

function certificateOf(certFile: string | undefined, keyFile: string | undefined): CertificateFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const missing = certFile === undefined ? "TLS_CERT_FILE" : "TLS_KEY_FILE";
    throw new PerchError("bad_input", `${missing} is missing. TLS needs both, the certificate and its key.`);
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

/** The text of `.env.example`. */
export function envExample(): string {
  const lines = Object.entries(VARIABLES).map(([name, { schema, about }]) => {
    const fallback = schema.safeParse(undefined);
    const shown =
      fallback.success && (typeof fallback.data === "string" || typeof fallback.data === "number") ? fallback.data : "";
    return `# ${about}\n#${name}=${shown}`;
  });
  const later = LATER.map((name) => `#${name}=`);
  return `# Settings of the Perch server. Every line is optional; copy to .env and change what you need.\n\n${lines.join("\n")}\n\n# Known, but not used by this version yet.\n${later.join("\n")}\n`;
}
