/**
 * JavaScript of flows: `${…}`, evalScript and runScript of one run share one context, as in Maestro (research/automation.md
 * §1.6). Names nobody declared are `undefined`; `output` lasts over steps and subflows; variables are text and scoped.
 *
 * A script that was stopped (too long, too much memory, cancelled) leaves no half-done state: the next one finds a new
 * context with `output` as it was before. What a script put on the global object besides `output` is then gone.
 */

import { z } from "zod";
import { splitTemplate } from "../../../shared/flows/template.ts";
import { CANCELLED, LONG_SOURCE, MAX_TEXT_BYTES, NO_ROOM, type ScriptOutcome, TOO_LARGE } from "./errors.ts";
import { type Fake, fake } from "./faker.ts";
import type { Question } from "./messages.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox.ts";
import type { UserHttp } from "./user-http.ts";

export interface ScriptEngineOptions {
  /** `maestro.platform`: "web" or "android". */
  readonly platform: string;
  /** The run's id: what `faker` says depends on it. */
  readonly seed: string;
  readonly http: UserHttp;
  /** A line of `console.log`: at most 2,000 characters, 200 lines an evaluation. May hold secrets. */
  readonly onLog?: (line: string) => void;
  /** Milliseconds; 1 s for an expression and 5 s for a script by default. Waiting for `http` does not count. */
  readonly limits?: { readonly expressionMs?: number; readonly scriptMs?: number };
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** Of the step. Sent with requests that change something, followed by the request's number. */
  readonly idempotencyKey?: string;
}

export type Variables = Readonly<Record<string, string>>;

/** Evaluations wait for each other. None ever rejects. */
export interface ScriptEngine {
  /** The result as text, objects as JSON; `undefined` when there is none. */
  evaluate(expression: string, options?: EvaluateOptions): Promise<ScriptOutcome<string | undefined>>;
  /** As `evaluate`, with the deadline of scripts, and with variables of its own. */
  runScript(source: string, env: Variables, options?: EvaluateOptions): Promise<ScriptOutcome<string | undefined>>;
  /** The text with its `${…}` replaced; what is undefined becomes "undefined", as in Maestro. */
  renderTemplate(template: string, options?: EvaluateOptions): Promise<ScriptOutcome<string>>;
  /** Variables of a subflow, on top of those before. */
  pushEnv(env: Variables): void;
  /** Takes back the last `pushEnv`. */
  popEnv(): void;
  /** What `maestro.copiedText` says from now on, cut at a million characters. */
  setCopiedText(text: string): void;
  /** Made-up text for the inputRandom commands, from the same row as `faker`. */
  fake(kind: Fake, length?: number): string;
  /** What a resumed run needs: `output`, the copied text, how far `faker` is. Functions in `output` are lost. May hold secrets. */
  serialise(): string;
  /** Takes over what `serialise` gave; throws when it is something else. Variables are pushed again by the caller. */
  restore(state: string): void;
  dispose(): Promise<void>;
}

const DEFAULT_LIMITS = { expressionMs: 1_000, scriptMs: 5_000 };

const savedState = z.object({
  /** JSON. */
  output: z.string().refine(isJson),
  copiedText: z.string(),
  draws: z.int().min(0),
});
type State = Readonly<z.infer<typeof savedState>>;

/** The engine of one run. Its thread starts with the first script, so a run without any pays nothing. */
export function openScriptEngine(options: ScriptEngineOptions): ScriptEngine {
  const { platform, seed, http, onLog = () => {} } = options;
  return new Engine({ platform, seed, http, onLog }, { ...DEFAULT_LIMITS, ...options.limits });
}

class Engine implements ScriptEngine {
  readonly #options: SandboxOptions;
  readonly #limits: typeof DEFAULT_LIMITS;
  readonly #scopes: Variables[] = [];
  #state: State = { output: "{}", copiedText: "", draws: 0 };
  #sandbox: Sandbox | undefined;
  /** What the sandbox was told last; a new one was told nothing. */
  #told: { readonly env?: string; readonly output?: string } = {};
  #last: Promise<unknown> = Promise.resolve();
  readonly #disposed = new AbortController();

  constructor(options: SandboxOptions, limits: typeof DEFAULT_LIMITS) {
    this.#options = options;
    this.#limits = limits;
  }

  evaluate(expression: string, options: EvaluateOptions = {}): Promise<ScriptOutcome<string | undefined>> {
    const env = this.#env({});
    return this.#queue(() => this.#ask(expression, this.#limits.expressionMs, env, options));
  }

  runScript(
    source: string,
    inner: Variables,
    options: EvaluateOptions = {},
  ): Promise<ScriptOutcome<string | undefined>> {
    const env = this.#env(inner);
    return this.#queue(() => this.#ask(source, this.#limits.scriptMs, env, options));
  }

  async renderTemplate(template: string, options: EvaluateOptions = {}): Promise<ScriptOutcome<string>> {
    let text = "";
    for (const part of splitTemplate(template)) {
      if (part.kind === "literal") text += part.text;
      else if (part.source.trim() !== "") {
        const outcome = await this.evaluate(part.source, options);
        if (!outcome.ok) return outcome;
        text += String(outcome.value);
      }
      if (text.length > MAX_TEXT_BYTES) return { ok: false, error: TOO_LARGE };
    }
    return { ok: true, value: text };
  }

  pushEnv(env: Variables): void {
    this.#scopes.push(env);
  }

  popEnv(): void {
    this.#scopes.pop();
  }

  setCopiedText(text: string): void {
    this.#state = { ...this.#state, copiedText: text.slice(0, MAX_TEXT_BYTES) };
  }

  fake(kind: Fake, length?: number): string {
    const { draws } = this.#state;
    this.#state = { ...this.#state, draws: draws + 1 };
    return fake(kind, this.#options.seed, draws, length);
  }

  serialise(): string {
    return JSON.stringify(this.#state);
  }

  restore(state: string): void {
    this.#state = savedState.parse(JSON.parse(state));
  }

  async dispose(): Promise<void> {
    this.#disposed.abort();
    await this.#last;
    await this.#drop();
  }

  #env(inner: Variables): string {
    return JSON.stringify(Object.assign({}, ...this.#scopes, inner));
  }

  #queue<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act);
    this.#last = next;
    return next;
  }

  async #ask(
    source: string,
    limitMs: number,
    env: string,
    { signal, idempotencyKey }: EvaluateOptions,
  ): Promise<ScriptOutcome<string | undefined>> {
    const stop = signal === undefined ? this.#disposed.signal : AbortSignal.any([signal, this.#disposed.signal]);
    if (stop.aborted) return { ok: false, error: CANCELLED };
    if (source.length > MAX_TEXT_BYTES) return { ok: false, error: LONG_SOURCE };
    try {
      this.#sandbox ??= await startSandbox(this.#options);
    } catch {
      return { ok: false, error: NO_ROOM };
    }
    const { output, copiedText, draws } = this.#state;
    const question: Question = {
      source,
      env: this.#told.env === env ? undefined : env,
      output: this.#told.output === output ? undefined : output,
      copiedText,
      draws,
    };
    const asked = await this.#sandbox.ask(question, { limitMs, signal: stop, idempotencyKey });
    const error =
      "stopped" in asked ? asked.stopped : "error" in asked.answer.result ? asked.answer.result.error : undefined;
    if ("stopped" in asked || error?.kind === "memory") {
      await this.#drop();
      return { ok: false, error: error ?? CANCELLED };
    }
    const { answer } = asked;
    this.#told = { env, output: answer.output };
    this.#state = { copiedText: this.#state.copiedText, output: answer.output, draws: answer.draws };
    return "error" in answer.result
      ? { ok: false, error: answer.result.error }
      : { ok: true, value: answer.result.value };
  }

  async #drop(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    this.#told = {};
    await sandbox?.stop();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
