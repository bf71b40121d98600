import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasEnded, RUN_STATES, type RunState } from "../../shared/automations.ts";
import type { RunId } from "../../shared/ids.ts";
import { verdictOn } from "./run-recovery.ts";
import { mayBecome, RUN_TRANSITIONS } from "./run-states.ts";
import { LEASE_MS } from "./runner.ts";
import { composeRuns, type OpenRuns, openRuns, startFlow } from "./testing/harness.ts";
import { type Death, mortalDatabase } from "./testing/mortal-database.ts";

/** Runs, most of them killed at least once; `RUN_KILLS=1000` for the long proof. */
const KILLS = Number(process.env["RUN_KILLS"] ?? 50);

type Part =
  | { readonly kind: "type" | "post" | "look" | "note" | "maybe" }
  | { readonly kind: "in" | "twice"; readonly parts: readonly Part[] };

const leaf = fc.constantFrom<Part>(
  { kind: "type" },
  { kind: "post" },
  { kind: "look" },
  { kind: "note" },
  { kind: "maybe" },
);
const looks = fc.constantFrom<Part>({ kind: "look" }, { kind: "maybe" });
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("in" as const), parts: fc.array(leaf, { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("twice" as const),
      parts: fc.array(looks, { minLength: 1, maxLength: 2 }),
    }),
  },
);

/** YAML of the parts, every effect with a text of its own; gives the effects in order. */
function yaml(parts: readonly Part[], indent = "", effects: string[] = []): { text: string; effects: string[] } {
  const lines = parts.map((one): string => {
    const word = `w${effects.length}`;
    switch (one.kind) {
      case "type":
        effects.push(`type ${word}`);
        return `${indent}- inputText: ${word}`;
      case "post":
        effects.push(`post ${word}`);
        return `${indent}- evalScript: "output.last = ${word}; post ${word}"`;
      case "look":
        return `${indent}- assertVisible: There`;
      case "note":
        return `${indent}- evalScript: output.note = here`;
      case "maybe":
        return `${indent}- assertVisible: {text: Absent, optional: true}`;
      case "in":
        return `${indent}- runFlow:\n${indent}    when:\n${indent}      visible: There\n${indent}    commands:\n${yaml(one.parts, `${indent}      `, effects).text}`;
      default:
        return `${indent}- repeat:\n${indent}    times: 2\n${indent}    commands:\n${yaml(one.parts, `${indent}      `, effects).text}`;
    }
  });
  return { text: lines.join("\n"), effects };
}

describe("a server that is killed", () => {
  let at: OpenRuns;
  let lives = 0;
  beforeAll(async () => {
    at = await openRuns();
    at.driver.items = [{ text: "There" }];
    // This one only takes orders; the ones below work and die.
    await at.runner.close();
  });
  afterAll(() => at.dispose());

  /** One life of a server: works until it dies or has nothing to do. */
  async function live(death: Death): Promise<"died" | "idle"> {
    lives += 1;
    at.clock.advance(LEASE_MS + 1);
    const mortal = mortalDatabase(at.test.db, death);
    const life = await composeRuns({ ...at, pace: undefined, db: mortal.db, holder: `life-${lives}` });
    const working = (async () => {
      await life.runner.start();
      await life.runner.idle();
      await life.runner.close();
      return "idle" as const;
    })();
    return Promise.race([working, mortal.died]);
  }
  const stateOf = async (id: RunId) => (await at.runs.get(at.scope, id)).state;

  it("does nothing twice, and leaves every run in a final or resumable state", async () => {
    let kills = 0;
    const ends = new Set<RunState>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 2, maxLength: 8 }),
        fc.array(fc.record({ at: fc.integer({ min: 1, max: 30 }), committed: fc.boolean() }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.constantFrom("fail", "resume"),
        fc.boolean(),
        async (parts, deaths, onCrash, personResumes) => {
          at.driver.effects.length = 0;
          at.posted.length = 0;
          const { text, effects } = yaml(parts);
          const { runId } = await startFlow(at, text, `url: https://a.example/\nlimits:\n  onCrash: ${onCrash}`);
          const known = async (): Promise<RunState> => {
            const state = await stateOf(runId);
            if (state !== "interrupted" || !personResumes) return state;
            await at.runs.resume(at.scope, { runId, from: "after" });
            return "queued";
          };
          for (const death of deaths) {
            if ((await live(death)) === "died") kills += 1;
            await known();
          }
          // The last life is not killed; it takes one more when the person lets an interrupted run go on in it.
          do await live({ at: Number.POSITIVE_INFINITY, committed: false });
          while ((await known()) === "queued");
          const run = await at.runs.get(at.scope, runId);
          ends.add(run.state);
          const done = [...at.driver.effects, ...at.posted.map((word) => `post ${word}`)];
          expect(done.toSorted()).toEqual([...new Set(done)].toSorted());
          expect(hasEnded(run.state)).toBe(true);
          expect(["passed", "warned", "interrupted"]).toContain(run.state);
          if (run.state === "interrupted") {
            expect(personResumes).toBe(false);
            expect(run.error?.message).toMatch(/outcome unknown at step \d+|server stopped/);
          } else if (!personResumes) expect(done.toSorted()).toEqual(effects.toSorted());
          const open = run.steps.filter(({ state }) => state === "started");
          if (run.state !== "interrupted") expect(open).toEqual([]);
        },
      ),
      { numRuns: KILLS },
    );
    if (KILLS >= 1_000) console.log(`${kills} kills in ${KILLS} runs`);
    expect(kills).toBeGreaterThan(KILLS / 2);
    expect([...ends].length).toBeGreaterThan(1);
  }, 600_000);

  it("lets the flow ask for a new start", async () => {
    at.driver.effects.length = 0;
    const { runId } = await startFlow(
      at,
      "- inputText: again\n- inputText: more",
      "url: https://a.example/\nlimits:\n  onCrash: restart",
    );
    expect(await live({ at: 7, committed: false })).toBe("died");
    await live({ at: Number.POSITIVE_INFINITY, committed: false });
    expect(await stateOf(runId)).toBe("passed");
    expect(at.driver.effects).toEqual(["type again", "type again", "type more"]);
  });
});

describe("the rule of recovery", () => {
  const step = fc.record({
    kind: fc.constantFrom("query" as const, "effect" as const),
    state: fc.constantFrom("started" as const, "passed" as const, "warned" as const, "failed" as const),
  });
  it("never does an open effect again unless the flow asks for it", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.constantFrom("fail" as const, "resume" as const, "restart" as const),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        (parts, onCrash, starts, cancelled) => {
          const steps = parts.map((one, index) => ({
            ...one,
            seq: index + 1,
            line: index + 3,
            file: null,
            label: "step",
          }));
          const verdict = verdictOn({ starts, cancelAskedAt: cancelled ? new Date(0) : null }, steps, onCrash);
          const open = steps.some(({ kind, state }) => kind === "effect" && state === "started");
          const touched = steps.some(({ kind }) => kind === "effect");
          if (cancelled) expect(verdict.state).toBe("cancelled");
          else if (verdict.state === "queued") {
            expect(open && onCrash !== "restart").toBe(false);
            expect(touched && onCrash === "fail").toBe(false);
            if (touched && onCrash === "resume") expect(verdict.keepSteps).toBe(true);
            expect(starts).toBeLessThan(3);
          } else expect(verdict.state).toBe("interrupted");
        },
      ),
    );
  });
  it("has no way out of a final state, and a way to one from every other", () => {
    for (const state of RUN_STATES) {
      if (hasEnded(state)) expect(RUN_TRANSITIONS[state]).toEqual(state === "interrupted" ? ["queued"] : []);
      else expect(RUN_TRANSITIONS[state].some((next) => mayBecome(state, next) && hasEnded(next))).toBe(true);
    }
  });
});
