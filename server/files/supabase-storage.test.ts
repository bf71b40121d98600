/** The contract of blob stores and what else is promised, told to Supabase's storage server. Runs where `npm run test:counterparts` has started one. */
import { randomBytes } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ManualClock, systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { storageVerdict } from "../doctor/services.ts";
import { outsideChecks } from "../health/outside.ts";
import { startTestServer } from "../testing.ts";
import { allOf } from "./blob-store.ts";
import { createS3Blobs, S3_SIZES } from "./s3-blobs.ts";
import { createS3Client, type S3Access } from "./s3-client.ts";
import { BLOB_STORE_CONTRACT } from "./testing/blob-store-contract.ts";

const url = process.env["TEST_STORAGE_URL"];
const anonKey = process.env["TEST_STORAGE_ANON_KEY"] ?? "";
const project = process.env["TEST_STORAGE_PROJECT"] ?? "";
const largest = Number(process.env["TEST_STORAGE_LARGEST"] ?? 0);
const given = z.object({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

const NOWHERE = { endpoint: "http://127.0.0.1:1", region: "", bucket: "", accessKeyId: "", secretAccessKey: "" };
const access: S3Access =
  url === undefined ? NOWHERE : given.parse(JSON.parse(process.env["TEST_STORAGE_ACCESS"] ?? ""));
const { signal } = new AbortController();
const open = (more: Partial<S3Access> = {}, prefix = `perch-${randomBytes(6).toString("hex")}/`) =>
  createS3Blobs({ access: { ...access, ...more }, prefix, clock: systemClock });
const settings = (more: Partial<S3Access> = {}) => {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = { ...access, ...more };
  return {
    ...{ S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket, S3_PREFIX: "a-server" },
    ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
  };
};
/** What an operator may have got wrong, and the words that say so. */
const WRONG: readonly (readonly [string, Partial<S3Access>, RegExp])[] = [
  ["bucket", { bucket: "another" }, /no such bucket.*check S3_BUCKET/],
  ["secret", { secretAccessKey: "0".repeat(64) }, /refuses this server.*S3_ settings/],
  ["key", { accessKeyId: "0".repeat(32) }, /refuses this server.*S3_ settings/],
  ["region", { region: "eu-nowhere-9" }, /refuses this server.*S3_ settings/],
];

describe.skipIf(url === undefined)("Supabase Storage", () => {
  it.each(BLOB_STORE_CONTRACT.map((one) => [one.name, one] as const))(
    "%s",
    async (_title, one) => {
      await one.run(open(), S3_SIZES);
    },
    120_000,
  );

  it("gives by a signed address a download, in parts, as long as it lasts, and nothing else", async () => {
    const store = open();
    await store.put("t/a/runs/1", Buffer.from("for all"));
    await store.put("t/a/runs/2", Buffer.from("for nobody"));
    const signed = await store.signedGet("t/a/runs/1", 60_000, "Bericht Öl.pdf");
    const answer = await fetch(signed, { headers: { range: "bytes=4-6" } });
    expect([answer.status, await answer.text()]).toEqual([206, "all"]);
    expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''Bericht%20%C3%96l.pdf");
    for (const [from, to] of [
      ["runs/1", "runs/2"],
      ["X-Amz-Expires=60", "X-Amz-Expires=600"],
    ] as const) {
      expect((await fetch(signed.href.replace(from, to))).status).toBe(403);
    }
    const past = new ManualClock(Date.now() - 61_000);
    const old = createS3Blobs({ access, prefix: "x/", clock: past });
    const late = await fetch(await old.signedGet("t/a/runs/1", 60_000, "x"));
    expect([late.ok, late.status < 500]).toEqual([false, true]);
    await store.deletePrefix("t/");
  });

  it("keeps files of many parts whole, and leaves nothing of those that are too large", async () => {
    const store = open();
    const body = randomBytes(64 * 2 ** 20);
    await store.put("t/a/phones/large", body, { bytes: body.length });
    expect((await store.head("t/a/phones/large"))?.bytes).toBe(body.length);
    expect((await allOf((await store.get("t/a/phones/large"))?.content ?? [])).equals(body)).toBe(true);
    const end = await store.get("t/a/phones/large", { range: { from: body.length - 7 } });
    expect((await allOf(end?.content ?? [])).equals(body.subarray(-7))).toBe(true);
    async function* tooMuch() {
      for (let sent = 0; sent <= largest; sent += 2 ** 20) yield randomBytes(2 ** 20);
    }
    const tooLarge = { code: "limit_reached", message: expect.stringContaining("larger than the file storage takes") };
    await expect(store.put("t/a/phones/huge", tooMuch())).rejects.toMatchObject(tooLarge);
    expect(await store.head("t/a/phones/huge")).toBeUndefined();
    expect(await store.dropUnfinished("t", new Date(Date.now() + 3_600_000))).toBe(0);
    expect(await store.deletePrefix("t/")).toBe(1);
  }, 120_000);

  it("ends what a crash left unfinished, when it is looked for and when what is around goes", async () => {
    const store = open({}, "");
    const client = createS3Client(access, systemClock);
    const begin = async (key: string) => {
      const begun = await client.call({ method: "POST", key, query: { uploads: "" }, again: false });
      const id = /<UploadId>([^<]+)/.exec(await begun.text())?.[1] ?? "";
      const part = { method: "PUT", key, query: { partNumber: "1", uploadId: id }, again: true } as const;
      (await client.call({ ...part, body: randomBytes(1_000) })).drop();
    };
    for (const key of ["c/a/runs/1", "c/a/runs/2", "c/b/runs/1"]) await begin(key);
    expect(await store.dropUnfinished("c", new Date(Date.now() - 3_600_000))).toBe(0);
    expect(await store.deletePrefix("c/b/")).toBe(0);
    expect(await store.dropUnfinished("c", new Date(Date.now() + 3_600_000))).toBe(2);
    expect(await store.dropUnfinished("c", new Date(Date.now() + 3_600_000))).toBe(0);
  });

  it.each(WRONG)("says what to change when the %s is wrong", async (_what, more, words) => {
    const store = open(more);
    const refusal = { code: "unavailable", message: expect.stringMatching(words) };
    await expect(store.put("t/a/runs/1", Buffer.from("x"))).rejects.toMatchObject(refusal);
    // Of a bucket that is missing it says that the file is.
    if (more.bucket !== undefined) expect(await store.get("t/a/runs/1")).toBeUndefined();
    else await expect(store.get("t/a/runs/1")).rejects.toMatchObject(refusal);
    await expect(store.deletePrefix("t/a/")).rejects.toMatchObject(refusal);
    const verdict = await storageVerdict(parseConfig(settings(more)), systemClock, signal);
    expect(verdict).toMatchObject({ state: "fail", says: expect.stringMatching(words) });
    const monotonic = { now: () => 0 };
    const checks = outsideChecks(parseConfig(settings(more)), systemClock, { monotonic, patienceMs: 10_000 });
    expect(await checks["storage"]?.(signal)).toEqual(["warn", expect.stringMatching(words)]);
    await expect(startTestServer(settings(more))).rejects.toThrow(words);
  });

  it("is well to the doctor and to readiness, and a server starts with it", async () => {
    const verdict = await storageVerdict(parseConfig(settings()), systemClock, signal);
    expect(verdict).toMatchObject({ state: "ok" });
    const server = await startTestServer(settings());
    try {
      const answer = z
        .object({ checks: z.array(z.object({ name: z.string(), state: z.string() })) })
        .parse(await (await fetch(`${server.url}/readyz`)).json());
      expect(answer.checks).toContainEqual(expect.objectContaining({ name: "storage", state: "ok" }));
      expect(server.lines.join("")).not.toContain("file storage");
    } finally {
      await server.dispose();
    }
  });

  it("gives nothing of a private bucket to the key that everybody may have", async () => {
    const store = open({}, "perch/");
    await store.put("t/a/runs/1", Buffer.from("for nobody"));
    const bearer = { authorization: `Bearer ${anonKey}`, apikey: anonKey };
    const path = `${access.bucket}/perch/t/a/runs/1`;
    for (const begin of ["object", "object/authenticated", "object/public", "object/info", "render/image/public"]) {
      for (const headers of [bearer, {}]) {
        const answer = await fetch(`${url}/${begin}/${path}`, { headers });
        expect([begin, answer.ok, (await answer.text()).includes("for nobody")]).toEqual([begin, false, false]);
      }
    }
    const post = (to: string, body: unknown) =>
      fetch(`${url}/${to}`, {
        method: "POST",
        headers: { ...bearer, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const listed = await post(`object/list/${access.bucket}`, { prefix: "perch/" });
    expect(await listed.json()).toEqual([]);
    expect((await post(`object/sign/${path}`, { expiresIn: 60 })).ok).toBe(false);
    expect((await post(`object/${access.bucket}/new`, "x")).ok).toBe(false);
    const removed = await fetch(`${url}/object/${path}`, { method: "DELETE", headers: bearer });
    expect(removed.ok).toBe(false);
    // The S3 endpoint takes it as a key as well, with a token for a session.
    const asAnybody = async (method: string, at: string, body = "") => {
      const { url: to, headers } = await new AwsV4Signer({
        ...{ url: `${access.endpoint}/${at}`, method, region: access.region, service: "s3" },
        ...{ accessKeyId: project, secretAccessKey: anonKey, sessionToken: anonKey },
        ...(body !== "" && { body }),
      }).sign();
      const answer = await fetch(to, { method, headers, ...(body !== "" && { body }) });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await asAnybody("GET", path)).status).toBe(404);
    expect((await asAnybody("PUT", path, "changed")).status).toBe(403);
    expect((await asAnybody("GET", `${access.bucket}?list-type=2`)).text).not.toContain("runs");
    expect((await allOf((await store.get("t/a/runs/1"))?.content ?? [])).toString()).toBe("for nobody");
    await store.deletePrefix("t/");
  });

  it("has nothing left in the bucket after all of that", async () => {
    const store = open({}, "");
    const left: string[] = [];
    for (const whose of ["perch", "a-server", "t/", "c/"])
      for await (const { key } of store.list(whose)) left.push(key);
    expect(left).toEqual([]);
  });
});
