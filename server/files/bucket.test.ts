/** The whole server with its files in a bucket: what goes there, what it looks like, and that it goes. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { newId } from "../../shared/ids.ts";
import type { ExportView } from "../../shared/privacy.ts";
import { type Upload, uploadPath } from "../../shared/uploads.ts";
import { createArtifactStore } from "../automations/run-artifacts.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { countIn, needlesOf } from "../privacy/erasure/byte-scan.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { type Blobs, openBlobs } from "./compose.ts";
import { type FakeS3, startFakeS3 } from "./testing/fake-s3.ts";
import { createUploadStore } from "./upload-store.ts";

const CANARY = "canary-words-of-a-file";
const HOUR = 3_600_000;

function settings({ access }: FakeS3): Record<string, string> {
  return {
    ...{ S3_ENDPOINT: access.endpoint, S3_REGION: access.region, S3_BUCKET: access.bucket, S3_PREFIX: "perch" },
    ...{ S3_ACCESS_KEY_ID: access.accessKeyId, S3_SECRET_ACCESS_KEY: access.secretAccessKey },
  };
}

describe("a server with a bucket", () => {
  const kept = {
    folder: mkdtempSync(join(tmpdir(), "perch-bucket-")),
    driver: new FakeDriver(),
    clock: new ManualClock(),
  };
  let fake: FakeS3;
  let server: TestServer;
  let anna: TestPerson;
  let ben: TestPerson;
  const keys = (begin = "") => [...fake.objects.keys()].filter((key) => key.startsWith(`perch/${begin}`)).sort();
  beforeAll(async () => {
    fake = await startFakeS3(kept.clock);
    server = await startTestServer(settings(fake), kept);
    [anna, ben] = [await signIn(server), await signIn(server)];
  });
  afterAll(async () => {
    await server.close();
    await fake.close();
    rmSync(kept.folder, { recursive: true, force: true });
  });

  async function ask<T>({ token }: TestPerson, path: string, input: unknown, type: "mutation" | "query" = "mutation") {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data as T;
  }
  const send = (who: TestPerson, phone: string, id: string, method: "HEAD" | "PATCH", from = 0, body?: string) =>
    fetch(`${server.url}${uploadPath(phone, id)}`, {
      method,
      headers: {
        ...{ authorization: `Bearer ${who.token}`, origin: `chrome-extension://${CHROME_EXTENSION_ID}` },
        ...(method === "PATCH" && { "content-type": "application/offset+octet-stream", "upload-offset": `${from}` }),
      },
      ...(body !== undefined && { body }),
    });
  async function openUpload(who: TestPerson, bytes: number) {
    const { id: phone } = await ask<{ id: string }>(who, "phones.launch", {
      idempotencyKey: `phone-${randomBytes(6).toString("hex")}`,
    });
    const about = { phoneId: phone, purpose: "file", name: "a.txt", bytes };
    return { phone, id: (await ask<Upload>(who, "phones.openUpload", about)).id };
  }

  it("keeps uploads there, goes on after a restart, and gives the phone what came", async () => {
    const text = `${CANARY} in two pieces`;
    const { phone, id } = await openUpload(anna, text.length);
    expect((await send(anna, phone, id, "PATCH", 0, text.slice(0, 10))).headers.get("upload-offset")).toBe("10");
    expect(keys(`t/${anna.teamId}/uploads/`)).toEqual([`perch/t/${anna.teamId}/uploads/${id}/0.sealed`]);
    await server.close();
    server = await startTestServer(settings(fake), kept);
    await ask(anna, "phones.start", { phoneId: phone });
    expect((await send(anna, phone, id, "HEAD")).headers.get("upload-offset")).toBe("10");
    expect((await send(anna, phone, id, "PATCH", 10, text.slice(10))).status).toBe(204);
    await vi.waitFor(() =>
      expect(Buffer.from(kept.driver.stored.get(phone as never)?.files.get("a.txt") ?? []).toString()).toBe(text),
    );
    await vi.waitFor(() => expect(keys(`t/${anna.teamId}/uploads/`)).toEqual([]));
  });

  it("keeps copies of data there, and gives them whole", async () => {
    const { id } = await ask<ExportView>(anna, "privacy.export", { idempotencyKey: "a-copy-of-data" });
    const ready = async () =>
      (await ask<ExportView[]>(anna, "privacy.exports", undefined, "query")).find((one) => one.id === id);
    await vi.waitFor(async () => expect((await ready())?.state).toBe("ready"), { timeout: 10_000 });
    expect(keys("u/")).toEqual([`perch/u/${anna.userId}/exports/${id}`]);
    const { url } = await ask<{ url: string }>(anna, "privacy.downloadExport", { exportId: id });
    const answer = await fetch(url, { method: "POST", headers: { origin: server.url } });
    const zip = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, zip.subarray(0, 2).toString(), zip.length]).toEqual([200, "PK", (await ready())?.bytes]);
  });

  it("keeps nothing of files on its own disk, and nothing in the bucket that can be read", () => {
    for (const folder of ["runs", "uploads", "exports"])
      expect(existsSync(join(kept.folder, "data", folder))).toBe(false);
    const needles = needlesOf([CANARY, `${anna.userId.toLowerCase()}@x.example`]);
    expect(fake.objects.size).toBeGreaterThan(0);
    for (const [key, { body }] of fake.objects) expect([key, countIn(body, needles)]).toEqual([key, 0]);
  });

  it("lets go of what belongs to nothing any more, and of what was begun and left", async () => {
    const blobs = openBlobs({ config: parseConfig(settings(fake)), clock: kept.clock });
    const [run, upload, copy] = [newId("run"), newId("upload"), newId("dataExport")];
    const of = [blobs.runs.prefix(ben.teamId, run), blobs.uploads.prefix(ben.teamId, upload)];
    for (const prefix of of) await blobs.runs.blobs.put(`${prefix}/x`, Buffer.from("nobody's"));
    await blobs.exports.blobs.put(blobs.exports.prefix(ben.userId, copy), Buffer.from("nobody's"));
    fake.meddle = (request) => (/partNumber=2|^DELETE/.test(request) ? 503 : undefined);
    await expect(blobs.runs.blobs.put(`${of[0]}/y`, Buffer.alloc(9 * 2 ** 20))).rejects.toThrow();
    fake.meddle = undefined;
    expect(fake.uploads.size).toBe(1);
    kept.clock.advance(25 * HOUR);
    await vi.waitFor(() =>
      expect([keys(`t/${ben.teamId}`), keys(`u/${ben.userId}`), fake.uploads.size]).toEqual([[], [], 0]),
    );
  });

  it("tells when the bucket is down, and goes on when it is back", async () => {
    const { phone, id } = await openUpload(ben, 4);
    fake.meddle = () => 503;
    const refused = await send(ben, phone, id, "PATCH", 0, "text");
    expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining("Try again in a moment")]);
    fake.meddle = undefined;
    expect((await send(ben, phone, id, "HEAD")).headers.get("upload-offset")).toBe("0");
    expect((await send(ben, phone, id, "PATCH", 0, "te")).headers.get("upload-offset")).toBe("2");
  });

  it("erases whoever goes from the bucket too, known or not, and looks; nobody else loses a byte", async () => {
    // Whoever deletes an account has just signed in.
    anna = await signIn(server);
    const { phone, id } = await openUpload(anna, 20);
    await send(anna, phone, id, "PATCH", 0, CANARY.slice(0, 10));
    const blobs = openBlobs({ config: parseConfig(settings(fake)), clock: kept.clock });
    await blobs.runs.blobs.put(`${blobs.runs.prefix(anna.teamId, newId("run"))}/0`, Buffer.from("of a run"));
    await blobs.runs.blobs.put(`t/${anna.teamId}/phones/unknown/0`, Buffer.from("of a phone"));
    const hers = (key: string) => key.includes(anna.teamId) || key.includes(anna.userId);
    const others = keys().filter((key) => !hers(key));
    expect(others.length).toBeGreaterThan(0);
    expect(keys(`t/${anna.teamId}/`).length).toBe(3);
    const confirmation = `${anna.userId.toLowerCase()}@x.example`;
    await ask(anna, "privacy.delete", { idempotencyKey: "delete-account", confirmation, now: true });
    const { erasures } = server.db.t;
    await vi.waitFor(
      async () =>
        expect(await server.db.read.select({ state: erasures.state }).from(erasures)).toEqual([{ state: "done" }]),
      { timeout: 15_000 },
    );
    // Who was erased is said to every node here, by a random id, sealed.
    expect(keys()).toEqual([...others, `perch/erasures/${anna.userId}`].sort());
    const [row] = await server.db.read.select({ certificate: erasures.certificate }).from(erasures);
    expect(JSON.stringify(row?.certificate)).toContain("The file storage: all of it");
  });

  it("does not start with a bucket that refuses it, and starts with one that is down", async () => {
    await server.close();
    fake.versioning = true;
    await expect(startTestServer(settings(fake), kept)).rejects.toThrow(/without versioning/);
    fake.versioning = false;
    await expect(startTestServer({ ...settings(fake), S3_SECRET_ACCESS_KEY: "wrong" }, kept)).rejects.toThrow(
      /S3_ settings/,
    );
    fake.meddle = () => "down";
    server = await startTestServer(settings(fake), kept);
    expect(server.lines.join("")).toContain("The file storage does not answer");
    fake.meddle = undefined;
  });
});

describe("stores in a bucket", () => {
  let fake: FakeS3;
  let blobs: Blobs;
  let elsewhere: Blobs;
  beforeAll(async () => {
    const clock = new ManualClock();
    fake = await startFakeS3(clock);
    [blobs, elsewhere] = [0, 1].map(() => openBlobs({ config: parseConfig(settings(fake)), clock })) as [Blobs, Blobs];
  });
  afterAll(() => fake.close());

  it("give files of runs to every node, and none under another run's name", async () => {
    const key = randomBytes(32);
    const [here, there] = [
      createArtifactStore({ shelf: blobs.runs, key }),
      createArtifactStore({ shelf: elsewhere.runs, key }),
    ];
    const teamId = newId("team");
    const [run, other] = [
      { id: newId("run"), teamId },
      { id: newId("run"), teamId },
    ];
    const picture = randomBytes(50_000);
    const file = await here.write(run, picture);
    expect((await there.read(run, file)).equals(picture)).toBe(true);
    const objects = fake.objects as Map<string, unknown>;
    const [name = ""] = fake.objects.keys();
    objects.set(name.replace(run.id, other.id), objects.get(name));
    for (const [home, wanted] of [
      [other, file],
      [run, "../x"],
      [run, "0".repeat(24)],
      [{ ...run, teamId: newId("team") }, file],
    ] as const) {
      await expect(there.read(home, wanted)).rejects.toMatchObject({ code: "not_found" });
    }
    fake.meddle = () => 503;
    await expect(there.read(run, file)).rejects.toMatchObject({ code: "unavailable" });
    fake.meddle = undefined;
    expect(await there.read(run, file)).toEqual(picture);
    expect(await blobs.runs.clear(teamId, [])).toBe(2);
  });

  it("go on with an upload on another node", async () => {
    const key = randomBytes(32);
    const [here, there] = [
      createUploadStore({ shelf: blobs.uploads, key }),
      createUploadStore({ shelf: elsewhere.uploads, key }),
    ];
    const upload = { id: newId("upload"), teamId: newId("team") };
    const sent = randomBytes(200_000);
    const parts = async function* (bytes: Buffer, breaks = false) {
      yield bytes;
      if (breaks) throw new Error("the sender is gone");
    };
    expect(await here.add(upload, 0, parts(sent.subarray(0, 70_000), true), 1e9)).toBe(70_000);
    expect(await there.held(upload)).toBe(70_000);
    expect(await there.add(upload, 70_000, parts(sent.subarray(70_000)), 1e9)).toBe(130_000);
    await expect(there.add(upload, 200_000, parts(Buffer.alloc(11)), 10)).rejects.toMatchObject({ code: "too_large" });
    expect(await here.add(upload, 200_000, parts(Buffer.alloc(0)), 10)).toBe(0);
    expect(await here.held(upload)).toBe(200_000);
    const got: Uint8Array[] = [];
    for await (const part of here.read(upload, 200_000, new AbortController().signal)) got.push(part);
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    await there.remove([upload]);
    expect(await here.held(upload)).toBe(0);
  });
});
