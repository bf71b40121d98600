/** What the doctor finds: a line per thing, each with what to do where it is not well. */
export type State = "ok" | "warn" | "fail";

export type Verdict =
  | { readonly state: "ok"; readonly says: string }
  | { readonly state: "warn" | "fail"; readonly says: string; readonly todo: string };
export type Diagnosis = { readonly name: string } & Verdict;
/** Looks, and changes nothing. `undefined`: not set up here, nothing to say. */
export type Check = (signal: AbortSignal) => Verdict | undefined | Promise<Verdict | undefined>;

export const ok = (says: string): Verdict => ({ state: "ok", says });
export const warn = (says: string, todo: string): Verdict => ({ state: "warn", says, todo });
export const fail = (says: string, todo: string): Verdict => ({ state: "fail", says, todo });

/** Each by itself and all at once: what hangs or throws is a finding, never the end of the others. */
export async function diagnose(checks: Readonly<Record<string, Check>>, limitMs: number): Promise<Diagnosis[]> {
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const limit = new AbortController();
      const late = fail(
        `No answer within ${Math.round(limitMs / 1000)} seconds.`,
        "See whether it runs and can be reached from here.",
      );
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<Verdict>((resolve) => {
        timer = setTimeout(() => {
          limit.abort();
          resolve(late);
        }, limitMs);
      });
      try {
        const verdict = await Promise.race([(async () => check(limit.signal))(), timeout]);
        return verdict === undefined ? [] : [{ name, ...verdict }];
      } catch (error) {
        return [{ name, ...fail(sentenceOf(error), "Correct that, then run the doctor again.") }];
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return found.flat();
}

/** What an error says, in one line; errors of ours are sentences already. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as Error & { code?: unknown };
  const words = error.message === "" && typeof code === "string" ? code : error.message;
  return words.replaceAll(/\s+/g, " ").slice(0, 300);
}

const SIGNS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const satisfies Record<State, string>;

/** For a terminal. */
export function linesOf(found: readonly Diagnosis[]): string[] {
  const width = Math.max(...found.map(({ name }) => name.length));
  return found.flatMap((one) => [
    `${SIGNS[one.state]}  ${one.name.padEnd(width)}  ${one.says}`,
    ...(one.state === "ok" ? [] : [`${" ".repeat(width + 8)}${one.todo}`]),
  ]);
}
