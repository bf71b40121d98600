import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../testing/prove.ts";
import { formatFlow } from "./format.ts";
import { parseFlow } from "./parse.ts";
import { allSteps, stepKey } from "./targets.ts";

/** The flow without what formatting may move. */
const meaning = (source: string) =>
  JSON.parse(JSON.stringify(parseFlow(source).flow, (key, value: unknown) => (key === "place" ? undefined : value)));

describe("formatting", () => {
  it("writes one way and keeps comments, quotes and numbers as written", () => {
    expect(
      formatFlow(`# top
appId:   a   # the app
env:
    A: 007
onFlowStart:


---
# first
- tapOn:
      id:   "x"   # why
      below: {text: a,   id: b}


# before run
-   runFlow:
        when:
          visible: a
        commands:
        - inputText: |
             two
               lines
        - back

# end`),
    ).toBe(`# top
appId: a # the app
env:
  A: 007
onFlowStart:
---
# first
- tapOn:
    id: "x" # why
    below: {text: a, id: b}

# before run
- runFlow:
    when:
      visible: a
    commands:
      - inputText: |
          two
            lines
      - back

# end
`);
  });

  it.each(["", "appId: a", "appId: a\n---\n- wait", "appId: a\n---\n- tapOn: 'x", "a:  [b"])(
    "leaves what cannot be read alone: %j",
    (source) => {
      expect(formatFlow(source)).toBe(source);
    },
  );

  it("keeps a third part that is not read, a byte order mark does not, and lines end one way", () => {
    expect(formatFlow("\uFEFFappId:  a\r\n---\r\n-   back\r\n---\r\n# note\r\nx:   1\r\n")).toBe(
      "appId: a\n---\n- back\n---\n# note\nx: 1\n",
    );
  });

  it("breaks no long texts and keeps what is nothing", () => {
    const source = `appId: a\nname: ${"word ".repeat(60)}end\nonFlowStart: ~\nonFlowComplete:\n---\n- inputText: "${"long ".repeat(60)}"\n`;
    expect(formatFlow(source)).toBe(source);
  });

  it("drops recorded targets of steps that are no longer there", () => {
    const body = "---\n- tapOn: Log in\n- back\n";
    const flow = parseFlow(`appId: a\n${body}`).flow;
    const [tap] = flow === undefined ? [] : allSteps(flow);
    if (tap === undefined) throw new Error("no step");
    const live = `"${stepKey(tap)}": [{id: login}]`;
    expect(formatFlow(`appId: a\nx-targets:\n  ${live}\n  "0#00000000": [{id: old}]\n${body}`)).toBe(
      `appId: a\nx-targets:\n  ${live}\n${body}`,
    );
    expect(formatFlow(`appId: a\nx-targets:\n  "0#00000000": [{id: old}]\n${body}`)).toBe(`appId: a\n${body}`);
  });

  const text = fc.oneof(
    fc.constantFrom(
      "a",
      "Log in",
      "true",
      "null",
      "~",
      "007",
      "1_0",
      "- x",
      "a: b",
      "# no",
      "${x}",
      "${a ? 'b' : c}",
      "*all",
      "&x",
      "!t",
      "",
      " ",
      "it's",
      '"q"',
      "a\nb",
      "日本 😀",
      "%",
      "@",
      "`",
      "x #y",
    ),
    fc.string({ maxLength: 12 }),
  );
  const quoted = text.map((value) => JSON.stringify(value));
  const scalar = fc.oneof(quoted, fc.constantFrom("a", "007", "two words", "1.50", "${x}", "'it''s'", "yes"));
  const comment = fc.constantFrom("", "", "", "  # note", " #x");
  const gap = fc.constantFrom("", "", "\n", "\n\n\n", "# alone\n", "\n   # alone, indented\n\n");
  const step = (depth: number, indent: string): fc.Arbitrary<string> => {
    const line = (yaml: string, note: string) => `${indent}- ${yaml}${note}\n`;
    const simple = fc.oneof(
      fc.tuple(scalar, comment).map(([value, note]) => line(`tapOn: ${value}`, note)),
      fc
        .tuple(quoted, quoted, comment)
        .map(([id, below, note]) => line(`tapOn: {id:   ${id}, below:  {text: ${below}}}`, note)),
      fc
        .tuple(scalar, comment, scalar)
        .map(
          ([value, note, label]) =>
            `${indent}-   inputText:${note}\n${indent}       text: ${value}\n${indent}       label:   ${label}\n`,
        ),
      fc.tuple(comment).map(([note]) => line("back", note)),
      fc
        .constantFrom("|", ">", "|-", ">-", "|+")
        .map((style) => `${indent}- inputText: ${style}\n${indent}      one  two\n\n${indent}       three\n`),
    );
    if (depth === 0) return simple;
    const nested = fc
      .tuple(gap, fc.array(step(depth - 1, `${indent}      `), { minLength: 1, maxLength: 3 }))
      .map(
        ([space, inner]) =>
          `${indent}- repeat:\n${indent}      times: 3\n${space}${indent}      commands:\n${inner.join("")}`,
      );
    return fc.oneof({ weight: 3, arbitrary: simple }, nested);
  };
  const flow = fc
    .tuple(gap, scalar, comment, gap, fc.array(fc.tuple(step(2, ""), gap), { minLength: 1, maxLength: 6 }))
    .map(
      ([before, name, note, between, steps]) =>
        `${before}appId: a\nname:   ${name}${note}\nenv:\n    A: ${name}\n${between}---\n${between}${steps.map(([one, space]) => one + space).join("")}`,
    );

  it("keeps the meaning, and twice is once", () => {
    let formatted = 0;
    fc.assert(
      fc.property(flow, (source) => {
        const once = formatFlow(source);
        if (parseFlow(source).flow !== undefined && once !== source) formatted += 1;
        expect(meaning(once)).toEqual(meaning(source));
        expect(formatFlow(once)).toBe(once);
        const notes = (yaml: string) => yaml.match(/# alone|# note/g)?.length ?? 0;
        expect(notes(once)).toBe(notes(source));
      }),
      { numRuns: 300 * PROVE_TIMES },
    );
    expect(formatted).toBeGreaterThan(200);
  });
});

describe("step keys", () => {
  const keys = (yaml: string) => {
    const { flow: read } = parseFlow(`appId: a\n---\n${yaml}`);
    return read === undefined ? [] : allSteps(read).map(stepKey);
  };
  it("stay when a step only moves on the page, and go when it is edited or moves in the list", () => {
    const key = keys("- tapOn: {id: a, text: b}")[0];
    expect(key).toMatch(/^0#[0-9a-f]{8}$/);
    expect(keys("\n# note\n- tapOn:\n    text: b\n    id: a")[0]).toBe(key);
    expect(keys("- tapOn: {id: a, text: c}")[0]).not.toBe(key);
    expect(keys("- back\n- tapOn: {id: a, text: b}")[1]).toMatch(new RegExp(`^1#${key?.slice(2)}$`));
  });
  it("are the same however a command was put together", () => {
    const one = stepKey({ path: "0", command: { name: "tapOn", selector: { id: "a", text: "b" } } });
    expect(stepKey({ path: "0", command: { selector: { text: "b", id: "a" }, name: "tapOn" } })).toBe(one);
    expect(keys("- tapOn: {id: a, text: b}")[0]).toBe(one);
  });
  it("reach hooks and nested steps", () => {
    const { flow: read } = parseFlow(
      "appId: a\nonFlowFailure: [back]\nonFlowStart: [back]\nonFlowComplete: [back]\n---\n- back",
    );
    expect(read && allSteps(read).map(({ path }) => path)).toEqual([
      "onFlowStart.0",
      "0",
      "onFlowComplete.0",
      "onFlowFailure.0",
    ]);
    expect(
      keys("- repeat: {times: 1, commands: [back, {runFlow: {commands: [scroll]}}]}").map((key) => key.split("#")[0]),
    ).toEqual(["0", "0.commands.0", "0.commands.1", "0.commands.1.commands.0"]);
  });
});
