/**
 * What stands between a rule that fits and a run. A pure state machine: state, event and time in, state and outcome out.
 * The state is JSON, so a worker that restarts goes on where it was. Times are Unix ms.
 */
import type { Rule } from "./model.ts";

export const MAX_CHAIN = 2;
export const FAILURES_TO_PAUSE = 5;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than the longest run: what has not ended by then was lost. */
const LOST_AFTER_MS = 70 * 60_000;
const KEPT_KEYS = 200;
const KEPT_ORIGINS = 200;
const MAX_QUEUED = 10;

export const GATES = [
  "off",
  "expired",
  "failures",
  "own-page",
  "loop",
  "consent",
  "site-paused",
  "debounce",
  "once",
  "cooldown",
  "cap",
  "mode",
  "confirm",
  "dry-run",
] as const;
export type Gate = (typeof GATES)[number];

interface RuleState {
  /** On the state's own clock, as all times here. */
  readonly lastEvent?: number;
  readonly lastFire?: number;
  /** Of the last day. */
  readonly fires: readonly number[];
  readonly keys: readonly string[];
  readonly running: readonly { readonly key: string; readonly since: number }[];
  /** Runs in a row that failed. */
  readonly failures: number;
  readonly confirmed: readonly string[];
}

export interface GateState {
  /** What the wall clock last said. */
  readonly wall: number;
  /** Ms that are known to have passed: a clock that is set back does not make a cap or a cooldown anew. */
  readonly passed: number;
  readonly rules: Readonly<Record<string, RuleState>>;
}

export interface GateEvent {
  readonly rule: Rule;
  /** From `dedupeKey`. */
  readonly key: string;
  /** Of the page, from the browser; null for a schedule, and for a yes that is for this once. */
  readonly origin: string | null;
  /** A person's click, which needs no site permission and no cooldown. */
  readonly byHand: boolean;
  /** The person saw these values and said yes. */
  readonly confirmed: boolean;
  /** Whether the browser lets us read this site. Tier 0 asks for none: true. */
  readonly granted: boolean;
  /** Until when the person paused this site. */
  readonly sitePausedUntil?: number;
  /** Rules whose runs led to this page, the first one first; empty for what a person did. */
  readonly chain: readonly Rule["id"][];
  /** The tab was opened by us less than a minute ago. */
  readonly openedByUs: boolean;
  /** The page is the server's or the extension's own. */
  readonly ownPage: boolean;
}

export type GateOutcome =
  /** `cancel` names the runs to end first (mode `restart`); `chain` goes with the run. */
  | {
      readonly fire: true;
      readonly dedupeKey: string;
      readonly cancel: readonly string[];
      readonly chain: readonly Rule["id"][];
    }
  | { readonly fire: false; readonly gate: Gate; readonly words: string };

export function emptyGates(now: number): GateState {
  return { wall: now, passed: 0, rules: {} };
}

/** Lets one event through or names the gate that stops it. `confirm` means: ask, then pass the event again, confirmed. */
export function pass(
  state: GateState,
  event: GateEvent,
  now: number,
): { readonly state: GateState; readonly outcome: GateOutcome } {
  const ticked = tick(state, now);
  const { rule, key } = event;
  const old = ruleState(ticked, rule.id);
  const early = earlyGate(old, event, now);
  if (early !== undefined) return { state: ticked, outcome: early };
  const seen: RuleState = { ...old, lastEvent: ticked.passed };
  const late = lateGate(old, event, ticked.passed);
  if (late !== undefined) return { state: withRule(ticked, rule.id, seen), outcome: late };
  const fired: RuleState = {
    ...seen,
    lastFire: ticked.passed,
    fires: [...old.fires, ticked.passed],
    keys: [...old.keys, key].slice(-KEPT_KEYS),
    running: [...(rule.mode === "restart" ? [] : old.running), { key, since: ticked.passed }],
    confirmed: remember(old.confirmed, event),
  };
  return {
    state: withRule(ticked, rule.id, fired),
    outcome: {
      fire: true,
      dedupeKey: key,
      cancel: rule.mode === "restart" ? old.running.map((run) => run.key) : [],
      chain: [...(event.byHand ? [] : event.chain), rule.id],
    },
  };
}

/** Gates that leave no trace: an event they stop is as if it had not been. */
function earlyGate(old: RuleState, event: GateEvent, now: number): GateOutcome | undefined {
  const { rule, byHand, chain } = event;
  if (!rule.enabled) return stop("off", "The rule is off.");
  if (rule.expiresAt !== undefined && now >= Date.parse(rule.expiresAt)) {
    return stop("expired", `The rule ended at ${rule.expiresAt}.`);
  }
  if (old.failures >= FAILURES_TO_PAUSE) {
    return stop("failures", `Its last ${FAILURES_TO_PAUSE} runs failed, so it is paused until you resume it.`);
  }
  if (event.ownPage) return stop("own-page", "Rules do not act on Perch's own pages.");
  if (!byHand && event.openedByUs) return stop("loop", "Perch opened this tab itself less than a minute ago.");
  if (!byHand && chain.includes(rule.id)) return stop("loop", "A run of this rule led to this page.");
  if (!byHand && chain.length >= MAX_CHAIN) {
    return stop(
      "loop",
      `This page comes from ${chain.length} rules that started one another; ${MAX_CHAIN} is the most.`,
    );
  }
  if (!byHand && !event.granted) return stop("consent", "You have not allowed Perch to act on this site.");
  if (!byHand && event.sitePausedUntil !== undefined && now < event.sitePausedUntil) {
    return stop("site-paused", `You paused this site until ${new Date(event.sitePausedUntil).toISOString()}.`);
  }
  return undefined;
}

function lateGate(old: RuleState, event: GateEvent, at: number): GateOutcome | undefined {
  const { rule, key, byHand, confirmed, origin } = event;
  if (!confirmed && old.lastEvent !== undefined && at - old.lastEvent < rule.debounceMs) {
    return stop("debounce", `It was asked for less than ${rule.debounceMs} ms after the last time.`);
  }
  if (old.keys.includes(key)) return stop("once", `It has run for this already (once per ${onceWords(rule)}).`);
  if (!byHand && old.lastFire !== undefined && at - old.lastFire < rule.cooldownMs) {
    return stop("cooldown", `It ran less than ${rule.cooldownMs / 1_000} s ago.`);
  }
  if (old.fires.filter((fire) => at - fire < HOUR_MS).length >= rule.caps.hour) {
    return stop("cap", `It ran ${rule.caps.hour} times in the last hour, which is its cap.`);
  }
  if (old.fires.length >= rule.caps.day) {
    return stop("cap", `It ran ${rule.caps.day} times in the last 24 hours, which is its cap.`);
  }
  const most = atOnce(rule);
  if (old.running.length >= most) {
    const words = most === 1 ? "Its last run is still going." : `${most} of its runs are still going or waiting.`;
    return stop("mode", words);
  }
  const known = rule.confirm === "first" && origin !== null && old.confirmed.includes(origin);
  if (!confirmed && rule.confirm !== "never" && !known) return stop("confirm", "It waits for your yes.");
  if (rule.dryRun) return stop("dry-run", "Everything holds; it is a dry run, so nothing was started.");
  return undefined;
}

function onceWords({ oncePer }: Rule): string {
  return typeof oncePer === "object" ? `value of ${oncePer.value}` : oncePer;
}

function atOnce({ mode }: Rule): number {
  if (mode === "single") return 1;
  if (mode === "restart") return Number.POSITIVE_INFINITY;
  return mode === "queued" ? MAX_QUEUED : mode.parallel;
}

function remember(confirmed: readonly string[], { confirmed: yes, origin }: GateEvent): readonly string[] {
  if (!yes || origin === null) return confirmed;
  return [...confirmed.filter((one) => one !== origin), origin].slice(-KEPT_ORIGINS);
}

function stop(gate: Gate, words: string): GateOutcome {
  return { fire: false, gate, words };
}

/** Tells that a run ended, or that the server never began it (`refused`: then it counts as no start, and may be tried again). */
export function ended(
  state: GateState,
  ruleId: Rule["id"],
  key: string,
  result: "passed" | "failed" | "cancelled" | "refused",
  now: number,
): GateState {
  const ticked = tick(state, now);
  const old = ruleState(ticked, ruleId);
  const failures = result === "failed" ? old.failures + 1 : result === "passed" ? 0 : old.failures;
  const running = old.running.filter((run) => run.key !== key);
  if (result !== "refused" || !old.keys.includes(key)) return withRule(ticked, ruleId, { ...old, failures, running });
  const fires = old.fires.slice(0, -1);
  const { lastFire: _, ...rest } = old;
  const before = fires.at(-1);
  const keys = old.keys.filter((one) => one !== key);
  return withRule(ticked, ruleId, { ...rest, ...(before !== undefined && { lastFire: before }), keys, fires, running });
}

/** A person lets a rule go on that its failures paused. */
export function resume(state: GateState, ruleId: Rule["id"]): GateState {
  return withRule(state, ruleId, { ...ruleState(state, ruleId), failures: 0 });
}

/** Forgets a person's yes for a site, in all rules. */
export function forgetOrigin(state: GateState, origin: string): GateState {
  const rules = Object.entries(state.rules).map(
    ([id, one]) => [id, { ...one, confirmed: one.confirmed.filter((known) => known !== origin) }] as const,
  );
  return { ...state, rules: Object.fromEntries(rules) };
}

/** Forgets rules that are no more. */
export function keepRules(state: GateState, ids: ReadonlySet<string>): GateState {
  return { ...state, rules: Object.fromEntries(Object.entries(state.rules).filter(([id]) => ids.has(id))) };
}

function tick(state: GateState, now: number): GateState {
  return { ...state, wall: now, passed: state.passed + Math.max(0, now - state.wall) };
}

/** A rule's state as of now: fires older than a day and runs that were lost are gone. */
function ruleState({ rules, passed }: GateState, id: string): RuleState {
  const old = Object.hasOwn(rules, id) ? rules[id] : undefined;
  if (old === undefined) return { fires: [], keys: [], running: [], failures: 0, confirmed: [] };
  return {
    ...old,
    fires: old.fires.filter((fire) => passed - fire < DAY_MS),
    running: old.running.filter(({ since }) => passed - since < LOST_AFTER_MS),
  };
}

function withRule(state: GateState, id: string, rule: RuleState): GateState {
  return { ...state, rules: { ...state.rules, [id]: rule } };
}
