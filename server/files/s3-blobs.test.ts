/** What the bucket does when the storage does not do what was asked. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock, systemClock } from "../clock.ts";
import { allOf } from "./blob-store.ts";
import { createS3Blobs, S3_SIZES } from "./s3-blobs.ts";
import { S3_TIMES, type S3Access } from "./s3-client.ts";
import { type FakeS3, type Meddling, startFakeS3 } from "./testing/fake-s3.ts";

const MIB = 2 ** 20;
let fake: FakeS3;
beforeAll(async () => {
  fake = await startFakeS3();
});
afterAll(() => fake.close());
beforeEach(async () => {
  fake.meddle = undefined;
  fake.room = Number.POSITIVE_INFINITY;
  fake.largest = Number.POSITIVE_INFINITY;
  fake.versioning = false;
  fake.asSupabase = false;
  await open().deletePrefix("t/");
});

const open = (more: Partial<S3Access> = {}, clock = systemClock, times = {}) =>
  createS3Blobs({
    ...{ access: { ...fake.access, ...more }, prefix: "", clock, times: { ...S3_TIMES, againMs: 1, ...times } },
    sizes: { ...S3_SIZES, partBytes: 5 * MIB },
  });
/** Meddles with the first calls that fit, in turn. */
const meddle = (pattern: RegExp, ...how: (Meddling | undefined)[]) => {
  const rest = [...how];
  fake.meddle = (call) => (pattern.test(call) ? rest.shift() : undefined);
};
const large = () => Buffer.alloc(11 * MIB, 7);
const callsTo = (pattern: RegExp) => fake.calls.filter((call) => pattern.test(call)).length;

describe("a storage that is down", () => {
  it.each<Meddling>(["down", "lost", 503, 500])("for a moment (%s) is asked again where that is safe", async (how) => {
    const store = open();
    meddle(/^PUT /, how, how);
    await store.put("t/a/runs/1", Buffer.from("kept"));
    meddle(/^GET t/, how === "lost" ? "down" : how);
    expect((await allOf((await store.get("t/a/runs/1"))?.content ?? [])).toString()).toBe("kept");
    meddle(/^HEAD /, how);
    expect((await store.head("t/a/runs/1"))?.bytes).toBe(4);
    meddle(/list-type|delete/, how, how);
    expect(await store.deletePrefix("t/a/")).toBe(1);
  });

  it.each<Meddling>(["down", "silent", 503])("for longer (%s) is told in a sentence", async (how) => {
    const store = open({}, systemClock, { answerMs: 80 });
    fake.meddle = () => how;
    const refusal = { code: "unavailable", message: expect.stringMatching(/Try again in a moment/) };
    await expect(store.put("t/a/runs/1", Buffer.from("x"))).rejects.toMatchObject(refusal);
    await expect(store.get("t/a/runs/1")).rejects.toMatchObject(refusal);
  });

  it("begins no upload a second time, and lets go of the parts of one that fails", async () => {
    const store = open();
    const before = callsTo(/^POST .*uploads=/);
    meddle(/^POST .*uploads=/, 503);
    await expect(store.put("t/a/runs/1", large())).rejects.toMatchObject({ code: "unavailable" });
    expect(callsTo(/^POST .*uploads=/)).toBe(before + 1);
    meddle(/partNumber=2/, 503, 503, 503);
    await expect(store.put("t/a/runs/1", large())).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.uploads.size).toBe(0);
    expect(fake.objects.size).toBe(0);
  });

  it("knows a completion whose answer was lost from one that failed", async () => {
    const store = open();
    meddle(/^POST .*uploadId=/, "lost");
    await store.put("t/a/runs/1", large());
    expect(fake.objects.get("t/a/runs/1")?.body.length).toBe(11 * MIB);
    const drop = fake.uploads as Map<string, unknown>;
    fake.meddle = (call) => {
      if (/^POST .*uploadId=/.test(call)) drop.clear();
      return undefined;
    };
    await expect(store.put("t/a/runs/2", large())).rejects.toMatchObject({ code: "unavailable" });
  });

  it("leaves parts that could not be aborted to the next look, or to who removes what is around", async () => {
    const store = open();
    fake.meddle = (call) => (/partNumber=2|^DELETE/.test(call) ? 503 : undefined);
    await expect(store.put("t/a/runs/1", large())).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.put("t/b/runs/1", large())).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.uploads.size).toBe(2);
    fake.meddle = undefined;
    expect(await store.dropUnfinished("t", new Date(Date.now() - 60_000))).toBe(0);
    expect(await store.deletePrefix("t/b/")).toBe(0);
    expect(fake.uploads.size).toBe(1);
    expect(await store.dropUnfinished("t", new Date(Date.now() + 60_000))).toBe(1);
    expect(fake.uploads.size).toBe(0);
  });

  it("that ends in the middle of a file never gives half of it as all", async () => {
    const store = open();
    await store.put("t/a/runs/1", Buffer.alloc(100_000, 1));
    meddle(/^GET t/, "cut");
    const found = await store.get("t/a/runs/1");
    await expect(allOf(found?.content ?? [])).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a storage that refuses", () => {
  it.each([false, true])("is told by what to change (as Supabase: %s)", async (asSupabase) => {
    fake.asSupabase = asSupabase;
    const put = (store: ReturnType<typeof open>) => store.put("t/a/runs/1", Buffer.from("x"));
    const before = fake.calls.length;
    await expect(put(open({ secretAccessKey: "wrong" }))).rejects.toThrow(/refuses this server/);
    await expect(put(open({ bucket: "another" }))).rejects.toThrow(/check S3_BUCKET/);
    const late = new ManualClock(Date.now() - 3_600_000);
    await expect(put(open({}, late))).rejects.toThrow(/set the clock/);
    // None of them asks again.
    expect(fake.calls.length).toBe(before + 3);
    const nowhere = open({ bucket: "another" });
    await expect(nowhere.deletePrefix("t/")).rejects.toThrow(/check S3_BUCKET/);
    if (asSupabase) expect(await nowhere.get("t/a/runs/1")).toBeUndefined();
    else await expect(nowhere.get("t/a/runs/1")).rejects.toThrow(/check S3_BUCKET/);
  });

  it("is full in words of its own, and keeps no part of what it did not take", async () => {
    fake.room = 6 * MIB;
    await expect(open().put("t/a/runs/1", large())).rejects.toMatchObject({ code: "limit_reached" });
    expect(fake.uploads.size).toBe(0);
    fake.largest = 6 * MIB;
    fake.room = Number.POSITIVE_INFINITY;
    const tooLarge = { code: "limit_reached", message: expect.stringContaining("larger than the file storage takes") };
    await expect(open().put("t/a/runs/1", large())).rejects.toMatchObject(tooLarge);
    expect(fake.uploads.size).toBe(0);
    fake.room = 0;
    await expect(open().put("t/a/runs/1", Buffer.from("x"))).rejects.toMatchObject({ code: "limit_reached" });
  });

  it("is not used where it keeps old versions: nothing would ever be deleted", async () => {
    fake.versioning = true;
    await expect(open().check()).rejects.toThrow(/without versioning/);
  });

  it("to remove is never taken for removed", async () => {
    const store = open();
    await store.put("t/a/runs/1", Buffer.from("x"));
    const objects = fake.objects as Map<string, unknown>;
    const kept = objects.get("t/a/runs/1");
    fake.meddle = (call) => {
      if (call.includes("list-type")) objects.set("t/a/runs/1", kept);
      return undefined;
    };
    await expect(store.deletePrefix("t/a/")).rejects.toThrow(/still in the storage/);
  });
});

describe("an address for who has no key", () => {
  it("gives the file as a download, for as long as it lasts, and no other", async () => {
    const clock = new ManualClock(Date.now());
    const store = open({}, clock);
    await store.put("t/a/runs/1", Buffer.from("for all"));
    const url = await store.signedGet("t/a/runs/1", 60_000, "Bericht „Öl“.pdf");
    expect(url.href).not.toContain(fake.access.secretAccessKey);
    const answer = await fetch(url, { headers: { range: "bytes=4-6" } });
    expect([answer.status, await answer.text()]).toEqual([206, "all"]);
    expect(answer.headers.get("content-disposition")).toBe(
      "attachment; filename*=UTF-8''Bericht%20%E2%80%9E%C3%96l%E2%80%9C.pdf",
    );
    for (const [from, to] of [
      ["runs/1", "runs/2"],
      ["X-Amz-Expires=60", "X-Amz-Expires=600"],
      ["attachment", "inline"],
    ] as const) {
      expect((await fetch(url.href.replace(from, to))).status).toBe(403);
    }
    const old = open({}, new ManualClock(Date.now() - 61_000));
    expect((await fetch(await old.signedGet("t/a/runs/1", 60_000, "x"))).status).toBe(403);
    await expect(store.signedGet("t/a/runs/1", 8 * 24 * 3_600_000, "x")).rejects.toThrow(/seven days/);
  });
});
