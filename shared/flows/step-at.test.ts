import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectorOf, stepAt } from "./step-at.ts";

const FLOW = `url: https://a.example
env: {NAME: Ada}
---
- launchApp
- tapOn:
    text: Log in
    below: Welcome

- repeat:
    times: 2
    commands:
      - scroll
      # here
      - assertVisible: End
    while:
      visible: More
- back
`;
const path = (line: number, source = FLOW) => stepAt(source, line)?.step.path;

describe("the step at a line", () => {
  it("is the innermost one whose lines hold it", () => {
    expect([1, 3].map((line) => path(line))).toEqual([undefined, undefined]);
    expect([4, 5, 6, 7, 9, 10, 11].map((line) => path(line))).toEqual(["0", "1", "1", "1", "2", "2", "2"]);
    expect([12, 14, 15, 16, 17].map((line) => path(line))).toEqual(["2.commands.0", "2.commands.1", "2", "2", "3"]);
  });

  it("is found beside steps and in headers with mistakes, with the header where that is right", () => {
    const beside = FLOW.replace("- back", "- bakk");
    expect(stepAt(beside, 6)).toMatchObject({ step: { command: { name: "tapOn" } }, header: { env: { NAME: "Ada" } } });
    expect(stepAt(beside, 17)).toBeUndefined();
    const headless = FLOW.replace("url: https://a.example", "limits: 3");
    expect(stepAt(headless, 7)?.step.place).toEqual({ line: 5, column: 3 });
    expect(stepAt("\n---\n- tapOn: X\n", 3)?.step.command).toMatchObject({ name: "tapOn" });
  });

  it("names the element it is about", () => {
    const selector = (line: number) => {
      const found = stepAt(FLOW, line);
      return found && selectorOf(found.step);
    };
    expect(selector(6)).toEqual({ text: "Log in", below: { text: "Welcome" } });
    expect(selector(9)).toEqual({ text: "More" });
    expect(selector(4)).toBeUndefined();
  });

  it("never throws", () => {
    const piece = fc.constantFrom(
      "---\n",
      "- ",
      "tapOn: a\n",
      "  ",
      "\n",
      "#x\n",
      "repeat:\n",
      "commands:\n",
      "url: x\n",
      "[",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: -2, max: 40 }), (parts, line) => {
        stepAt(parts.join(""), line);
      }),
    );
  });
});
