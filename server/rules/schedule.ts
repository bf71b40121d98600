/** When a rule's schedule comes next. Pure. */
import { startsOf } from "../../shared/rules/consent.ts";
import { cronMatches, nextCron, parseCron } from "../../shared/rules/cron.ts";
import type { Condition, Rule } from "../../shared/rules/model.ts";
import { conditionsOf } from "../../shared/rules/rule-parts.ts";

type Schedule = Extract<Condition, { kind: "schedule" }>;

export interface Slot {
  /** Unix ms of the minute's start. */
  readonly at: number;
  readonly timeZone: string;
}

/** Schedules that have to meet are looked for in this many steps. */
const MOST_STEPS = 200;

/** The first slot after a time (Unix ms); undefined when the rule has no schedule that can start it, or it ends before. */
export function nextSlot(rule: Rule, after: number): Slot | undefined {
  if (!rule.enabled || rule.dryRun || !startsOf(rule).includes("schedule")) return undefined;
  // Values are read from pages, and on a schedule there is none.
  if (rule.extract.some(({ required }) => required)) return undefined;
  const conditions = conditionsOf(rule);
  const schedules = conditions.filter((one): one is Schedule => one.kind === "schedule");
  const all = "all" in rule.when;
  if (all && schedules.length < conditions.length) return undefined;
  const at = all ? meeting(schedules, after) : first(schedules, after);
  const schedule = at === undefined ? undefined : schedules.find((one) => matches(one, at));
  if (at === undefined || schedule === undefined) return undefined;
  if (rule.expiresAt !== undefined && at >= Date.parse(rule.expiresAt)) return undefined;
  return { at, timeZone: schedule.timeZone };
}

function next({ cron, timeZone }: Schedule, after: number): number | undefined {
  const parsed = parseCron(cron);
  return parsed.ok ? nextCron(parsed.value, timeZone, after) : undefined;
}

function matches({ cron, timeZone }: Schedule, at: number): boolean {
  const parsed = parseCron(cron);
  return parsed.ok && cronMatches(parsed.value, timeZone, at);
}

function first(schedules: readonly Schedule[], after: number): number | undefined {
  const times = schedules.flatMap((one) => next(one, after) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The first minute in all of the schedules. */
function meeting(schedules: readonly Schedule[], after: number): number | undefined {
  let from = after;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const times = schedules.map((one) => next(one, from));
    const latest = Math.max(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(latest)) return undefined;
    if (times.every((at) => at === latest)) return latest;
    from = latest - 1;
  }
  return undefined;
}
