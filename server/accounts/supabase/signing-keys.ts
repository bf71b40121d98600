/**
 * Whether a token is one of the Supabase project's: checked here with the keys it publishes (RFC 7517), which are kept for
 * ten minutes. A key id that is not among them is looked up once, and nobody makes us ask more often than the cooldown.
 */
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Transport } from "./transport.ts";

export const KEYS_KEPT_MS = 10 * 60_000;
const COOLDOWN_MS = 30_000;
const CLOCK_TOLERANCE_S = 60;
/** Asymmetric alone: with HS256 whoever can check a token can make one. */
const ALGORITHMS = ["ES256", "RS256"];
const AUDIENCE = "authenticated";

const claims = z.object({
  sub: z.guid(),
  aal: z.enum(["aal1", "aal2"]),
  session_id: z.guid(),
  is_anonymous: z.boolean().default(false),
});
export interface TokenFacts {
  readonly subject: string;
  readonly aal: "aal1" | "aal2";
}

export interface SigningKeys {
  /** Throws `unavailable` for a token that cannot be believed: then the service is not set up as it has to be. */
  verify(accessToken: string): Promise<TokenFacts>;
  /** `none`: the project publishes no key that a token can be checked with. */
  look(): Promise<"some" | "none" | "unreachable">;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;
const published = z.object({ keys: z.array(z.looseObject({ kty: z.string(), alg: z.string().default("") })).max(100) });

export function createSigningKeys(options: {
  /** `SUPABASE_URL/auth/v1`, which is also whom tokens name as their maker. */
  issuer: string;
  apiKey: string;
  fetch: Transport["fetch"];
  clock: Clock;
  log: Log;
}): SigningKeys {
  const { issuer, clock, log } = options;
  let kept: { readonly keys: KeySet; readonly count: number; readonly at: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    askedAt = clock.now();
    const answer = await options.fetch(`${issuer}/.well-known/jwks.json`, { headers: { apikey: options.apiKey } });
    const parsed = answer.status === 200 ? published.safeParse(await answer.json().catch(() => undefined)) : undefined;
    if (parsed?.success !== true) return;
    const keys = parsed.data.keys.filter(({ alg }) => ALGORITHMS.includes(alg));
    kept = { keys: createLocalJWKSet({ keys }), count: keys.length, at: clock.now() };
  }
  const askOnce = async (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    await asking;
  };
  const fresh = () => (kept !== undefined && clock.now() - kept.at < KEYS_KEPT_MS ? kept : undefined);

  async function check(accessToken: string, { keys }: { keys: KeySet }): Promise<JWTPayload> {
    const { payload } = await jwtVerify(accessToken, keys, {
      ...{ algorithms: ALGORITHMS, issuer, audience: AUDIENCE, clockTolerance: CLOCK_TOLERANCE_S },
      ...{ currentDate: new Date(clock.now()), requiredClaims: ["exp", "sub"] },
    });
    return payload;
  }

  function refused(reason: string, cause?: unknown): PerchError {
    log.error("A token of the sign-in service could not be believed", { reason });
    return new PerchError("unavailable", "Signing in does not work at the moment. Who runs the server has to look.", {
      cause,
    });
  }

  return {
    async verify(accessToken) {
      if (fresh() === undefined) await askOnce();
      const known = fresh();
      if (known === undefined) throw refused("its keys cannot be read");
      try {
        const payload = await check(accessToken, known).catch(async (error: unknown) => {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
          if (fresh() === known) {
            if (asking === undefined && clock.now() - askedAt < COOLDOWN_MS) throw error;
            await askOnce();
          }
          return check(accessToken, fresh() ?? known);
        });
        const { sub, aal, is_anonymous: isAnonymous } = claims.parse(payload);
        if (isAnonymous) throw new Error("anonymous");
        return { subject: sub, aal };
      } catch (error) {
        throw refused(error instanceof errors.JOSEError ? error.code : "its claims are not as they should be", error);
      }
    },
    async look() {
      await askOnce();
      const known = fresh();
      if (known === undefined) return "unreachable";
      return known.count > 0 ? "some" : "none";
    },
  };
}
