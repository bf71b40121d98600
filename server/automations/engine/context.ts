/** What one run carries through its steps, and the limits it keeps. Times are milliseconds. */
import type { Command, CommandName, Flow, FlowLimits, Step } from "../../../shared/flows/model.ts";
import type { FailureCode, Looked } from "./failures.ts";
import type { Fallbacks } from "./healing.ts";
import type { Journal } from "./journal.ts";
import type {
  Env,
  FindElements,
  FlowPhone,
  Pace,
  PhoneHands,
  Recordings,
  RunFiles,
  ScreenshotSink,
  ScriptCall,
  Scripts,
} from "./ports.ts";

export interface RunLimits {
  readonly timeoutMs: number;
  /** How long a look-up waits for its element. */
  readonly lookupMs: number;
  /** The same for optional steps and conditions. */
  readonly optionalMs: number;
  readonly maxSteps: number;
  readonly maxRepeats: number;
  readonly maxScreenshots: number;
  readonly maxRecordings: number;
  /** Nesting of runFlow, repeat and retry. */
  readonly maxDepth: number;
  /** For onFlowComplete after a cancel; 0: it is left out. */
  readonly cleanupMs: number;
}

const MINUTE_MS = 60_000;
const DEFAULTS: RunLimits = {
  timeoutMs: 10 * MINUTE_MS,
  lookupMs: 17_000,
  optionalMs: 7_000,
  maxSteps: 5_000,
  maxRepeats: 1_000,
  maxScreenshots: 200,
  maxRecordings: 20,
  maxDepth: 32,
  cleanupMs: 0,
};
const LONGEST_RUN_MS = 60 * MINUTE_MS;
const LONGEST_LOOKUP_MS = 5 * MINUTE_MS;
const LONGEST_CLEANUP_MS = 5 * MINUTE_MS;

/** The flow's own limits within what the server allows. */
export function runLimits(own: FlowLimits): RunLimits {
  const within = (value: number | undefined, most: number, fallback: number) =>
    value === undefined ? fallback : Math.min(Math.max(value, 0), most);
  return {
    ...DEFAULTS,
    timeoutMs: within(own.timeoutMs, LONGEST_RUN_MS, DEFAULTS.timeoutMs),
    lookupMs: within(own.lookupMs, LONGEST_LOOKUP_MS, DEFAULTS.lookupMs),
    optionalMs: within(own.optionalMs, LONGEST_LOOKUP_MS, DEFAULTS.optionalMs),
    cleanupMs: within(own.cleanupOnCancelMs, LONGEST_CLEANUP_MS, DEFAULTS.cleanupMs),
    maxSteps: within(own.maxSteps, DEFAULTS.maxSteps, DEFAULTS.maxSteps),
  };
}

/** What made the flow fail, with its place. */
export interface FlowFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly step?: number;
  readonly line?: number;
  readonly file?: string;
  readonly looked?: Looked;
}

/** The run as a whole. */
export interface RunContext {
  readonly flow: Flow;
  /** Where the flow stands among its files; "" at the top. In a step: the file the step is in. */
  readonly file: string;
  readonly files: RunFiles;
  readonly hands: PhoneHands;
  readonly scripts: Scripts;
  readonly find: FindElements;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  readonly limits: RunLimits;
  readonly journal: Journal;
  readonly saveScreenshot: ScreenshotSink;
  readonly recordings: Recordings;
  /** The flow's text, and the recorded targets of its steps. */
  readonly source: string;
  readonly fallbacksOf: (step: Step) => Fallbacks | undefined;
  /** Hears of each step that did something, right after it ended. Must return at once. */
  readonly onStepEnd: (seq: number) => void;
  /** Keeps what the screen shows at the first failure, before hooks change it. */
  readonly onFailure: (failure: FlowFailure) => Promise<void>;
  /** A text without the run's secrets, for what names or shows something outside of the flow. */
  readonly hide: (text: string) => string;
  /** When a step last changed the screen; look-ups count from there. */
  lastChange: number;
  screenshots: number;
  /** Steps begun, containers included. */
  steps: number;
}

/** What one leaf command works with. */
export interface StepContext extends RunContext {
  readonly phone: FlowPhone;
  readonly env: Env;
  readonly seq: number;
  /** How long this step's look-ups wait: shorter when it is optional. */
  readonly lookupMs: number;
  readonly fallbacks?: Fallbacks;
  readonly expand: (template: string) => Promise<string>;
  readonly call: ScriptCall;
  readonly log: (message: string) => Promise<void>;
}

export type CommandOf<N extends CommandName, C extends Command = Command> = C extends Command
  ? N extends C["name"]
    ? C & { readonly name: N }
    : never
  : never;
/** Commands that hold others; the interpreter itself does these. */
export type ContainerName = "runFlow" | "repeat" | "retry";
export type LeafName = Exclude<CommandName, ContainerName>;
/** Does one command; what it returns is a remark for the report. Throws `StepFailure` or `RunStop`. */
export type Handler<N extends LeafName> = (step: StepContext, command: CommandOf<N>) => Promise<string | undefined>;
export type Handlers<N extends LeafName> = { readonly [K in N]: Handler<K> };
