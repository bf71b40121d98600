/**
 * What the server leans on elsewhere, for operators who ask how it is: looked at once a minute at most, never waited for
 * long, and never a reason to take this process out, because no other would do better.
 */

import { lookAtSupabase } from "../accounts/supabase/look.ts";
import type { Clock, Monotonic } from "../clock.ts";
import type { Config } from "../config.ts";
import { PerchError } from "../errors.ts";
import { lookAtBucket } from "../files/look.ts";
import type { Checks, Finding } from "./readiness.ts";

const FRESH_MS = 60_000;
/** An answer is late from here on; the look goes on, and the next one who asks hears how it ended. */
const PATIENCE_MS = 1_000;
const LOOK_MS = 15_000;

/** Gives what is known, and looks again when that is old. */
export function lookedAt(
  look: (signal: AbortSignal) => Promise<Finding>,
  { monotonic, freshMs = FRESH_MS, patienceMs = PATIENCE_MS }: OutsideTimes,
): () => Promise<Finding> {
  let known: { readonly at: number; readonly finding: Finding } | undefined;
  let looking: Promise<Finding> | undefined;
  const failed = (error: unknown): Finding => [
    "warn",
    error instanceof PerchError ? error.message : "It does not answer.",
  ];
  return async () => {
    if (known !== undefined && monotonic.now() - known.at < freshMs) return known.finding;
    looking ??= look(AbortSignal.timeout(LOOK_MS))
      .catch(failed)
      .then((finding) => {
        known = { at: monotonic.now(), finding };
        looking = undefined;
        return finding;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Finding>((resolve) => {
      timer = setTimeout(() => resolve(["warn", "No answer yet."]), patienceMs);
    });
    return Promise.race([looking, late]).finally(() => clearTimeout(timer));
  };
}

interface OutsideTimes {
  readonly monotonic: Monotonic;
  readonly freshMs?: number;
  readonly patienceMs?: number;
}

/** A check for each that is set up here. */
export function outsideChecks(config: Pick<Config, "s3" | "supabase">, clock: Clock, times: OutsideTimes): Checks {
  const { s3, supabase } = config;
  return {
    ...(s3 && {
      storage: lookedAt(async (signal) => {
        await lookAtBucket(s3, clock, signal);
        return ["ok", "The bucket answers."];
      }, times),
    }),
    ...(supabase && {
      "sign-in": lookedAt(async () => {
        const found = await lookAtSupabase(supabase, clock);
        if (found === "well") return ["ok", "Supabase answers."];
        return ["warn", found === "away" ? "Supabase does not answer." : `Supabase refuses ${found}.`];
      }, times),
    }),
  };
}
