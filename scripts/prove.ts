/**
 * `npm run prove`: the long versions of proofs whose small ones are in `npm test`; what came out is kept in
 * `docs/proofs.md`. `npm run prove -- <name> …` does some of them. Exit status 1 when one fails.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

interface Proof {
  readonly name: string;
  readonly title: string;
  /** What would have to be true for it to fail. */
  readonly shows: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

const PROOFS: readonly Proof[] = [
  {
    name: "kills",
    title: "The server killed at random points of its journal",
    shows:
      "1,000 runs of random flows, each killed one to three times before or after a random commit; every effect carries a text of its own and is counted at the phone. No effect is done twice, and every run ends in a final or resumable state.",
    env: { RUN_KILLS: "1000" },
    args: ["--project", "server", "server/automations/run-recovery.test.ts"],
  },
  {
    name: "teams",
    title: "Memberships and invitations, with people who act at once",
    shows:
      "20 times as many random rounds as in the tests, up to four acts at once in each, on SQLite and PGlite (PostgreSQL in its place where TEST_DATABASE_URL names one): role changes, removals, leaving, transfers, invitations sent, sent again, withdrawn, accepted and declined. The audit chain is replayed against the plain rules: no step was one they do not allow, there is an owner after each, and the outcome is what is stored.",
    env: { PROVE_TIMES: "20" },
    args: ["--project", "server", "server/teams/teams.model.test.ts"],
  },
  {
    name: "parser",
    title: "Flows nobody would write",
    shows:
      "Noise, pieces of YAML, and good flows with characters changed, 50 times as many as in the tests: nothing is thrown, every place lies within the text; formatting keeps the meaning; patterns take linear time and agree with the platform's.",
    env: { PROVE_TIMES: "50" },
    args: ["--project", "unit", "shared/flows"],
  },
  {
    name: "rules",
    title: "Page rules",
    shows:
      "The index finds what trying every rule finds, on 20 times as many random rule sets; conditions agree with their plain reading; nothing throws.",
    env: { PROVE_TIMES: "20" },
    args: ["--project", "unit", "shared/rules"],
  },
  {
    name: "hostile",
    title: "Hostile scripts and addresses",
    shows:
      "Scripts that loop, grow and reach for a way out, and addresses that hide private ones, 20 times as many random ones as in the tests.",
    env: { PROVE_TIMES: "20" },
    args: ["--project", "server", "server/automations/script/hostile.test.ts", "server/egress/address.test.ts"],
  },
  {
    name: "commands",
    title: "Every command on a real web phone",
    shows: "Each command and field of the language against pages that make it hard, as in the tests, three times over.",
    env: {},
    args: ["--project", "server", "server/automations/commands", "--repeats=2"],
  },
  {
    name: "limits",
    title: "Limits and idempotency keys under parallel calls and kills",
    shows:
      "300 processes killed before, inside and after the transaction of a call, each tried again by the next; no call has its effect twice, none is lost. Several processes and many calls at once never get more through a limit than its burst and rate allow, on both engines, 20 times as many random ones as in the tests.",
    env: { LIMIT_KILLS: "300", PROVE_TIMES: "20" },
    args: ["--project", "server", "server/limits"],
  },
  {
    name: "usage",
    title: "A server killed while phones run and are billed",
    shows:
      "200 processes killed with SIGKILL at random moments while four phones start, park and fail as they like and a heartbeat counts them; each time the next one comes back. What really ran is written down outside of the database. Every interval lies within a time its phone ran; every start that was answered and every beat that was done is there; every millisecond of every interval is in the ledger once, and no balance differs from its entries. Beside it a plain account of random starts, stops, failures, stalls, kills and set clocks, on both engines, five times as many as in the tests.",
    env: { USAGE_KILLS: "200", PROVE_TIMES: "5" },
    args: [
      "--project",
      "server",
      "server/billing/usage/kills",
      "server/billing/usage/usage.model",
      "server/billing/usage/slices",
    ],
  },
  {
    name: "erasure",
    title: "An account erased by a server that is killed again and again",
    shows:
      "A person with markers in every table, erased by a process that is killed with SIGKILL every few commits from its beginning to its end, each time followed by a new one. In the end nothing leads to the person, and their address is in no byte of the data folder, the decrypted pages included. Small versions stop it after and before every commit on both engines.",
    env: { ERASURE_KILLS: "100" },
    args: ["--project", "server", "server/privacy/erasure"],
  },
  {
    name: "plans",
    title: "What a running server asks, planned on a million rows",
    shows:
      "The statements of a server that people use and that looks after itself, explained on PostgreSQL with 1,000,000 rows in each of 27 tables that grow, and on SQLite. None reads such a table as a whole, but for those that are meant to and listed with their reason.",
    env: { PLAN_ROWS: "1000000", PROVE_TIMES: "30" },
    args: ["--project", "server", "server/db/query-plans.test.ts"],
  },
  {
    name: "engines",
    title: "The server's tests on every engine",
    shows:
      "Everything `npm test` asks of the server, on an encrypted SQLite file, on PGlite and on the PostgreSQL server that TEST_DATABASE_URL names, where `npm test` leaves out one of the last two.",
    env: { TEST_EVERY_ENGINE: "1" },
    args: ["--project", "server"],
  },
  {
    name: "nodes",
    title: "Three nodes in a storm",
    shows:
      "Three server processes over one PostgreSQL for 30 minutes of everything people do, while nodes are killed, drained and frozen, connections cut and held, the database restarted and a clock set, all by lot from a seed. What has to hold, and how it is checked, is in [reliability](reliability.md), with the report.",
    env: { STORM_SECONDS: "1800", STORM_REPORT: "docs/reliability.md" },
    args: ["--project", "server", "server/nodes/chaos.test.ts"],
  },
  {
    name: "sweep",
    title: "A sweep of ten million rows",
    shows:
      "7,000,000 of 10,000,000 events of 100 teams are past their day, in an encrypted SQLite file with every commit flushed, while a write is due every 20 ms. All that was due goes, nothing else does, every write is done, and the log stays below 64 MB. A write counts from the moment it was due until it was on the disk.",
    env: { SWEEP_ROWS: "10000000" },
    args: ["--project", "server", "server/privacy/retention/neglected.test.ts"],
  },
];

const report = z.object({ numPassedTests: z.number(), numFailedTests: z.number(), numFailedTestSuites: z.number() });
const names = process.argv.slice(2);
const unknown = names.filter((name) => !PROOFS.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(`There is no proof ${unknown.join(", ")}. Choose of: ${PROOFS.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}

const FILE = "docs/proofs.md";
const HEAD = "# Proofs\n\nWritten by `npm run prove`, each part when it was last run; do not edit.\n\n";
const circumstances = () => {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const now = new Date().toISOString().slice(0, 16).replace("T", " ");
  return `${now} UTC, commit ${commit}, Node ${process.versions.node}, ${availableParallelism()} vCPU (${cpus()[0]?.model ?? "unknown"})`;
};

/** The parts there are, with this one in its place. */
function keep(title: string, text: string): void {
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  const parts = new Map(
    before
      .split(/^## /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), `## ${part.trim()}\n`]),
  );
  parts.set(title, text);
  const known = PROOFS.flatMap((proof) => parts.get(proof.title) ?? []);
  writeFileSync(FILE, HEAD + known.join("\n"));
}

const folder = mkdtempSync(join(tmpdir(), "perch-proofs-"));
let failed = false;
for (const proof of PROOFS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`\n── ${proof.title}`);
  const output = join(folder, `${proof.name}.json`);
  const started = performance.now();
  const { status, stdout } = spawnSync(
    "vitest",
    ["run", ...proof.args, "--reporter=default", "--reporter=json", `--outputFile.json=${output}`],
    { env: { ...process.env, ...proof.env, NO_COLOR: "1" }, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  process.stdout.write(stdout);
  const seconds = Math.round((performance.now() - started) / 1_000);
  const counts = existsSync(output) ? report.safeParse(JSON.parse(readFileSync(output, "utf8"))).data : undefined;
  const passed = status === 0 && counts !== undefined && counts.numFailedTests + counts.numFailedTestSuites === 0;
  failed ||= !passed;
  const told =
    stdout.match(/\d+ kills in \d+ runs[^\n]*|\w+: \d+ acts done, \d+ refused|\d+ rows removed in .*|\d+ faults/g) ??
    [];
  const figures = [...told, `${counts?.numPassedTests ?? 0} ${counts?.numPassedTests === 1 ? "test" : "tests"}`].join(
    ", ",
  );
  const env = Object.entries(proof.env).map(([name, value]) => `${name}=${value} `);
  const command = `${env.join("")}vitest run ${proof.args.join(" ")}`;
  keep(
    proof.title,
    `## ${proof.title}\n\n${proof.shows}\n\n${passed ? "Held" : "**Did not hold**"}: ${figures}, ${seconds} s. ${circumstances()}. \`npm run prove -- ${proof.name}\` (\`${command}\`)\n`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
