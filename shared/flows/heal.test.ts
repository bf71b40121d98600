import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFlow } from "./format.ts";
import { healedFlow } from "./heal.ts";
import { parseFlow } from "./parse.ts";
import { allSteps, stepKey } from "./targets.ts";

/** A flow whose step at `path` has these fallbacks, each written as YAML in flow style. */
function recorded(steps: string, path: string, fallbacks: readonly string[]): string {
  const step = allSteps(parseFlow(`url: a\n---\n${steps}`).flow ?? { header: never(), steps: [] }).find(
    (one) => one.path === path,
  );
  if (step === undefined) throw new Error(`no step ${path}`);
  return `# mine\nurl: a\nx-targets:\n  "${stepKey(step)}":\n${fallbacks.map((one) => `    - ${one}\n`).join("")}---\n${steps}`;
}
function never(): never {
  throw new Error("The flow has errors.");
}
const stepsOf = (source: string) => source.slice(source.indexOf("---\n") + 4);

describe("healing a flow's text", () => {
  it.each([
    [
      "a short text by an id",
      "- tapOn: Log in # why\n- back\n",
      "{id: login}",
      "- tapOn:\n    id: login # why\n- back\n",
    ],
    ["a short text by a text", '- tapOn: "Log in"\n', "Sign in", "- tapOn: Sign in\n"],
    [
      "fields, and only those that say which element",
      "- tapOn:\n    # the big one\n    id: old\n    index: 2\n    repeat: 3\n    label: Press\n",
      "{text: New, below: {text: Title}}",
      "- tapOn:\n    # the big one\n    text: New\n    below:\n      text: Title\n    repeat: 3\n    label: Press\n",
    ],
    [
      "fields in braces",
      "- tapOn: {id: old, repeat: 2}\n- back\n",
      '{text: "a, b"}',
      '- tapOn: {text: "a, b", repeat: 2}\n- back\n',
    ],
    [
      "a spot in the element stays",
      "- tapOn:\n    id: old\n    point: 10%,20%\n",
      "{css: '.a > b'}",
      "- tapOn:\n    css: .a > b\n    point: 10%,20%\n",
    ],
    [
      "what is scrolled to",
      "- scrollUntilVisible:\n    element: End\n    direction: UP\n",
      "{id: end}",
      "- scrollUntilVisible:\n    element:\n      id: end\n    direction: UP\n",
    ],
    [
      "what is waited for",
      "- extendedWaitUntil:\n    visible:\n      text: Old\n    timeout: 10_000\n",
      "{id: '007'}",
      '- extendedWaitUntil:\n    visible:\n      id: "007"\n    timeout: 10_000\n',
    ],
    ["a step in braces", "- {tapOn: Old}\n", "{id: x}", "- {tapOn: {id: x}}\n"],
  ])("changes %s", (_what, steps, fallback, after) => {
    const source = recorded(steps, "0", [fallback]);
    const healed = healedFlow(source, "0", 0);
    expect(stepsOf(healed?.source ?? "")).toBe(after);
    expect(healed?.diff).toContain("--- flow.yaml\n+++ flow.yaml\n@@ -");
    // What was recorded stays with the step.
    const { flow } = parseFlow(healed?.source ?? "");
    const [step] = flow?.steps ?? [];
    expect(flow?.header.targets.map(({ key }) => key)).toEqual([step && stepKey(step)]);
  });

  it("finds a step inside others, keeps line ends and says where", () => {
    const steps = "- back\n- runFlow:\n    commands:\n      - assertVisible: Old\n".replaceAll("\n", "\r\n");
    const source = recorded(steps, "1.commands.0", ["{id: a}", "{id: b}", "{fingerprint: {role: text}}"]);
    const healed = healedFlow(source, "1.commands.0", 1);
    expect(healed).toMatchObject({ line: 12, column: 24 });
    expect(healed?.source).toContain("      - assertVisible:\n          id: b\r\n");
    expect(healed?.diff).toMatch(/\n- {6}- assertVisible: Old\n\+ {6}- assertVisible:\n\+ {10}id: b\n/);
    expect(healedFlow(source, "1.commands.0", 2)).toBeUndefined();
    expect(healedFlow(source, "0", 0)).toBeUndefined();
    expect(healedFlow("no flow", "0", 0)).toBeUndefined();
  });

  it("changes nothing but the selector, whatever the texts are", () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom("a: b", "- x", "#c", "{y}", "日本 📱", "*z", "'"),
    );
    const quoted = text.map((value) => JSON.stringify(value));
    const selector = fc.oneof(
      quoted,
      quoted.map((value) => `{id: ${value}}`),
      fc.tuple(quoted, quoted).map(([one, other]) => `{text: ${one}, below: {id: ${other}}}`),
    );
    const command = fc.oneof(
      selector.map((value) => `- tapOn: ${value}\n`),
      quoted.map((value) => `- tapOn:\n    optional: true\n    text: ${value}\n    enabled: true\n`),
      selector.map((value) => `- swipe:\n    direction: UP\n    from: ${value}\n`),
    );
    fc.assert(
      fc.property(command, selector, selector, (steps, first, second) => {
        const all = `- back # stays\n${steps}- inputText: last`;
        if (parseFlow(`url: a\n---\n${all}`).flow === undefined) return;
        const source = recorded(all, "1", [first, second]);
        const before = parseFlow(source).flow;
        if (before === undefined || before.header.targets.length === 0) return;
        const healed = healedFlow(source, "1", 1);
        expect(healed).toBeDefined();
        const lines = stepsOf(healed?.source ?? "").split("\n");
        expect([lines[0], lines.at(-1)]).toEqual(["- back # stays", "- inputText: last"]);
        const after = parseFlow(healed?.source ?? "").flow;
        expect(after?.steps.length).toBe(3);
        expect(after?.header.targets[0]?.selectors).toEqual(before.header.targets[0]?.selectors);
        // Formatting would have dropped targets that no longer belong to a step.
        expect(parseFlow(formatFlow(healed?.source ?? "")).flow?.header.targets).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  });
});
