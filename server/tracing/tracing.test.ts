import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { openStripe } from "../billing/stripe/stripe-client.ts";
import { ManualClock } from "../clock.ts";
import { createLog, silentLog } from "../log.ts";
import { call, signIn, startTestServer, type TestPerson } from "../testing.ts";
import { type CollectedSpan, type Collector, startCollector } from "./collector.fixture.ts";
import { startTracing } from "./otel.ts";
import { collectorOf, untraced } from "./tracing.ts";

let collector: Collector;
beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector.close());
const attributesOf = ({ attributes }: CollectedSpan) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));

describe("the traces of a server", () => {
  let person: TestPerson;
  let requestIds: string[];
  beforeAll(async () => {
    const server = await startTestServer({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
    person = await signIn(server);
    await call(
      server,
      "mutation",
      "phones.launch",
      { name: "Anna's phone", idempotencyKey: newId("job") },
      person.token,
    );
    await call(server, "query", "phones.get", { phoneId: newId("phone") }, person.token);
    const answer = await fetch(`${server.url}/trpc/account.me`);
    requestIds = [answer.headers.get("x-request-id") ?? ""];
    await fetch(`${server.url}/sign-in?email=anna@x.example`);
    await server.dispose();
  });
  const named = (name: string) => collector.spans.filter((one) => one.name === name);

  it("hold a request, its call, its transactions and what its phone did, one inside the other", () => {
    const [launch] = named("phones.launch");
    const request = collector.spans.find(({ spanId }) => spanId === launch?.parentSpanId);
    expect(request).toMatchObject({ name: "POST request", kind: 2, traceId: launch?.traceId });
    expect(attributesOf(request ?? never())).toMatchObject({ "http.route": "call", "http.response.status_code": 200 });
    const inside = collector.spans.filter(({ parentSpanId }) => parentSpanId === launch?.spanId);
    expect(inside.map(({ name }) => name)).toContain("transaction");
    expect(named("phone start").map(attributesOf)).toEqual([{ "perch.driver": "web" }]);
    expect(collector.spans.some(({ name }) => name.startsWith("job "))).toBe(true);
  });

  it("tell a refusal from a fault, and lead to the log by the request's id", () => {
    expect(named("phones.get").map((one) => [attributesOf(one)["perch.result"], one.status.code ?? 0])).toEqual([
      ["refused", 0],
    ]);
    const ids = collector.spans.flatMap((one) => attributesOf(one)["perch.request_id"] ?? []);
    expect(ids).toEqual(expect.arrayContaining(requestIds));
  });

  it("hold nothing about anybody", () => {
    const all = collector.bodies.join("\n");
    expect(all).toContain('"service.name"');
    for (const secret of [
      person.userId,
      person.teamId,
      person.sessionId,
      person.token,
      "Anna",
      "127.0.0.1",
      "x.example",
    ]) {
      expect(all).not.toContain(secret);
    }
    expect(all).not.toMatch(/\b(ph|run|fl|usr|ses|team?|jb)_[\w-]{22}/);
    expect(
      collector.spans.every(({ events = [], status }) => events.length === 0 && status.message === undefined),
    ).toBe(true);
  });
});

describe("spans", () => {
  it("mark what throws as failed, without its message, and pass it on", async () => {
    const tracing = startTracing({ endpoint: collector.endpoint, log: silentLog });
    const work = tracing.span("fails", "internal", {}, async () => {
      throw new Error("about Anna");
    });
    await expect(work).rejects.toThrow("about Anna");
    await tracing.close();
    const failed = collector.spans.find(({ name }) => name === "fails");
    expect(failed?.status).toEqual({ code: 2 });
    expect(collector.bodies.join("")).not.toContain("about Anna");
  });

  it("go around calls to Stripe, with neither its key nor the path", async () => {
    const stripe = createServer((_request, response) =>
      response.writeHead(200, { "Content-Type": "application/json" }).end('{"object":"customer","id":"cus_anna"}'),
    ).listen(0, "127.0.0.1");
    await once(stripe, "listening");
    const tracing = startTracing({ endpoint: collector.endpoint, log: silentLog });
    const STRIPE_API_BASE = `http://127.0.0.1:${(stripe.address() as AddressInfo).port}`;
    const config = { billingMode: "stripe", STRIPE_SECRET_KEY: "sk_test_0123456789abcdef", STRIPE_API_BASE } as const;
    await openStripe(config, undefined, 0, tracing)?.stripe.customers.retrieve("cus_anna");
    await tracing.close();
    stripe.closeAllConnections();
    stripe.close();
    const [span] = collector.spans.filter(({ name }) => name === "stripe makeRequest");
    expect(attributesOf(span ?? never())).toEqual({ "peer.service": "stripe" });
    expect(collector.bodies.join("")).not.toMatch(/cus_anna|sk_test/);
  });

  it("are given up when the collector does not take them, with one line, and stop nothing", async () => {
    const lines: string[] = [];
    const log = createLog({ clock: new ManualClock(), write: (line) => lines.push(line) });
    const tracing = startTracing({ endpoint: collector.endpoint, log, everyMs: 1 });
    collector.answer(400);
    for (let times = 0; times < 3; times += 1) {
      expect(await tracing.span("lost", "internal", {}, async () => times)).toBe(times);
    }
    await tracing.close();
    collector.answer(200);
    expect(lines.filter((line) => line.includes("not taken by their collector"))).toHaveLength(1);
  });

  it("are not made where nobody collects them", async () => {
    expect(untraced.on).toBe(false);
    expect(await untraced.span("x", "internal", {}, async () => 5)).toBe(5);
    expect(collectorOf({})).toEqual([]);
    expect(collectorOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://traces.example" })).toEqual([
      { host: "traces.example", port: 443 },
    ]);
  });
});

function never(): never {
  throw new Error("There is no such span.");
}
