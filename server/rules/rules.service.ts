/**
 * A team's rules and the runs they start. The browser asks with the values a person saw; everything it judged about a
 * rule itself is judged here again, since what asks may be another browser, an old one, or none.
 */
import { createHash } from "node:crypto";
import type { z } from "zod";
import type { PhoneId, RuleId, RunId } from "../../shared/ids.ts";
import { startsOf } from "../../shared/rules/consent.ts";
import { inputsOf } from "../../shared/rules/evaluate.ts";
import { FAILURES_TO_PAUSE, MAX_CHAIN } from "../../shared/rules/gates.ts";
import type { Rule, StartWay } from "../../shared/rules/model.ts";
import { regexProblems } from "../../shared/rules/regex.ts";
import { normalise } from "../../shared/rules/text.ts";
import type { RuleEvent, RuleList, RuleStart, SavedRule, startRuleInput } from "../../shared/rules-api.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { RunEndListener } from "../automations/run-states.ts";
import type { RunsService } from "../automations/runs.service.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Events } from "../events/events.repo.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { RuleRow, RulesRepo } from "./rules.repo.ts";
import { nextSlot } from "./schedule.ts";

export interface RulesService {
  list(scope: TeamScope): Promise<RuleList>;
  /** Keeps a rule under the id its maker gave it. */
  save(scope: TeamScope, rule: Rule): Promise<SavedRule>;
  remove(scope: TeamScope, id: RuleId): Promise<void>;
  /** Lets a rule go on that its failures paused. */
  resume(scope: TeamScope, id: RuleId): Promise<SavedRule>;
  /** What a browser asks for; the server alone starts schedules. */
  start(scope: TeamScope, input: z.output<typeof startRuleInput>): Promise<RuleStart>;
  /** What a schedule asks for; `started` is the last thing in the transaction. */
  startScheduled(
    scope: TeamScope,
    start: { readonly ruleId: RuleId; readonly dedupeKey: string },
    started: (tx: Writer) => Promise<void>,
  ): Promise<RuleStart>;
  /** Counts a run of a rule that ended, in the transaction that ends it. */
  readonly ended: RunEndListener;
}

const MOST_RULES = 2_000;
/** Runs of a rule that wait for one another. */
const MOST_QUEUED = 10;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SERVER = "server";

function noSuchRule(): PerchError {
  return new PerchError("not_found", "There is no such rule in this team.");
}

export interface RulesOptions {
  readonly db: Database;
  readonly repo: RulesRepo;
  readonly runs: Pick<RunsService, "start" | "cancelIn">;
  readonly events: Pick<Events, "publish" | "wake">;
  readonly audit: Audit;
  readonly clock: Clock;
  /** @throws PerchError `not_found` when the team has no such flow */
  readonly flow: (scope: TeamScope, id: Rule["action"]["flowId"]) => Promise<unknown>;
  readonly phones: {
    /** @throws PerchError `not_found` when the team has no such phone */
    get(scope: TeamScope, id: PhoneId): Promise<unknown>;
    tagged(scope: TeamScope, tag: string): Promise<readonly PhoneId[]>;
    /** A new phone; the same key gives the same one. */
    launch(scope: TeamScope, input: { idempotencyKey: string }): Promise<{ readonly id: PhoneId }>;
  };
}

/** What may start a rule, seen from here. */
interface Asked {
  readonly ruleId: RuleId;
  readonly way: StartWay;
  readonly values: Readonly<Record<string, string>>;
  readonly dedupeKey: string;
  readonly phoneId?: PhoneId | undefined;
  readonly cause: readonly RuleId[];
}

export function createRulesService(options: RulesOptions): RulesService {
  const { db, repo, clock, phones } = options;
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: RuleId) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });
  const tell = (tx: Writer, { teamId }: Pick<TeamScope, "teamId">, event: RuleEvent) =>
    options.events.publish(tx, teamId, event);
  const slotAfter = (rule: Rule, at: number): Date | null => {
    const slot = nextSlot(rule, at);
    return slot === undefined ? null : new Date(slot.at);
  };

  async function find(tx: Writer, scope: TeamScope, id: RuleId): Promise<RuleRow> {
    const row = await repo.find(tx, scope, id);
    if (row === undefined) throw noSuchRule();
    return row;
  }

  async function saved(scope: TeamScope, id: RuleId): Promise<SavedRule> {
    const found = (await repo.list(scope)).find(({ row }) => row.id === id);
    if (found === undefined) throw noSuchRule();
    return savedRule(found.row, found.lastStartedAt);
  }

  /** Refuses a start the rule does not allow now. @throws PerchError */
  async function admit(tx: Writer, row: RuleRow, asked: Asked): Promise<void> {
    const { rule } = row;
    const now = clock.now();
    const stop = (words: string) => new PerchError("conflict", `${rule.name} ${words}`);
    if (!rule.enabled) throw stop("is off. Turn it on first.");
    if (rule.expiresAt !== undefined && now >= Date.parse(rule.expiresAt)) throw stop(`ended at ${rule.expiresAt}.`);
    if (row.pausedAt !== null) {
      throw stop(`is paused, because its last ${FAILURES_TO_PAUSE} runs failed. See why, then resume it.`);
    }
    if (rule.dryRun) throw stop("is a dry run, which starts nothing.");
    if (!startsOf(rule).includes(asked.way)) {
      throw stop(`does not start by ${asked.way}, but by ${startsOf(rule).join(" or ")}.`);
    }
    if (asked.cause.includes(rule.id)) throw stop("led to this page itself; rules do not run in circles.");
    if (asked.cause.length >= MAX_CHAIN) {
      throw stop(`would be the third of rules that started one another; ${MAX_CHAIN} is the most.`);
    }
    if ((await repo.startsSince(tx, rule.id, new Date(now - HOUR_MS))) >= rule.caps.hour) {
      throw new PerchError("limit_reached", `${rule.name} ran ${rule.caps.hour} times in the last hour, its cap.`);
    }
    if ((await repo.startsSince(tx, rule.id, new Date(now - DAY_MS))) >= rule.caps.day) {
      throw new PerchError("limit_reached", `${rule.name} ran ${rule.caps.day} times in the last 24 hours, its cap.`);
    }
    const going = (await repo.active(tx, rule.id)).length;
    if (going < atOnce(rule)) return;
    if (rule.mode === "single") throw stop("is running. It starts again when its run has ended.");
    throw stop(`has ${going} runs that are still going or waiting, the most it may have.`);
  }

  /** Where its run goes: one phone, or several of which the first free one takes it. */
  async function placeOf(scope: TeamScope, { action }: Rule, asked: Asked): Promise<readonly [PhoneId, ...PhoneId[]]> {
    const { phone } = action;
    if (phone !== "ask" && asked.phoneId !== undefined) {
      throw new PerchError("bad_input", "This rule names its phone itself; leave the phone out.");
    }
    if (phone === "ask") {
      if (asked.phoneId === undefined) throw new PerchError("bad_input", "Say which phone the rule is to run on.");
      return [asked.phoneId];
    }
    if (phone === "new") return [(await phones.launch(scope, { idempotencyKey: asked.dedupeKey })).id];
    if (typeof phone === "string") return [phone];
    const [home, ...others] = await phones.tagged(scope, phone.tag);
    if (home === undefined) {
      throw new PerchError("not_found", `No phone has the tag ${phone.tag}. Tag one in its settings.`);
    }
    return [home, ...others];
  }

  async function start(
    scope: TeamScope,
    asked: Asked,
    started: (tx: Writer) => Promise<void> = async () => {},
  ): Promise<RuleStart> {
    const { ruleId, dedupeKey, way } = asked;
    /** Of the last try of the transaction. */
    const done: { outcome: RuleStart["outcome"]; after: (() => void)[] } = { outcome: "duplicate", after: [] };
    /** The run of an earlier start with this key, or a refusal. */
    const earlier = async (tx: Writer): Promise<RunId | undefined> => {
      done.outcome = "duplicate";
      done.after = [];
      const row = await find(tx, scope, ruleId);
      const run = await repo.findStart(tx, ruleId, dedupeKey);
      if (run === undefined) await admit(tx, row, asked);
      return run;
    };
    const { row, known } = await db.tx(async (tx) => {
      const run = await earlier(tx);
      return { row: await find(tx, scope, ruleId), known: run };
    });
    if (known !== undefined) return { outcome: "duplicate", runId: known };
    const { rule } = row;
    const inputs = inputsOf(rule, checkedValues(rule, asked.values));
    const place = await placeOf(scope, rule, asked);
    const { runId } = await options.runs.start(
      scope,
      {
        flowId: rule.action.flowId,
        phoneId: place[0],
        inputs,
        // No caller's key has a dot, so this is nobody else's.
        idempotencyKey: `${ruleId}.${dedupeKey}`,
      },
      way === "schedule" ? "schedule" : "rule",
      {
        triggerName: rule.name,
        mayUseSecrets: rule.secrets,
        ...(place.length > 1 && { anyOf: place }),
        ...(rule.mode === "queued" && { lane: ruleId }),
        before: earlier,
        async after(tx, id) {
          if (rule.mode === "restart") {
            for (const run of await repo.active(tx, ruleId))
              done.after.push(await options.runs.cancelIn(tx, scope, run.id));
          }
          await repo.insertStart(tx, { ruleId, dedupeKey, runId: id, way, at: new Date(clock.now()) });
          await record(tx, scope, "rule.started", ruleId);
          await tell(tx, scope, { type: "rules" });
          await started(tx);
          done.outcome = "started";
        },
      },
    );
    for (const tellRunner of done.after) tellRunner();
    if (done.outcome === "started") options.events.wake(scope.teamId);
    return { outcome: done.outcome, runId };
  }

  return {
    async list(scope) {
      const rows = await repo.list(scope);
      const hash = createHash("sha256");
      for (const { row } of rows) hash.update(`${row.id} ${row.revision} ${row.updatedAt.getTime()}\n`);
      return {
        version: hash.digest("base64url").slice(0, 22),
        rules: rows.map(({ row, lastStartedAt }) => savedRule(row, lastStartedAt)),
      };
    },
    async save(scope, rule) {
      const [problem] = regexProblems(rule);
      if (problem !== undefined) {
        throw new PerchError("bad_input", problem.message, { fields: { [`rule.${problem.path}`]: problem.message } });
      }
      await options.flow(scope, rule.action.flowId);
      const { phone } = rule.action;
      if (typeof phone === "string" && phone !== "ask" && phone !== "new") await phones.get(scope, phone);
      const now = new Date(clock.now());
      await db.tx(async (tx) => {
        const known = await repo.findAnywhere(tx, rule.id);
        if (known !== undefined && known.teamId !== scope.teamId) throw noSuchRule();
        const change = {
          rule,
          savedBy: scope.userId,
          nextAt: slotAfter(rule, now.getTime()),
          refusal: null,
          updatedAt: now,
        };
        if (known !== undefined) await repo.change(tx, rule.id, change);
        else {
          if ((await repo.count(tx, scope)) >= MOST_RULES) {
            throw new PerchError("limit_reached", `A team keeps at most ${MOST_RULES} rules. Remove one first.`);
          }
          const { teamId } = scope;
          await repo.insert(tx, { ...change, id: rule.id, teamId, revision: 1, failures: 0, createdAt: now });
        }
        await record(tx, scope, "rule.saved", rule.id);
        await tell(tx, scope, { type: "rules" });
      });
      options.events.wake(scope.teamId);
      return saved(scope, rule.id);
    },
    async remove(scope, id) {
      await db.tx(async (tx) => {
        if (!(await repo.delete(tx, scope, id))) throw noSuchRule();
        await record(tx, scope, "rule.removed", id);
        await tell(tx, scope, { type: "rules" });
      });
      options.events.wake(scope.teamId);
    },
    async resume(scope, id) {
      await db.tx(async (tx) => {
        const { rule } = await find(tx, scope, id);
        const now = new Date(clock.now());
        await repo.change(tx, id, {
          failures: 0,
          pausedAt: null,
          nextAt: slotAfter(rule, now.getTime()),
          updatedAt: now,
        });
        await record(tx, scope, "rule.resumed", id);
        await tell(tx, scope, { type: "rules" });
      });
      options.events.wake(scope.teamId);
      return saved(scope, id);
    },
    async start(scope, input) {
      if (input.way === "schedule") {
        throw new PerchError("bad_input", "The server starts schedules by itself; a browser cannot.");
      }
      return start(scope, input);
    },
    startScheduled: (scope, asked, started) =>
      start(scope, { ...asked, way: "schedule", values: {}, cause: [] }, started),
    async ended(tx, runId, state) {
      if (state === "cancelled") return undefined;
      const row = await repo.ofRun(tx, runId);
      if (row === undefined) return undefined;
      const failures = state === "passed" || state === "warned" ? 0 : row.failures + 1;
      if (failures === row.failures) return undefined;
      if (failures < FAILURES_TO_PAUSE || row.pausedAt !== null) {
        await repo.change(tx, row.id, { failures });
        return undefined;
      }
      const now = new Date(clock.now());
      await repo.change(tx, row.id, { failures, pausedAt: now, nextAt: null, updatedAt: now });
      await options.audit.record(tx, { chain: row.teamId, actor: SERVER, action: "rule.paused", object: row.id });
      await tell(tx, row, { type: "rule_paused", ruleId: row.id, name: row.rule.name });
      return () => options.events.wake(row.teamId);
    },
  };
}

function atOnce({ mode }: Rule): number {
  if (mode === "single") return 1;
  if (mode === "restart") return Number.POSITIVE_INFINITY;
  return mode === "queued" ? MOST_QUEUED : mode.parallel;
}

/** Exactly the values the rule reads, made safe once more. Text and nothing else: the flow gets them as variables. */
function checkedValues(rule: Rule, values: Asked["values"]): { name: string; value: string }[] {
  const foreign = Object.keys(values).find((name) => rule.extract.every((one) => one.var !== name));
  if (foreign !== undefined) throw new PerchError("bad_input", `The rule reads no value ${foreign}.`);
  return rule.extract.flatMap(({ var: name, required }) => {
    const value = normalise(Object.hasOwn(values, name) ? (values[name] ?? "") : "");
    if (value !== "") return [{ name, value }];
    if (required) throw new PerchError("bad_input", `The rule needs a value for ${name}, and none was found.`);
    return [];
  });
}

function savedRule(row: RuleRow, lastStartedAt: Date | undefined): SavedRule {
  return {
    rule: row.rule,
    updatedAt: row.updatedAt.toISOString(),
    ...(lastStartedAt !== undefined && { lastStartedAt: lastStartedAt.toISOString() }),
    paused: row.pausedAt !== null,
    ...(row.nextAt !== null && { nextAt: row.nextAt.toISOString() }),
    ...(row.refusal !== null && { refusal: row.refusal }),
  };
}
