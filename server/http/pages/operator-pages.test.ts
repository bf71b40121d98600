/** The operator's pages on a whole server: who gets in, what they see, and what they can do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { totpCodeAt } from "../../accounts/testing/app-code.ts";
import { runAdmin } from "../../admin/commands.ts";
import { ManualClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";
import { requestInfo } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const ADA = "ada@x.example";
const OPERATORS = `${ADA},zoe@x.example`;
const SECTIONS = ["people", "machines", "work", "announcements", "billing", "log", "settings"];

let folder: string;
let server: TestServer;
let ben: TestPerson;
let ada: Awaited<ReturnType<typeof withApp>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-operator-"));
  const lease = { beatMs: 50, leaseMs: 15_000, marginMs: 3_000 };
  const kept = { folder, driver: new FakeDriver(), clock: new ManualClock(), lease };
  server = await startTestServer({ OPERATORS, METRICS_TOKEN: "s3cret-s3cret-s3cret-s3cret" }, kept);
  ben = await signIn(server);
  await ask("phones.launch", { idempotencyKey: "first-phone", name: "Ben's letters" });
  ada = await withApp(ADA);
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, input: unknown, type: "mutation" | "query" = "mutation") {
  const answer = await call(server, type, path, input, ben.token);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.data;
}
function browser() {
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const headers = { cookie, origin: server.url, ...(init.headers as Record<string, string>) };
    const response = await fetch(server.url + path, { redirect: "manual", ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    return { status: response.status, to: response.headers.get("location"), text: await response.text() };
  };
  return {
    cookies,
    get: (path: string) => send(path),
    post: (path: string, fields: Record<string, string>) =>
      send(path, {
        ...{ method: "POST", body: new URLSearchParams(fields).toString() },
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
  };
}
async function member(email: string) {
  await server.accounts.accounts.create({ email, password: PASSWORD }, "operator");
  const one = browser();
  await one.post("/sign-in", { email, password: PASSWORD });
  return one;
}
/** Signed in with the codes of an app. */
async function withApp(email: string) {
  const one = await member(email);
  const actor = await server.accounts.sessions.find(one.cookies.get("perch") ?? "", requestInfo());
  if (actor === undefined || actor === "ended") throw new Error("no session");
  const { secret } = await server.accounts.factors.beginTotp(actor);
  const code = () => {
    server.clock.advance(30_000);
    return totpCodeAt(secret, server.clock.now());
  };
  await server.accounts.factors.confirmTotp(actor, code());
  const prove = () => one.post("/prove", { password: PASSWORD, answer: code(), next: "/operator/people" });
  return { ...one, prove };
}
async function admin(...args: string[]): Promise<string> {
  const out: string[] = [];
  const status = await runAdmin(args, {
    config: () => parseConfig({ DATA_DIR: join(folder, "data"), PORT: String(server.port) }),
    clock: server.clock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  if (status !== 0) throw new Error(out.join("\n"));
  return out.join("\n");
}
const addressOf = ({ userId }: TestPerson) => `${userId.toLowerCase()}@x.example`;
const audited = async (action: string) => {
  const { auditLog } = server.db.t;
  return server.db.read.select().from(auditLog).where(eq(auditLog.action, action));
};

describe("the operator's pages", () => {
  it("open to accounts named in OPERATORS with a second factor, and to nobody else", async () => {
    expect((await browser().get("/operator")).status).toBe(403);
    const other = await member("other@x.example");
    const zoe = await member("zoe@x.example");
    expect((await zoe.get("/operator")).text).toContain("second factor");
    for (const path of ["/operator", ...SECTIONS.map((one) => `/operator/${one}`)]) {
      expect((await other.get(path)).status).toBe(403);
      expect((await ada.get(path)).status).toBe(200);
    }
    for (const path of ["/operator/look", "/operator/do"]) {
      const fields = { look: "log", action: "job.run", target: "x", section: "work", reason: "why" };
      expect((await other.post(path, path.endsWith("do") ? fields : { look: "log", reason: "w" })).status).not.toBe(
        200,
      );
    }
    expect((await ada.get("/operator/nothing")).status).toBe(404);
  });

  it("show how things stand and name nobody, with a link made on the machine, too", async () => {
    const link = new URL(await admin("desk", "open", "--reason", "a look"));
    const machine = browser();
    await machine.post("/operator", { token: link.searchParams.get("token") ?? "" });
    for (const visitor of [ada, machine]) {
      const pages = await Promise.all(
        ["", ...SECTIONS.map((one) => `/${one}`)].map((one) => visitor.get(`/operator${one}`)),
      );
      const all = pages.map(({ text }) => text).join("");
      for (const words of ["Phones, web", "Backups", "Nodes", "METRICS_TOKEN", "secret, set", "Requests about data"]) {
        expect(all).toContain(words);
      }
      for (const secret of [addressOf(ben), ben.userId, "Ben's letters", "s3cret"]) expect(all).not.toContain(secret);
    }
    expect((await machine.get("/operator/machines")).text).not.toContain("/operator/do");
    const tried = { action: "job.run", target: newId("job"), section: "work", reason: "because" };
    expect((await machine.post("/operator/do", tried)).status).toBe(403);
    expect((await machine.post("/operator/look", { look: "log", reason: "because" })).status).toBe(403);
  });

  it("ask for a fresh proof, then show one person with a reason that person reads, and stop a phone", async () => {
    const wanted = { look: "person", email: addressOf(ben), reason: "They asked for help" };
    expect((await ada.post("/operator/look", wanted)).to).toBe("/prove?next=%2Foperator%2Fpeople");
    expect((await ada.prove()).to).toBe("/operator/people");
    expect((await ada.post("/operator/look", { ...wanted, reason: " " })).status).toBe(400);
    expect((await ada.post("/operator/look", { ...wanted, email: "nobody@x.example" })).text).toContain(
      "No account has",
    );
    const seen = await ada.post("/operator/look", wanted);
    expect(seen.text).toContain("Ben&#39;s letters");
    expect((await audited("admin.account_read")).map(({ object, detail }) => ({ object, detail }))).toEqual([
      { object: ben.userId, detail: { reason: "They asked for help", role: "operator", by: "ada" } },
    ]);
    const phone = /name="target" value="(ph_[\w-]+)"/.exec(seen.text)?.[1] ?? "";
    const stop = { action: "phone.stop", target: phone, section: "people", reason: "It floods a neighbour" };
    expect((await ada.post("/operator/do", stop)).to).toBe("/operator/people?done=1");
    const state = async () => ((await ask("phones.list", undefined, "query")) as { state: string }[])[0]?.state;
    await vi.waitFor(async () => expect(await state()).toBe("parked"), { timeout: 5_000 });
    expect((await ada.get("/operator/people?done=1")).text).toContain("stands in the log");
    const log = await ada.post("/operator/look", { look: "log", reason: "the week's look" });
    expect(log.text).toContain("It floods a neighbour");
    server.clock.advance(11 * 60_000);
    expect((await ada.post("/operator/do", stop)).to).toBe("/prove?next=%2Foperator%2Fpeople");
  });

  it("let failed work run again, drain the node and take that back, and so do commands", async () => {
    const { jobs } = server.db.t;
    const [id, other] = [newId("job"), newId("job")];
    const at = new Date(server.clock.now());
    const dead = {
      kind: "gone.kind",
      input: {},
      state: "dead",
      runAt: at,
      attempt: 8,
      maxAttempts: 8,
      createdAt: at,
    } as const;
    await server.db.tx((tx) =>
      tx.insert(jobs).values([id, other].map((one) => ({ ...dead, id: one, error: "It broke.", finishedAt: at }))),
    );
    const stateOf = async (one: typeof id) =>
      (await server.db.read.select({ state: jobs.state }).from(jobs).where(eq(jobs.id, one)))[0]?.state;
    expect((await ada.get("/operator/work")).text).toContain("It broke.");
    await ada.prove();
    await ada.post("/operator/do", { action: "job.run", target: id, section: "work", reason: "Fixed" });
    expect(await stateOf(id)).toBe("ready");
    expect(
      (await ada.post("/operator/do", { action: "job.run", target: newId("job"), section: "work", reason: "x" }))
        .status,
    ).toBe(404);
    await admin("jobs", "run", "--id", other, "--reason", "Fixed");
    expect(await stateOf(other)).toBe("ready");
    expect((await audited("admin.job_run")).length).toBe(2);
    expect(await admin("jobs", "list")).toContain("gone.kind");
    expect(await admin("overview")).toMatch(/phones\tweb\tparked\t1[\s\S]*backups\tok/);
    expect(await admin("config", "show")).toContain("METRICS_TOKEN\tnot set");
    expect(await admin("phones", "list", "--email", addressOf(ben), "--reason", "help")).toContain("Ben's letters");
    expect(await admin("audit", "read", "--reason", "a look")).toContain("reason=Fixed");
  });

  it("drain the only node, which is not ready from then on, and take that back", async () => {
    await ada.prove();
    const name = server.membership.name;
    const ready = async () => {
      const answer = await fetch(`${server.url}/readyz`);
      return { status: answer.status, ...((await answer.json()) as { checks: { says: string }[] }) };
    };
    const drain = (action: string) =>
      ada.post("/operator/do", { action, target: name, section: "machines", reason: "A new disk" });
    expect((await ada.get("/operator/machines")).text).toContain(">open<");
    await drain("node.drain");
    await vi.waitFor(async () => expect((await ready()).status).toBe(503), { timeout: 5_000 });
    expect((await ready()).checks.map(({ says }) => says)).toContain("This process is being drained.");
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await ada.get("/operator/machines")).text).toContain(">draining<");
    const refused = await call(server, "mutation", "phones.launch", { idempotencyKey: "drained-phone" }, ben.token);
    expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
    await drain("node.undrain");
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), { timeout: 5_000 });
    expect((await audited("admin.node_changed")).map(({ detail }) => detail)).toMatchObject([
      { draining: true, reason: "A new disk", by: "ada" },
      { draining: false, reason: "A new disk", by: "ada" },
    ]);
  });

  it("tell everybody in a line, until it is over, ended, or closed in their browser", async () => {
    await ada.prove();
    const minute = (hours: number) => new Date(server.clock.now() + hours * 3_600_000).toISOString().slice(0, 16);
    const text = "Phones restart <b>tonight</b> at ten";
    const form = { text, level: "info", from: "", until: minute(24), reason: "Maintenance" };
    for (const wrong of [
      { until: minute(-1) },
      { until: "" },
      { text: "x".repeat(281) },
      { reason: "" },
      { level: "loud" },
    ]) {
      const { status, text: page } = await ada.post("/operator/announce", { ...form, ...wrong });
      expect(status).toBe(400);
      expect(page).toContain("Tell everybody");
    }
    expect((await ada.post("/operator/announce", form)).to).toBe("/operator/announcements?done=1");
    await admin(
      "announcements",
      "add",
      "--text",
      "Later",
      "--from",
      `${minute(2)}:00Z`,
      "--until",
      `${minute(3)}:00Z`,
      "--reason",
      "r",
    );
    server.clock.advance(11_000);
    const current = async () =>
      (await ask("announcements.current", undefined, "query")) as { id: string; text: string }[];
    expect(await current()).toMatchObject([{ text, level: "info" }]);
    const somebody = browser();
    const page = await somebody.get("/privacy");
    expect(page.text).toContain("Phones restart &lt;b&gt;tonight&lt;/b&gt; at ten");
    const [{ id } = { id: "" }] = await current();
    expect((await somebody.post("/announcement/close", { id, next: "//elsewhere.example" })).to).toBe("/");
    expect((await somebody.post("/announcement/close", { id, next: "/privacy" })).to).toBe("/privacy");
    expect(somebody.cookies.get("perch-closed")).toBe(id);
    expect((await somebody.get("/privacy")).text).not.toContain("Phones restart");
    expect((await browser().get("/privacy")).text).toContain("Phones restart");
    server.clock.advance(2.5 * 3_600_000);
    expect((await current()).map((one) => one.text)).toEqual([text, "Later"]);
    await admin("announcements", "end", "--id", id, "--reason", "It is over");
    server.clock.advance(11_000);
    expect((await current()).map((one) => one.text)).toEqual(["Later"]);
    expect((await audited("admin.announced")).length).toBe(3);
    expect(await admin("announcements", "list")).toContain(text);
  });

  it("refuse what no page of theirs sends", async () => {
    await ada.prove();
    for (const fields of [
      { action: "person.erase", target: ben.userId, section: "people", reason: "x" },
      { action: "node.drain", target: "x", section: "elsewhere", reason: "x" },
      { action: "phone.stop", target: "../x", section: "people", reason: "x" },
    ]) {
      expect((await ada.post("/operator/do", fields)).status).toBe(400);
    }
  });
});
