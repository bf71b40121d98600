/** The script engine as runs use it: variables of each call, effects committed before a request that changes something. */
import type { RunId } from "../../shared/ids.ts";
import { createQueue } from "../db/database.ts";
import { StepFailure } from "./engine/failures.ts";
import type { Env, ScriptCall, Scripts } from "./engine/ports.ts";
import { openScriptEngine } from "./script/engine.ts";
import type { ScriptOutcome } from "./script/errors.ts";
import { createUserHttp, type UserHttp, type UserHttpOptions } from "./script/user-http.ts";

/** Methods that only read. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Makes the scripts of a run; a thread starts with the first of them. */
export function flowScripts(options: UserHttpOptions) {
  const http = createUserHttp(options);
  return (run: { readonly id: RunId }, log: (line: string) => void, platform: "web" | "android"): Scripts => {
    const inTurn = createQueue();
    let current: ScriptCall | undefined;
    const guarded: UserHttp = async (request, how) => {
      if (!READS.has(request.method.toUpperCase())) {
        try {
          await current?.effect();
        } catch (error) {
          return { ok: false, message: error instanceof Error ? error.message : "This request may not be made here." };
        }
      }
      return http(request, how);
    };
    const engine = openScriptEngine({ platform, seed: run.id, http: guarded, onLog: log });

    /** One evaluation at a time, each with its own variables. */
    const evaluate = <T>(
      env: Env,
      call: ScriptCall,
      work: (how: { signal: AbortSignal; idempotencyKey: string }) => Promise<ScriptOutcome<T>>,
    ): Promise<T> =>
      inTurn(async () => {
        call.signal.throwIfAborted();
        current = call;
        engine.pushEnv(env);
        try {
          const outcome = await work({ signal: call.signal, idempotencyKey: `${run.id}/${call.step}` });
          call.signal.throwIfAborted();
          if (outcome.ok) return outcome.value;
          const { message, line } = outcome.error;
          throw new StepFailure("script", line === undefined ? message : `${message} (line ${line} of the script)`);
        } finally {
          engine.popEnv();
          current = undefined;
        }
      });

    return {
      expand: (template, env, call) => evaluate(env, call, (how) => engine.renderTemplate(template, how)),
      run: async (script, env, call) => void (await evaluate(env, call, (how) => engine.runScript(script, {}, how))),
      snapshot: () => engine.serialise(),
      restore: (state) => engine.restore(state),
      copied: (text) => engine.setCopiedText(text),
      close: () => engine.dispose(),
    };
  };
}
