/**
 * The name of a start: two starts with one name are one. It travels to the server, where it is unique per rule, so it
 * tells nothing about the page: addresses and values go in under a secret of this browser.
 */
import { base64Url } from "../id-values.ts";
import { localMinute } from "./cron.ts";
import type { ExtractedValue } from "./evaluate.ts";
import type { Rule } from "./model.ts";

/** What happened, as far as it tells one start from another. */
export type Occasion =
  | { readonly start: "navigation"; readonly documentId: string; readonly url: string }
  /** A person's click; `clickId` is new for every click and the same for all who hear of it. */
  | { readonly start: "click" | "menu"; readonly clickId: string }
  /** The time zone of the schedule. */
  | { readonly start: "schedule"; readonly timeZone: string };

export interface DedupeInput {
  readonly rule: Pick<Rule, "id" | "oncePer">;
  readonly occasion: Occasion;
  readonly values: readonly ExtractedValue[];
  /** Unix ms. */
  readonly at: number;
  /** The person's, for "once a day". */
  readonly timeZone: string;
  /** 16 or more random bytes that never leave this browser. */
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** 43 characters of base64url. A person's click is always a start of its own, whatever `oncePer` says. */
export async function dedupeKey(input: DedupeInput): Promise<string> {
  const key = await crypto.subtle.importKey("raw", input.secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const bytes = new TextEncoder().encode(JSON.stringify([input.rule.id, ...bucket(input)]));
  return base64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)));
}

function bucket({ rule: { oncePer }, occasion, values, at, timeZone }: DedupeInput): readonly string[] {
  if (occasion.start === "schedule") return ["schedule", localMinute(at, occasion.timeZone)];
  if (occasion.start !== "navigation") return ["click", occasion.clickId];
  if (typeof oncePer === "object") {
    const value = values.find(({ name }) => name === oncePer.value)?.value;
    return value === undefined ? ["navigation", occasion.documentId] : ["value", value];
  }
  if (!URL.canParse(occasion.url)) return ["navigation", occasion.documentId];
  const { origin, pathname, search } = new URL(occasion.url);
  const minute = localMinute(at, timeZone);
  switch (oncePer) {
    case "navigation":
      return ["navigation", occasion.documentId, origin + pathname + search];
    case "url":
      return ["url", origin + pathname + search];
    case "url/day":
      return ["url/day", origin + pathname + search, minute.slice(0, 10)];
    case "site/hour":
      return ["site/hour", origin, minute.slice(0, 13)];
  }
}
