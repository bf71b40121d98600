/** What can be told to go wrong, decided by a seed so that a failing run can be run again. */
import { LostAnswer } from "./api.ts";
import { SandboxError } from "./errors.ts";

export interface FaultSettings {
  /** Chances from 0 to 1, of each call. */
  readonly failCalls: number;
  /** The call takes effect, its answer is lost. */
  readonly loseAnswers: number;
  /** Of each webhook delivery. */
  readonly duplicateWebhooks: number;
  readonly dropWebhooks: number;
  /** Those due together are sent in another order. */
  readonly reorderWebhooks: boolean;
  readonly delayWebhooksMs: number;
}

export const NO_FAULTS: FaultSettings = {
  failCalls: 0,
  loseAnswers: 0,
  duplicateWebhooks: 0,
  dropWebhooks: 0,
  reorderWebhooks: false,
  delayWebhooksMs: 0,
};

export type CallFault = "fail" | "lose";

export interface Faults {
  readonly settings: FaultSettings;
  set(settings: Partial<FaultSettings>): void;
  /** The next call that matches, e.g. `"POST /v1/refunds"`, whatever the chances. */
  next(fault: CallFault, call?: string): void;
  clear(): void;
  beforeCall(method: string, path: string): void;
  afterCall(method: string, path: string): void;
  chance(probability: number): boolean;
  shuffled<T>(all: readonly T[]): T[];
}

export function createFaults(seed: number): Faults {
  const random = mulberry32(seed);
  let settings = NO_FAULTS;
  let ordered: { fault: CallFault; call: string | undefined }[] = [];
  const chance = (probability: number) => probability > 0 && random() < probability;
  const strikes = (fault: CallFault, probability: number, method: string, path: string) => {
    const index = ordered.findIndex(
      (one) => one.fault === fault && (one.call ?? `${method} ${path}`) === `${method} ${path}`,
    );
    if (index >= 0) ordered.splice(index, 1);
    return index >= 0 || chance(probability);
  };
  return {
    get settings() {
      return settings;
    },
    set(changes) {
      settings = { ...settings, ...changes };
    },
    next(fault, call) {
      ordered.push({ fault, call });
    },
    clear() {
      settings = NO_FAULTS;
      ordered = [];
    },
    beforeCall(method, path) {
      if (!strikes("fail", settings.failCalls, method, path)) return;
      throw new SandboxError(500, { type: "api_error", message: "The billing sandbox was told to fail this call." });
    },
    afterCall(method, path) {
      if (strikes("lose", settings.loseAnswers, method, path)) throw new LostAnswer();
    },
    chance,
    shuffled(all) {
      const made = [...all];
      for (let at = made.length - 1; at > 0; at--) {
        const other = Math.floor(random() * (at + 1));
        const [one, two] = [made[at], made[other]];
        if (one !== undefined && two !== undefined) [made[at], made[other]] = [two, one];
      }
      return made;
    },
  };
}

/** A small generator of even numbers in [0, 1), good enough for faults. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
