import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeletionView, PrivacyOverview } from "../../../shared/privacy.ts";
import { ManualClock } from "../../clock.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";
import { countIn, needlesOf } from "./byte-scan.ts";

const DAY = 24 * 3_600_000;

describe("deleting an account on a running server", () => {
  let folder: string;
  let kept: { folder: string; driver: FakeDriver; clock: ManualClock };
  let server: TestServer;
  let anna: TestPerson;
  let ben: TestPerson;
  beforeEach(async () => {
    folder = dataFolder("perch-deletion-");
    kept = { folder, driver: new FakeDriver(), clock: new ManualClock() };
    server = await startTestServer({}, kept);
    anna = await signIn(server);
    ben = await signIn(server);
    for (const { token } of [anna, ben]) {
      await ask(token, "phones.launch", { idempotencyKey: "first-phone", name: "Phone of canary-phone-name" });
      server.clock.advance(10_000);
    }
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const addressOf = ({ userId }: TestPerson) => `${userId.toLowerCase()}@x.example`;
  async function ask(token: string, path: string, input: unknown, type: "mutation" | "query" = "mutation") {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data;
  }
  const erase = (person: TestPerson, now: boolean) =>
    ask(person.token, "privacy.delete", {
      ...{ idempotencyKey: "delete-account", confirmation: addressOf(person), now },
    }) as Promise<DeletionView>;
  const rowOf = async (id: DeletionView["id"]) => {
    const { erasures } = server.db.t;
    return (await server.db.read.select().from(erasures).where(eq(erasures.id, id)))[0];
  };
  const done = (id: DeletionView["id"]) =>
    vi.waitFor(async () => expect((await rowOf(id))?.state).toBe("done"), { timeout: 15_000, interval: 20 });
  const page = (path: string) => fetch(`${server.url}${path}`);
  const send = (path: string, fields: Record<string, string>) =>
    fetch(`${server.url}${path}`, {
      ...{ method: "POST", redirect: "manual", body: new URLSearchParams(fields).toString() },
      headers: { origin: server.url, "content-type": "application/x-www-form-urlencoded" },
    });
  const tokenIn = async (path: string) =>
    new RegExp(`${path}\\?token=([\\w-]{43})`).exec(await (await page("/mail")).text())?.[1] ?? "";

  it("ABUSE-39 pauses at once, shows the clock, and is taken back from the panel with everything as it was", async () => {
    const second = await server.db.tx((tx) =>
      server.accounts.sessions.create(tx, {
        ...{ userId: anna.userId, kind: "extension", method: "password" },
        authenticatedAt: new Date(server.clock.now()),
        about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
      }),
    );
    const asked = await erase(anna, false);
    expect(Date.parse(asked.purgeAt) - server.clock.now()).toBe(7 * DAY);
    expect(Date.parse(asked.goneBy) - server.clock.now()).toBe(30 * DAY);
    expect(await call(server, "query", "account.me", undefined, second.token)).toMatchObject({
      error: { code: "session_ended" },
    });
    expect(await call(server, "query", "phones.list", undefined, anna.token)).toMatchObject({
      error: { code: "account_closing" },
    });
    await vi.waitFor(() => expect(kept.driver.running.size).toBe(1), { timeout: 10_000 });
    const seen = (await ask(anna.token, "privacy.overview", undefined, "query")) as PrivacyOverview;
    expect(seen.deletion).toMatchObject({ id: asked.id, state: "grace" });
    server.clock.advance(7 * DAY - 60_000);
    await ask(anna.token, "privacy.undoDelete", undefined);
    server.clock.advance(DAY);
    expect(await ask(anna.token, "phones.list", undefined, "query")).toHaveLength(1);
    expect(await rowOf(asked.id)).toMatchObject({ state: "undone", choices: null, undoHash: null });
    const requests = await ask(anna.token, "privacy.requests", undefined, "query");
    expect(requests).toMatchObject([{ kind: "delete", state: "revoked" }]);
  });

  it("ABUSE-39 is taken back by the link in the mail, by whoever is locked out; looking at the page changes nothing", async () => {
    const asked = await erase(anna, false);
    const token = await tokenIn("/account-deletion/undo");
    expect(await (await page(`/account-deletion/undo?token=${token}`)).text()).toContain("Keep your account?");
    expect((await rowOf(asked.id))?.state).toBe("grace");
    expect((await send("/account-deletion/undo", { token: "x".repeat(43) })).status).toBe(409);
    const undone = await send("/account-deletion/undo", { token });
    expect(await undone.text()).toContain("The account stays");
    expect((await rowOf(asked.id))?.state).toBe("undone");
    expect((await page(`/account-deletion/undo?token=${token}`)).status).toBe(404);
    expect((await send("/account-deletion/undo", { token })).status).toBe(409);
    expect(await (await page("/mail")).text()).toContain("Your Perch account stays");
  });

  it("shows how far it is and then a certificate that names nobody, for 60 days", async () => {
    const { id } = await erase(anna, true);
    await done(id);
    const token = await tokenIn("/erasure");
    const shown = await (await page(`/erasure?token=${token}`)).text();
    if (!shown.includes("The account is deleted")) console.log(server.lines.join(""), shown.slice(-1500));
    expect(shown).toContain("The account is deleted");
    expect(shown).toContain("Phones: 1");
    for (const value of [anna.userId, addressOf(anna), anna.teamId]) expect(shown).not.toContain(value);
    expect(await (await page("/mail")).text()).not.toContain(addressOf(anna));
    expect(kept.driver.stored.size).toBe(1);
    expect(await ask(ben.token, "phones.list", undefined, "query")).toHaveLength(1);
    expect(await call(server, "query", "account.me", undefined, anna.token)).toMatchObject({
      error: { code: "unauthenticated" },
    });
    server.clock.advance(60 * DAY + 1);
    expect((await page(`/erasure?token=${token}`)).status).toBe(404);
  });

  it.each([
    ["over what is there", false],
    ["in place of it", true],
  ])("is done again before anybody is served when an old copy of the data is put back %s", async (_, whole) => {
    const { supportRequests } = server.db.t;
    const at = new Date(server.clock.now());
    const [email, emailIndex] = [addressOf(anna), addressOf(anna)];
    const message = { id: "s1", kind: "question", message: "Hello.", receivedAt: at, dueAt: at } as const;
    await server.db.tx((tx) => tx.insert(supportRequests).values({ ...message, email, emailIndex }));
    await server.close();
    const [data, copy] = [join(folder, "data"), join(folder, "copy")];
    cpSync(data, copy, { recursive: true });
    const stored = new Map(kept.driver.stored);
    server = await startTestServer({}, kept);
    const { id } = await erase(anna, true);
    await done(id);
    await server.close();

    if (whole) rmSync(data, { recursive: true });
    cpSync(copy, data, { recursive: true });
    for (const [phone, there] of stored) kept.driver.stored.set(phone, there);
    server = await startTestServer({}, kept);
    expect(server.lines.join("")).toContain("A backup brought back people who were erased");
    const pages = await server.db.pages();
    if (pages === undefined) throw new Error("There is nothing to look at.");
    expect(countIn(pages, needlesOf([addressOf(anna), anna.userId.toLowerCase()]))).toBe(0);
    expect(countIn(pages, needlesOf([ben.userId]))).toBeGreaterThan(0);
    expect(kept.driver.stored.size).toBe(1);
    // It leads to them by a fingerprint of their address, which nobody can read any more.
    expect(await server.db.read.select().from(server.db.t.supportRequests)).toEqual([]);
    const { users, erasureFence } = server.db.t;
    const people = await server.db.read.select({ id: users.id, email: users.email }).from(users);
    expect(people).toEqual([{ id: ben.userId, email: addressOf(ben) }]);
    expect((await server.db.read.select().from(erasureFence)).map(({ subject }) => subject)).toEqual([anna.userId]);
    expect(await ask(ben.token, "phones.list", undefined, "query")).toHaveLength(1);
  });

  it("ABUSE-39 is not forgotten by whoever changes the ledger: the server does not start", async () => {
    const { id } = await erase(anna, true);
    await done(id);
    await server.close();
    const file = join(folder, "data/erasures.ledger");
    writeFileSync(file, readFileSync(file, "utf8").replace(anna.userId, ben.userId));
    await expect(startTestServer({}, kept)).rejects.toMatchObject({
      ...{ code: "unavailable", message: expect.stringContaining("Line 1 of") },
    });
    rmSync(file);
    rmSync(join(folder, "data.key.erasures"));
    server = await startTestServer({}, kept);
    expect(readdirSync(folder)).not.toContain("data.key.erasures");
  });
});
