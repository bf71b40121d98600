/** The cases beside this file, tried in tests of their own, show every command of the language. */
import { describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../../../shared/flows/commands.ts";
import { parseFlow } from "../../../shared/flows/parse.ts";
import { allSteps } from "../../../shared/flows/targets.ts";
import { flowOf } from "./commands.fixture.ts";
import { HARD } from "./hard.cases.ts";
import { MOVING } from "./moving.cases.ts";
import { PHONE } from "./phone.cases.ts";
import { TOUCHING } from "./touching.cases.ts";
import { TYPING } from "./typing.cases.ts";

const CASES = [...TOUCHING, ...TYPING, ...MOVING, ...HARD, ...PHONE];

/** Shown elsewhere, or not to be shown here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  runScript: "needs a file beside the flow",
  addMedia: "needs a file beside the flow",
  assertScreenshot: "needs a picture beside the flow",
  startRecording: "makes a film",
  stopRecording: "makes a film",
  assertWithAI: "needs Maestro's own cloud",
  assertNoDefectsWithAI: "needs Maestro's own cloud",
  extractTextWithAI: "needs Maestro's own cloud",
};

describe("the cases", () => {
  it("show every command of the language", () => {
    const shown = new Set<string>();
    for (const one of CASES) {
      const { flow, diagnostics } = parseFlow(flowOf(one, "http://a.test", "http://b.test"));
      expect(
        diagnostics.filter(({ severity }) => severity === "error"),
        one.name,
      ).toEqual([]);
      for (const { command } of flow === undefined ? [] : allSteps(flow)) shown.add(command.name);
      if (/^- action:/m.test(one.steps)) shown.add("action");
    }
    const missing = COMMAND_NAMES.filter((name) => !shown.has(name));
    expect(missing.toSorted()).toEqual(Object.keys(ELSEWHERE).toSorted());
  });
});
