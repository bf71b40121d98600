/**
 * The sandbox's thread: one QuickJS context in WebAssembly. Scripts see what `prelude.ts` gives them and no more; what
 * they give back is text of a checked size. It knows no deadline: the server's thread ends it when one has passed.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import variant from "@jitl/quickjs-wasmfile-release-sync";
import { newQuickJSWASMModuleFromVariant, type QuickJSContext, type QuickJSHandle } from "quickjs-emscripten-core";
import { MAX_TEXT_BYTES, type ScriptError, THREW_NULL, TOO_DEEP, TOO_LARGE, TOO_MUCH_MEMORY } from "./errors.ts";
import { FAKES, fake } from "./faker.ts";
import type { Answer, FromSandbox, Question, SandboxData } from "./messages.ts";
import { PRELUDE } from "./prelude.ts";

const MEMORY_BYTES = 16 * 1024 * 1024;
const STACK_BYTES = 256 * 1024;
/** Of one evaluation. */
const MAX_LOG_LINES = 200;
const MAX_LOG_LENGTH = 2_000;

const data = givenData(workerData);
const gate = new Int32Array(data.gate);
const module = await newQuickJSWASMModuleFromVariant(variant);
const runtime = module.newRuntime({ memoryLimitBytes: MEMORY_BYTES, maxStackSizeBytes: STACK_BYTES });
const context = runtime.newContext();
const { begin, finish } = openPrelude();
let draws = 0;
let logged = 0;
let output = "{}";

parentPort?.on("message", (question: Question) => post({ type: "answer", answer: answer(question) }));
post({ type: "ready" });

function answer(question: Question): Answer {
  draws = question.draws;
  logged = 0;
  output = question.output ?? output;
  const result = evaluate(question);
  return { result, output, draws };
}

function evaluate(question: Question): Answer["result"] {
  try {
    const texts = [question.source, question.env ?? "", question.output ?? "", question.copiedText];
    call(
      begin,
      texts.map((text) => context.newString(text)),
    ).dispose();
    runtime.executePendingJobs().dispose();
    const [kind, text, newOutput, name, stack] = read(call(finish, []));
    if (text === undefined || newOutput === undefined) return { error: TOO_LARGE };
    output = newOutput;
    if (kind === "value") return { value: text };
    if (kind === "undefined") return { value: undefined };
    return {
      error: described({ http: kind === "http", name: name ?? "", message: text, stack: stack ?? "" }, question.source),
    };
  } catch {
    // The prelude catches what scripts throw, so it ran out of memory or stack itself, or WebAssembly did.
    return { error: TOO_MUCH_MEMORY };
  }
}

/** The five texts of what `finish` returns; `undefined` for one that is no text or too large. */
function read(handle: QuickJSHandle): (string | undefined)[] {
  return [0, 1, 2, 3, 4].map((index) => {
    const part = context.getProp(handle, index);
    const text = context.typeof(part) === "string" ? context.getString(part) : undefined;
    part.dispose();
    return text !== undefined && Buffer.byteLength(text) <= MAX_TEXT_BYTES ? text : undefined;
  });
}

interface Thrown {
  readonly http: boolean;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

function described({ http, name, message, stack }: Thrown, source: string): ScriptError {
  if (name === "InternalError" && message === "out of memory") return TOO_MUCH_MEMORY;
  if (name === "" && message === "null") return THREW_NULL;
  if (name === "InternalError" && message === "stack overflow") return TOO_DEEP;
  if (name === "SyntaxError" && !compiles(source)) {
    return {
      kind: "syntax",
      message: `This is not JavaScript: ${message}.`,
      ...place(/at <input>:(\d+):(\d+)/, stack),
    };
  }
  const where = place(/\(<input>:(\d+):(\d+)\)/, stack);
  if (http) return { kind: "http", message, ...where };
  const words = [name, message].filter((part) => part !== "").join(": ");
  return { kind: "threw", message: `The script stopped with an error: ${words}.`, ...where };
}

function place(pattern: RegExp, stack: string): { line: number; column: number } | Record<string, never> {
  const found = pattern.exec(stack);
  return found === null ? {} : { line: Number(found[1]), column: Number(found[2]) };
}

function compiles(source: string): boolean {
  const compiled = context.evalCode(source, "script", { compileOnly: true });
  const sound = compiled.error === undefined;
  compiled.dispose();
  return sound;
}

function openPrelude(): { begin: QuickJSHandle; finish: QuickJSHandle } {
  const open = context.unwrapResult(context.evalCode(PRELUDE, "prelude"));
  const hostHttp = hostFunction((request) => context.newString(ask(request)));
  const hostLog = hostFunction((line) => {
    say(line);
    return context.undefined;
  });
  const hostFake = context.newFunction("", (kind, size, most) => context.newString(made(context, kind, size, most)));
  const prelude = call(open, [context.newString(data.platform), hostHttp, hostLog, hostFake]);
  return { begin: context.getProp(prelude, "begin"), finish: context.getProp(prelude, "finish") };
}

/** A function of one text. */
function hostFunction(act: (text: string) => QuickJSHandle): QuickJSHandle {
  return context.newFunction("", (text) => act(text === undefined ? "" : context.getString(text)));
}

function call(callee: QuickJSHandle, values: QuickJSHandle[]): QuickJSHandle {
  const result = context.callFunction(callee, context.undefined, ...values);
  for (const value of values) value.dispose();
  return context.unwrapResult(result);
}

function ask(request: string): string {
  const seen = Atomics.load(gate, 0);
  post({ type: "http", request });
  Atomics.wait(gate, 0, seen);
  return String(receiveMessageOnPort(data.answers)?.message);
}

function say(line: string): void {
  logged += 1;
  if (logged <= MAX_LOG_LINES) post({ type: "log", line: line.slice(0, MAX_LOG_LENGTH) });
  if (logged === MAX_LOG_LINES + 1) post({ type: "log", line: "The script wrote more lines, which are left out." });
}

function made(vm: QuickJSContext, kind: QuickJSHandle, size?: QuickJSHandle, most?: QuickJSHandle): string {
  const asked = vm.getString(kind);
  const known = FAKES.find((name) => name === asked);
  const number = (handle: QuickJSHandle | undefined) =>
    handle === undefined || vm.typeof(handle) !== "number" ? undefined : vm.getNumber(handle);
  if (known === undefined) return "";
  draws += 1;
  return fake(known, data.seed, draws - 1, number(size), number(most));
}

function post(message: FromSandbox): void {
  parentPort?.postMessage(message);
}

/** `sandbox.ts` starts this thread, with this data. */
function givenData(given: unknown): SandboxData {
  return given as SandboxData;
}
