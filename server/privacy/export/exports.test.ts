import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { ExportDownload, ExportEstimate, ExportView } from "../../../shared/privacy.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";
import { dataMap } from "../map/data-map.ts";
import { canaryPerson, plant } from "../testing/plant.repo.ts";
import { readArchive } from "./testing.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

describe("a copy of one's data", () => {
  let server: TestServer;
  let data: string;
  let folder: string;
  beforeAll(async () => {
    data = dataFolder("perch-exports-");
    server = await startTestServer({ DATA_DIR: data, KEY_FILE: `${data}.key` });
    folder = join(data, "exports");
  });
  afterAll(async () => {
    await server.dispose();
    for (const path of [data, `${data}.key`]) rmSync(path, { recursive: true, force: true });
  });

  const asked = async <T>(
    type: "query" | "mutation",
    path: string,
    input: unknown,
    { token }: TestPerson,
  ): Promise<T> => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    return answer.data as T;
  };
  const refusal = async (path: string, input: unknown, { token }: TestPerson) => {
    const answer = await call(server, "mutation", path, input, token);
    return answer.ok ? "allowed" : answer.error.code;
  };
  let keys = 0;
  const start = (person: TestPerson) => {
    keys += 1;
    return asked<ExportView>("mutation", "privacy.export", { idempotencyKey: `export-key-${keys}` }, person);
  };
  const newest = async (person: TestPerson): Promise<ExportView> => {
    const [view] = await asked<ExportView[]>("query", "privacy.exports", undefined, person);
    if (view === undefined) throw new Error("There is no export.");
    return view;
  };
  const ready = async (person: TestPerson) => {
    const { dataExports } = server.db.t;
    await vi.waitUntil(async () => {
      const rows = await server.db.read.select().from(dataExports).where(eq(dataExports.userId, person.userId));
      return rows.length > 0 && rows.every(({ state }) => state !== "waiting" && state !== "running");
    }, 20_000);
    return newest(person);
  };
  const ticket = async (person: TestPerson, { id }: ExportView) =>
    (await asked<ExportDownload>("mutation", "privacy.downloadExport", { exportId: id }, person)).url;
  const fetched = (url: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    fetch(url, { method: "POST", body: new URLSearchParams(fields), headers });
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

  it("ABUSE-39 is estimated, made, told by mail, downloaded once a ticket, and removed", async () => {
    const anna = await signIn(server);
    await asked("mutation", "phones.launch", { idempotencyKey: "the-first-phone", name: "Anna's phone" }, anna);
    const estimate = await asked<ExportEstimate>("query", "privacy.estimateExport", undefined, anna);
    expect(estimate.rows).toBeGreaterThan(3);
    expect(estimate.parts.map(({ label }) => label)).toContain("Phones");

    const begun = await start(anna);
    const view = await ready(anna);
    expect(view).toMatchObject({ id: begun.id, downloads: 0, rows: expect.any(Number), bytes: expect.any(Number) });
    expect(view.rowsExpected).toBe(view.rows);
    const mail = (await server.accounts.mail.preview()).find(({ subject }) => subject.includes("ready to download"));
    expect(mail?.text).toContain(`${server.url}/account/data`);

    const url = await ticket(anna, view);
    const response = await fetched(url);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/zip",
      "content-disposition": expect.stringMatching(/^attachment; .*perch-data-2026-01-01\.zip$/),
      "cache-control": "no-store",
      "content-length": String(view.bytes),
    });
    const archive = await readArchive(await bytesOf(response));
    expect(archive.lines("phones")).toMatchObject([{ name: "Anna's phone" }]);
    expect(archive.manifest.rows).toBe(view.rows);
    expect((await fetched(url)).status).toBe(404);
    expect((await newest(anna)).downloads).toBe(1);

    await asked("mutation", "privacy.revokeExport", { exportId: view.id }, anna);
    expect((await newest(anna)).state).toBe("revoked");
    expect(readdirSync(folder)).not.toContain(view.id);
    expect(await refusal("privacy.downloadExport", { exportId: view.id }, anna)).toBe("conflict");
  });

  it("ABUSE-39 lies encrypted on the disk, and does not open when it was changed or cut off", async () => {
    const anna = await signIn(server);
    await asked("mutation", "phones.launch", { idempotencyKey: "the-first-phone", name: "zq7kneedle" }, anna);
    await start(anna);
    const view = await ready(anna);
    const path = join(folder, view.id);
    const stored = readFileSync(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const plain of ["PK\u0003\u0004", "manifest.json", "zq7kneedle"]) expect(stored.includes(plain)).toBe(false);
    const broken = async () => fetched(await ticket(anna, view)).then((answer) => answer.arrayBuffer());
    const flipped = Buffer.from(stored);
    flipped.writeUInt8(flipped.readUInt8(100) ^ 1, 100);
    writeFileSync(path, flipped);
    await expect(broken()).rejects.toThrow();
    writeFileSync(path, stored);
    truncateSync(path, stored.length - 1);
    await expect(broken()).rejects.toThrow();
  });

  it("gets a passphrase in the age format, which is kept nowhere", async () => {
    const anna = await signIn(server);
    await start(anna);
    const view = await ready(anna);
    const short = await fetched(await ticket(anna, view), { passphrase: "short" });
    expect([short.status, await short.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining("8 characters") } },
    ]);
    const passphrase = `correct horse ${randomBytes(6).toString("hex")}`;
    const response = await fetched(await ticket(anna, view), { passphrase });
    expect(response.headers.get("content-disposition")).toMatch(/perch-data-2026-01-01\.zip\.age$/);
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    const zip = await decrypter.decrypt(new Uint8Array(await response.arrayBuffer()));
    expect((await readArchive(Buffer.from(zip))).manifest.id).toBe(view.id);
    expect(server.lines.join("\n")).not.toContain(passphrase);
  });

  it("is downloaded at most five times, within a minute of each ticket, for seven days", async () => {
    const anna = await signIn(server);
    await start(anna);
    const view = await ready(anna);
    const late = await ticket(anna, view);
    server.clock.advance(60_000);
    expect((await fetched(late)).status).toBe(404);
    for (let count = 0; count < 5; count += 1)
      expect((await bytesOf(await fetched(await ticket(anna, view)))).length).toBe(view.bytes);
    expect(await refusal("privacy.downloadExport", { exportId: view.id }, anna)).toBe("limit_reached");

    const ben = await signIn(server);
    await start(ben);
    const his = await ready(ben);
    const url = await ticket(ben, his);
    server.clock.advance(WEEK_MS);
    expect((await newest(ben)).state).toBe("expired");
    expect((await fetched(url)).status).toBe(404);
    await vi.waitUntil(() => !readdirSync(folder).some((name) => name === his.id || name === view.id), 10_000);
  });

  it("ABUSE-39 is nobody else's, and not had with a stolen session that cannot prove itself anew", async () => {
    const [anna, ben] = [await signIn(server), await signIn(server)];
    await start(anna);
    const { id: exportId } = await ready(anna);
    for (const path of ["privacy.downloadExport", "privacy.revokeExport"]) {
      expect([path, await refusal(path, { exportId }, ben)]).toEqual([path, "not_found"]);
    }
    server.clock.advance(60 * 60_000);
    const confirmation = `${anna.userId.toLowerCase()}@x.example`;
    for (const [path, input] of [
      ["privacy.downloadExport", { exportId }],
      ["privacy.delete", { idempotencyKey: "of-a-thief", confirmation, now: true }],
    ] as const) {
      expect([path, await refusal(path, input, anna)]).toEqual([path, "step_up_required"]);
    }
    expect((await newest(anna)).downloads).toBe(0);
  });

  it("is made one at a time, the same one for the same key", async () => {
    const anna = await signIn(server);
    const input = { idempotencyKey: "the-same-key" };
    const [first, second] = [
      await asked<ExportView>("mutation", "privacy.export", input, anna),
      await asked<ExportView>("mutation", "privacy.export", input, anna),
    ];
    expect(second.id).toBe(first.id);
    await ready(anna);
    expect(await refusal("privacy.export", { idempotencyKey: "another-key" }, anna)).toBe("allowed");
    await ready(anna);
  });

  it("counts for the request it answers, which is fulfilled with a receipt", async () => {
    const anna = await signIn(server);
    await start(anna);
    await ready(anna);
    const requests = await asked<{ kind: string; state: string; receipt?: unknown }[]>(
      "query",
      "privacy.requests",
      undefined,
      anna,
    );
    expect(requests).toMatchObject([{ kind: "export", state: "fulfilled", receipt: { keyId: expect.any(String) } }]);
  });

  it("ABUSE-39 has the planted rows of the person and of nobody else, on a whole server", async () => {
    const [anna, ben] = [canaryPerson(), canaryPerson()];
    const map = dataMap(server.db.t);
    const at = new Date(server.clock.now());
    for (const person of [anna, ben]) await plant(server.db, map, person, { at, without: ["auditLog"] });
    const session = await server.db.tx((tx) =>
      server.accounts.sessions.create(tx, {
        userId: anna.userId,
        kind: "extension",
        authenticatedAt: at,
        method: "password",
        about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
      }),
    );
    const person = { ...anna, sessionId: session.id, token: session.token };
    await start(person);
    const archive = await readArchive(await bytesOf(await fetched(await ticket(person, await ready(person)))));
    expect(archive.lines("users")).toMatchObject([{ email: anna.email }]);
    expect(archive.lines("runs")).toHaveLength(1);
    const text = [...archive.files.values()].map((bytes) => bytes.toString("latin1")).join("\n");
    for (const value of [ben.email, ben.userId]) expect(text).not.toContain(value);
  });

  it("ABUSE-39 is sent to the extension's page and to ours, to programs, and to no other site", async () => {
    const anna = await signIn(server);
    await start(anna);
    const view = await ready(anna);
    const url = await ticket(anna, view);
    for (const origin of ["https://evil.example", "null", "http://localhost:1"]) {
      expect([origin, (await fetched(url, {}, { origin })).status]).toEqual([origin, 403]);
    }
    expect(
      (await fetch(url, { method: "POST", body: "{}", headers: { "content-type": "application/json" } })).status,
    ).toBe(415);
    expect((await fetch(url)).status).toBe(404);
    const own = await fetched(url, {}, { origin: new URL(server.url).origin });
    expect(own.status).toBe(200);
    await own.arrayBuffer();
    const extension = { origin: `chrome-extension://${"a".repeat(32)}` };
    expect((await fetched(await ticket(anna, view), {}, extension)).status).toBe(403);
  });
});
