import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import type { BlobStore } from "./blob-store.ts";
import { createFsBlobs } from "./fs-blobs.ts";
import { createS3Blobs } from "./s3-blobs.ts";
import { S3_TIMES } from "./s3-client.ts";
import { BLOB_STORE_CONTRACT } from "./testing/blob-store-contract.ts";
import { type FakeS3, startFakeS3 } from "./testing/fake-s3.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-blobs-"));
let fake: FakeS3;
beforeAll(async () => {
  fake = await startFakeS3();
});
afterAll(async () => {
  await fake.close();
  rmSync(folder, { recursive: true });
});

/** The least S3 takes, and few enough to be quick. */
const SIZES = { partBytes: 5 * 2 ** 20, pageKeys: 40 };
const bucket = (prefix: string) =>
  createS3Blobs({ access: fake.access, prefix, clock: systemClock, sizes: SIZES, times: { ...S3_TIMES, againMs: 1 } });
const STORES: Readonly<Record<string, () => BlobStore>> = {
  "a folder": () => createFsBlobs({ folder }),
  "a part of a bucket": () => bucket("perch/eu/"),
};

describe.each(Object.entries(STORES))("%s", (_name, open) => {
  it.each(BLOB_STORE_CONTRACT.map((one) => [one.name, one] as const))("%s", async (_title, one) => {
    await one.run(open(), SIZES);
  });
});

describe("after all of that", () => {
  it("nothing is left in the bucket", () => {
    expect([...fake.objects.keys()]).toEqual([]);
    expect([...fake.uploads.keys()]).toEqual([]);
  });
});
