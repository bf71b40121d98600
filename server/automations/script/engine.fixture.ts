/** Engines for tests, each ended by the cleanup. */
import { Cleanup } from "../../egress/internet.fixture.ts";
import { openScriptEngine, type ScriptEngine, type ScriptEngineOptions } from "./engine.ts";

export const engines = new Cleanup();

export function open(options: Partial<ScriptEngineOptions> = {}): ScriptEngine {
  const engine = openScriptEngine({
    platform: "web",
    seed: "run-1",
    http: async () => ({ ok: false, message: "There is no network in this test." }),
    ...options,
  });
  engines.add(() => engine.dispose());
  return engine;
}

/** The value, or the error as `kind: message`. */
export async function said(engine: ScriptEngine, source: string): Promise<string | undefined> {
  const outcome = await engine.evaluate(source);
  return outcome.ok ? outcome.value : `${outcome.error.kind}: ${outcome.error.message}`;
}
