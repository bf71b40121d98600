/** What Stripe may send and what nobody else may: signatures, replays, sizes, and that each event is taken once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { asc, eq } from "drizzle-orm";
import Stripe from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { PerchError } from "../../errors.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { createLog } from "../../log.ts";
import { projectRoot } from "../../paths.ts";
import { createStripeEventsRepo } from "./stripe-events.repo.ts";
import { EVENT_TYPES } from "./stripe-topics.ts";
import { createStripeWebhook, deliverTo, MAX_EVENT_BYTES, MIRROR_JOB, type StripeWebhook } from "./webhook.ts";

const SECRETS = ["whsec_new", "whsec_old"];
const stripe = new Stripe("sk_test_nothing");
const bytes = (text: string) => new TextEncoder().encode(text);

let opened: TestDatabase;
let clock: ManualClock;
let webhook: StripeWebhook;
let lines: string[];
let unsettled: boolean;
let added: string[];
let woken: number;
beforeAll(async () => {
  opened = await testSqlite.open();
});
afterAll(() => opened.dispose());
beforeEach(async () => {
  const { db } = opened;
  clock = new ManualClock();
  [lines, added, unsettled, woken] = [[], [], false, 0];
  await db.tx(async (tx) => {
    await tx.delete(db.t.stripeEvents);
    await tx.delete(db.t.jobs);
  });
  webhook = createStripeWebhook({
    ...{ stripe, db, clock, secrets: SECRETS, livemode: false, repo: createStripeEventsRepo(db) },
    jobs: { enqueue: createJobsRepo(db, clock).enqueue, wake: () => void woken++ },
    log: createLog({ clock, write: (line) => lines.push(line) }),
    async addOverage(id) {
      if (unsettled) throw new PerchError("unavailable", "not settled");
      added.push(id);
    },
  });
});

let count = 0;
const eventOf = (change: Record<string, unknown> = {}, object: Record<string, unknown> = { id: "sub_1" }) => ({
  ...{ id: `evt_${++count}`, object: "event", api_version: "2026-10-28.endive", livemode: false },
  ...{ created: Math.floor(clock.now() / 1_000), type: "customer.subscription.updated", data: { object } },
  ...change,
});
const signed = (payload: string, secret = "whsec_new", ageMs = 0) =>
  stripe.webhooks.generateTestHeaderString({
    ...{ payload, secret, timestamp: Math.floor((clock.now() - ageMs) / 1_000) },
  });
const send = (event: unknown, secret?: string, ageMs?: number) => {
  const payload = JSON.stringify(event);
  return webhook.receive({ body: bytes(payload), signature: signed(payload, secret, ageMs) });
};
const rows = () => opened.db.read.select().from(opened.db.t.stripeEvents).orderBy(asc(opened.db.t.stripeEvents.id));
const jobsOf = async () =>
  (await opened.db.read.select().from(opened.db.t.jobs).where(eq(opened.db.t.jobs.kind, MIRROR_JOB))).map(
    ({ input, lockKey }) => ({ input, lockKey }),
  );

describe("an event of Stripe", () => {
  it("is kept by its id, and a job reads its object", async () => {
    const event = eventOf();
    await send(event);
    expect(await rows()).toMatchObject([
      { id: event.id, type: event.type, objectId: "sub_1", livemode: false, via: "webhook", processedAt: null },
    ]);
    expect(await jobsOf()).toEqual([
      { input: { topic: "subscription", id: "sub_1", eventId: event.id }, lockKey: "stripe:sub_1" },
    ]);
    expect(woken).toBe(1);
  });
  it("is taken once, however often it comes and at the same moment", async () => {
    const event = eventOf();
    await Promise.all([send(event), send(event), send(event)]);
    clock.advance(60_000);
    await send(event);
    expect(await rows()).toHaveLength(1);
    expect(await jobsOf()).toHaveLength(1);
  });
  it("may be signed with either secret while one is rotated, and with both at once", async () => {
    const event = eventOf();
    await send(event, "whsec_old");
    const payload = JSON.stringify(eventOf());
    const both = `${signed(payload, "whsec_gone")},${signed(payload, "whsec_old").replace(/^t=\d+,/, "")}`;
    await webhook.receive({ body: bytes(payload), signature: both });
    expect(await rows()).toHaveLength(2);
  });
  it("may be thin: then it only names its object", async () => {
    const created = new Date(clock.now()).toISOString();
    const thin = {
      ...{ id: "evt_test_thin", object: "v2.core.event", type: "v1.invoice.paid", livemode: false, created },
      related_object: { id: "in_7", type: "invoice", url: "/v1/invoices/in_7" },
    };
    await send(thin);
    expect(await rows()).toMatchObject([{ id: "evt_test_thin", type: "invoice.paid", objectId: "in_7" }]);
    expect(await jobsOf()).toMatchObject([{ input: { topic: "invoice", id: "in_7" } }]);
  });
  it("is answered and left alone when it is about something else", async () => {
    await send(eventOf({ type: "payment_method.attached" }, { id: "pm_1" }));
    await send(eventOf({ type: "invoice.upcoming" }, {}));
    expect(await rows()).toEqual([]);
  });
  it("holds back a draft invoice until its period is settled, and asks again with each try", async () => {
    unsettled = true;
    const event = eventOf({ type: "invoice.created" }, { id: "in_1" });
    await expect(send(event)).rejects.toMatchObject({ code: "unavailable" });
    expect(added).toEqual([]);
    unsettled = false;
    await send(event);
    expect(added).toEqual(["in_1"]);
    expect(await rows()).toHaveLength(1);
  });
  it("comes from within by the same way", async () => {
    const payload = JSON.stringify(eventOf());
    const deliver = deliverTo(webhook);
    expect(await deliver(payload, { "stripe-signature": signed(payload) })).toBe(200);
    expect(await deliver(payload, {})).toBe(400);
    unsettled = true;
    const draft = JSON.stringify(eventOf({ type: "invoice.created" }, { id: "in_2" }));
    expect(await deliver(draft, { "stripe-signature": signed(draft) })).toBe(503);
  });
});

it("is subscribed to as the operator is told", () => {
  const told = readFileSync(join(projectRoot(), "docs/stripe.md"), "utf8");
  const [, list = ""] = /Choose these events:\n([\s\S]*?)\n3\. /.exec(told) ?? [];
  expect([...list.matchAll(/`([\w.]+)`/g)].map(([, type]) => type)).toEqual(EVENT_TYPES);
  expect(told).toContain(Stripe.API_VERSION);
});

describe("what Stripe did not send now", () => {
  const SECRET_WORD = "kept-from-the-log";
  const secretive = () => eventOf({}, { id: "sub_1", description: SECRET_WORD });
  it.each<[string, () => Promise<void>]>([
    ["unsigned", () => webhook.receive({ body: bytes(JSON.stringify(secretive())), signature: undefined })],
    [
      "with a header that is none",
      () => webhook.receive({ body: bytes(JSON.stringify(secretive())), signature: "v1=" }),
    ],
    ["signed by somebody else", () => send(secretive(), "whsec_forged")],
    ["signed more than 5 minutes ago", () => send(secretive(), "whsec_new", 301_000)],
    [
      "changed on its way",
      () => {
        const payload = JSON.stringify(secretive());
        const changed = payload.replace("sub_1", "sub_2");
        return webhook.receive({ body: bytes(changed), signature: signed(payload) });
      },
    ],
    [
      "under another time than was signed",
      () => {
        const payload = JSON.stringify(secretive());
        const header = signed(payload, "whsec_new", 600_000).replace(/t=\d+/, `t=${clock.now() / 1_000}`);
        return webhook.receive({ body: bytes(payload), signature: header });
      },
    ],
    [
      "signed under a scheme for tests alone",
      () => {
        const payload = JSON.stringify(secretive());
        return webhook.receive({ body: bytes(payload), signature: signed(payload).replace("v1=", "v0=") });
      },
    ],
    [
      "too large",
      () => {
        const payload = JSON.stringify(eventOf({}, { id: "sub_1", description: "x".repeat(MAX_EVENT_BYTES) }));
        return webhook.receive({ body: bytes(payload), signature: signed(payload) });
      },
    ],
    [
      "not UTF-8",
      () => {
        const payload = JSON.stringify(secretive());
        const body = new Uint8Array([...bytes(payload), 0xff, 0xfe]);
        return webhook.receive({ body, signature: signed(`${payload}\ufffd\ufffd`) });
      },
    ],
    ["no JSON", () => webhook.receive({ body: bytes(SECRET_WORD), signature: signed(SECRET_WORD) })],
    ["no event", () => send({ object: "list", data: [SECRET_WORD] })],
    ["with an id that is none", () => send(eventOf({ id: "../../etc" }))],
    ["of the other mode", () => send(eventOf({ livemode: true }))],
    ["empty", () => webhook.receive({ body: bytes(""), signature: signed("") })],
  ])("%s: is refused and leaves nothing, nor a word of it in the log", async (_name, sent) => {
    await expect(sent()).rejects.toMatchObject({ code: "bad_input" });
    expect(await rows()).toEqual([]);
    expect(await jobsOf()).toEqual([]);
    expect(lines.join("")).not.toMatch(/kept-from-the-log|whsec|sub_1/);
  });
});
