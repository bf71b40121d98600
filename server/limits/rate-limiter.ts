/**
 * Rate limits by GCRA (ITU-T I.371): one stored number per key. Limits on sign-in, sign-up and launches are stored,
 * so they hold across restarts and nodes; the broad ones live in memory, because a disk write a call costs more than
 * what they protect. Keys are keyed hashes: the table leads to nobody.
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import type { LimitsRepo } from "./limits.repo.ts";

/** `burst` calls at once, then one every `everyMs`. */
export const LIMITS = {
  read: { burst: 200, everyMs: 20, stored: false },
  write: { burst: 60, everyMs: 250, stored: false },
  launch: { burst: 10, everyMs: 6_000, stored: true },
  signIn: { burst: 10, everyMs: 60_000, stored: true },
  /** Tries from networks no owner is known from, on all accounts together: what stops one password tried on everybody. */
  signInAnywhere: { burst: 100, everyMs: 200, stored: true },
  /**
   * Codes typed after a right password, per person: 288 guesses a day at 2 in a million each, while five wrong ones in a
   * row send a warning (NIST SP 800-63B §5.2.2).
   */
  secondFactor: { burst: 10, everyMs: 300_000, stored: true },
  signUp: { burst: 10, everyMs: 120_000, stored: true },
  mail: { burst: 3, everyMs: 300_000, stored: true },
  /** Invitations of one team. */
  invite: { burst: 20, everyMs: 60_000, stored: true },
  /** Calls of one webhook. */
  webhook: { burst: 30, everyMs: 12_000, stored: true },
  support: { burst: 5, everyMs: 300_000, stored: true },
} as const;
export type LimitName = keyof typeof LIMITS;

export interface RateLimiter {
  /** Counts one call; throws `rate_limited` with the time to wait when it is one too many. */
  take(name: LimitName, subject: string): Promise<void>;
}

export function createRateLimiter(options: { clock: Clock; repo: LimitsRepo; key: Buffer }): RateLimiter {
  const memory = new Map<string, number>();
  const takeFromMemory = (key: string, now: number, everyMs: number, burst: number): number => {
    const arrival = Math.max(memory.get(key) ?? 0, now);
    if (arrival - now > everyMs * (burst - 1)) return arrival - everyMs * (burst - 1) - now;
    if (memory.size > 50_000) for (const [other, at] of memory) if (at <= now) memory.delete(other);
    memory.set(key, arrival + everyMs);
    return 0;
  };
  return {
    async take(name, subject) {
      const { burst, everyMs, stored } = LIMITS[name];
      const now = options.clock.now();
      const key = stored
        ? createHmac("sha256", options.key).update(`${name}\0${subject}`).digest("base64url")
        : `${name}\0${subject}`;
      const waitMs = stored
        ? await options.repo.takeToken({ key, now, everyMs, burst })
        : takeFromMemory(key, now, everyMs, burst);
      if (waitMs > 0) {
        throw new PerchError("rate_limited", `That was too often. Try again in ${waitWords(waitMs)}.`, {
          retryAfterMs: waitMs,
        });
      }
    },
  };
}

/** "20 s" or "3 min", rounded up. */
function waitWords(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`;
}

/** The part of an address that stands for one place: the whole IPv4 address, the /64 of an IPv6 one. */
export function networkOf(ip: string): string {
  if (!ip.includes(":")) return ip;
  const [head = "", tail = ""] = ip.split("::");
  const left = head.split(":").filter((part) => part !== "");
  const right = tail.split(":").filter((part) => part !== "");
  const full = ip.includes("::")
    ? [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right]
    : left;
  return `${full.slice(0, 4).join(":")}::/64`;
}
