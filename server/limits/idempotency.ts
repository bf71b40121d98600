/** Idempotency keys: a call repeated with the same key gives the first answer and has no second effect. */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { LimitsRepo } from "./limits.repo.ts";

export interface IdempotentCall {
  readonly scope: TeamScope;
  readonly procedure: string;
  readonly key: string;
  readonly input: unknown;
}

export interface Idempotency {
  /**
   * Runs `work` in the given transaction once per (team, person, procedure, key) and stores its JSON result there.
   * `replayed` tells the caller that the effect happened earlier. Throws `idempotency_mismatch` when the key was used
   * with another input.
   */
  once<T>(
    tx: Writer,
    call: IdempotentCall,
    parse: (stored: unknown) => T,
    work: () => Promise<T>,
  ): Promise<{ result: T; replayed: boolean }>;
  /** Frees the key of a call whose effect was undone, so that it may be tried again. */
  forget(tx: Writer, call: IdempotentCall): Promise<void>;
}

export function createIdempotency(options: { clock: Clock; repo: LimitsRepo }): Idempotency {
  const refOf = ({ scope, procedure, key }: IdempotentCall) => ({
    scope: `${scope.teamId}/${scope.userId}`,
    procedure,
    key,
  });
  return {
    forget: (tx, call) => options.repo.forgetResult(tx, refOf(call)),
    async once(tx, call, parse, work) {
      const at = refOf(call);
      const inputHash = createHash("sha256").update(canonicalJson(call.input)).digest("base64url");
      const earlier = await options.repo.findResult(tx, at);
      if (earlier !== undefined) {
        if (earlier.inputHash !== inputHash) {
          throw new PerchError(
            "idempotency_mismatch",
            "This request key was already used for something else. Use a new key.",
          );
        }
        return { result: parse(earlier.result), replayed: true };
      }
      const result = await work();
      await options.repo.storeResult(tx, at, inputHash, result, new Date(options.clock.now()));
      return { result, replayed: false };
    },
  };
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
