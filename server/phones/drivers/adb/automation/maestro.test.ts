/** Each command of the language on the simulated phone, through the whole runner: what the phone did counts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../../../../../shared/flows/commands.ts";
import { InstalledApp } from "../simulator/apps/small.ts";
import { type AndroidBench, openAndroidBench } from "./android-bench.fixture.ts";
import { type AndroidCase, APPS, CHECKING, MOVING, SETTINGS, TOUCHING, TYPING } from "./maestro.cases.ts";

let bench: AndroidBench;
beforeAll(async () => {
  bench = await openAndroidBench();
  bench.simulator.phone.packages.add(new InstalledApp("com.other.app", "Other"));
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

/** Long enough for a busy machine, by the bench's fast time; what is to fail says less. */
const LIMITS = "limits: {lookup: 30s, optional: 900ms}";
const sourceOf = ({ header = "appId: com.example.form", steps }: AndroidCase) =>
  `${header}\n${header.includes("limits:") ? "" : `${LIMITS}\n`}---\n${steps}\n`;

describe.each([
  ["apps and links", APPS],
  ["touching", TOUCHING],
  ["typing", TYPING],
  ["moving", MOVING],
  ["checking", CHECKING],
  ["settings", SETTINGS],
] as const)("a flow on an Android: %s", (_group, cases: readonly AndroidCase[]) => {
  it.each(cases)("$name", async (one) => {
    if (one.ends === "refused") {
      await expect(bench.run(sourceOf(one))).rejects.toThrow(one.words ?? /./);
      expect(bench.simulator.phone.tasks).toEqual([]);
      return;
    }
    const { state, error, steps } = await bench.run(sourceOf(one));
    expect(error === undefined ? state : `${state}: ${error.message}`).toMatch(
      one.ends === "failed" ? /^failed/ : new RegExp(`^${one.ends ?? "passed"}$`),
    );
    if (one.words !== undefined) {
      expect([error?.message, ...steps.map(({ message }) => message)].join("\n")).toMatch(one.words);
    }
    if (one.shows !== undefined)
      await expect.poll(() => one.shows?.(bench.simulator), { timeout: 5_000 }).toEqual(one.expect);
  });
});

/** Shown elsewhere, or not to be shown here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  runScript: "needs a file beside the flow, and nothing of the phone",
  addMedia: "in media.test.ts",
  assertScreenshot: "needs a picture beside the flow, and only takes one of the phone",
  stopRecording: "needs a recording",
  assertNoDefectsWithAI: "needs Maestro's own cloud",
  extractTextWithAI: "needs Maestro's own cloud",
};

it("the cases show every command of the language", () => {
  const all = [...APPS, ...TOUCHING, ...TYPING, ...MOVING, ...CHECKING, ...SETTINGS].map(sourceOf).join("\n");
  const missing = COMMAND_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
  expect(missing.toSorted()).toEqual(
    Object.keys(ELSEWHERE)
      .filter((name) => missing.includes(name))
      .toSorted(),
  );
});
