/** Addresses on this server that give one stored file to whoever has them, for a while: signed, and good for nothing else. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import { checkedKey } from "./blob-store.ts";

export const BLOBS_PATH = "/blobs";

export interface SignedFile {
  readonly key: string;
  readonly fileName: string;
  readonly mimeType: string;
}

export interface SignedLinks {
  make(file: SignedFile, seconds: number): URL;
  /** @throws PerchError `not_found` for an address that was changed, is over, or was never made here */
  open(url: URL): SignedFile;
}

export function createSignedLinks(options: { key: Buffer; clock: Clock; publicUrl: URL }): SignedLinks {
  const { clock, publicUrl } = options;
  const sign = ({ key, fileName, mimeType }: SignedFile, until: number) =>
    createHmac("sha256", options.key)
      .update(JSON.stringify([key, until, fileName, mimeType]))
      .digest();
  return {
    make(file, seconds) {
      const until = clock.now() + seconds * 1000;
      const url = new URL(`${BLOBS_PATH}/${checkedKey(file.key)}`, publicUrl);
      url.searchParams.set("until", String(until));
      url.searchParams.set("name", file.fileName);
      url.searchParams.set("type", file.mimeType);
      url.searchParams.set("signature", sign(file, until).toString("base64url"));
      return url;
    },
    open(url) {
      const given = (name: string) => url.searchParams.get(name) ?? "";
      const until = Number(given("until"));
      const file = { key: url.pathname.slice(BLOBS_PATH.length + 1), fileName: given("name"), mimeType: given("type") };
      const [right, signature] = [sign(file, until), Buffer.from(given("signature"), "base64url")];
      const isRight = signature.length === right.length && timingSafeEqual(right, signature);
      if (!isRight || !(until > clock.now())) {
        throw new PerchError("not_found", "This link is over. Ask for a new one.");
      }
      return file;
    },
  };
}
