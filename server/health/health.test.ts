import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { readExposition } from "../metrics/exposition.fixture.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

const TOKEN = "a-token-of-metrics-0123456789";
let server: TestServer;
let person: TestPerson;
beforeAll(async () => {
  server = await startTestServer({ METRICS_TOKEN: TOKEN });
  person = await signIn(server);
});
afterAll(() => server.dispose());

interface Got {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
function get(path: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: server.port, path, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text }),
      );
    });
    asked.on("error", reject).end();
  });
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** As whoever comes through a proxy: no longer at the machine. */
const FAR = { "x-forwarded-for": "203.0.113.9" };

describe("/readyz", () => {
  it("says ok to strangers and no more, and each check to operators", async () => {
    const far = await get("/readyz", FAR);
    expect([far.status, JSON.parse(far.text)]).toEqual([200, { ready: true }]);
    for (const headers of [{}, { ...FAR, ...bearer(TOKEN) }]) {
      const { checks } = JSON.parse((await get("/readyz", headers)).text);
      expect(checks.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
        ["serving", "ok"],
        ["database", "ok"],
        ["migrations", "ok"],
        ["disk", expect.stringMatching(/ok|fail/)],
        ["phones", "ok"],
        ["mail", "ok"],
        ["backups", "ok"],
      ]);
    }
    const wrong = await get("/readyz", { ...FAR, ...bearer(`${TOKEN}x`) });
    expect(JSON.parse(wrong.text)).toEqual({ ready: true });
    // Not even at the machine: who brings a token means it.
    expect(JSON.parse((await get("/readyz", bearer("x".repeat(30)))).text)).toEqual({ ready: true });
  });
});

describe("/version and /healthz", () => {
  it("tell everybody the product, and operators what it runs on", async () => {
    expect(JSON.parse((await get("/version", FAR)).text)).toEqual({
      ...{ product: "perch", version: expect.any(String), apiVersion: 1 },
    });
    expect(JSON.parse((await get("/version")).text)).toMatchObject({ node: process.version, engine: "sqlite" });
    expect((await get("/healthz", FAR)).status).toBe(200);
  });
});

describe("/metrics", () => {
  it("is for the machine and for who has the token", async () => {
    expect((await get("/metrics", FAR)).status).toBe(403);
    expect((await get("/metrics", { ...FAR, ...bearer("x".repeat(30)) })).status).toBe(403);
    expect((await get("/metrics", { ...FAR, ...bearer(person.token) })).status).toBe(403);
    const answer = await get("/metrics", { ...FAR, ...bearer(TOKEN) });
    expect([answer.status, answer.type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect((await get("/metrics")).status).toBe(200);
  });

  it("reads as Prometheus reads it, with what happened in it and nothing about anybody", async () => {
    await call(server, "mutation", "phones.launch", { idempotencyKey: newId("job") }, person.token);
    await call(server, "query", "phones.list", undefined, person.token);
    await call(server, "query", "phones.get", { phoneId: newId("phone") }, person.token);
    await call(server, "query", "account.me", undefined, undefined);
    await fetch(`${server.url}/webhooks/stripe`, { method: "POST", body: "{}" });
    await fetch(`${server.url}/hooks/nobody`, {
      ...{ method: "POST", body: "{}", headers: { "content-type": "application/json" } },
    });
    const { text } = await get("/metrics");
    const samples = readExposition(text);
    const value = (name: string, labels: Record<string, string>) =>
      samples.find((one) => one.name === name && Object.entries(labels).every(([k, v]) => one.labels[k] === v))?.value;
    expect(value("perch_metrics_part_up", { part: "billing" })).toBe(1);
    expect(samples.filter(({ name, value }) => name === "perch_metrics_part_up" && value !== 1)).toEqual([]);
    expect(value("perch_call_duration_seconds_count", { router: "phones", type: "mutation", result: "ok" })).toBe(1);
    expect(value("perch_call_duration_seconds_count", { router: "phones", type: "query", result: "refused" })).toBe(1);
    expect(value("perch_http_request_duration_seconds_count", { class: "call", status: "4xx" })).toBeGreaterThan(0);
    expect(value("perch_phones", { driver: "web", state: "running" })).toBe(1);
    expect(value("perch_webhooks_received_total", { source: "rules", result: "refused" })).toBe(1);
    expect(value("perch_database_transaction_duration_seconds_count", { result: "ok" })).toBeGreaterThan(3);
    expect(value("perch_database_transactions", { state: "running" })).toBe(0);
    expect(value("process_resident_memory_bytes", {})).toBeGreaterThan(1e7);
    // Closed sets: no id of anybody or anything, no address, no path.
    const labels = new Set(samples.flatMap((one) => Object.entries(one.labels).map(([k, v]) => `${k}=${v}`)));
    expect([...labels].filter((one) => /_[\w-]{22}|@|\/|\d+\.\d+\.\d+\.\d+/.test(one.replace(/^node=v/, "")))).toEqual(
      [],
    );
    expect(text).not.toContain(person.teamId);
    expect(text).not.toContain(person.userId);
  });

  it("shows what it can while the database does not answer, and not ready says so", async () => {
    const broken = await startTestServer();
    await broken.db.tx((tx) => tx.delete(broken.db.t.jobs));
    await broken.db.close();
    const text = await (await fetch(`${broken.url}/metrics`)).text();
    const up = readExposition(text).filter(({ name }) => name === "perch_metrics_part_up");
    expect(Object.fromEntries(up.map(({ labels, value }) => [labels["part"], value]))).toEqual({
      ...{ process: 1, phones: 0, screens: 1, jobs: 0, mail: 0, billing: 0, database: 1 },
    });
    const ready = await fetch(`${broken.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      ready: false,
      checks: expect.arrayContaining([expect.objectContaining({ name: "database", state: "fail" })]),
    });
    expect((await fetch(`${broken.url}/healthz`)).status).toBe(200);
    await broken.close().catch(() => {});
  });
});
