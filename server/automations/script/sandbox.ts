/**
 * The server's side of a sandbox thread. A thread, because QuickJS runs a script to its end: on the server's own thread
 * nothing else would move meanwhile, a cancel least of all. It also makes `http` synchronous, as Maestro has it: the
 * sandbox sleeps on `Atomics.wait` while the server does the request; the asyncify build would cost every call for that.
 *
 * Deadline and cancel end the thread. V8 stops WebAssembly at any loop, so this also reaches what QuickJS's interrupt
 * handler never sees, such as one long `indexOf` (docs/decisions/scripts-end-with-their-thread.md).
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { CANCELLED, NO_ROOM, type ScriptError, TOO_MUCH_MEMORY, tooLong } from "./errors.ts";
import { scriptRequest } from "./http-message.ts";
import type { Answer, FromSandbox, Question, SandboxData } from "./messages.ts";
import type { ScriptHttpOutcome, UserHttp } from "./user-http.ts";

/** Requests of one evaluation. */
const MAX_REQUESTS = 100;

/** The bundle holds the thread's code as a file of its own beside this one (`scripts/build-server.ts`). */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./script-worker.js", import.meta.url);

export interface SandboxOptions {
  readonly platform: string;
  readonly seed: string;
  readonly http: UserHttp;
  readonly onLog: (line: string) => void;
}

export interface AskOptions {
  /** Milliseconds the script may run; waiting for `http` does not count, it has a deadline of its own. */
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly idempotencyKey: string | undefined;
}

export type Asked = { readonly answer: Answer } | { readonly stopped: ScriptError };

export interface Sandbox {
  /** One question at a time. Never rejects. Once something was `stopped` the sandbox is dead. */
  ask(question: Question, options: AskOptions): Promise<Asked>;
  stop(): Promise<void>;
}

/** Rejects when the machine has no room for another thread. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const { port1: answers, port2 } = new MessageChannel();
  const data: SandboxData = { platform: options.platform, seed: options.seed, gate: gate.buffer, answers: port2 };
  const worker = new Worker(WORKER, {
    name: "perch-script",
    workerData: data,
    transferList: [port2],
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  const thread = { worker, gate, answers };
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  // Without a listener an error of the thread would end the server; whoever asks hears of the exit.
  worker.on("error", () => {});
  return {
    ask: (question, how) => ask(thread, options, question, how),
    stop: async () => {
      await worker.terminate();
      answers.close();
    },
  };
}

interface Thread {
  readonly worker: Worker;
  readonly gate: Int32Array;
  readonly answers: MessagePort;
}

function ask(thread: Thread, options: SandboxOptions, question: Question, how: AskOptions): Promise<Asked> {
  const { worker } = thread;
  const requests = new AbortController();
  let requested = 0;
  return new Promise((resolve) => {
    const deadline = new Countdown(how.limitMs, () => end({ stopped: tooLong(how.limitMs) }));
    const end = (asked: Asked) => {
      deadline.pause();
      requests.abort();
      worker.off("message", onMessage);
      worker.off("exit", onExit);
      how.signal?.removeEventListener("abort", onAbort);
      resolve(asked);
    };
    const onAbort = () => end({ stopped: CANCELLED });
    const onExit = () => end({ stopped: TOO_MUCH_MEMORY });
    const onMessage = async (message: FromSandbox) => {
      if (message.type === "log") options.onLog(message.line);
      if (message.type === "answer") end({ answer: message.answer });
      if (message.type !== "http") return;
      deadline.pause();
      requested += 1;
      const key = how.idempotencyKey === undefined ? {} : { idempotencyKey: `${how.idempotencyKey}/${requested}` };
      const outcome =
        requested > MAX_REQUESTS
          ? refused(`A script can make ${MAX_REQUESTS} requests. Spread them over several steps.`)
          : await request(options.http, message.request, { signal: requests.signal, ...key });
      if (requests.signal.aborted) return;
      deadline.resume();
      thread.answers.postMessage(JSON.stringify(outcome));
      Atomics.add(thread.gate, 0, 1);
      Atomics.notify(thread.gate, 0);
    };
    if (how.signal?.aborted) return resolve({ stopped: CANCELLED });
    worker.on("message", onMessage);
    worker.on("exit", onExit);
    how.signal?.addEventListener("abort", onAbort);
    deadline.resume();
    worker.postMessage(question);
    if (worker.threadId === -1) end({ stopped: NO_ROOM });
  });
}

async function request(http: UserHttp, text: string, how: Parameters<UserHttp>[1]): Promise<ScriptHttpOutcome> {
  const parsed = scriptRequest.safeParse(fromJson(text));
  return parsed.success
    ? await http(parsed.data, how)
    : refused("This request cannot be read. Give an address as text.");
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(message: string): ScriptHttpOutcome {
  return { ok: false, message };
}

/** A timer that can rest. */
class Countdown {
  #leftMs: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #onEnd: () => void;

  constructor(ms: number, onEnd: () => void) {
    this.#leftMs = ms;
    this.#onEnd = onEnd;
  }

  resume(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onEnd, this.#leftMs);
  }

  pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(this.#leftMs - (performance.now() - this.#since), 0);
  }
}
