/**
 * `npm run bench` runs every benchmark in order and writes `docs/benchmarks.md`; `npm run bench -- <name> …` runs some
 * and writes nothing. Exit status 1 when one fails; an aim that is missed is told, not an error.
 */
import { android } from "./android.ts";
import { auditChain } from "./audit-chain.ts";
import { automations } from "./automations.ts";
import { balanceCheck } from "./balance-check.ts";
import type { Benchmark } from "./benchmark.ts";
import { breach } from "./breach.ts";
import { idle, moving, still } from "./crowd.ts";
import { database } from "./database.ts";
import { databaseGrowth } from "./database-growth.ts";
import { egress } from "./egress-cost.ts";
import { erasure } from "./erasure.ts";
import { dataExport } from "./export.ts";
import { firstFrame } from "./first-frame.ts";
import { watchForeign } from "./foreign.ts";
import { heartbeat } from "./heartbeat.ts";
import { limiter } from "./limiter.ts";
import { live } from "./live.ts";
import { load } from "./load.ts";
import { popup, size } from "./popup.ts";
import { rating } from "./rating.ts";
import { consoleTable, foreignWords, type Result, writeReport } from "./report.ts";
import { rules } from "./rules.ts";
import { sessionCheck } from "./session-check.ts";
import { signIn } from "./sign-in.ts";
import { slowLink } from "./slow-link.ts";
import { start } from "./start.ts";
import { sweep } from "./sweep.ts";
import { trpc } from "./trpc.ts";
import { usageViews } from "./usage-views.ts";
import { webhookIntake } from "./webhook-intake.ts";

const BENCHMARKS: readonly Benchmark[] = [
  firstFrame,
  live,
  still,
  moving,
  idle,
  slowLink,
  android,
  trpc,
  signIn,
  sessionCheck,
  limiter,
  load,
  database,
  databaseGrowth,
  sweep,
  rules,
  rating,
  heartbeat,
  balanceCheck,
  webhookIntake,
  usageViews,
  automations,
  dataExport,
  breach,
  auditChain,
  egress,
  erasure,
  popup,
  size,
  start,
];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !BENCHMARKS.some((one) => one.name === name));
if (unknown.length > 0) {
  const known = BENCHMARKS.map((one) => one.name).join(", ");
  console.error(`There is no benchmark ${unknown.join(", ")}. Choose of: ${known}.`);
  process.exit(2);
}
const chosen = names.length === 0 ? BENCHMARKS : BENCHMARKS.filter((one) => names.includes(one.name));
const results: Result[] = [];
let failed = false;
for (const benchmark of chosen) {
  console.log(`\n${benchmark.title}`);
  try {
    const tell = await watchForeign();
    const figures = await benchmark.run();
    const foreign = await tell();
    results.push({ benchmark, figures, foreign });
    console.log(`${consoleTable(figures)}\n  ${foreignWords(foreign)}`);
  } catch (error) {
    failed = true;
    console.error(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
if (names.length === 0 && !failed) await writeReport(results);
process.exit(failed ? 1 : 0);
