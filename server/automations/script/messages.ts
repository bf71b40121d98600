/** What the server's thread and the sandbox's thread say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { ScriptError } from "./errors.ts";

/** Given when a sandbox starts. */
export interface SandboxData {
  readonly platform: string;
  readonly seed: string;
  /** One 32-bit number that grows with every answer on `answers`; the sandbox sleeps on it. */
  readonly gate: SharedArrayBuffer;
  /** Answers of requests, as JSON of `ScriptHttpOutcome`. */
  readonly answers: MessagePort;
}

export interface Question {
  readonly source: string;
  /** JSON of the variables; `undefined`: as before. */
  readonly env: string | undefined;
  /** JSON of `output`; `undefined`: as the last evaluation left it. */
  readonly output: string | undefined;
  readonly copiedText: string;
  /** Made-up values said so far. */
  readonly draws: number;
}

export interface Answer {
  readonly result: { readonly value: string | undefined } | { readonly error: ScriptError };
  /** JSON of `output`. */
  readonly output: string;
  readonly draws: number;
}

export type FromSandbox =
  | { readonly type: "ready" }
  | { readonly type: "log"; readonly line: string }
  /** JSON of a `ScriptRequest`; the sandbox sleeps until its answer. */
  | { readonly type: "http"; readonly request: string }
  | { readonly type: "answer"; readonly answer: Answer };
