import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type RunId } from "../../shared/ids.ts";
import type { WebhookWithSecret } from "../../shared/webhooks.ts";
import { projectRoot } from "../paths.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { newSecret, seal, unseal } from "./signature.ts";

const FLOW = "url: https://a.example/\ninputs:\n  - ORDER_ID\n  - name: CITY\n    default: Berlin\n---\n- back\n";

describe("webhooks", () => {
  let server: TestServer;
  let owner: TestPerson;
  let flowId: string;
  let phoneId: string;
  const ask = async <T>(type: "query" | "mutation", path: string, input: unknown, who = owner): Promise<T> => {
    const answer = await call(server, type, path, input, who.token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as T;
  };
  beforeAll(async () => {
    server = await startTestServer();
    owner = await signIn(server);
    phoneId = (await ask<{ id: string }>("mutation", "phones.launch", { idempotencyKey: "the-phone" })).id;
    flowId = (await ask<{ id: string }>("mutation", "flows.save", { name: "Order", source: FLOW })).id;
  });
  afterAll(() => server.dispose());
  const create = (over: Record<string, unknown> = {}) =>
    ask<WebhookWithSecret>("mutation", "webhooks.create", { name: "Shop", flowId, phone: phoneId, ...over });
  const seconds = () => String(Math.floor(server.clock.now() / 1000));

  interface Change {
    readonly url?: string;
    readonly secret?: string;
    readonly timestamp?: string;
    readonly signature?: string;
    readonly sent?: string;
    readonly headers?: Record<string, string>;
  }
  const post = async (hook: WebhookWithSecret, body: string, change: Change = {}) => {
    const timestamp = change.timestamp ?? seconds();
    const secret = change.secret ?? hook.secret;
    const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
    const response = await fetch(change.url ?? `${server.url}/hooks/${hook.id}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-perch-timestamp": timestamp,
        "x-perch-signature": change.signature ?? `sha256=${signature}`,
        ...change.headers,
      },
      body: change.sent ?? body,
    });
    const answer = (await response.json()) as { runId?: RunId; error?: { code: string; message: string } };
    return { status: response.status, retryAfter: response.headers.get("retry-after"), ...answer };
  };
  const runs = () => ask<{ id: RunId }[]>("query", "runs.list", undefined);

  it("start a flow with the inputs it declares, and nothing else of the body", async () => {
    const hook = await create();
    expect(hook).toMatchObject({ url: `${server.url}/hooks/${hook.id}`, mayUseSecrets: false });
    const answer = await post(
      hook,
      '{"ORDER_ID": "4 2 日本", "flowId": "x", "phoneId": "y", "__proto__": {"CITY": "z"}}',
    );
    expect(answer).toMatchObject({ status: 202, runId: expect.stringMatching(/^run_/) });
    await server.automations.runner.idle();
    expect(await ask("query", "runs.get", { runId: answer.runId })).toMatchObject({
      state: "passed",
      trigger: "webhook",
      triggerName: "Shop",
      inputs: { ORDER_ID: "4 2 日本" },
      phoneId,
      flowId,
    });
    const listed = await ask<Record<string, unknown>[]>("query", "webhooks.list", undefined);
    expect(listed).toMatchObject([{ id: hook.id, lastUsedAt: new Date(server.clock.now()).toISOString() }]);
    expect(listed[0]).not.toHaveProperty("secret");
  });

  it("are called as docs/webhooks.md says", async () => {
    const hook = await create();
    const guide = readFileSync(join(projectRoot(), "docs/webhooks.md"), "utf8");
    const script = /```sh\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
    const run = promisify(execFile);
    const tools = await run("sh", ["-c", "command -v curl && command -v openssl"]).then(
      () => true,
      () => false,
    );
    // Where the tools are missing, the same is computed here by the words of the guide.
    if (!tools) {
      expect(script).toContain(`'%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -hmac "$SECRET"`);
      expect((await post(hook, '{"ORDER_ID": "42"}')).status).toBe(202);
      return;
    }
    const fixed = script.replace("$(date +%s)", seconds());
    const env = { PATH: process.env["PATH"], SECRET: hook.secret, HOOK_URL: `${server.url}/hooks/${hook.id}` };
    const { stdout } = await run("sh", ["-c", fixed], { env });
    expect(JSON.parse(stdout)).toEqual({ runId: expect.stringMatching(/^run_/) });
  });

  it("tell an unknown one from a wrong signature in nothing", async () => {
    const hook = await create();
    const other = await create({ name: "Other" });
    const body = '{"ORDER_ID": "1"}';
    const before = (await runs()).length;
    const good = createHmac("sha256", hook.secret).update(`${seconds()}.${body}`).digest("hex");
    const flipped = `${good.slice(0, -1)}${good.endsWith("0") ? "1" : "0"}`;
    const answers = [
      await post(hook, body, { url: `${server.url}/hooks/${newId("webhook")}` }),
      await post(hook, body, { url: `${server.url}/hooks/nonsense` }),
      await post(hook, body, { secret: other.secret }),
      await post(hook, body, { signature: `sha256=${flipped}` }),
      await post(hook, body, { signature: good }),
      await post(hook, body, { signature: "" }),
      await post(hook, body, { signature: `sha256=${good.toUpperCase()}0` }),
      await post(hook, body, { sent: '{"ORDER_ID": "2"}' }),
      await post(hook, body, { timestamp: "soon" }),
      await post(hook, body, { timestamp: "" }),
    ];
    const known = answers[0]?.error;
    for (const { status, error } of answers) {
      expect([status, error?.code, error?.message]).toEqual([401, "unauthenticated", known?.message]);
    }
    expect((await runs()).length).toBe(before);
  });

  it("refuse what is too old, too early, or was taken before", async () => {
    const hook = await create();
    const at = (offset: number) => String(Number(seconds()) + offset);
    for (const offset of [-301, 301, -100_000_000]) {
      const answer = await post(hook, '{"ORDER_ID": "1"}', { timestamp: at(offset) });
      expect(answer).toMatchObject({ status: 401, error: { message: expect.stringContaining("5 minutes off") } });
    }
    for (const offset of [-300, 299]) {
      expect((await post(hook, '{"ORDER_ID": "1"}', { timestamp: at(offset) })).status).toBe(202);
    }
    const timestamp = seconds();
    const same = () => post(hook, '{"ORDER_ID": "once"}', { timestamp });
    const answers = await Promise.all([same(), same(), same(), same()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
    server.clock.advance(4 * 60_000);
    expect((await same()).status).toBe(409);
    server.clock.advance(2 * 60_000);
    expect((await same()).status).toBe(401);
  });

  it("know a call early enough that forgetting it lets nothing in again", async () => {
    const hook = await create();
    const timestamp = String(Number(seconds()) + 300);
    expect((await post(hook, '{"ORDER_ID": "1"}', { timestamp })).status).toBe(202);
    for (let minute = 0; minute < 12; minute += 1) {
      server.clock.advance(60_000);
      await sweepNow(server.db, server.clock.now(), "webhook_calls");
      expect((await post(hook, '{"ORDER_ID": "1"}', { timestamp })).status).toBeOneOf([409, 401]);
    }
    await sweepNow(server.db, server.clock.now() + 86_400_000, "webhook_calls");
    expect(await server.db.read.select().from(server.db.t.webhookCalls)).toEqual([]);
  });

  it("give one run for one Idempotency-Key", async () => {
    const hook = await create();
    const headers = { "idempotency-key": "order-42-shipped" };
    const first = await post(hook, '{"ORDER_ID": "42"}', { headers });
    server.clock.advance(1_000);
    expect(await post(hook, '{"ORDER_ID": "42"}', { headers })).toMatchObject({ status: 202, runId: first.runId });
    server.clock.advance(1_000);
    expect(await post(hook, '{"ORDER_ID": "43"}', { headers })).toMatchObject({ status: 409 });
    expect(await post(hook, '{"ORDER_ID": "44"}', { headers: { "idempotency-key": "a b" } })).toMatchObject({
      status: 400,
    });
    const other = await create({ name: "Other" });
    expect((await post(other, '{"ORDER_ID": "42"}', { headers })).runId).not.toBe(first.runId);
  });

  it("say what is wrong with a body that is signed rightly", async () => {
    const hook = await create();
    const messages = [];
    for (const body of ["[]", "null", '"x"', "{", '{"ORDER_ID": 42}', "{}", `{"ORDER_ID": "${"x".repeat(8_193)}"}`]) {
      const { status, error } = await post(hook, body);
      expect(status).toBe(400);
      messages.push(error?.message);
    }
    expect(messages.slice(0, 4)).toEqual(Array(4).fill(messages[0]));
    expect(messages.slice(4)).toEqual([
      "ORDER_ID has to be a text, in quotes.",
      "The flow needs a value for ORDER_ID.",
      "ORDER_ID has more than 8,192 characters.",
    ]);
    expect(await post(hook, `{"x": "${"x".repeat(70_000)}"}`)).toMatchObject({ status: 413 });
    const form = await post(hook, "{}", { headers: { "content-type": "text/plain" } });
    expect(form).toMatchObject({ status: 415 });
  });

  it("are held to their cap, each by itself", async () => {
    const [hook, other] = [await create(), await create({ name: "Other" })];
    const taken = [];
    for (let n = 0; n < 31; n += 1) {
      server.clock.advance(300);
      taken.push((await post(hook, `{"ORDER_ID": "${n}"}`)).status);
      await server.automations.runner.idle();
    }
    expect(taken).toEqual([...Array(30).fill(202), 429]);
    expect(Number((await post(hook, '{"ORDER_ID": "31"}')).retryAfter)).toBeGreaterThan(0);
    expect((await post(other, '{"ORDER_ID": "1"}')).status).toBe(202);
    server.clock.advance(12_000);
    expect((await post(hook, '{"ORDER_ID": "later"}')).status).toBe(202);
  });

  it("end with their secret, their maker's rights, or their flow", async () => {
    const flow = await ask<{ id: string }>("mutation", "flows.save", { name: "Other", source: FLOW });
    const operator = await signIn(server, "operator", owner.teamId);
    const input = { name: "Theirs", flowId: flow.id, phone: phoneId };
    const hook = await ask<WebhookWithSecret>("mutation", "webhooks.create", input, operator);
    expect((await post(hook, '{"ORDER_ID": "1"}')).status).toBe(202);
    const { teamMembers } = server.db.t;
    const member = and(eq(teamMembers.teamId, owner.teamId), eq(teamMembers.userId, operator.userId));
    await server.db.tx((tx) => tx.delete(teamMembers).where(member));
    expect(await post(hook, '{"ORDER_ID": "2"}')).toMatchObject({
      status: 403,
      error: { message: expect.stringContaining("new secret") },
    });
    const rotated = await ask<WebhookWithSecret>("mutation", "webhooks.rotate", { webhookId: hook.id });
    expect(rotated.secret).not.toBe(hook.secret);
    expect((await post(hook, '{"ORDER_ID": "3"}')).status).toBe(401);
    expect((await post(rotated, '{"ORDER_ID": "3"}')).status).toBe(202);
    await server.automations.runner.idle();
    await ask("mutation", "flows.remove", { flowId: flow.id });
    expect((await post(rotated, '{"ORDER_ID": "4"}')).status).toBe(401);
  });

  it("keep their secret sealed, each for itself, and out of log and audit", async () => {
    const hook = await create({ name: "Sealed" });
    await post(hook, '{"ORDER_ID": "canary"}');
    const { read, t } = server.db;
    const rows = [...(await read.select().from(t.webhooks)), ...(await read.select().from(t.auditLog))];
    expect(JSON.stringify(rows)).not.toContain(hook.secret.slice(8));
    expect(server.lines.join("\n")).not.toContain(hook.secret.slice(8));
    const key = Buffer.alloc(32, 1);
    const secret = newSecret();
    expect(unseal(key, hook.id, seal(key, hook.id, secret))).toBe(secret);
    expect(() => unseal(key, newId("webhook"), seal(key, hook.id, secret))).toThrow();
  });
});
