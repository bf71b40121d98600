import { describe, expect, it } from "vitest";
import type { RunStep } from "../../../../shared/automation-model.ts";
import { marksOf, type Outline, outlineOf, pathAt } from "./flow-outline.ts";

const FLOW = `url: https://a.example
onFlowStart:
  - setOrientation: PORTRAIT
---
- launchApp
- repeat:
    times: 2
    commands:
      - tapOn: {id: more, index: 0}
- assertVisible:
    text: Done
    below: Total
`;
const outline = (source: string): Outline => {
  const found = outlineOf(source);
  if (found === undefined) throw new Error("The flow cannot be read.");
  return found;
};
const step = (path: string, state: RunStep["state"], seq: number): RunStep => ({
  seq,
  attempt: 1,
  path,
  line: 1,
  depth: 0,
  command: "",
  label: "",
  kind: "effect",
  state,
  startedAt: "2026-11-26T00:00:00.000Z",
});

describe("a flow's outline", () => {
  it("says every step in words, nested ones further in, hooks apart", () => {
    expect(outline(FLOW).steps.map(({ path, depth, words, outer }) => [path, depth, words, outer])).toEqual([
      ["onFlowStart.0", 0, "Turn to portrait", undefined],
      ["0", 0, "Open the page", 0],
      ["1", 0, "Repeat 2 times", 1],
      ["1.commands.0", 1, "Tap the element more (number 1)", 1],
      ["2", 0, "Check that “Done” below “Total” is there", 2],
    ]);
    expect(outlineOf("- nothing")).toBeUndefined();
  });

  it("knows the step at a line", () => {
    expect([3, 5, 6, 7, 9, 12].map((line) => pathAt(outline(FLOW), line))).toEqual([
      "onFlowStart.0",
      "0",
      "1",
      "1",
      "1.commands.0",
      "2",
    ]);
  });

  it("marks what ran, the newest of what ran twice, and nothing that was changed since", () => {
    const ran = [
      step("0", "passed", 1),
      step("1", "passed", 2),
      step("1.commands.0", "passed", 3),
      step("1.commands.0", "failed", 4),
      step("2", "failed", 5),
    ];
    const marks = (source: string) =>
      [...marksOf(outline(source), outline(FLOW), ran)].map(([path, { state }]) => `${path} ${state}`);
    expect(marks(FLOW)).toEqual(["0 passed", "1 passed", "1.commands.0 failed", "2 failed"]);
    expect(marks(FLOW.replace("Done", "Ready"))).toEqual(["0 passed", "1 passed", "1.commands.0 failed"]);
    expect(marks(`# note\n${FLOW}`)).toHaveLength(4);
  });
});
