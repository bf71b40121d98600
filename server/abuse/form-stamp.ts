/** When a form was opened, signed: says how long it took to fill in, without a script on the page and without a cookie. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";
import { FASTEST_FORM_MS, type FormSignal, OLDEST_FORM_MS } from "./signals.ts";

/** What a sign-up form's own circumstances are. */
export interface FormAnswer {
  /** The hidden field of the form, as it came back. */
  readonly stamp?: string | undefined;
  /** The `Accept-Language` header; only whether there is one counts. */
  readonly language?: string | undefined;
}

export interface FormStamps {
  /** The value of the hidden field of a form that is opened now. */
  issue(): string;
  /** What the form's way back says about who sent it. */
  read(answer: FormAnswer): readonly FormSignal[];
}

export function createFormStamps(options: { clock: Clock; key: Buffer }): FormStamps {
  const { clock, key } = options;
  const sign = (at: string) => createHmac("sha256", key).update(`form\0${at}`).digest("base64url").slice(0, 22);
  const openedAt = (stamp: string): number | undefined => {
    const [at = "", signature = ""] = stamp.split(".");
    const [given, expected] = [Buffer.from(signature), Buffer.from(sign(at))];
    return given.length === expected.length && timingSafeEqual(given, expected) ? Number.parseInt(at, 36) : undefined;
  };
  return {
    issue() {
      const at = clock.now().toString(36);
      return `${at}.${sign(at)}`;
    },
    read({ stamp, language }) {
      const opened = openedAt(stamp ?? "");
      const tookMs = opened === undefined ? Number.POSITIVE_INFINITY : clock.now() - opened;
      return [
        ...(tookMs > OLDEST_FORM_MS ? (["form_skipped"] as const) : []),
        ...(tookMs < FASTEST_FORM_MS ? (["form_too_fast"] as const) : []),
        ...(language === undefined || language.trim() === "" ? (["language_missing"] as const) : []),
      ];
    },
  };
}
