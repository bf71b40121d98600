import { describe, expect, it, vi } from "vitest";
import { newId } from "../../../../shared/ids.ts";
import type { Upload } from "../../../../shared/uploads.ts";
import { fileProblem, isApk } from "./check-file.ts";
import { createUploader, progressOf, type UploadItem, UploadRefused, type UploadTransport } from "./uploader.ts";

const KB = 1024;
const phoneId = newId("phone");

/** A server in memory that takes bytes as tus has it, and a network that can be away. */
function setup() {
  const uploads = new Map<string, { upload: Upload; bytes: number[] }>();
  const world = { now: 0, away: false, refuse: undefined as string | undefined, cancelled: 0, pieces: [] as number[] };
  let onPiece = (_sent: number) => {};
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  let items: readonly UploadItem[] = [];
  const reach = () => {
    if (world.away) throw new TypeError("Failed to fetch");
    if (world.refuse !== undefined) throw new UploadRefused(world.refuse);
  };
  const of = (id: string) => {
    const found = uploads.get(id);
    if (found === undefined) throw new UploadRefused("The server no longer has this upload.");
    return found;
  };
  const transport: UploadTransport = {
    async open(_phone, purpose, name, bytes) {
      reach();
      const id = newId("upload");
      const createdAt = "2026-11-26T12:00:00.000Z";
      const upload: Upload = { id, purpose, name, bytes, received: 0, put: 0, state: "receiving", createdAt };
      uploads.set(id, { upload, bytes: [] });
      return upload;
    },
    async offset(_phone, id) {
      reach();
      return of(id).bytes.length;
    },
    async send(_phone, id, offset, piece, signal) {
      reach();
      world.now += 300;
      const upload = of(id);
      if (upload.bytes.length !== offset) return undefined;
      for (const byte of new Uint8Array(piece)) upload.bytes.push(byte);
      world.pieces.push(piece.byteLength);
      onPiece(world.pieces.length);
      signal.throwIfAborted();
      return upload.bytes.length;
    },
    async list() {
      reach();
      return [...uploads.values()].map(({ upload }) => upload);
    },
    async cancel(_phone, id) {
      world.cancelled += 1;
      uploads.delete(id);
    },
  };
  const uploader = createUploader({
    transport,
    now: () => world.now,
    later(ms, callback) {
      const timer = { at: world.now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    onChange: (all) => {
      items = all;
    },
  });
  const advance = (ms: number) => {
    world.now += ms;
    for (const timer of [...timers]) if (timer.at <= world.now && timers.delete(timer)) timer.callback();
  };
  const put = (change: Partial<Upload>) => {
    for (const one of uploads.values()) one.upload = { ...one.upload, ...change };
  };
  const stage = (index = 0) => items[index]?.stage;
  const reaches = (expected: UploadItem["stage"], index = 0) =>
    vi.waitFor(() => expect(stage(index)).toBe(expected), { interval: 1 });
  const afterPiece = (listener: typeof onPiece) => {
    onPiece = listener;
  };
  return { afterPiece, uploader, uploads, world, timers, advance, put, stage, reaches, items: () => items };
}
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) % 256);
const fileOf = (bytes: Uint8Array<ArrayBuffer>, name = "photos.zip") => new File([bytes], name);

describe("sending a file", () => {
  it("sends it whole in growing pieces, then follows it to the phone", async () => {
    const t = setup();
    const bytes = bytesOf(2_000 * KB);
    t.uploader.add(phoneId, fileOf(bytes), "file");
    await t.reaches("putting");
    const [stored] = [...t.uploads.values()];
    expect(Uint8Array.from(stored?.bytes ?? [])).toEqual(bytes);
    expect(t.world.pieces).toEqual([256, 512, 1024, 208].map((size) => size * KB));
    t.put({ state: "putting", put: 1_000 * KB });
    t.advance(700);
    await vi.waitFor(() => expect(t.items()[0]?.put).toBe(1_000 * KB), { interval: 1 });
    expect(progressOf(t.items()[0] ?? expect.fail())).toBeCloseTo(0.925);
    t.put({ state: "done" });
    t.advance(700);
    await t.reaches("done");
    expect(progressOf(t.items()[0] ?? expect.fail())).toBe(1);
  });

  it("waits while the connection is lost and goes on where the server is, without sending anything twice", async () => {
    const t = setup();
    const bytes = bytesOf(600 * KB);
    t.afterPiece((count) => {
      t.world.away = count === 1;
    });
    t.uploader.add(phoneId, fileOf(bytes), "file");
    await t.reaches("waiting");
    for (let turn = 0; turn < 5; turn += 1) {
      await vi.waitFor(() => expect(t.timers.size).toBe(1), { interval: 1 });
      t.advance(15_000);
    }
    expect(t.stage()).toBe("waiting");
    t.world.away = false;
    await vi.waitFor(() => expect(t.timers.size).toBe(1), { interval: 1 });
    t.uploader.wake();
    await t.reaches("putting");
    expect(Uint8Array.from([...t.uploads.values()][0]?.bytes ?? [])).toEqual(bytes);
  });

  it("is paused and goes on, from the bytes the server has", async () => {
    const t = setup();
    const bytes = bytesOf(600 * KB);
    t.afterPiece((count) => count === 1 && t.uploader.pause(key));
    t.uploader.add(phoneId, fileOf(bytes), "file");
    const { key } = t.items()[0] ?? expect.fail();
    await t.reaches("paused");
    await new Promise((resolve) => setImmediate(resolve));
    expect(t.stage()).toBe("paused");
    t.uploader.goOn(key);
    await t.reaches("putting");
    expect(Uint8Array.from([...t.uploads.values()][0]?.bytes ?? [])).toEqual(bytes);
  });

  it("sends one after the other, and what is cancelled not at all", async () => {
    const t = setup();
    for (const name of ["a.txt", "b.txt", "c.txt"]) t.uploader.add(phoneId, fileOf(bytesOf(KB), name), "file");
    expect(t.items().map(({ stage }) => stage)).toEqual(["sending", "queued", "queued"]);
    t.uploader.cancel(t.items()[1]?.key ?? 0);
    await t.reaches("putting");
    expect(t.stage(1)).toBe("queued");
    t.put({ state: "done" });
    t.advance(700);
    await t.reaches("putting", 1);
    expect(t.items().map(({ name, stage }) => [name, stage])).toEqual([
      ["a.txt", "done"],
      ["c.txt", "putting"],
    ]);
    t.uploader.cancel(t.items()[1]?.key ?? 0);
    expect([t.items().length, t.world.cancelled]).toEqual([1, 1]);
  });

  it("says what the server and the phone refuse, and tries again when asked", async () => {
    const t = setup();
    t.world.refuse = "Your team's files are full. Remove some.";
    t.uploader.add(phoneId, fileOf(bytesOf(KB)), "app");
    await t.reaches("failed");
    expect(t.items()[0]?.message).toBe("Your team's files are full. Remove some.");
    t.world.refuse = undefined;
    t.uploader.goOn(t.items()[0]?.key ?? 0);
    await t.reaches("putting");
    t.put({ state: "failed", message: "The app needs a newer Android." });
    t.advance(700);
    await t.reaches("failed");
    expect(t.items()[0]?.message).toBe("The app needs a newer Android.");
  });

  it("fails with words when the file is gone from this computer", async () => {
    const t = setup();
    const file = fileOf(bytesOf(KB));
    t.uploader.add(phoneId, { name: file.name, size: file.size, slice: () => gone }, "file");
    await t.reaches("failed");
    expect(t.items()[0]?.message).toContain("Choose it again");
  });

  it("goes on with an upload of an earlier day from the same file", async () => {
    const t = setup();
    const bytes = bytesOf(300 * KB);
    const stopped = new Promise<void>((resolve) =>
      t.afterPiece(() => {
        t.uploader.close();
        resolve();
      }),
    );
    t.uploader.add(phoneId, fileOf(bytes), "file");
    await stopped;
    const [stored] = [...t.uploads.values()];
    const later = setup();
    if (stored === undefined) return expect.fail();
    const received = stored.bytes.length;
    later.uploads.set(stored.upload.id, stored);
    later.uploader.resume(phoneId, { ...stored.upload, received }, fileOf(bytes));
    await later.reaches("putting");
    expect(Uint8Array.from(stored.bytes)).toEqual(bytes);
    expect(later.world.pieces).toEqual([300 * KB - received].filter((left) => left > 0));
  });
});

const gone = new Blob();
Object.defineProperty(gone, "arrayBuffer", { value: () => Promise.reject(new DOMException("", "NotReadableError")) });

describe("a file before it is sent", () => {
  const named = (name: string, size = 10) => ({ name, size, slice: () => new Blob([Uint8Array.of(0x50, 0x4b, 3, 4)]) });
  it.each([
    ["notes.txt", 10, "file", undefined],
    ["notes.txt", 0, "file", "This file is empty."],
    ["film.mkv", 600 * KB * KB, "file", "It is larger than 512 MB, the most a file may have."],
    ["game.apk", 600 * KB * KB, "app", undefined],
    ["game.apk", 1_100 * KB * KB, "app", "It is larger than 1 GB, the most an app may have."],
    ["game.xapk", 10, "app", "A bundle of several APKs cannot be installed as one. Choose a single .apk file."],
    ["a:b.txt", 10, "file", "This file name has characters a phone cannot keep. Rename it and try again."],
  ] as const)("%s with %i bytes as %s: %s", async (name, size, purpose, expected) => {
    expect(await fileProblem(named(name, size), purpose)).toBe(expected);
  });
  it("is an app only if it begins like one", async () => {
    expect(await fileProblem(fileOf(bytesOf(100), "notes.apk"), "app")).toBe("This is not an Android app (.apk).");
    expect(await fileProblem({ name: "a.apk", size: 5, slice: () => gone }, "app")).toContain("Choose it again");
    expect([isApk("Shop.APK"), isApk("shop.apk.txt")]).toEqual([true, false]);
  });
});
