/** How many events of Stripe a second go through the route into the table. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import Stripe from "stripe";
import { createStripeEventsRepo } from "../server/billing/stripe/stripe-events.repo.ts";
import { createStripeWebhook, STRIPE_WEBHOOK_PATH } from "../server/billing/stripe/webhook.ts";
import { systemClock } from "../server/clock.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { createJobsRepo } from "../server/jobs/jobs.repo.ts";
import { silentLog } from "../server/log.ts";
import { projectRoot } from "../server/paths.ts";
import { openBare } from "./bare-database.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const ROUNDS = 15;
const A_ROUND = 200;
const AT_ONCE = 16;
const SECRETS = ["whsec_next_benchmark", "whsec_benchmark"];

export const webhookIntake: Benchmark = {
  name: "webhook-intake",
  title: "Events of Stripe",
  about:
    "Signed events of 4 KB through the route, with two secrets of which the second is right: body, signature, the row under the event's id, the job " +
    "that reads its object, flushed to disk, answered. Beside: the same two rows by bare better-sqlite3 under the settings of the server's database, " +
    `with nothing verified. One after the other, and ${AT_ONCE} at once. ${ROUNDS} interleaved rounds of ${A_ROUND}.`,
  run: benchIntake,
};

async function benchIntake(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const db = await openSqlite({
    ...{ file: join(folder, "perch.db"), key: Buffer.alloc(32, 7) },
    migrationsFolder: join(projectRoot(), "migrations/sqlite"),
  });
  const bare = await openBare(
    "create table events (id text primary key, type text, object text, at integer); create table jobs (id text primary key, input text)",
  );
  try {
    const stripe = new Stripe("sk_test_benchmark");
    const webhook = createStripeWebhook({
      ...{ stripe, secrets: SECRETS, livemode: false, db, repo: createStripeEventsRepo(db), clock: systemClock },
      jobs: { enqueue: createJobsRepo(db, systemClock).enqueue, wake() {} },
      ...{ log: silentLog, addOverage: async () => {} },
    });
    const app = new Hono().post(STRIPE_WEBHOOK_PATH, async (c) => {
      const body = new Uint8Array(await c.req.arrayBuffer());
      await webhook.receive({ body, signature: c.req.header("stripe-signature") });
      return c.json({ received: true });
    });
    const insertEvent = bare.db.prepare("insert into events values (?, ?, ?, ?) on conflict do nothing");
    const insertJob = bare.db.prepare("insert into jobs values (?, ?)");
    let made = 0;
    const events = () => Array.from({ length: A_ROUND }, () => eventOf(stripe, made++));
    const send = async ({ payload, signature }: ReturnType<typeof eventOf>) => {
      const headers = { "stripe-signature": signature, "content-type": "application/json" };
      const answer = await app.request(STRIPE_WEBHOOK_PATH, { method: "POST", body: payload, headers });
      if (answer.status !== 200) throw new Error(`An event was answered ${answer.status}.`);
    };
    const rates = { single: [] as number[], many: [] as number[], bare: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.single.push(await perSecond(events(), 1, send));
      rates.many.push(await perSecond(events(), AT_ONCE, send));
      rates.bare.push(
        await perSecond(events(), 1, async ({ id, payload }) => {
          bare.commit(() => {
            insertEvent.run(id, "invoice.updated", "in_1", Date.now());
            insertJob.run(id, payload.slice(0, 100));
          });
        }),
      );
    }
    const beside = { name: "bare better-sqlite3, two rows, nothing verified", median: median(rates.bare) };
    return [
      {
        name: "one after the other",
        unit: "1/s",
        ...spread(rates.single),
        beside,
        aim: { of: "median", atLeast: 100 },
      },
      { name: `${AT_ONCE} at once`, unit: "1/s", ...spread(rates.many), beside },
    ];
  } finally {
    await bare.close();
    await db.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function eventOf(stripe: Stripe, n: number) {
  const id = `evt_bench${n}`;
  const object = { id: `in_bench${n % 500}`, object: "invoice", description: "x".repeat(3_500) };
  const payload = JSON.stringify({
    ...{ id, object: "event", api_version: Stripe.API_VERSION, livemode: false, type: "invoice.updated" },
    ...{ created: Math.floor(Date.now() / 1_000), data: { object }, pending_webhooks: 1 },
  });
  return { id, payload, signature: stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS[1] ?? "" }) };
}

/** Events a second, so many at a time. */
async function perSecond<E>(events: readonly E[], atOnce: number, work: (event: E) => Promise<void>): Promise<number> {
  const waiting = [...events];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await work(next);
    }),
  );
  return (events.length * 1_000) / (performance.now() - start);
}
