/**
 * Scripts for tests of the runner: `${NAME}` gives a variable, `${output.x}` what a script stored, `${a || 'b'}` the
 * first that is there. A script is lines: `output.x = text`, `post text` (a request that changes something), `hang`.
 */

import { StepFailure } from "../engine/failures.ts";
import type { Env, ScriptCall, Scripts } from "../engine/ports.ts";
import { unlessAborted } from "../leased-phone.ts";

export class FakeScripts implements Scripts {
  #output: Record<string, string> = {};
  #copied = "";
  readonly #posted: string[];
  constructor(posted: string[] = []) {
    this.#posted = posted;
  }
  async expand(template: string, env: Env, { signal }: ScriptCall): Promise<string> {
    signal.throwIfAborted();
    return template.replace(/\$\{([^}]*)\}/g, (_all, expression: string) => this.#value(expression, env));
  }
  async run(script: string, env: Env, call: ScriptCall): Promise<void> {
    for (const line of script.split(/[\n;]/).map((text) => text.trim())) {
      call.signal.throwIfAborted();
      const [, name, value] = /^output\.(\w+) = (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.#output[name] = this.#value(value, env);
      else if (line.startsWith("post ")) {
        await call.effect();
        this.#posted.push(line.slice(5));
      } else if (line === "hang") await unlessAborted(call.signal, new Promise<never>(() => {}));
      else if (line.startsWith("throw ")) throw new StepFailure("script", line.slice(6));
    }
  }
  snapshot(): string {
    return JSON.stringify({ output: this.#output, copied: this.#copied });
  }
  restore(state: string): void {
    const { output, copied } = JSON.parse(state) as { output: Record<string, string>; copied: string };
    this.#output = output;
    this.#copied = copied;
  }
  copied(text: string): void {
    this.#copied = text;
  }
  async close(): Promise<void> {}

  #value(expression: string, env: Env): string {
    for (const part of expression.split("||").map((text) => text.trim())) {
      const literal = /^'(.*)'$/.exec(part)?.[1];
      const value =
        literal ??
        (part === "maestro.copiedText"
          ? this.#copied
          : part.startsWith("output.")
            ? this.#output[part.slice(7)]
            : env[part]);
      if (value !== undefined) return value;
    }
    return "undefined";
  }
}
