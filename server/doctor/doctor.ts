/**
 * `npm run admin -- doctor`: looks at everything the server needs here and says what to do. It opens no database as the
 * server does, migrates nothing and writes nothing; it may run beside the server or before its first start.
 */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { isOnThisMachine } from "../privacy/processors/processors.ts";
import { adbVerdict, dockerVerdict, scrcpyVerdict } from "./androids.ts";
import {
  type Check,
  type Diagnosis,
  diagnose,
  fail,
  linesOf,
  ok,
  sentenceOf,
  type Verdict,
  warn,
} from "./diagnosis.ts";
import { portVerdict, type Running, tlsVerdict, whoRuns } from "./door.ts";
import { browserVerdict, diskVerdict, fontsVerdict, memoryVerdict, nodeVerdict, sandboxVerdict } from "./machine.ts";
import {
  backupsVerdict,
  clockVerdict,
  databaseVerdict,
  type HeardClock,
  mailVerdict,
  storageVerdict,
  stripeVerdict,
  supabaseVerdict,
  tracesVerdict,
} from "./services.ts";

const LIMIT_MS = 15_000;
type Checks = Readonly<Record<string, Check>>;

/** What can be said of the machine whatever the settings are. */
const OF_THE_MACHINE: Checks = { node: () => nodeVerdict(), fonts: () => fontsVerdict() };

export async function examine(readConfig: () => Config, clock: Clock): Promise<Diagnosis[]> {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    const verdict = fail(sentenceOf(error), "Correct them in .env or the environment; .env.example explains each.");
    return [{ name: "settings", ...verdict }, ...(await diagnose(OF_THE_MACHINE, LIMIT_MS))];
  }
  const heard: HeardClock[] = [];
  const hear = (one: HeardClock) => void heard.push(one);
  const running = await whoRuns(config, AbortSignal.timeout(LIMIT_MS)).catch((): Running => ({ is: "other" }));
  const [port] = await diagnose({ port: () => portVerdict(config, running) }, LIMIT_MS);
  const found = await diagnose(checksOf(config, running, clock, hear), LIMIT_MS);
  const [time] = await diagnose({ clock: () => clockVerdict(heard) }, LIMIT_MS);
  return [
    { name: "settings", ...settingsVerdict(config) },
    ...[port, ...found, time].filter((one) => one !== undefined),
    ...(running.is === "perch" ? running.lines : []),
  ];
}

function checksOf(config: Config, running: Running, clock: Clock, hear: (one: HeardClock) => void): Checks {
  const isPublic = !isOnThisMachine(config.publicUrl.hostname.replace(/^\[|\]$/g, ""));
  return {
    ...OF_THE_MACHINE,
    memory: () => memoryVerdict(config),
    sandbox: () => sandboxVerdict(config),
    browser: () => browserVerdict(config),
    tls: (signal) => tlsVerdict(config, running, clock, signal),
    "data disk": () => diskVerdict("DATA_DIR", config.DATA_DIR),
    database: () => databaseVerdict(config, clock, hear),
    "backup disk": () => diskVerdict("BACKUP_DIR", config.backupDir),
    backups: () => backupsVerdict(config, clock),
    mail: () => mailVerdict(config, isPublic),
    storage: (signal) => storageVerdict(config, clock, signal),
    supabase: () => supabaseVerdict(config, clock),
    stripe: () => stripeVerdict(config, clock, hear),
    traces: (signal) => tracesVerdict(config, signal),
    adb: (signal) => adbVerdict(config, signal),
    scrcpy: () => scrcpyVerdict(config),
    docker: () => dockerVerdict(config),
  };
}

function settingsVerdict({ warnings }: Pick<Config, "warnings">): Verdict {
  return warnings.length === 0
    ? ok("They can be read.")
    : warn(warnings.join(" "), "Correct them in .env or the environment.");
}

/** Runs it; gives the exit status: 1 where something fails. */
export async function runDoctor(
  args: readonly string[],
  process: { readonly config: () => Config; readonly clock: Clock; readonly out: (line: string) => void },
): Promise<0 | 1 | 2> {
  if (args.some((one) => one !== "--json")) {
    process.out("doctor takes no option but --json.");
    return 2;
  }
  const found = await examine(process.config, process.clock);
  const fine = found.every(({ state }) => state !== "fail");
  if (args.includes("--json")) process.out(JSON.stringify({ ok: fine, checks: found }, null, 2));
  else for (const line of linesOf(found)) process.out(line);
  return fine ? 0 : 1;
}
