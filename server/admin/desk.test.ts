/** Incidents, the policy and the operator's page, as an operator works with them beside a running server. */
import { rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../shared/ids.ts";
import type { AccessLogEntry, PrivacyOverview } from "../../shared/privacy.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { dataFolder } from "../db/testing-run.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { runAdmin } from "./commands.ts";

const HOUR_MS = 3_600_000;
let folder: string;
let server: TestServer;
let ada: TestPerson;
let ben: TestPerson;

async function admin(...args: string[]): Promise<string[]> {
  const out: string[] = [];
  const status = await runAdmin(args, {
    config: () => parseConfig({ DATA_DIR: join(folder, "data"), PORT: String(server.port), OPERATOR_ROLE: "privacy" }),
    clock: server.clock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  if (status !== 0) throw new Error(out.join("\n"));
  return out;
}
const time = (hours: number) => new Date(server.clock.now() + hours * HOUR_MS).toISOString().replace(/\.\d+Z/, "Z");
async function asked<T>(path: string, person: TestPerson): Promise<T> {
  const answer = await call(server, "query", path, undefined, person.token);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.data as T;
}
/** Until the running server did what a command left it. */
const until = (holds: () => Promise<void>) => vi.waitFor(holds, { timeout: 5_000 });

beforeAll(async () => {
  folder = dataFolder("perch-desk-");
  server = await startTestServer({}, { folder, driver: new FakeDriver(), clock: new ManualClock() });
  [ada, ben] = [await signIn(server), await signIn(server)];
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe("incidents by command", () => {
  it("are opened, counted, told to exactly whom they concern, and closed", async () => {
    const [id = ""] = await admin(
      "incident",
      "open",
      "--title",
      "A log was read",
      "--aware-at",
      time(-1),
      "--reason",
      "r",
    );
    expect(id).toMatch(/^inc_/);
    const scope = ["incident", "scope", "--id", id, "--exposed", "sessions.ip,users.email", "--users", ada.userId];
    expect(await admin(...scope, "--reason", "r")).toEqual(
      expect.arrayContaining([
        "people\t1",
        "  IP address\t1",
        "  E-mail address\t1",
        expect.stringContaining("71 h left"),
      ]),
    );
    const texts = [
      "--what",
      "A log was read.",
      "--consequences",
      "None.",
      "--measures",
      "Closed.",
      "--todo",
      "Nothing.",
    ];
    await admin("incident", "describe", "--id", id, ...texts, "--reason", "r");
    await admin("incident", "notify", "--id", id, "--reason", "r");
    await until(async () => expect(await admin("incident", "show", "--id", id)).toContain("  queued\t1"));
    expect((await asked<PrivacyOverview>("privacy.overview", ben)).incidents).toEqual([]);
    expect((await asked<PrivacyOverview>("privacy.overview", ada)).incidents).toEqual([
      expect.objectContaining({
        id,
        what: "A log was read.",
        todo: "Nothing.",
        categories: ["E-mail address", "IP address"],
      }),
    ]);
    expect(await admin("incident", "show", "--id", id)).toContain("  shown\t1");
    const [form = ""] = await admin("incident", "form", "--id", id, "--format", "html");
    expect(form).toContain("People concerned: 1.");
    await admin("incident", "told-authority", "--id", id, "--at", time(0), "--reason", "by post");
    await until(async () => {
      server.clock.advance(5 * 60_000);
      expect((await admin("incident", "show", "--id", id))[0]).toContain("notified");
    });
    await admin("incident", "close", "--id", id, "--reason", "over");
    expect((await admin("incident", "register"))[0]).toMatch(new RegExp(`^${id}\tclosed\tin time\t`));
  });

  it("are refused with what to correct", async () => {
    const open = ["incident", "open", "--title", "T", "--reason", "r", "--aware-at"];
    await expect(admin(...open, "yesterday")).rejects.toThrow("Write a moment in UTC");
    await expect(admin(...open, time(1))).rejects.toThrow("Nobody is aware");
    await expect(admin("incident", "show", "--id", newId("incident"))).rejects.toThrow("no such incident");
    await expect(admin("incident", "show", "--id", "x")).rejects.toThrow("--id");
    await expect(admin("incident", "notify", "--id", "x")).rejects.toThrow("--reason is missing");
  });
});

describe("looking at what is somebody's", () => {
  it("keeps as what and by whom, and the person sees reason and role", async () => {
    await admin("user", "show", "--email", `${ada.userId.toLowerCase()}@x.example`, "--reason", "ticket 1");
    await admin("user", "list", "--reason", "review", "--role", "security");
    const log = await asked<AccessLogEntry[]>("privacy.accessLog", ada);
    expect(log.slice(0, 2).map(({ reason, role }) => [reason, role])).toEqual(
      expect.arrayContaining([
        ["review", "security"],
        ["ticket 1", "privacy"],
      ]),
    );
    expect(JSON.stringify(log)).not.toContain(`"${userInfo().username}"`);
    await expect(admin("user", "list", "--reason", "r", "--role", "king")).rejects.toThrow("--role");
  });
});

describe("the policy by command", () => {
  it("announces none that is not in the repository", async () => {
    await expect(admin("policy", "announce", "--version", "2", "--reason", "r")).rejects.toThrow(
      "There is no version 2",
    );
    await expect(admin("policy", "announce", "--version", "x", "--reason", "r")).rejects.toThrow("number of a version");
    expect(await admin("policy", "status")).toEqual(["version 1\tin force"]);
  });
});

describe("the operator's page", () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, server.url), { headers, redirect: "manual" });
  const open = (token: string) =>
    fetch(new URL("/operator", server.url), {
      method: "POST",
      redirect: "manual",
      headers: { origin: server.url, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token }),
    });

  it("opens with a link that works once and for 15 minutes, for 30 minutes, and shows what waits without a name", async () => {
    const { db, clock } = server;
    const at = (days: number) => new Date(clock.now() + days * 24 * HOUR_MS);
    await db.tx(async (tx) => {
      const { dataRequests, erasures, erasureSteps } = db.t;
      const request = {
        kind: "access",
        channel: "mail",
        state: "open",
        receivedAt: at(-28),
        enteredAt: at(-27),
      } as const;
      await tx.insert(dataRequests).values({
        ...{ ...request, id: newId("dataRequest"), number: "DR-2026-0001", dueAt: at(2.5), email: "eve@x.example" },
        emailIndex: "eve@x.example",
        text: "My name is Eve.",
      });
      const id = newId("erasure");
      await tx.insert(erasures).values({ id, userId: ben.userId, state: "purging", askedAt: at(-9), purgeAt: at(-2) });
      await tx.insert(erasureSteps).values({ erasureId: id, store: "mail", position: 1, state: "late" });
    });
    expect((await get("/operator")).status).toBe(403);
    const [link = ""] = await admin("desk", "open", "--reason", "morning round");
    expect(new URL(link).origin).toBe(server.url);
    const token = new URL(link).searchParams.get("token") ?? "";
    // Looking at the link uses nothing up.
    expect(await (await get(`/operator?token=${token}`)).text()).toContain("Open the operator page");
    const opened = await open(token);
    expect([opened.status, opened.headers.get("location")]).toEqual([303, "/operator"]);
    const [cookie = ""] = opened.headers.getSetCookie();
    expect(cookie).toMatch(/^perch-desk=[^;]+; Max-Age=1800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await open(token)).status).toBe(404);

    const sent = { cookie: cookie.split(";")[0] ?? "" };
    const page = await (await get("/operator", sent)).text();
    for (const part of ["DR-2026-0001", "2 days left", "does not answer: mail", "A log was read", "Last sweep"]) {
      expect(page).toContain(part);
    }
    for (const part of ["eve@", "My name", ada.userId, ben.userId, "@x.example"]) expect(page).not.toContain(part);
    expect((await get("/operator", { ...sent, "sec-fetch-dest": "empty" })).status).toBe(403);
    for (const forged of ["perch-desk=9999999999999.x.y", `${sent.cookie}x`, "perch-desk=..", "perch-desk="]) {
      expect((await get("/operator", { cookie: forged })).status).toBe(403);
    }
    clock.advance(30 * 60_000);
    expect((await get("/operator", sent)).status).toBe(403);

    const [second = ""] = await admin("desk", "open", "--reason", "again");
    clock.advance(15 * 60_000);
    expect((await open(new URL(second).searchParams.get("token") ?? "")).status).toBe(404);
    const { auditLog } = db.t;
    const entries = (await db.read.select().from(auditLog)).filter(({ action }) => action === "admin.desk_opened");
    const by = { role: "privacy", by: userInfo().username };
    expect(entries.map(({ detail }) => detail)).toEqual([
      { reason: "morning round", ...by, step: "link" },
      { reason: "morning round", ...by, step: "opened" },
      { reason: "again", ...by, step: "link" },
    ]);
  });
});
