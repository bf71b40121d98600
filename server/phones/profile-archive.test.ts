/** Phones that are parked on one node and started on another, with what nodes have on their disks. No browser runs. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newId, type PhoneId, type TeamId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { openBlobs } from "../files/compose.ts";
import { type FakeS3, type Stored, startFakeS3 } from "../files/testing/fake-s3.ts";
import { silentLog } from "../log.ts";
import type { PhoneSpec } from "./driver.ts";
import { createWebDriver } from "./drivers/web/driver.ts";
import { parkedPhones } from "./drivers/web/packed-phone.ts";
import { WebPhoneStorage } from "./drivers/web/storage.ts";
import { createPhoneArchivesRepo } from "./phone-archives.repo.ts";
import { type ArchiveKeeper, createProfileArchive } from "./profile-archive.ts";
import { FakeDriver } from "./testing/fake-driver.ts";
import { composePhones, newTeam } from "./testing/harness.ts";

const KEY = randomBytes(32);

describe.each(TEST_ENGINES)("archives of parked phones on $name", (engine) => {
  let test: TestDatabase;
  let fake: FakeS3;
  let folder: string;
  let teamId: TeamId;
  let phone: PhoneId;
  let clock: ManualClock;
  let a: Node;
  let b: Node;

  interface Node {
    readonly storage: WebPhoneStorage;
    readonly archive: ArchiveKeeper;
    /** As the driver does: the phone runs here, and gets this cookie. */
    run(cookie: string): Promise<void>;
    park(): Promise<void>;
    cookie(): string | undefined;
  }
  function node(name: string): Node {
    const root = join(folder, name);
    for (const below of ["phones", "profiles"]) mkdirSync(join(root, below), { recursive: true });
    const storage = new WebPhoneStorage(root, undefined, KEY);
    const { phones: shelf } = openBlobs({ config: settings(), clock });
    if (shelf === undefined) throw new Error("There is no bucket.");
    const archive = createProfileArchive({
      ...{
        db: test.db,
        repo: createPhoneArchivesRepo(test.db),
        shelf,
        parked: parkedPhones(storage, (_id, work) => work()),
      },
      ...{ key: KEY, clock, log: silentLog },
    });
    const profileOf = async () => (await storage.readRecord(phone)).profile ?? "";
    let shown: string | undefined;
    return {
      ...{ storage, archive },
      async run(cookie) {
        await archive.starting(phone);
        if (!(await storage.hasPhone(phone))) await storage.createPhone(phone);
        const record = await storage.readRecord(phone);
        const profile = record.profile ?? (await storage.createProfile());
        await storage.open(phone, profile);
        await storage.writeRecord(phone, { ...record, profile, open: cookie });
        const file = join(storage.profileFolder(profile), "Cookies");
        shown = existsSync(file) ? readFileSync(file, "utf8") : undefined;
        writeFileSync(file, cookie);
        mkdirSync(join(storage.profileFolder(profile), "cache"), { recursive: true });
        writeFileSync(join(storage.profileFolder(profile), "cache", "big"), randomBytes(300_000));
        writeFileSync(join(storage.filesFolder(phone), "download.bin"), Buffer.alloc(200_000, cookie));
      },
      async park() {
        await storage.seal(phone);
        await archive.archive(phone);
        expect(existsSync(storage.profileFolder(await profileOf()))).toBe(false);
      },
      cookie: () => shown,
    };
  }
  const settings = () =>
    parseConfig({
      ...{ S3_ENDPOINT: fake.access.endpoint, S3_REGION: fake.access.region, S3_BUCKET: fake.access.bucket },
      ...{ S3_ACCESS_KEY_ID: fake.access.accessKeyId, S3_SECRET_ACCESS_KEY: fake.access.secretAccessKey },
    });
  const keys = () => [...fake.objects.keys()];

  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    clock = new ManualClock();
    fake = await startFakeS3(clock);
    folder = mkdtempSync(join(tmpdir(), "perch-archive-"));
    const at = composePhones(test, clock, new FakeDriver());
    const scope = await newTeam(at);
    teamId = scope.teamId;
    phone = (await at.phones.launch(scope, { idempotencyKey: "the-phone" })).id;
    [a, b] = [node("a"), node("b")];
  });
  afterEach(async () => {
    await fake.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("bring a phone to another node as it was parked, sealed on the way, without its caches", async () => {
    await a.run("of a");
    expect(await a.archive.has(phone)).toBe(false);
    await a.park();
    expect(await a.archive.has(phone)).toBe(true);
    expect(keys()).toEqual([expect.stringMatching(`^t/${teamId}/phones/${phone}/[0-9a-f]{24}$`)]);
    const [stored] = fake.objects.values();
    expect(stored?.body.length).toBeLessThan(250_000);
    for (const word of ["of a", "Cookies", "download.bin"]) expect(stored?.body.includes(word)).toBe(false);
    await b.run("of b");
    expect(b.cookie()).toBe("of a");
    expect((await b.storage.readRecord(phone)).open).toBe("of b");
    expect(readFileSync(join(b.storage.filesFolder(phone), "download.bin")).length).toBe(200_000);
  });

  it("are made once, and only the newest stays", async () => {
    await a.run("first");
    await a.park();
    const [first] = keys();
    await a.archive.archive(phone);
    expect(keys()).toEqual([first]);
    await a.run("second");
    expect(await a.archive.has(phone)).toBe(false);
    await a.park();
    expect(keys()).toHaveLength(1);
    expect(keys()).not.toEqual([first]);
  });

  it("never let an older copy of another node pass for what the phone keeps", async () => {
    await a.run("old");
    await a.park();
    await b.run("new");
    // While the phone runs at b: a comes back and seals what it has.
    await a.storage.seal(phone);
    a.archive.parked(phone);
    await a.archive.close();
    expect(await a.archive.has(phone)).toBe(false);
    await expect(a.run("wrong")).rejects.toMatchObject({ code: "phone_unavailable" });
    await b.archive.tick();
    expect(await b.storage.phones()).toEqual([phone]);
    await b.park();
    await b.archive.tick();
    expect(await b.storage.phones()).toEqual([phone]);
    await a.run("newest");
    expect(a.cookie()).toBe("new");
    expect(readdirSync(join(a.storage.root, "profiles"))).toHaveLength(1);
  });

  it("leave nothing on a node that had the phone before, once it looks", async () => {
    await a.run("old");
    await a.park();
    await a.archive.tick();
    expect(await a.storage.phones()).toEqual([phone]);
    await b.run("new");
    await a.archive.tick();
    clock.advance(3_600_000);
    await a.archive.tick();
    for (const below of ["phones", "profiles"]) expect(readdirSync(join(a.storage.root, below))).toEqual([]);
    await b.park();
    await a.run("newest");
    expect(a.cookie()).toBe("new");
  });

  it("that fail leave the phone where it is, and are tried again", async () => {
    await a.run("kept here");
    await a.storage.seal(phone);
    fake.meddle = () => 503;
    a.archive.parked(phone);
    await a.archive.close();
    expect(await a.archive.has(phone)).toBe(false);
    fake.meddle = undefined;
    clock.advance(60_000);
    await a.archive.tick();
    await vi.waitFor(async () => expect(await a.archive.has(phone)).toBe(true));
  });

  it("are stopped by a start, and what was sent until then is gone", async () => {
    await a.run("soon back");
    await a.storage.seal(phone);
    const stored = a.archive.archive(phone).catch((error: unknown) => error);
    fake.meddle = (call) => (call.startsWith("PUT") ? "silent" : undefined);
    await vi.waitFor(() => expect(fake.calls.some((call) => call.startsWith("PUT"))).toBe(true));
    await a.run("back");
    expect(await stored).toMatchObject({ code: "conflict" });
    expect([a.cookie(), await a.archive.has(phone)]).toEqual(["soon back", false]);
  });

  it("that were changed, cut off, taken from another phone or lost do not start a phone, and leave nothing plain", async () => {
    await a.run("kept");
    await a.park();
    const objects = fake.objects as Map<string, Stored>;
    const [key = ""] = keys();
    const stored = objects.get(key);
    if (stored === undefined) throw new Error("Nothing is archived.");
    const { body: right } = stored;
    const changed = Buffer.from(right);
    changed.writeUInt8((changed[100_000] ?? 0) ^ 1, 100_000);
    for (const body of [changed, right.subarray(0, 100_000), right.subarray(0, right.length - 1), Buffer.alloc(0)]) {
      objects.set(key, { ...stored, body });
      await expect(b.run("x")).rejects.toMatchObject({ code: "phone_unavailable" });
      expect(await b.storage.hasPhone(phone)).toBe(false);
      expect(readdirSync(b.storage.phoneFolder(phone))).toEqual([]);
    }
    objects.delete(key);
    await expect(b.run("x")).rejects.toMatchObject({ message: expect.stringContaining("missing in the file storage") });
    objects.set(key, stored);
    await a.run("still here");
    expect(a.cookie()).toBe("kept");
  });

  it("leave nothing open that could not be unpacked", async () => {
    let ended = false;
    async function* broken() {
      try {
        for (;;) yield Buffer.alloc(8, 255);
      } finally {
        ended = true;
      }
    }
    const parked = parkedPhones(a.storage, (_id, work) => work());
    await expect(parked.unpack(phone, broken())).rejects.toMatchObject({ code: "phone_unavailable" });
    expect(ended).toBe(true);
  });

  it("stay when a node that had the phone before wipes its copy", async () => {
    const archive = vi.fn();
    const driver = await createWebDriver({
      ...{ dataDir: join(folder, "c"), key: KEY, clock, log: silentLog, chromePath: "/nowhere" },
      ...{ egress: () => Promise.reject(new Error("none")), limits: { memoryBytes: 1, diskBytes: 1 } },
      archive: () => ({ ...a.archive, remove: archive }),
    });
    await driver.create({ id: phone } as PhoneSpec);
    expect(await driver.recover()).toMatchObject([{ id: phone }]);
    await driver.leave?.(phone);
    expect([await driver.recover(), archive.mock.calls]).toEqual([[], []]);
    await driver.close();
  });

  it("go with the phone, whoever parked it, and those of phones that are gone with the sweep", async () => {
    await a.run("kept");
    await a.park();
    expect(await b.archive.remove(phone)).toEqual({ files: 1 });
    expect([keys(), await a.archive.has(phone)]).toEqual([[], false]);
    const other = newId("phone");
    const { phones: shelf } = openBlobs({ config: settings(), clock });
    await shelf?.blobs.put(`${shelf.prefix(teamId, other)}/x`, Buffer.from("nobody's"));
    await a.archive.removeOrphans();
    expect(keys()).toEqual([]);
    fake.meddle = () => 503;
    await expect(b.archive.remove(phone)).rejects.toMatchObject({ code: "unavailable" });
    fake.meddle = undefined;
    const { phones } = test.db.t;
    await test.db.tx((tx) => tx.delete(phones).where(eq(phones.id, phone)));
    expect(await b.archive.remove(phone)).toEqual({ files: 0 });
  });
});
