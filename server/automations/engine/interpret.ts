/**
 * Walks through a flow: hooks, steps, conditions, nesting, `optional`, `retry`. Every step is in the journal before it
 * is done, and a walk over a journal of an earlier life gives the same way without doing anything twice.
 */
import { createHash } from "node:crypto";
import type { Condition, Flow, Step, Steps } from "../../../shared/flows/model.ts";
import { doCommand, type LeafCommand } from "./commands/all.ts";
import type { CommandOf, ContainerName, FlowFailure, RunContext, StepContext } from "./context.ts";
import { type Decide, notedDecisions } from "./decisions.ts";
import { type Ending, endingOf, type FailureCode, LeaseLost, RunStop, StepFailure } from "./failures.ts";
import { heal, healingWords, proposal } from "./healing.ts";
import type { OpenStep } from "./journal.ts";
import { conditionHolds, lookOnce } from "./lookup.ts";
import type { Env, ScriptCall } from "./ports.ts";
import { commandWords, fileNamed, wholeNumber } from "./words.ts";

export interface FlowOutcome {
  readonly state: "passed" | "warned" | "failed";
  readonly failure?: FlowFailure;
}

/** Where in the flow: scope of names, depth of nesting, and which file. */
interface Frame {
  readonly env: Env;
  readonly depth: number;
  readonly flow: Flow;
  /** Where that flow stands; what it names is found from there. */
  readonly file: string;
  /** Before the paths of its steps: those of the steps that called it, each with a `/`. "" in the run's own flow. */
  readonly prefix: string;
}

/** A failure that found its place; containers pass it on. */
interface Located {
  readonly failure: StepFailure;
  readonly step: number | undefined;
  readonly line: number | undefined;
  readonly file: string | undefined;
}

const MOST_RETRIES = 3;

/** Runs the flow to its end. @throws RunStop, LeaseLost */
export async function interpret(run: RunContext, inputs: Env): Promise<FlowOutcome> {
  const walk = new Walk(run);
  const { flow, file } = run;
  const frame = { env: {}, depth: 0, flow, file, prefix: "" };
  const failed = await walk.flow(flow.steps, frame, () => walk.headerEnv(inputs));
  if (failed === undefined) return { state: walk.warned ? "warned" : "passed" };
  return { state: "failed", failure: failureOf(failed) };
}

/** onFlowComplete alone, of a run that was cancelled. @throws StepFailure, RunStop, LeaseLost */
export async function cleanUp(run: RunContext, inputs: Env): Promise<void> {
  const walk = new Walk(run);
  const { flow, file } = run;
  const env = await walk.headerEnv(inputs);
  await walk.steps(flow.header.onFlowComplete, { env, depth: 0, flow, file, prefix: "" });
}

function failureOf({ failure, step, line, file }: Located): FlowFailure {
  const { code, message, looked } = failure;
  return {
    code,
    message,
    ...(step !== undefined && { step }),
    ...(line !== undefined && { line }),
    ...(file !== undefined && { file }),
    ...(looked !== undefined && { looked }),
  };
}

class Walk {
  warned = false;
  readonly #run: RunContext;
  readonly #places = new WeakMap<StepFailure, Omit<Located, "failure">>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** A failure with its place; everything that ends the run is thrown on. */
  located(error: unknown): Located {
    const ending = this.#ending(error);
    if (!(ending instanceof StepFailure)) throw ending;
    const place = this.#places.get(ending);
    return { failure: ending, step: place?.step, line: place?.line, file: place?.file };
  }

  /** A flow's steps between its hooks; gives the first failure. @throws RunStop, LeaseLost */
  async flow(steps: readonly Step[], frame: Frame, env: () => Promise<Env>): Promise<Located | undefined> {
    const { header } = frame.flow;
    let failed: Located | undefined;
    let at = frame;
    const attempt = async (part: () => Promise<void>) => {
      try {
        await part();
      } catch (error) {
        const located = this.located(error);
        if (failed !== undefined) return;
        failed = located;
        // Before its hooks change the screen. A flow within another may be tried again.
        if (frame.prefix === "") await this.#run.onFailure(failureOf(located));
      }
    };
    await attempt(async () => {
      at = { ...frame, env: await env() };
      await this.steps(header.onFlowStart, at);
      await this.steps(steps, at);
    });
    if (failed !== undefined) await attempt(() => this.steps(header.onFlowFailure, at));
    await attempt(() => this.steps(header.onFlowComplete, at));
    return failed;
  }

  /** Inputs win over the header's values, as `-e` does in Maestro. */
  async headerEnv(inputs: Env): Promise<Env> {
    const { header } = this.#run.flow;
    const env: Record<string, string> = {};
    for (const input of header.inputs) if (input.default !== undefined) env[input.name] = input.default;
    Object.assign(env, inputs);
    for (const [name, template] of Object.entries(header.env)) {
      if (inputs[name] === undefined) env[name] = await this.#expand(template, env, NOWHERE);
    }
    return env;
  }

  async steps(steps: readonly Step[], frame: Frame): Promise<void> {
    for (const step of steps) {
      const { command } = step;
      if (command.name === "runFlow" || command.name === "repeat" || command.name === "retry") {
        await this.#container(step, command, frame);
      } else await this.#leaf(step, command, frame);
    }
  }

  async #begin(step: Step, frame: Frame): Promise<OpenStep> {
    const run = this.#run;
    run.signal.throwIfAborted();
    run.steps += 1;
    if (run.steps > run.limits.maxSteps) {
      throw new RunStop(
        "limit",
        `The run did ${run.limits.maxSteps} steps, which is the most. Does a repeat never end?`,
      );
    }
    if (frame.depth > run.limits.maxDepth) {
      throw new RunStop("limit", `Steps are nested more than ${run.limits.maxDepth} deep.`);
    }
    return run.journal.begin({
      path: `${frame.prefix}${step.path}`,
      file: fileOf(frame) ?? null,
      line: step.place.line,
      depth: frame.depth,
      command: step.command.name === "unsupported" ? step.command.command : step.command.name,
      label: await this.#label(step, frame.env),
      hash: createHash("sha256").update(JSON.stringify(step.command)).digest("base64url").slice(0, 16),
    });
  }

  async #label({ label, command }: Step, env: Env): Promise<string> {
    if (label === undefined) return commandWords(command);
    return label.includes("${") ? this.#expand(label, env, NOWHERE).catch(() => label) : label;
  }

  async #leaf(step: Step, command: LeafCommand, frame: Frame): Promise<void> {
    const run = this.#run;
    const open = await this.#begin(step, frame);
    if (open.past !== undefined) return this.#replay(step, open, frame);
    const started = run.pace.now();
    let changed = false;
    const fallbacks = run.fallbacksOf(step);
    const before = run.scripts.snapshot();
    const effect = async () => {
      changed = true;
      await open.effect();
    };
    const context: StepContext = {
      ...run,
      flow: frame.flow,
      file: frame.file,
      phone: run.hands.during(effect),
      env: frame.env,
      seq: open.seq,
      lookupMs: step.optional ? run.limits.optionalMs : run.limits.lookupMs,
      ...(fallbacks && { fallbacks }),
      expand: (template) => this.#expand(template, frame.env, { step: open.seq, effect }),
      call: { signal: run.signal, step: open.seq, effect },
      log: (message) => run.journal.log(message, open.seq),
      saveScreenshot: async (...picture) => {
        run.screenshots += 1;
        await run.saveScreenshot(...picture);
      },
    };
    const end = async (state: "passed" | "warned" | "failed", message: string | undefined, code?: FailureCode) => {
      if (changed) run.lastChange = run.pace.now();
      const scripts = this.#scriptState(before);
      const durationMs = Math.round(run.pace.now() - started);
      const healing = fallbacks && proposal(fallbacks, run.source);
      const words = [message, healing && healingWords(healing, fallbacks.target)].filter(Boolean).join(" ");
      await open.finish({
        state,
        durationMs,
        message: words === "" ? undefined : words,
        result: { ...scripts, ...(code && { code }), ...(healing && { healing }) },
      });
      run.onStepEnd(open.seq);
    };
    try {
      const remark = await doCommand(context, command);
      run.signal.throwIfAborted();
      await end("passed", remark);
      if (fallbacks?.found?.applied === true) this.warned = true;
    } catch (error) {
      const ending = this.#ending(error);
      if (ending instanceof LeaseLost || leavesOpen(ending)) throw ending;
      if (ending instanceof RunStop) {
        await end("failed", ending.message);
        throw ending;
      }
      if (
        fallbacks !== undefined &&
        ending.looked?.selector === fallbacks.target &&
        ending.code !== "element_covered"
      ) {
        await heal(fallbacks, (selector) => lookOnce(context, selector)).catch(() => {});
      }
      await end(step.optional ? "warned" : "failed", ending.message, ending.code);
      this.#failed(step, open, ending, frame);
    }
  }

  /** What an earlier life of the run did: its script values come back, its failure fails again. */
  #replay(step: Step, open: OpenStep, frame: Frame): void {
    const { scripts, code, healing } = open.result;
    if (healing?.applied === true) this.warned = true;
    if (typeof scripts === "string") this.#run.scripts.restore(scripts);
    if (open.past?.state !== "failed" && open.past?.state !== "warned") return;
    const known = typeof code === "string" ? (code as FailureCode) : "internal";
    this.#failed(step, open, new StepFailure(known, open.past.message ?? "The step failed before."), frame);
  }

  /** A failed optional step is a warning; any other ends what holds it. */
  #failed(step: Step, open: OpenStep, failure: StepFailure, frame: Frame): void {
    if (!this.#places.has(failure)) {
      this.#places.set(failure, { step: open.seq, line: step.place.line, file: fileOf(frame) });
    }
    if (!step.optional) throw failure;
    this.warned = true;
  }

  async #container(step: Step, command: CommandOf<ContainerName>, frame: Frame): Promise<void> {
    const run = this.#run;
    const open = await this.#begin(step, frame);
    const started = run.pace.now();
    const end = async (state: "passed" | "warned" | "failed" | "skipped", message?: string) => {
      if (open.past === undefined) {
        await open.finish({ state, durationMs: Math.round(run.pace.now() - started), message });
      }
    };
    try {
      const done = await this.#nested(step, command, frame, open);
      await end(done ? "passed" : "skipped", done ? undefined : "Its condition did not hold.");
    } catch (error) {
      const ending = this.#ending(error);
      if (ending instanceof LeaseLost || leavesOpen(ending)) throw ending;
      if (ending instanceof RunStop) {
        await end("failed", ending.message);
        throw ending;
      }
      await end(step.optional ? "warned" : "failed", ending.message);
      this.#failed(step, open, ending, frame);
    }
  }

  /** False when its condition kept it from doing anything. */
  async #nested(step: Step, command: CommandOf<ContainerName>, frame: Frame, open: OpenStep): Promise<boolean> {
    const decide = notedDecisions(open);
    const where = { step: open.seq, effect: () => open.effect() };
    if (command.name === "runFlow") {
      const { when } = command;
      if (when !== undefined && !(await decide(() => this.#holds(when, frame, where)))) return false;
      await this.#inside(step, command.steps, frame, await this.#inner(frame, command.env, where), where);
      return true;
    }
    if (command.name === "retry") return this.#retry(step, command, frame, where);
    return this.#repeat(command, frame, where, decide);
  }

  /** Steps in place, or a file with its header: its variables see those of the caller, its hooks run around it. */
  async #inside(step: Step, steps: Steps, frame: Frame, inner: Frame, where: Where): Promise<void> {
    if ("commands" in steps) return this.steps(steps.commands, inner);
    const file = fileNamed(frame.file, await this.#expand(steps.file, frame.env, where));
    const flow = this.#run.files.flow(file);
    const own = { ...inner, flow, file, prefix: `${frame.prefix}${step.path}/` };
    const failed = await this.flow(flow.steps, own, async () => {
      const env: Record<string, string> = { ...inner.env };
      for (const { name, default: value } of flow.header.inputs) if (value !== undefined) env[name] ??= value;
      for (const [name, template] of Object.entries(flow.header.env)) {
        env[name] = await this.#expand(template, env, where);
      }
      return env;
    });
    if (failed !== undefined) throw failed.failure;
  }

  async #retry(step: Step, command: CommandOf<"retry">, frame: Frame, where: Where): Promise<boolean> {
    const asked = wholeNumber(await this.#expand(command.maxRetries, frame.env, where), "maxRetries");
    const retries = Math.min(Math.max(asked, 0), MOST_RETRIES);
    const inner = await this.#inner(frame, command.env, where);
    for (let time = 0; ; time += 1) {
      try {
        await this.#inside(step, command.steps, frame, inner, where);
        return true;
      } catch (error) {
        const ending = this.#ending(error);
        if (!(ending instanceof StepFailure) || time >= retries) throw ending;
        await this.#run.journal.log(`${ending.message} Trying again, ${time + 1} of ${retries}.`);
      }
    }
  }

  async #repeat(command: CommandOf<"repeat">, frame: Frame, where: Where, decide: Decide): Promise<boolean> {
    const { maxRepeats } = this.#run.limits;
    const condition = command.while;
    const times =
      command.times === undefined
        ? Number.POSITIVE_INFINITY
        : wholeNumber(await this.#expand(command.times, frame.env, where), "The number of repetitions");
    const inner = { ...frame, depth: frame.depth + 1 };
    for (let time = 0; time < times; time += 1) {
      if (condition !== undefined && !(await decide(() => this.#holds(condition, frame, where)))) return time > 0;
      if (time >= maxRepeats) throw new RunStop("limit", `A repeat ran ${maxRepeats} times, which is the most.`);
      await this.steps(command.commands, inner);
    }
    return times > 0;
  }

  /** A scope of its own: what is set in it is gone after it. */
  async #inner(frame: Frame, own: Readonly<Record<string, string>>, where: Where): Promise<Frame> {
    const env: Record<string, string> = { ...frame.env };
    for (const [name, template] of Object.entries(own)) env[name] = await this.#expand(template, frame.env, where);
    return { ...frame, env, depth: frame.depth + 1 };
  }

  #holds(condition: Condition, frame: Frame, where: Where): Promise<boolean> {
    const run = this.#run;
    const phone = run.hands.during(() => Promise.reject(new Error("A condition only looks.")));
    return conditionHolds(
      { ...run, phone, expand: (template) => this.#expand(template, frame.env, where) },
      condition,
      Math.max(0, run.limits.optionalMs - (run.pace.now() - run.lastChange)),
    );
  }

  #expand(template: string, env: Env, { step, effect }: Where): Promise<string> {
    const { scripts, signal } = this.#run;
    if (!template.includes("${")) return Promise.resolve(template);
    return scripts.expand(template, env, { signal, step, effect });
  }

  /** What scripts left, when a step changed it. */
  #scriptState(before: string): { scripts?: string } {
    const scripts = this.#run.scripts.snapshot();
    return scripts === before ? {} : { scripts };
  }

  /** An aborted run ends for the reason it was aborted, whatever error that caused on the way. */
  #ending(error: unknown): Ending {
    const { signal } = this.#run;
    return endingOf(signal.aborted ? signal.reason : error);
  }
}

type Where = Pick<ScriptCall, "step" | "effect">;

/** Where no step stands for what a script does. */
const NOWHERE: Where = {
  step: 0,
  effect: () => Promise.reject(new StepFailure("script", "A request that changes something must stand in evalScript.")),
};

/** The file a report names; undefined in the run's own flow. */
function fileOf({ prefix, file }: Frame): string | undefined {
  return prefix === "" ? undefined : file;
}

/** A stopping server leaves the step open, as a crash would: what becomes of the run is decided in one place. */
function leavesOpen(ending: Ending): boolean {
  return ending instanceof RunStop && ending.code === "server_stopped";
}
