/** How a script of a flow can fail. */

/** Of a script, of its result, and of `output`. */
export const MAX_TEXT_BYTES = 1024 * 1024;

export interface ScriptError {
  /**
   * `syntax`: not JavaScript. `threw`: an error nobody caught. `http`: an uncaught error of a request. `timeout`,
   * `memory` and `cancelled`: it was stopped; what it did to `output` until then is undone.
   */
  readonly kind: "syntax" | "threw" | "timeout" | "memory" | "cancelled" | "http";
  /** What happened and what to do, for people. */
  readonly message: string;
  /** In the script's own text, from 1. */
  readonly line?: number;
  readonly column?: number;
}

export type ScriptOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ScriptError };

export const TOO_MUCH_MEMORY: ScriptError = {
  kind: "memory",
  message: "The script was stopped: it used more memory than a script may. Work on smaller pieces.",
};
/** QuickJS throws `null` when there is no memory left for an error; a script's own `throw null` looks the same. */
export const THREW_NULL: ScriptError = {
  kind: "memory",
  message: "The script was stopped: it used more memory than a script may, or threw null. Work on smaller pieces.",
};
export const TOO_DEEP: ScriptError = {
  kind: "memory",
  message: "The script was stopped: it calls itself, or nests its data, too deeply.",
};
export const TOO_LARGE: ScriptError = {
  kind: "memory",
  message: "The script's result or output is larger than 1 MB. Keep only what later steps need.",
};
export const LONG_SOURCE: ScriptError = {
  kind: "memory",
  message: "The script is longer than 1 MB. Split it, or keep its data elsewhere.",
};
export const NO_ROOM: ScriptError = {
  kind: "memory",
  message: "The server has no room to run a script at the moment. Try again in a minute.",
};
export const CANCELLED: ScriptError = { kind: "cancelled", message: "The script was stopped because the run was." };
export function tooLong(limitMs: number): ScriptError {
  const seconds = limitMs / 1000;
  return {
    kind: "timeout",
    message: `The script was stopped: it ran longer than ${seconds} ${seconds === 1 ? "second" : "seconds"}. Look for a loop that does not end.`,
  };
}
