/** Stored files by signed address. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppEnv } from "../app.ts";
import { ManualClock } from "../clock.ts";
import { HTTP_STATUS, PerchError } from "../errors.ts";
import { createFsBlobs } from "../files/fs-blobs.ts";
import { createSignedLinks } from "../files/signed-links.ts";
import { addBlobRoutes } from "./blob-routes.ts";

const clock = new ManualClock();
const publicUrl = new URL("https://perch.example");
const links = createSignedLinks({ key: randomBytes(32), clock, publicUrl });
const body = randomBytes(1_000);
const FILE = { key: "t/team_x/runs/run_y/0123", fileName: "Bild „Öl“.png", mimeType: "image/png" };

const app = new Hono<AppEnv>();
app.use(async (c, next) => {
  c.set("request", { requestId: "r", ip: "192.0.2.1", userAgent: "" });
  await next();
});
app.onError((error, c) => c.text(error.message, error instanceof PerchError ? HTTP_STATUS[error.code] : 500));
addBlobRoutes(app, {
  links,
  read: async (key) => {
    if (key !== FILE.key) throw new PerchError("not_found", "There is no such file.");
    return body;
  },
  limiter: { take: async () => {}, takeOfNetwork() {} },
});
const get = async (url: URL | string, range?: string) => {
  const answer = await app.request(String(url), range === undefined ? {} : { headers: { range } });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
};

describe("a signed address", () => {
  it("gives the file as a download that never runs as a page", async () => {
    const { status, headers, body: got } = await get(links.make(FILE, 60));
    expect([status, got.equals(body)]).toEqual([200, true]);
    expect(Object.fromEntries(headers)).toMatchObject({
      ...{ "content-type": "image/png", "accept-ranges": "bytes" },
      "content-disposition": "attachment; filename*=UTF-8''Bild%20%E2%80%9E%C3%96l%E2%80%9C.png",
      "content-security-policy": expect.stringContaining("sandbox"),
    });
  });

  it("lasts as long as it says, for that file alone, and under that name and type", async () => {
    const url = links.make(FILE, 60);
    clock.advance(59_999);
    expect((await get(url)).status).toBe(200);
    clock.advance(1);
    expect((await get(url)).status).toBe(404);
    const fresh = links.make(FILE, 60).href;
    for (const [from, to] of [
      ["run_y", "run_z"],
      ["Bild", "Bald"],
      ["image%2Fpng", "text%2Fhtml"],
      [/until=\d+/, "until=99999999999999"],
      [/signature=[\w-]+/, "signature="],
      [/signature=[\w-]+/, ""],
      ["/t/", "/t//"],
    ] as const) {
      expect([to, (await get(fresh.replace(from, to))).status]).toEqual([to, 404]);
    }
    const other = createSignedLinks({ key: randomBytes(32), clock, publicUrl });
    expect((await get(other.make(FILE, 60))).status).toBe(404);
  });

  it("gives parts as they are asked for", async () => {
    const url = links.make(FILE, 60);
    const range = fc.record({ from: fc.nat(1_200), until: fc.option(fc.nat(1_200)), suffix: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(range, async ({ from, until, suffix }) => {
        const {
          status,
          headers,
          body: got,
        } = await get(url, suffix ? `bytes=-${from}` : `bytes=${from}-${until ?? ""}`);
        const start = suffix ? Math.max(0, 1_000 - from) : from;
        const end = suffix || until === null ? 999 : Math.min(999, until);
        if (!suffix && until !== null && until < from) expect(status).toBe(200);
        else if (start >= 1_000) expect([status, headers.get("content-range")]).toEqual([416, "bytes */1000"]);
        else {
          expect([status, headers.get("content-range")]).toEqual([206, `bytes ${start}-${end}/1000`]);
          expect(got.equals(body.subarray(start, end + 1))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
    for (const odd of ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"]) {
      expect([odd, (await get(url, odd)).status]).toEqual([odd, 200]);
    }
  });

  it("is what a folder gives for a key of its own, and for nothing longer than a week", async () => {
    const store = createFsBlobs({ folder: "/nowhere", link: links.make });
    const url = await store.signedGet(FILE.key, 60_000, "a.bin");
    expect(links.open(url)).toEqual({ key: FILE.key, fileName: "a.bin", mimeType: "application/octet-stream" });
    await expect(store.signedGet("../etc/passwd", 60_000, "a")).rejects.toThrow("no key");
    await expect(store.signedGet(FILE.key, 8 * 24 * 3_600_000, "a")).rejects.toThrow("seven days");
  });
});
