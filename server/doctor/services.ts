/** What the server leans on: database, mail, Stripe, backups, traces, and whether clocks agree. */
import { existsSync } from "node:fs";
import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lookAtSupabase } from "../accounts/supabase/look.ts";
import { readVerified } from "../backup/verify.ts";
import { lookAtStripe } from "../billing/stripe/look.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { databaseFile } from "../db/database-file.ts";
import { lookAtPostgres, shippedMigrations } from "../db/look.ts";
import { demandFits } from "../db/sqlite.ts";
import { lacksTls13 } from "../egress/tls-version.ts";
import { lookAtBucket } from "../files/look.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { checkSmtp } from "../mail/smtp.ts";
import { projectRoot } from "../paths.ts";
import { fail, ok, sentenceOf, type Verdict, warn } from "./diagnosis.ts";
import { takesConnections } from "./reach.ts";

/** What another clock said, and ours at that moment. */
export interface HeardClock {
  readonly of: string;
  readonly theirs: number;
  readonly ours: number;
}

export async function databaseVerdict(
  config: Config,
  clock: Clock,
  heard: (one: HeardClock) => void,
): Promise<Verdict> {
  if (config.DATABASE_URL === undefined) return sqliteVerdict(config);
  let facts: Awaited<ReturnType<typeof lookAtPostgres>>;
  try {
    facts = await lookAtPostgres(config.DATABASE_URL, () => clock.now());
  } catch (error) {
    if (lacksTls13(error)) {
      return fail("PostgreSQL does not speak TLS 1.3.", "Update it or switch TLS 1.3 on; nothing older is used.");
    }
    return fail(
      `PostgreSQL cannot be used: ${sentenceOf(error)}`,
      "Check address, user, password and certificate in DATABASE_URL.",
    );
  }
  heard({ of: "the database", ...facts.clock });
  const { version, number, tls, readOnly, mayCreate, migrations, connections } = facts;
  const shipped = shippedMigrations(join(projectRoot(), "migrations", "postgres"));
  const says = `PostgreSQL ${version}, ${tls ?? "on this machine, without TLS"}, ${connections.used} of ${connections.most} connections in use.`;
  if (readOnly) return fail(`${says} It takes no writes.`, "Point DATABASE_URL at the primary server.");
  if (number < 150_000) return fail(`${says} That is too old.`, "Update it to 15 or later.");
  if (migrations === undefined && !mayCreate) {
    return fail(`${says} This user may not make tables.`, "Give the user of DATABASE_URL a schema of its own.");
  }
  if (migrations !== undefined && migrations > shipped) {
    return fail(`${says} A newer version of Perch has changed its tables.`, "Start that version.");
  }
  if (connections.used > connections.most * 0.9) {
    return warn(says, "Raise max_connections, or end what holds them.");
  }
  if (migrations === undefined) return ok(`${says} It is empty; the first start makes the tables.`);
  if (migrations === shipped) return ok(`${says} Its tables are those of this version.`);
  return warn(
    `${says} It is ${shipped - migrations} migrations behind.`,
    config.BACKUP_HOURS > 0
      ? "The next start makes a backup and brings it up."
      : "The next start brings it up. Make a backup first.",
  );
}

/** From outside: whoever opens it leaves files beside it, and the server may be another user. */
async function sqliteVerdict(config: Config): Promise<Verdict> {
  const { DATA_DIR, keyFile } = config;
  const file = databaseFile(config);
  if (!existsSync(file)) {
    let parent = DATA_DIR;
    while (!existsSync(parent)) parent = dirname(parent);
    const may = await access(parent, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (may) return ok(`There is none yet; the first start makes it in ${DATA_DIR}.`);
    return fail(`${DATA_DIR} cannot be made.`, `Give this user rights to ${parent}, or set DATA_DIR.`);
  }
  if (!existsSync(keyFile)) {
    return fail(`The key file ${keyFile} is missing.`, "Put it back, or set KEY_FILE: nothing can be read without it.");
  }
  const key = deriveKey(readFileKey({ keyFile, databaseExists: true }), "database");
  try {
    demandFits({ file, key });
  } catch (error) {
    return fail(sentenceOf(error), "Look at KEY_FILE and DATA_DIR, or restore a backup.");
  }
  await access(file, constants.R_OK | constants.W_OK);
  const { mode } = await stat(keyFile);
  if ((mode & 0o077) !== 0) {
    return warn(`Others may read the key file ${keyFile}.`, `chmod 600 ${keyFile}`);
  }
  return ok(`SQLite in ${DATA_DIR}, encrypted, and its key fits.`);
}

export async function mailVerdict({ SMTP_URL }: Pick<Config, "SMTP_URL">, isPublic: boolean): Promise<Verdict> {
  if (SMTP_URL === undefined) {
    const says = "Mail stays on this machine, at /mail.";
    return isPublic ? warn(says, "Set SMTP_URL, so that people get what is mailed to them.") : ok(says);
  }
  const { hostname, protocol } = new URL(SMTP_URL);
  try {
    await checkSmtp(SMTP_URL);
    const how = protocol === "smtps:" ? "with TLS" : "with STARTTLS";
    return ok(`The mail server ${hostname} greets, ${how}, and takes the sign-in. Nothing was sent.`);
  } catch (error) {
    if (lacksTls13(error)) {
      return fail(`The mail server ${hostname} speaks no TLS 1.3.`, "Update it or use another; nothing older is used.");
    }
    const { code } = error as { code?: unknown };
    const todo =
      code === "EAUTH"
        ? "Correct user and password in SMTP_URL."
        : "Check host and port in SMTP_URL, and that a firewall lets this machine out to it.";
    return fail(`The mail server ${hostname} cannot be used: ${sentenceOf(error)}`, todo);
  }
}

const WEBHOOK = {
  missing: "Make a webhook to PUBLIC_URL/webhooks/stripe in Stripe; see docs/billing.md.",
  disabled: "Stripe has switched the webhook off, as it does after failures. Switch it on in Stripe.",
  "other version": "Make the webhook with the version docs/billing.md names.",
} as const;

export async function stripeVerdict(config: Config, clock: Clock, heard: (one: HeardClock) => void) {
  const facts = await lookAtStripe(config).catch((error: unknown) => sentenceOf(error));
  if (facts === undefined) return undefined;
  if (typeof facts === "string") {
    return fail(`Stripe cannot be reached: ${facts}`, "Check that this machine may connect to api.stripe.com:443.");
  }
  const { key, livemode, webhook, theirs } = facts;
  if (key === "refused") return fail("Stripe does not know the key.", "Correct STRIPE_SECRET_KEY.");
  if (key === "lacks") {
    return fail("The restricted key may not read prices.", "Give it the permissions docs/billing.md lists.");
  }
  if (theirs !== undefined) heard({ of: "Stripe", theirs, ours: clock.now() });
  const says = `Stripe takes the key, in ${livemode ? "live" : "test"} mode.`;
  if (webhook === "unseen") return ok(`${says} It may not look at webhooks, so that was not checked.`);
  if (webhook === "made") return ok(`${says} The webhook is there.`);
  return (webhook === "missing" ? fail : warn)(`${says} The webhook: ${webhook}.`, WEBHOOK[webhook]);
}

const DRIFT = { warnMs: 2_000, failMs: 30_000 } as const;

/** HTTP dates are whole seconds: a second either way says nothing. */
export function clockVerdict(heard: readonly HeardClock[]): Verdict {
  const [worst] = [...heard].sort((a, b) => Math.abs(b.theirs - b.ours) - Math.abs(a.theirs - a.ours));
  if (worst === undefined) return ok("There is nothing here to compare the clock with. Let it be set by NTP.");
  const late = worst.ours - worst.theirs;
  const says = `This clock is ${Math.round(Math.abs(late) / 100) / 10} s ${late < 0 ? "behind" : "ahead of"} that of ${worst.of}.`;
  const todo = "Let NTP set the clock: codes of authenticator apps, webhooks and bills need it right.";
  if (Math.abs(late) > DRIFT.failMs) return fail(says, todo);
  return Math.abs(late) > DRIFT.warnMs ? warn(says, todo) : ok(says);
}

const BACKUP = /^perch-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const HOUR_MS = 3_600_000;

export async function backupsVerdict(
  config: Pick<Config, "backupDir" | "DATA_DIR" | "BACKUP_HOURS">,
  clock: Clock,
): Promise<Verdict> {
  const { backupDir, DATA_DIR } = config;
  const make =
    config.BACKUP_HOURS === 0
      ? "Set BACKUP_HOURS, or make one every night: npm run admin -- backup --reason nightly"
      : "The server makes them itself while it runs; one now: npm run admin -- backup --reason now";
  const names: string[] = await readdir(backupDir).catch(() => []);
  const made = names.flatMap((name) => {
    const [, y, mo, d, h, mi, s] = BACKUP.exec(name) ?? [];
    const at = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
    return y === undefined ? [] : [{ name, at }];
  });
  const [newest] = made.toSorted((a, b) => b.at - a.at);
  if (newest === undefined) {
    const isNew = !existsSync(DATA_DIR);
    return isNew ? ok("There is nothing to back up yet.") : warn(`There is no backup in ${backupDir}.`, make);
  }
  const checked = await readVerified(join(backupDir, newest.name));
  const hours = Math.floor((clock.now() - newest.at) / HOUR_MS);
  const says = `The newest of ${made.length} backups is ${hours} hours old, and was ${checked === undefined ? "not " : ""}put back and compared.`;
  if (hours > 48) return warn(says, make);
  const [dataDisk, backupDisk] = await Promise.all(
    [stat(DATA_DIR), stat(backupDir)].map((one) => one.catch(() => undefined)),
  );
  if (dataDisk !== undefined && dataDisk.dev === backupDisk?.dev) {
    return warn(
      `${says} They are on the disk they are to outlive.`,
      "Set BACKUP_DIR to another disk, or copy them elsewhere.",
    );
  }
  return ok(says);
}

export async function tracesVerdict(
  { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Pick<Config, "OTEL_EXPORTER_OTLP_ENDPOINT">,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  if (endpoint === undefined) return undefined;
  const { hostname, port, protocol } = new URL(endpoint);
  const at = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (protocol === "http:" ? 80 : 443) };
  if (await takesConnections(at, signal)) return ok("The collector of traces takes connections.");
  return warn("The collector of traces does not answer.", "Start it, or leave OTEL_EXPORTER_OTLP_ENDPOINT out.");
}

export async function storageVerdict(
  { s3 }: Pick<Config, "s3">,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  if (s3 === undefined) return undefined;
  const { host } = new URL(s3.access.endpoint);
  try {
    await lookAtBucket(s3, clock, signal);
    return ok(`The bucket ${s3.access.bucket} at ${host} answers and takes the key. Nothing was written.`);
  } catch (error) {
    if (lacksTls13(error))
      return fail(`${host} speaks no TLS 1.3.`, "Update it or use another; nothing older is used.");
    return fail(
      `The bucket ${s3.access.bucket} at ${host} cannot be used: ${sentenceOf(error)}`,
      "Check S3_ENDPOINT, S3_BUCKET and the key, and that a firewall lets this machine out to it; see docs/storage.md.",
    );
  }
}

export async function supabaseVerdict(
  { supabase }: Pick<Config, "supabase">,
  clock: Clock,
): Promise<Verdict | undefined> {
  if (supabase === undefined) return undefined;
  const { host } = new URL(supabase.url);
  const found = await lookAtSupabase(supabase, clock).catch(() => "away" as const);
  if (found === "well") return ok(`The Supabase project at ${host} answers and takes both keys.`);
  return found === "away"
    ? fail(
        `The Supabase project at ${host} does not answer.`,
        "Check SUPABASE_URL, that the project is not paused, and that a firewall lets this machine out to it.",
      )
    : fail(`The Supabase project at ${host} refuses ${found}.`, "Copy the key anew from the project's settings.");
}
