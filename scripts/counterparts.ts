/**
 * `npm run test:counterparts`: tells the billing scenario to what answers for Stripe elsewhere. `stripe-mock`, Stripe's own
 * check of requests, where a Go toolchain can build it; Stripe's test mode when STRIPE_TEST_KEY holds a key for it. The
 * tests of phones in containers to podman, where it is installed and may run. The contract of blob stores to an S3 server
 * that checks signatures, and to Supabase's storage server from a checkout. The contract of identity providers to GoTrue,
 * Supabase's sign-in service, where Go and PostgreSQL are. And what a person does in a real Chromium, to a server on all of
 * the three at once.
 */

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import Stripe from "stripe";
import { type Counterpart, tellScenario } from "../server/billing/sandbox/testing/scenario.ts";
import { missingFields } from "../server/billing/sandbox/testing/shapes.ts";
import { tellGoTrue } from "./counterpart-gotrue.ts";
import { tellMainJob } from "./counterpart-main-job.ts";
import { tellPodman } from "./counterpart-podman.ts";
import { tellS3 } from "./counterpart-s3.ts";
import { tellSupabaseStorage } from "./counterpart-supabase-storage.ts";

const STRIPE_MOCK = "github.com/stripe/stripe-mock@v0.203.0";
const TOOLS = join(import.meta.dirname, "../node_modules/.cache/perch/bin");
const run = `perch${randomBytes(6).toString("hex")}`;
let failed = false;

async function tell(counterpart: Counterpart): Promise<void> {
  try {
    const told = await tellScenario(counterpart);
    console.log(`${counterpart.name}: all ${told.length} steps passed`);
  } catch (error) {
    failed = true;
    console.log(`${counterpart.name}: failed\n  ${error instanceof Error ? error.message : error}`);
  }
}

/** Path of the program, built once. */
function stripeMock(): string | undefined {
  const program = join(TOOLS, "stripe-mock");
  if (existsSync(program)) return program;
  const built = spawnSync("go", ["install", STRIPE_MOCK], { env: { ...process.env, GOBIN: TOOLS }, stdio: "inherit" });
  return built.status === 0 ? program : undefined;
}

async function tellStripeMock(): Promise<void> {
  if (spawnSync("go", ["version"]).status !== 0) {
    console.log("stripe-mock: left out, there is no Go toolchain here");
    return;
  }
  const program = stripeMock();
  if (program === undefined) {
    failed = true;
    console.log("stripe-mock: could not be built");
    return;
  }
  const mock = spawn(program, ["-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      mock.on("exit", () => reject(new Error("stripe-mock ended at once.")));
      createInterface(mock.stdout).on("line", (line) => {
        const found = /HTTP at address: 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
    });
    const stripe = new Stripe("sk_test_123", {
      host: "127.0.0.1",
      port,
      protocol: "http",
      maxNetworkRetries: 0,
      telemetry: false,
    });
    await tell({ name: "stripe-mock", stripe, remembers: false, run, wait: async () => {} });
    const missing = await missingFields(stripe);
    if (missing.length > 0) failed = true;
    console.log(
      missing.length === 0
        ? "stripe-mock: the sandbox's objects have every field of its objects"
        : `stripe-mock: the sandbox's objects lack ${missing.join(", ")}`,
    );
  } finally {
    mock.kill();
  }
}

async function tellTestMode(): Promise<void> {
  const key = process.env["STRIPE_TEST_KEY"];
  if (key === undefined) {
    console.log("Stripe's test mode: left out, STRIPE_TEST_KEY is not set");
    return;
  }
  if (!/^(sk|rk)_test_/.test(key)) throw new Error("STRIPE_TEST_KEY must be a key of the test mode: sk_test_…");
  await tell({ name: "Stripe's test mode", stripe: new Stripe(key), remembers: true, run, wait: () => sleep(2_000) });
}

await tellStripeMock();
await tellTestMode();
if ((await tellPodman()) === false) failed = true;
if ((await tellS3()) === false) failed = true;
if ((await tellSupabaseStorage()) === false) failed = true;
if ((await tellGoTrue()) === false) failed = true;
if ((await tellMainJob()) === false) failed = true;
process.exitCode = failed ? 1 : 0;
