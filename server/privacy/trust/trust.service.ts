/** Promise by promise: what keeps it, what shows it, and what the last look found. */
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import { CONTROLS } from "./controls.ts";
import type { LiveCheck } from "./live-checks.ts";
import { resultKey, type TestResults } from "./test-results.ts";

export interface TrustClause {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  readonly control: string;
  readonly tests: readonly {
    readonly title: string;
    readonly file: string;
    /** `unknown`: the tests were not run with this build. */
    readonly state: "passed" | "failed" | "not_run" | "unknown";
  }[];
  readonly live: readonly LiveCheck[];
  readonly attested?: string;
  /** The worst of what was found; `attested`: only a contract can promise it. */
  readonly state: "kept" | "broken" | "unknown" | "attested";
}

export interface TrustReport {
  readonly policyVersion: number;
  readonly clauses: readonly TrustClause[];
  /** When the tests were run, and which version; absent when they were not run with this build. */
  readonly tested?: { readonly at: string; readonly version: string };
}

export interface Trust {
  report(): Promise<TrustReport>;
}

export function createTrust(options: {
  policy: () => Promise<Policy>;
  live: () => Promise<readonly LiveCheck[]>;
  results: TestResults | undefined;
}): Trust {
  const { results } = options;
  return {
    async report() {
      const [policy, live] = await Promise.all([options.policy(), options.live()]);
      const clauses = policy.clauses.map(({ id, section, text }): TrustClause => {
        const found = CONTROLS[id] ?? { control: "", checks: [] };
        const tests = found.checks.map(
          (one) => ({ ...one, state: results?.checks[resultKey(one)] ?? "unknown" }) as const,
        );
        const seen = live.filter((one) => found.live?.includes(one.id));
        const { attested } = found;
        return {
          ...{ id, section, text, tests, live: seen, control: found.control },
          ...(attested !== undefined && { attested }),
          state: stateOf(tests, seen, attested !== undefined),
        };
      });
      return {
        policyVersion: policy.version,
        clauses,
        ...(results !== undefined && { tested: { at: results.at, version: results.version } }),
      };
    },
  };
}

function stateOf(tests: TrustClause["tests"], live: readonly LiveCheck[], attested: boolean): TrustClause["state"] {
  if (tests.some(({ state }) => state === "failed") || live.some(({ state }) => state === "broken")) return "broken";
  if (attested) return "attested";
  const isShown = tests.some(({ state }) => state === "passed") || live.some(({ state }) => state === "kept");
  const isOpen = tests.some(({ state }) => state !== "passed") && !live.some(({ state }) => state === "kept");
  return isShown && !isOpen ? "kept" : "unknown";
}
