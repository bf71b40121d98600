import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Step } from "../../../../shared/flows/model.ts";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { stepKey } from "../../../../shared/flows/targets.ts";
import { editStep, pathAfter, type StepEdit } from "./step-edits.ts";

const HEAD = "url: https://a.example # home\n---\n";
const FLOW = `${HEAD}# First, open it.
- launchApp

# Then the basket.
- tapOn:   "Add to basket"   # twice
- repeat:
    times: 2
    commands:
      # Down.
      - scroll
      - assertVisible:
          text: End

- back
`;

describe("steps in the text", () => {
  it("move with their comments, and everything else stays as it is", () => {
    expect(editStep(FLOW, "1", "up")).toBe(`${HEAD}# Then the basket.
- tapOn:   "Add to basket"   # twice
# First, open it.
- launchApp

- repeat:
    times: 2
    commands:
      # Down.
      - scroll
      - assertVisible:
          text: End

- back
`);
    expect(editStep(FLOW, "2.commands.0", "down")).toContain(
      "commands:\n      - assertVisible:\n          text: End\n      # Down.\n      - scroll\n\n- back",
    );
  });

  it("are copied and removed, nested ones too", () => {
    expect(editStep(FLOW, "2.commands.0", "duplicate")).toContain(
      "      # Down.\n      - scroll\n      # Down.\n      - scroll\n",
    );
    expect(editStep(FLOW, "2", "delete")).toBe(
      FLOW.slice(0, FLOW.indexOf("- repeat")) + FLOW.slice(FLOW.indexOf("- back")),
    );
  });

  it("stay where there is no way: the ends, the only one, several on a line, a text with mistakes", () => {
    expect(editStep(FLOW, "0", "up")).toBeUndefined();
    expect(editStep(FLOW, "3", "down")).toBeUndefined();
    expect(editStep(`${HEAD}- back\n`, "0", "delete")).toBeUndefined();
    expect(editStep(`${HEAD}[back, scroll]\n`, "1", "up")).toBeUndefined();
    expect(editStep(`${HEAD}- repeat: {times: 2, commands: [back, scroll]}\n`, "0.commands.1", "up")).toBeUndefined();
    expect(editStep(`${HEAD}- bac\n- scroll\n`, "1", "up")).toBeUndefined();
  });

  it("take what was recorded for them along", () => {
    const { flow } = parseFlow(`${HEAD}- back\n- tapOn: Buy\n`);
    const [, tap] = flow?.steps ?? [];
    const key = tap === undefined ? "" : stepKey(tap);
    const source = `url: https://a.example\nx-targets:\n  "${key}":\n    - id: buy\n---\n- back\n- tapOn: Buy\n`;
    const moved = editStep(source, "1", "up") ?? "";
    expect(moved).toContain(`"0${key.slice(1)}":`);
    expect(parseFlow(moved).flow?.header.targets).toEqual([{ key: `0${key.slice(1)}`, selectors: [{ id: "buy" }] }]);
  });

  it("do what their name says, for any flow, or nothing", () => {
    const leaf = fc.constantFrom(
      "back",
      "scroll",
      "tapOn: A",
      'inputText: "a: b"',
      "assertVisible:\n    text: |\n      two\n      lines",
      "tapOn:\n    id: x # why",
    );
    const noise = fc.constantFrom("", "\n", "# note\n", "\n# note\n", "    # inside\n");
    const block = (text: string, indent: string) =>
      text
        .split("\n")
        .map((line, index) => (index === 0 || line === "" ? line : indent + line))
        .join("\n");
    const list = (items: readonly { item: string; before: string }[], indent: string): string =>
      items
        .map(({ item, before }) => `${before.replaceAll(/^(?=#)/gm, indent)}${indent}- ${block(item, indent)}\n`)
        .join("");
    const items = fc.array(fc.record({ item: leaf, before: noise }), { minLength: 1, maxLength: 4 });
    const nested = items.map((inner) => `repeat:\n    times: 2\n    commands:\n${list(inner, "      ")}`.trimEnd());
    const flow = fc
      .array(fc.record({ item: fc.oneof(leaf, nested), before: noise }), { minLength: 1, maxLength: 5 })
      .map(
        (all) =>
          `${HEAD}${list(
            all.map((one) => ({ ...one, item: one.item })),
            "",
          )}`,
      );
    const shape = (steps: readonly Step[]): unknown =>
      JSON.parse(
        JSON.stringify(steps, (key, value: unknown) => (key === "place" || key === "path" ? undefined : value)),
      );
    const edit = fc.constantFrom<StepEdit>("duplicate", "delete", "up", "down");
    let done = 0;
    fc.assert(
      fc.property(flow, fc.nat(4), edit, (source, index, what) => {
        const before = parseFlow(source).flow;
        fc.pre(before !== undefined && index < before.steps.length);
        const next = editStep(source, `${index}`, what);
        if (next === undefined) return;
        done += 1;
        const all = [...(shape(before?.steps ?? []) as unknown[])];
        const [one] = all.splice(index, 1);
        const to = Number(pathAfter(`${index}`, what));
        if (what === "duplicate") all.splice(index, 0, one, one);
        else if (what !== "delete") all.splice(to, 0, one);
        expect(shape(parseFlow(next).flow?.steps ?? [])).toEqual(all);
        const words = (text: string) =>
          text
            .split("\n")
            .filter((line) => line.trim() !== "")
            .sort();
        if (what === "up" || what === "down") expect(words(next)).toEqual(words(source));
      }),
      { numRuns: 500 },
    );
    expect(done).toBeGreaterThan(100);
  });

  it("never throw, whatever the text is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("- back\n", "- ", "tapOn: a\n", "  ", "\n", "#x\n", "repeat:\n", "[", "]"), {
          maxLength: 20,
        }),
        (parts) => {
          for (const what of ["duplicate", "delete", "up", "down"] as const) editStep(HEAD + parts.join(""), "1", what);
        },
      ),
    );
  });
});
