/** What every storage of blobs does, whatever it is made of. Told to folders, to the fake S3, and to real S3 servers. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { allOf, type BlobStore } from "../blob-store.ts";
import type { S3Sizes } from "../s3-blobs.ts";

export interface ContractCase {
  readonly name: string;
  run(store: BlobStore, sizes: S3Sizes): Promise<void>;
}

const MIB = 2 ** 20;
const read = async (store: BlobStore, key: string, range?: { from: number; bytes?: number }) => {
  const found = await store.get(key, range && { range });
  return found && { bytes: found.bytes, body: await allOf(found.content) };
};
const keysOf = async (store: BlobStore, prefix: string) => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};
async function* inPieces(body: Buffer, size: number) {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}
const rejectsWith = (code: string) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code;

/** Each works below prefixes of its own, and leaves nothing. */
export const BLOB_STORE_CONTRACT: readonly ContractCase[] = [
  {
    name: "gives back what was put in, over what was there, and empty things",
    async run(store) {
      const key = "t/one/runs/a";
      assert.equal(await store.get(key), undefined);
      assert.equal(await store.head(key), undefined);
      assert.deepEqual(await store.put(key, Buffer.from("first")), { bytes: 5 });
      const body = randomBytes(300_000);
      assert.deepEqual(await store.put(key, inPieces(body, 70_000), { bytes: body.length }), { bytes: body.length });
      const back = await read(store, key);
      assert.equal(back?.bytes, body.length);
      assert.ok(body.equals(back.body));
      const head = await store.head(key);
      assert.equal(head?.bytes, body.length);
      assert.ok(Math.abs((head?.modifiedAt.getTime() ?? 0) - Date.now()) < 3_600_000);
      await store.put(key, Buffer.alloc(0));
      assert.deepEqual(await read(store, key), { bytes: 0, body: Buffer.alloc(0) });
      await store.delete(key);
      await store.delete(key);
      assert.equal(await store.get(key), undefined);
    },
  },
  {
    name: "gives parts of it, and refuses those behind the end",
    async run(store) {
      const key = "t/one/runs/ranges";
      const body = randomBytes(200_000);
      await store.put(key, body);
      for (const [from, bytes] of [
        [0, 1],
        [0, 10],
        [65_535, 70_000],
        [199_999, 1],
        [150_000, 900_000],
      ] as const) {
        const part = await read(store, key, { from, bytes });
        assert.ok(body.subarray(from, from + bytes).equals(part?.body ?? Buffer.alloc(0)), `${from}+${bytes}`);
        assert.equal(part?.bytes, body.length);
      }
      assert.ok(body.subarray(123_456).equals((await read(store, key, { from: 123_456 }))?.body ?? Buffer.alloc(0)));
      await assert.rejects(read(store, key, { from: body.length, bytes: 1 }), rejectsWith("bad_input"));
      await store.delete(key);
    },
  },
  {
    name: "keeps what is large or of unknown size, and what is exactly as large as its parts",
    async run(store, { partBytes }) {
      for (const [name, size] of [
        ["large", 2 * partBytes + 3],
        ["whole", 2 * partBytes],
      ] as const) {
        const key = `t/one/phones/${name}`;
        const body = randomBytes(size);
        assert.deepEqual(await store.put(key, inPieces(body, 1_234_567)), { bytes: body.length });
        const back = await read(store, key);
        assert.ok(body.equals(back?.body ?? Buffer.alloc(0)));
        assert.ok(
          body
            .subarray(partBytes - 5, partBytes + 5)
            .equals((await read(store, key, { from: partBytes - 5, bytes: 10 }))?.body ?? Buffer.alloc(0)),
        );
      }
      assert.equal(await store.deletePrefix("t/one/phones/"), 2);
    },
  },
  {
    name: "keeps nothing of what breaks off or is stopped, and what was there stays",
    async run(store, { partBytes }) {
      const key = "t/two/uploads/broken";
      await store.put(key, Buffer.from("before"));
      async function* breaks(after: number) {
        for (let sent = 0; sent < after; sent += MIB) yield randomBytes(MIB);
        throw new Error("the source is gone");
      }
      for (const after of [0, MIB, partBytes + 2 * MIB])
        await assert.rejects(store.put(key, breaks(after)), /the source is gone/);
      const stop = new AbortController();
      async function* stopped() {
        for (let sent = 0; ; sent += MIB) {
          if (sent > partBytes + MIB) stop.abort(new Error("stopped"));
          yield randomBytes(MIB);
        }
      }
      await assert.rejects(store.put(key, stopped(), { signal: stop.signal }), /stopped/);
      assert.equal((await read(store, key))?.body.toString(), "before");
      assert.deepEqual(await keysOf(store, "t/two/uploads/"), [key]);
      assert.equal(await store.dropUnfinished("t", new Date(Date.now() + 3_600_000)), 0);
      await store.deletePrefix("t/two/");
    },
  },
  {
    name: "lists what begins so, in order, and names what stands right below",
    async run(store) {
      const keys = ["t/l/a/1", "t/l/a/2", "t/l/a-b", "t/l/ab/c/d", "t/lm/x"];
      for (const key of keys) await store.put(key, Buffer.from(key));
      assert.deepEqual(await keysOf(store, "t/l/"), ["t/l/a-b", "t/l/a/1", "t/l/a/2", "t/l/ab/c/d"]);
      assert.deepEqual(await keysOf(store, "t/l/a"), ["t/l/a-b", "t/l/a/1", "t/l/a/2", "t/l/ab/c/d"]);
      assert.deepEqual(await keysOf(store, "t/l/a/"), ["t/l/a/1", "t/l/a/2"]);
      assert.deepEqual([...(await keysOf(store, "t/l"))].sort(), [...keys].sort());
      assert.deepEqual(await store.names("t/l"), ["a", "a-b", "ab"]);
      assert.deepEqual(await store.names("t/l/ab"), ["c"]);
      assert.deepEqual(await store.names("t/none"), []);
      assert.deepEqual(await keysOf(store, "t/none/"), []);
      assert.equal(await store.deletePrefix("t/l/a/"), 2);
      assert.deepEqual(await keysOf(store, "t/l"), ["t/l/a-b", "t/l/ab/c/d", "t/lm/x"]);
      assert.equal(await store.deletePrefix("t/l"), 3);
      assert.equal(await store.deletePrefix("t/l"), 0);
      assert.deepEqual(await store.names("t/l"), []);
    },
  },
  {
    name: "removes more than a page of them, and looks that they are gone",
    async run(store, { pageKeys }) {
      const count = pageKeys + 25;
      const body = Buffer.from("x");
      for (let at = 0; at < count; at += 50) {
        const batch = Array.from({ length: Math.min(50, count - at) }, (_, i) => `t/many/runs/${at + i}`);
        await Promise.all(batch.map((key) => store.put(key, body)));
      }
      assert.equal((await keysOf(store, "t/many/")).length, count);
      assert.equal((await store.names("t/many/runs")).length, count);
      assert.equal(await store.deletePrefix("t/many/"), count);
      assert.deepEqual(await keysOf(store, "t/many/"), []);
    },
  },
  {
    name: "takes only keys of its own making, and never removes everything",
    async run(store) {
      for (const key of ["", "/", "a//b", "../x", "a/../b", "a/./b", "a b", "ü", "a\\b", "x".repeat(600)]) {
        await assert.rejects(async () => store.put(key, Buffer.from("x")), /no key/, key);
        await assert.rejects(async () => store.get(key), /no key/, key);
      }
      for (const prefix of ["", "/", ".."])
        await assert.rejects(async () => store.deletePrefix(prefix), /no key/, prefix);
    },
  },
  {
    name: "finds itself in order",
    async run(store) {
      await store.check();
    },
  },
];
