import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandSpec } from "../../../../shared/flows/commands.ts";
import { HEADER_FIELDS } from "../../../../shared/flows/header.ts";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { type CompletionWorld, completionsAt, yamlText } from "./flow-completions.ts";
import { COMMAND_DOCS, FIELD_DOCS, HEADER_DOCS, OFFERED_COMMANDS } from "./flow-docs.ts";
import { namesOf } from "./flow-names.ts";

const WORLD: CompletionWorld = {
  names: [{ name: "EMAIL", about: "Asked for before a run." }],
  files: ["login.yaml"],
  texts: ["Log in", "Total: 12 €", "yes"],
  ids: ["submit"],
};
const HEAD = "url: https://a.example\n---\n";
const at = (marked: string) => completionsAt(marked.replace("|", ""), marked.indexOf("|"), WORLD);
const labels = (marked: string) => at(marked)?.options.map(({ label }) => label) ?? [];
/** The text with an option taken, its places filled with what they say. */
function taken(marked: string, label: string): string {
  const text = marked.replace("|", "");
  const offset = marked.indexOf("|");
  const found = completionsAt(text, offset, WORLD);
  const option = found?.options.find((one) => one.label === label);
  if (found === undefined || option === undefined) throw new Error(`${label} is not offered.`);
  const put = option.text ?? (option.snippet ?? label).replace(/#\{([^}]*)\}/g, "$1");
  return text.slice(0, found.from) + put + text.slice(offset);
}

describe("completion", () => {
  it("has a line about every command and every key of the header", () => {
    expect(OFFERED_COMMANDS.filter((name) => COMMAND_DOCS[name] === undefined)).toEqual([]);
    expect(HEADER_FIELDS.filter((name) => HEADER_DOCS[name] === undefined)).toEqual([]);
    const fields = new Set(OFFERED_COMMANDS.flatMap((name) => commandSpec(name)?.fields ?? []));
    expect([...fields].filter((name) => FIELD_DOCS[name] === undefined)).toEqual([]);
  });

  it("offers commands that are right as they stand, once their places are filled", () => {
    for (const name of OFFERED_COMMANDS) {
      const text = taken(`${HEAD}- |`, name).replace(/: $/, ": example");
      const { diagnostics } = parseFlow(`${text}\n`);
      const tolerated =
        name === "setDarkMode" || name === "setAirplaneMode" || name === "pressKey" || name === "setOrientation";
      if (!tolerated)
        expect(
          diagnostics.filter(({ severity }) => severity === "error"),
          text,
        ).toEqual([]);
    }
    expect(taken(`${HEAD}- launchApp\nsc|`, "scroll")).toBe(`${HEAD}- launchApp\n- scroll`);
  });

  it("offers fields of what they stand below", () => {
    expect(labels(`${HEAD}- tapOn:\n    |`)).toContain("childOf");
    expect(labels(`${HEAD}- tapOn:\n    childOf:\n      |`)).toContain("containsChild");
    expect(labels(`${HEAD}- tapOn:\n    childOf:\n      |`)).not.toContain("retryTapIfNoChange");
    expect(labels(`${HEAD}- runFlow:\n    when:\n      |`)).toEqual(["visible", "notVisible", "true", "platform"]);
    expect(labels("|")).toContain("inputs");
    expect(labels("limits:\n  |\n---\n")).toContain("timeout");
    expect(labels("inputs:\n  - name: A\n    |\n---\n")).toContain("description");
    expect(labels("onFlowStart:\n  - |\n---\n")).toContain("tapOn");
  });

  it("offers what the phone shows, in quotes where YAML needs them", () => {
    expect(labels(`${HEAD}- tapOn: |`)).toEqual(["Log in", "Total: 12 €", "yes"]);
    expect(labels(`${HEAD}- tapOn:\n    id: |`)).toEqual(["submit"]);
    expect(labels(`${HEAD}- inputText: |`)).toEqual([]);
    for (const text of WORLD.texts) {
      const { flow } = parseFlow(`${taken(`${HEAD}- tapOn: |`, text)}\n`);
      expect(flow?.steps[0]?.command).toEqual({ name: "tapOn", selector: { text } });
    }
  });

  it("offers names in expressions, files, and words of a closed list", () => {
    expect(labels(`${HEAD}- inputText: \${|`).slice(0, 2)).toEqual(["EMAIL", "output"]);
    expect(labels(`${HEAD}- runFlow: |`)).toEqual(["login.yaml"]);
    expect(labels(`${HEAD}- runFlow:\n    file: |`)).toEqual(["login.yaml"]);
    expect(labels(`${HEAD}- swipe:\n    direction: |`)).toEqual(["UP", "DOWN", "LEFT", "RIGHT"]);
    expect(labels(`${HEAD}- tapOn:\n    optional: |`)).toEqual(["true", "false"]);
  });

  it("finds the header's names in either form", () => {
    const source =
      "url: x\nenv:\n  USER: ada\ninputs:\n  - name: EMAIL\n    description: d\n  - CITY\nsecrets:\n  - PASSWORD\ntags: [a]\n---\n- back\n";
    expect(namesOf(source).map(({ name }) => name)).toEqual(["USER", "EMAIL", "CITY", "PASSWORD"]);
    expect(namesOf("inputs:\n  EMAIL:\n    description: d\n  CITY: Rome\n").map(({ name }) => name)).toEqual([
      "EMAIL",
      "CITY",
    ]);
  });

  it("never throws, at any offset of any text", () => {
    const piece = fc.constantFrom(
      "- ",
      "  ",
      "\n",
      "tapOn",
      "text",
      ":",
      " ",
      "commands",
      "---\n",
      "#",
      '"',
      "${",
      "}",
      "env",
      "é",
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: -2, max: 300 }), (source, offset) => {
        completionsAt(source, offset, { ...WORLD, names: namesOf(source) });
      }),
      { numRuns: 2_000 },
    );
  });

  it("writes any text so that YAML reads it back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), (text) => {
        fc.pre(!/[\p{Cc}\p{Cs}\ufeff\ufffe\uffff]/u.test(text) && text.trim() !== "");
        const { flow } = parseFlow(`${HEAD}- inputText: ${yamlText(text)}\n`);
        expect(flow?.steps[0]?.command).toEqual({ name: "inputText", text: text.replaceAll("${", "\\${") });
      }),
    );
  });
});
