/**
 * Rate limits by GCRA (ITU-T I.371): one stored number per key. Limits on sign-in, sign-up and launches are stored,
 * so they hold across restarts and nodes; the broad ones live in memory, because a disk write a call costs more than
 * what they protect. Keys are keyed hashes: the table leads to nobody.
 */
import { createHmac } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import type { LimitsRepo } from "./limits.repo.ts";

/** `burst` calls at once, then one every `everyMs`. */
export const LIMITS = {
  read: { burst: 200, everyMs: 20, stored: false },
  write: { burst: 60, everyMs: 250, stored: false },
  /** Pieces of files: 40 MB a second of whole ones. */
  upload: { burst: 60, everyMs: 100, stored: false },
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
  /** Payment pages opened from one network: at most 10 within any hour. */
  checkout: { burst: 5, everyMs: 720_000, stored: true },
} as const;
export type LimitName = keyof typeof LIMITS;

/** Everybody of one network together may do this many times what one of them may. */
export const NETWORK_TIMES = 20;
/** Keys held in memory, of which the longest unused goes first: an attacker's addresses cannot fill the memory. */
export const MOST_IN_MEMORY = 50_000;

export interface RateLimiter {
  /** Counts one call; throws `rate_limited` with the time to wait when it is one too many. */
  take(name: LimitName, subject: string): Promise<void>;
  /**
   * Counts one call against everybody of the caller's network together, `NETWORK_TIMES` as wide. Held in memory whatever
   * the limit, so it may come before anything is known of the caller and costs a stranger's call no write.
   */
  takeOfNetwork(name: LimitName, network: string): void;
}

export function createRateLimiter(options: { clock: Clock; repo: LimitsRepo; key: Buffer }): RateLimiter {
  const memory = new Map<string, number>();
  const takeFromMemory = (key: string, now: number, everyMs: number, burst: number): number => {
    const arrival = Math.max(memory.get(key) ?? 0, now);
    if (arrival - now > everyMs * (burst - 1)) return arrival - everyMs * (burst - 1) - now;
    // Set anew, a key stands last: the first one is the longest unused.
    memory.delete(key);
    memory.set(key, arrival + everyMs);
    if (memory.size > MOST_IN_MEMORY) memory.delete(memory.keys().next().value ?? key);
    return 0;
  };
  return {
    async take(name, subject) {
      const { burst, everyMs, stored } = LIMITS[name];
      const now = options.clock.now();
      if (!stored) return refuse(takeFromMemory(`${name}\0${subject}`, now, everyMs, burst));
      const key = createHmac("sha256", options.key).update(`${name}\0${subject}`).digest("base64url");
      refuse(await options.repo.takeToken({ key, now, everyMs, burst }));
    },
    takeOfNetwork(name, network) {
      const { burst, everyMs } = LIMITS[name];
      const key = `${name}\0everybody of\0${network}`;
      refuse(takeFromMemory(key, options.clock.now(), everyMs / NETWORK_TIMES, burst * NETWORK_TIMES));
    },
  };
}

function refuse(waitMs: number): void {
  if (waitMs <= 0) return;
  const retryAfterMs = Math.ceil(waitMs);
  throw new PerchError("rate_limited", `That was too often. Try again in ${waitWords(retryAfterMs)}.`, {
    retryAfterMs,
  });
}

/** "20 s" or "3 min", rounded up. */
function waitWords(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`;
}

/**
 * The part of an address that stands for one place: the whole IPv4 address, the /64 of an IPv6 one. However an address
 * is spelled it gives the same text, so that spelling it differently dodges nothing; what is no address is one place.
 */
export function networkOf(ip: string): string {
  return isIPv4(ip) ? ip : prefixOf(ip, 4, 4);
}

/** The neighbourhood of a place: the /24 of an IPv4 address, the /48 of an IPv6 one. */
export function regionOf(ip: string): string {
  return prefixOf(ip, 3, 3);
}

/** The first numbers of an address: of four in IPv4, of eight in IPv6. */
function prefixOf(ip: string, v4Numbers: 3 | 4, v6Numbers: 3 | 4): string {
  const [plain = ""] = ip.split("%");
  if (isIP(plain) === 0) return "unknown";
  const address = ipaddr.process(plain);
  if (address instanceof ipaddr.IPv6) {
    const parts = address.parts.slice(0, v6Numbers).map((part) => part.toString(16));
    return `${parts.join(":")}::/${16 * v6Numbers}`;
  }
  return v4Numbers === 4 ? address.toString() : `${address.octets.slice(0, v4Numbers).join(".")}.0/24`;
}
