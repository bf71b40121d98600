/** Stored files by signed address: unsealed here, whole or in part (RFC 9110 §14), and always as a download. */
import type { Hono } from "hono";
import type { AppEnv } from "../app.ts";
import { rangeIn } from "../files/blob-store.ts";
import { BLOBS_PATH, type SignedLinks } from "../files/signed-links.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import { asDownload } from "./moving-data.ts";

export interface BlobRoutes {
  readonly links: Pick<SignedLinks, "open">;
  /** What is stored there, unsealed. @throws PerchError `not_found` */
  readonly read: (key: string) => Promise<Buffer>;
}

export function addBlobRoutes(app: Hono<AppEnv>, options: BlobRoutes & { readonly limiter: RateLimiter }): void {
  app.get(`${BLOBS_PATH}/*`, async (c) => {
    await options.limiter.take("write", networkOf(c.get("request").ip));
    const { key, fileName, mimeType } = options.links.open(new URL(c.req.url));
    const bytes = await options.read(key);
    asDownload(c, mimeType, fileName);
    c.header("Accept-Ranges", "bytes");
    const asked = rangeOf(c.req.header("range"), bytes.length);
    if (asked === undefined) return c.body(new Uint8Array(bytes));
    if (asked === "none") {
      c.header("Content-Range", `bytes */${bytes.length}`);
      return c.body(null, 416);
    }
    c.header("Content-Range", `bytes ${asked.from}-${asked.from + asked.bytes - 1}/${bytes.length}`);
    return c.body(new Uint8Array(bytes.subarray(asked.from, asked.from + asked.bytes)), 206);
  });
}

/** One range; several, or what is none, are as good as not asked for. */
function rangeOf(header: string | undefined, total: number): ReturnType<typeof rangeIn> | "none" | undefined {
  const [, from = "", until = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && until === "") return undefined;
  const start = from === "" ? Math.max(0, total - Number(until)) : Number(from);
  const end = from === "" || until === "" ? total - 1 : Number(until);
  if (from !== "" && until !== "" && end < start) return undefined;
  if (start >= total) return "none";
  return rangeIn({ from: start, bytes: end - start + 1 }, total);
}
