/** Which documents a phone may show as a page: http, https and about:blank, whoever asks (person, script, redirect, popup). */
import { parsePhoneUrl } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";

/** As long as an address a person may open. */
const MAX_LASTING_URL_LENGTH = 8_192;

/** Of a document that is about to be or was shown. Chromium turns a forbidden popup into `about:blank#blocked`. */
export function mayShow(url: string): boolean {
  if (url === "" || url === "about:blank" || url.startsWith("about:blank#") || url.startsWith("about:blank?"))
    return true;
  if (!URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return protocol === "http:" || protocol === "https:";
}

/** @throws PerchError `address_not_allowed` for anything but http, https and about:blank. */
export function checkedUrl(url: string): string {
  const parsed = parsePhoneUrl(url.trim());
  if (parsed !== undefined) return parsed;
  throw new PerchError(
    "address_not_allowed",
    "A phone cannot open this address. Use one that starts with https:// or http://.",
  );
}

/** The address to come back to when a phone starts again; undefined for one that cannot be opened anew or holds nothing. */
export function lastingUrl(url: string): string | undefined {
  if (url === "about:blank" || url.length > MAX_LASTING_URL_LENGTH) return undefined;
  return parsePhoneUrl(url);
}

/** Requests stopped before they are made when a page's main frame asks for them. */
export const STOPPED_REQUESTS = [
  "file:*",
  "chrome:*",
  "chrome-extension:*",
  "chrome-search:*",
  "chrome-untrusted:*",
  "devtools:*",
  "view-source:*",
  "filesystem:*",
  "ftp:*",
] as const;
/** Fine inside a page (frames, pictures), not as a page. */
export const STOPPED_DOCUMENTS = ["data:*", "blob:*"] as const;

/** Empty for what is no address; "null" for documents without an origin, which share it with no other. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "";
}

/** The host as a person reads it; empty for about:blank. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}
