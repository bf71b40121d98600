/** Files on their way to phones: pieces that break off, restarts, phones that go away, and what is refused. */

import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newId, type PhoneId, type UploadId } from "../../shared/ids.ts";
import { MAX_UPLOAD_BYTES, UPLOAD_PIECE_BYTES, type UploadPurpose, uploadName } from "../../shared/uploads.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { silentLog } from "../log.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { composePhones, newTeam, type PhonesUnderTest } from "../phones/testing/harness.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { folderBlobs } from "./testing/folder-blobs.ts";
import { createPutting } from "./upload-putting.ts";
import { createUploadStore } from "./upload-store.ts";
import { createUploadsRepo } from "./uploads.repo.ts";
import { createUploads, type Uploads } from "./uploads.service.ts";

const KEY = randomBytes(32);
const APK = Buffer.concat([Buffer.from("PK\u0003\u0004"), randomBytes(5_000)]);
const until = <T>(condition: () => Promise<T>) => vi.waitFor(condition, { timeout: 5000, interval: 5 });

async function* parts(...some: readonly Uint8Array[]) {
  yield* some;
}
/** Gives this much, then breaks as a connection does. */
async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error("aborted");
}

describe.each(TEST_ENGINES)("an upload on $name", (engine) => {
  let test: TestDatabase;
  let folder: string;
  let at: PhonesUnderTest<ManualClock>;
  let uploads: Uploads;
  let scope: TeamScope;
  let room: number;
  let phone: PhoneId;

  const composeUploads = () => {
    const { db, repo: phones, lifecycle, audit, clock } = at;
    const repo = createUploadsRepo(db);
    const store = createUploadStore({ shelf: folderBlobs(folder).uploads, key: KEY });
    const putting = createPutting({ ...{ db, repo, store, phones, lifecycle, audit, clock }, log: silentLog });
    return createUploads({
      node: undefined,
      ...{ db, repo, store, putting, phones: at.phones, lifecycle, clock },
      room: async () => room,
      log: silentLog,
    });
  };
  beforeEach(async () => {
    test = await engine.open();
    folder = mkdtempSync(join(tmpdir(), "perch-uploads-"));
    at = composePhones(test, new ManualClock(), new FakeDriver(new Map(), { kind: "adb" }));
    scope = await newTeam(at);
    at.driver.offers = [{ id: "device:one", driver: "adb", label: "Pixel 7" }];
    phone = (await at.phones.launch(scope, { driver: "adb", idempotencyKey: "the-phone" })).id;
    room = 100 * 1024 ** 3;
    uploads = composeUploads();
    await uploads.recover();
  });
  afterEach(async () => {
    await uploads.close();
    await test.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (bytes: number, purpose: UploadPurpose = "file", name = "holiday.jpg") =>
    (await uploads.open(scope, { phoneId: phone, purpose, name, bytes })).id;
  const send = (id: UploadId, from: number, content: AsyncIterable<Uint8Array>) =>
    uploads.receive(scope, phone, id, from, content);
  const upload = async (id: UploadId) => (await uploads.list(scope, phone)).find((one) => one.id === id);
  const onPhone = (name = "holiday.jpg") => at.driver.stored.get(phone)?.files.get(name);
  const onDisk = () => readdirSync(join(folder, "uploads"), { recursive: true });
  const actions = async () => (await test.db.read.select().from(test.db.t.auditLog)).map(({ action }) => action);

  it("comes in pieces, lies sealed, reaches the phone whole, and is written in the activity log", async () => {
    const bytes = Buffer.concat([Buffer.from("a secret of Anna"), randomBytes(200_000)]);
    const id = await open(bytes.length);
    expect(await upload(id)).toMatchObject({ state: "receiving", received: 0, put: 0, name: "holiday.jpg" });
    const first = await send(id, 0, parts(bytes.subarray(0, 70_000), bytes.subarray(70_000, 100_000)));
    expect(first).toEqual({ received: 100_000, bytes: bytes.length });
    expect(await uploads.offset(scope, phone, id)).toEqual(first);
    const sealed = readFileSync(join(folder, "uploads", id, "0.sealed"));
    expect(sealed.includes("a secret")).toBe(false);
    let seen = 0;
    at.driver.onPut = async () => {
      seen = Math.max(seen, (await upload(id))?.put ?? 0);
    };
    await send(id, 100_000, parts(bytes.subarray(100_000)));
    await until(async () => expect(await upload(id)).toMatchObject({ state: "done", put: bytes.length }));
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
    expect(seen).toBeGreaterThan(0);
    await until(async () => expect(onDisk()).toEqual([]));
    expect((await actions()).at(-1)).toBe("phone.file_added");
  });

  it("installs an app", async () => {
    const id = await open(APK.length, "app", "shop.apk");
    await send(id, 0, parts(APK));
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    expect(await at.phones.apps(scope, phone)).toMatchObject([{ id: "shop.apk" }]);
    expect((await actions()).at(-1)).toBe("phone.app_installed");
  });

  it("keeps what came before a connection broke, and goes on from there", async () => {
    const bytes = randomBytes(300_000);
    const id = await open(bytes.length);
    expect((await send(id, 0, broken(bytes.subarray(0, 120_000)))).received).toBe(120_000);
    await expect(send(id, 0, parts(bytes))).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/120000 bytes/),
    });
    await expect(send(id, 200_000, parts(bytes))).rejects.toMatchObject({ code: "conflict" });
    expect((await send(id, 120_000, parts())).received).toBe(120_000);
    await send(id, 120_000, parts(bytes.subarray(120_000)));
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
  });

  it("lets a later piece take the place of one that waits for bytes", async () => {
    const bytes = randomBytes(2_000);
    const id = await open(bytes.length);
    const stuck = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const old = send(
      id,
      0,
      (async function* () {
        yield bytes.subarray(0, 500);
        taken.resolve();
        await stuck.promise;
        yield bytes.subarray(500);
      })(),
    );
    await taken.promise;
    await expect(send(id, 0, parts(bytes))).rejects.toMatchObject({ code: "conflict" });
    expect((await old).received).toBe(500);
    await send(id, 500, parts(bytes.subarray(500)));
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    stuck.resolve();
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
  });

  it("goes on after a crash, and never says more is there than is on the disk", async () => {
    const bytes = randomBytes(90_000);
    const id = await open(bytes.length);
    await send(id, 0, parts(bytes.subarray(0, 30_000)));
    await send(id, 30_000, parts(bytes.subarray(30_000, 60_000)));
    rmSync(join(folder, "uploads", id, "30000.sealed"));
    uploads = composeUploads();
    await uploads.recover();
    expect(await uploads.offset(scope, phone, id)).toMatchObject({ received: 30_000 });
    await send(id, 30_000, parts(bytes.subarray(30_000)));
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
  });

  it("has a piece that was kept and not counted before a crash written again", async () => {
    const bytes = randomBytes(50_000);
    const id = await open(bytes.length);
    await send(id, 0, parts(bytes.subarray(0, 20_000)));
    await test.db.tx((tx) => tx.update(test.db.t.uploads).set({ received: 0 }));
    uploads = composeUploads();
    await uploads.recover();
    await send(id, 0, parts(bytes.subarray(0, 10_000)));
    await send(id, 10_000, parts(bytes.subarray(10_000)));
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
  });

  it("reaches the phone after a restart when all of it was there before", async () => {
    const bytes = randomBytes(10_000);
    const id = await open(bytes.length);
    const stuck = Promise.withResolvers<void>();
    at.driver.onPut = () => stuck.promise;
    await send(id, 0, parts(bytes));
    await until(async () => expect((await upload(id))?.state).toBe("putting"));
    const closing = uploads.close();
    stuck.resolve();
    await closing;
    expect((await upload(id))?.state).toBe("putting");
    uploads = composeUploads();
    await uploads.recover();
    await until(async () => expect((await upload(id))?.state).toBe("done"));
    expect(bytes.equals(onPhone() ?? new Uint8Array())).toBe(true);
  });

  it("waits for a phone that is out of reach, and is given once it is found", async () => {
    const bytes = randomBytes(200_000);
    const id = await open(bytes.length);
    at.driver.onPut = async () => {
      if (at.driver.onPut !== undefined) at.driver.lose(phone);
      at.driver.onPut = undefined as never;
    };
    await send(id, 0, parts(bytes));
    await until(async () => expect((await at.phones.get(scope, phone)).unreachableSince).toBeDefined());
    await uploads.tick();
    expect(await upload(id)).toMatchObject({ state: "putting", put: 0 });
    at.driver.find(phone);
    await until(async () => expect((await at.phones.get(scope, phone)).unreachableSince).toBeUndefined());
    await until(async () => {
      await uploads.tick();
      expect((await upload(id))?.state).toBe("done");
    });
    expect([...(at.driver.stored.get(phone)?.files.keys() ?? [])]).toEqual(["holiday.jpg"]);
  });

  it("fails with words when the phone stops, refuses it, or goes away again and again", async () => {
    const stopped = await open(10);
    await at.phones.park(scope, phone);
    await send(stopped, 0, parts(randomBytes(10)));
    await until(async () =>
      expect(await upload(stopped)).toMatchObject({
        state: "failed",
        message: expect.stringMatching(/Start it and send/),
      }),
    );
    await at.phones.start(scope, phone);
    const refused = await open(10);
    at.driver.onPut = () => Promise.reject(new Error("ENOSPC of the device"));
    await send(refused, 0, parts(randomBytes(10)));
    await until(async () =>
      expect(await upload(refused)).toMatchObject({ message: "The phone did not take the file. Try again." }),
    );
    await until(async () => expect(onDisk()).toEqual([]));
    expect(await actions()).not.toContain("phone.file_added");
  });

  it("ABUSE-35 is no app when it is no ZIP archive, whatever it is called and however it is cut", async () => {
    const whole = await open(5_000, "app", "shop.apk");
    await expect(send(whole, 0, parts(randomBytes(5_000)))).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/ZIP/),
    });
    expect(await upload(whole)).toMatchObject({ state: "failed", message: expect.stringMatching(/no Android app/) });
    const cut = await open(6, "app", "shop.apk");
    await send(cut, 0, parts(Buffer.from("MZ")));
    await send(cut, 2, parts(Buffer.from("\u0090\u0000!!").subarray(0, 4)));
    await until(async () =>
      expect(await upload(cut)).toMatchObject({ state: "failed", message: expect.stringMatching(/no Android app/) }),
    );
    const short = await open(3, "app", "shop.apk");
    await send(short, 0, parts(Buffer.from("PK\u0003")));
    await until(async () => expect((await upload(short))?.state).toBe("failed"));
    expect(await at.phones.apps(scope, phone)).toEqual([]);
    await until(async () => expect(onDisk()).toEqual([]));
  });

  it("ABUSE-35 has bounds: of a file, of a piece, of pieces, of a team, of the disk", async () => {
    await expect(open(MAX_UPLOAD_BYTES.file + 1)).rejects.toMatchObject({ code: "too_large" });
    const id = await open(100);
    await expect(send(id, 0, parts(randomBytes(101)))).rejects.toMatchObject({ code: "too_large" });
    expect((await uploads.offset(scope, phone, id)).received).toBe(0);
    const large = await open(UPLOAD_PIECE_BYTES * 2);
    await expect(send(large, 0, parts(randomBytes(UPLOAD_PIECE_BYTES + 1)))).rejects.toMatchObject({
      code: "too_large",
    });
    for (let more = 0; more < 4; more += 1) {
      await open(MAX_UPLOAD_BYTES.app / 2).catch(() => undefined);
      await uploads
        .open(scope, { phoneId: phone, purpose: "app", name: "a.apk", bytes: MAX_UPLOAD_BYTES.app })
        .catch(() => undefined);
    }
    await expect(open(MAX_UPLOAD_BYTES.file)).rejects.toMatchObject({ code: "limit_reached" });
    const other = await newTeam(at);
    room = 1024 ** 3 + 9;
    const theirs = (await at.phones.launch(other, { driver: "adb", idempotencyKey: "their-phone" })).id;
    const full = uploads.open(other, { phoneId: theirs, purpose: "file", name: "a", bytes: 10 });
    await expect(full).rejects.toMatchObject({ code: "limit_reached", message: expect.stringMatching(/disk/) });
  });

  it("is for a phone that takes it, runs, and is the team's", async () => {
    await expect(
      uploads.open(scope, { phoneId: newId("phone"), purpose: "file", name: "a", bytes: 1 }),
    ).rejects.toMatchObject({
      code: "not_found",
    });
    const other = await newTeam(at);
    await expect(uploads.open(other, { phoneId: phone, purpose: "file", name: "a", bytes: 1 })).rejects.toMatchObject({
      code: "not_found",
    });
    const id = await open(10);
    for (const work of [
      () => uploads.offset(other, phone, id),
      () => uploads.receive(other, phone, id, 0, parts(Buffer.from("x"))),
      () => uploads.cancel(other, phone, id),
      () => uploads.list(other, phone),
      () => uploads.offset(scope, newId("phone"), id),
      () => uploads.offset(scope, phone, newId("upload")),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: "not_found" });
    }
    await at.phones.park(scope, phone);
    await expect(open(10)).rejects.toMatchObject({ code: "phone_not_running" });
    const web = composePhones(test, at.clock, new FakeDriver());
    const webPhone = (await web.phones.launch(scope, { idempotencyKey: "web-phone" })).id;
    at = web;
    const onWeb = composeUploads();
    const app = onWeb.open(scope, { phoneId: webPhone, purpose: "app", name: "a.apk", bytes: 1 });
    await expect(app).rejects.toMatchObject({ code: "capability_missing" });
  });

  it("is only added to by who opened it", async () => {
    const id = await open(10);
    const member = { ...scope, userId: newId("user") };
    await expect(uploads.receive(member, phone, id, 0, parts(Buffer.from("x")))).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await uploads.list(member, phone)).toHaveLength(1);
  });

  it("goes with its cancelling, wherever it is, and with its phone", async () => {
    const half = await open(10);
    await send(half, 0, parts(Buffer.from("half")));
    await uploads.cancel(scope, phone, half);
    await expect(send(half, 4, parts(Buffer.from("more")))).rejects.toMatchObject({ code: "not_found" });
    const stuck = Promise.withResolvers<void>();
    at.driver.onPut = () => stuck.promise;
    const putting = await open(4);
    await send(putting, 0, parts(Buffer.from("four")));
    await uploads.cancel(scope, phone, putting);
    stuck.resolve();
    expect(await uploads.list(scope, phone)).toEqual([]);
    const left = await open(10);
    await send(left, 0, parts(Buffer.from("left")));
    await uploads.phoneRemoved(phone);
    expect(await uploads.list(scope, phone)).toEqual([]);
    await until(async () => expect(onDisk()).toEqual([]));
    expect(onPhone()).toBeUndefined();
  });

  it("leaves no files without a row", async () => {
    const kept = await open(10);
    await send(kept, 0, parts(Buffer.from("kept")));
    const swept = await open(10);
    await send(swept, 0, parts(Buffer.from("swept")));
    await test.db.tx((tx) => createUploadsRepo(test.db).delete(tx, [swept]));
    expect(await uploads.removeOrphans()).toBe(1);
    expect(readdirSync(join(folder, "uploads"))).toEqual([kept]);
  });
});

const newUpload = () => ({ id: newId("upload"), teamId: newId("team") });

describe("the store of uploads", () => {
  it("gives back what was kept, however it was cut and wherever it broke off", async () => {
    const folder = mkdtempSync(join(tmpdir(), "perch-upload-store-"));
    const store = createUploadStore({ shelf: folderBlobs(folder).uploads, key: KEY });
    const cut = fc.record({ size: fc.integer({ min: 0, max: 150_000 }), breaks: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 6 }), async (cuts) => {
        const id = newUpload();
        const sent: Buffer[] = [];
        let from = 0;
        for (const { size, breaks } of cuts) {
          const bytes = randomBytes(size);
          const added = await store.add(id, from, breaks ? broken(bytes) : parts(bytes), 1e9);
          expect(added).toBe(size);
          sent.push(bytes);
          from += added;
        }
        expect(await store.held(id)).toBe(from);
        const got: Uint8Array[] = [];
        for await (const part of store.read(id, from, new AbortController().signal)) got.push(part);
        expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true);
        await store.remove([id]);
      }),
      { numRuns: 15 },
    );
    rmSync(folder, { recursive: true, force: true });
  });

  it("opens no piece that was changed or moved", async () => {
    const folder = mkdtempSync(join(tmpdir(), "perch-upload-store-"));
    const [one, other] = [newUpload(), newUpload()];
    const store = createUploadStore({ shelf: folderBlobs(folder).uploads, key: KEY });
    await store.add(one, 0, parts(Buffer.from("of one")), 100);
    await store.add(other, 0, parts(Buffer.from("others")), 100);
    const { renameSync } = await import("node:fs");
    renameSync(join(folder, "uploads", one.id, "0.sealed"), join(folder, "uploads", other.id, "0.sealed"));
    const read = async () => {
      for await (const part of store.read(other, 6, new AbortController().signal)) void part;
    };
    await expect(read()).rejects.toThrow();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe("names of uploads", () => {
  it("ABUSE-35 are one plain component, or no name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 250 }), (name) => {
        const parsed = uploadName.safeParse(name);
        if (!parsed.success) return;
        expect(parsed.data).not.toMatch(/[/\\:*?"<>|\p{Cc}\p{Cf}]/u);
        expect(parsed.data).not.toMatch(/^\.*$/);
      }),
    );
    for (const name of ["", " ", ".", "..", "a/b", "a\\b", "a\u0000", "a\u202eb", "a:b", "x".repeat(201)]) {
      expect(uploadName.safeParse(name).success).toBe(false);
    }
  });
});
