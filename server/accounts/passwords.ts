/**
 * Password hashing: argon2id with the parameters of the OWASP password storage cheat sheet (19 MiB, 2 passes, 1 lane).
 * At most four hashes run at once and a hundred wait, so that a flood of sign-ins costs neither memory nor patience.
 */
import { randomBytes } from "node:crypto";
import { type Algorithm, hash, verify } from "@node-rs/argon2";
import { PerchError } from "../errors.ts";

export interface Argon2Parameters {
  /** KiB. */
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}
export const ARGON2: Argon2Parameters = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 };
const MOST_AT_ONCE = 4;
/** About two seconds of work for two cores. */
const MOST_WAITING = 100;
const BUSY_MS = 5_000;
/** The package declares its algorithms as an ambient const enum; argon2id is 2 there and in the PHC format. */
const ARGON2ID = 2 as Algorithm;

/** Every method throws `unavailable` when too many wait already. */
export interface Passwords {
  /** The PHC string to store. */
  hash(password: string): Promise<string>;
  /** `rehash`: right, but hashed with weaker parameters than today's; store a new hash. */
  verify(phc: string, password: string): Promise<"right" | "rehash" | "wrong">;
  /** Takes as long as `verify` and is always wrong: for accounts that do not exist. */
  verifyNothing(password: string): Promise<"wrong">;
}

export function createPasswords(parameters: Argon2Parameters = ARGON2): Passwords {
  const limited = createSemaphore(MOST_AT_ONCE, MOST_WAITING);
  const hashOf = (password: string) =>
    limited(() => hash(normalise(password), { algorithm: ARGON2ID, outputLen: 32, ...parameters }));
  let nobody: Promise<string> | undefined;
  const check = async (phc: string, password: string) => limited(() => verify(phc, normalise(password)));
  return {
    hash: hashOf,
    async verify(phc, password) {
      if (!(await check(phc, password))) return "wrong";
      return isWeaker(phc, parameters) ? "rehash" : "right";
    },
    async verifyNothing(password) {
      nobody ??= hashOf(randomBytes(32).toString("base64"));
      await check(await nobody, password);
      return "wrong";
    },
  };
}

/** One spelling for what looks the same on every keyboard; NFC only, so that nothing else a person typed is lost. */
export function normalise(password: string): string {
  return password.normalize("NFC");
}

/** Reads `$argon2id$v=19$m=19456,t=2,p=1$…`; anything that is not argon2id counts as weaker. */
export function isWeaker(phc: string, than: Argon2Parameters): boolean {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(phc);
  return match === null || Number(match[1]) < than.memoryCost || Number(match[2]) < than.timeCost;
}

/** Lets `most` pieces of work run at once; as many as `mostWaiting` wait in order of arrival, the rest are refused. */
export function createSemaphore(most: number, mostWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (waiting.length >= mostWaiting && free === 0) {
      throw new PerchError("unavailable", "Too many people are signing in at the moment. Try again in a few seconds.", {
        retryAfterMs: BUSY_MS,
      });
    }
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
