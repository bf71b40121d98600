/**
 * Whether this process can serve. What makes it refuse traffic is what people would feel at once: the database cannot be
 * written, its tables are older than this program, the disk is full, or the process is on its way out. What only comes
 * late (mail, phones of one kind) is a warning: taking every node out because the mail server is away would help nobody.
 */
import type { Monotonic } from "../clock.ts";
import { PerchError } from "../errors.ts";

export type CheckState = "ok" | "warn" | "fail";
export interface CheckLine {
  readonly name: string;
  readonly state: CheckState;
  /** What is wrong or known, in a sentence; no address and no person. */
  readonly says: string;
  readonly ms: number;
}
export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly CheckLine[];
}

export type Finding = readonly [state: CheckState, says: string];
export type Checks = Readonly<Record<string, (signal: AbortSignal) => Finding | Promise<Finding>>>;

/** Longer, and whoever asks has given up: Kubernetes waits one second unless told otherwise. */
const LIMIT_MS = 2_000;
/** Asked more often, the answer is the one before: a stranger cannot make the database work. */
const FRESH_MS = 1_000;

export interface ReadinessOptions {
  readonly checks: Checks;
  readonly monotonic: Monotonic;
  readonly limitMs?: number;
  readonly freshMs?: number;
}

export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  const { checks, monotonic, limitMs = LIMIT_MS, freshMs = FRESH_MS } = options;
  /** A check that hangs is not started again beside itself. */
  const hanging = new Set<string>();
  let last: { readonly at: number; readonly answer: Promise<Readiness> } | undefined;

  async function look(name: string, check: Checks[string]): Promise<CheckLine> {
    const since = monotonic.now();
    const line = ([state, says]: Finding): CheckLine => ({
      ...{ name, state, says },
      ms: Math.round(monotonic.now() - since),
    });
    const late: Finding = ["fail", `No answer within ${limitMs / 1000} seconds.`];
    if (hanging.has(name)) return line(late);
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    hanging.add(name);
    const work = (async () => check(limit.signal))().finally(() => hanging.delete(name));
    const timeout = new Promise<Finding>((resolve) =>
      limit.signal.addEventListener("abort", () => resolve(late), { once: true }),
    );
    try {
      return line(await Promise.race([work, timeout]));
    } catch (error) {
      const words = error instanceof PerchError ? error.message : "It cannot be reached or does not work.";
      return line(["fail", words]);
    } finally {
      clearTimeout(timer);
      work.catch(() => {});
    }
  }

  return () => {
    const now = monotonic.now();
    if (last === undefined || now - last.at >= freshMs) {
      const answer = Promise.all(Object.entries(checks).map(([name, check]) => look(name, check))).then((lines) => ({
        ready: lines.every(({ state }) => state !== "fail"),
        checks: lines,
      }));
      last = { at: now, answer };
    }
    return last.answer;
  };
}
