/** What the programs of the phone work on. */
import type { DeviceFiles } from "../device-files.ts";
import type { Instrumentation } from "../instrumentation.ts";
import type { Phone } from "../phone.ts";
import type { Command } from "../shell-stub.ts";

export interface ProgramContext {
  readonly phone: Phone;
  readonly files: DeviceFiles;
  readonly instrumentation: Instrumentation;
  /** How long `uiautomator dump` waits for a screen that never rests; ten seconds on a phone. */
  readonly idleTimeoutMs: number;
}
export type Programs = Readonly<Record<string, Command>>;

/** What an Android service prints for an exception, and its exit code (AOSP frameworks/libs/modules-utils BasicShellCommandHandler). */
export function thrown(command: string, words: string): { readonly text: string; readonly code: 255 } {
  return { text: `\nException occurred while executing '${command}':\n${words}\n`, code: 255 };
}

/** Options of one word, options with a value, and the rest; all of it after `--`. */
export function parse(args: readonly string[], withValue: readonly string[]) {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      rest.push(...args.slice(at + 1));
      break;
    }
    if (withValue.includes(arg)) {
      values.set(arg, args[at + 1] ?? "");
      at += 1;
    } else if (/^-./.test(arg)) flags.add(arg);
    else rest.push(arg);
  }
  return { flags, values, rest };
}

export const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ms <= 0 || signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
