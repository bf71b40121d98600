/** Hostile texts: refused or read, never thrown at and never waited for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../testing/prove.ts";
import { parseFlow } from "./parse.ts";

const HEAD = "appId: com.example\n---\n";
const problems = (source: string) =>
  parseFlow(source).diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("bounds", () => {
  it("refuses big texts, deep nesting, many steps and alias bombs with a sentence", () => {
    expect(problems(`${HEAD}- inputText: ${"ä".repeat(131_072)}`)[0]).toMatch(/^1:1 A flow may be 256 KiB at most/);
    expect(problems(`${HEAD}- ${"[".repeat(50_000)}`)[0]).toMatch(/^3:66 Nested deeper than 64 levels/);
    expect(problems(`${HEAD}${"- back\n".repeat(2001)}`)[0]).toMatch(/^2003:3 A flow may have 2000 commands at most/);
    expect(parseFlow(`${HEAD}${"- back\n".repeat(2000)}`)).toMatchObject({ commands: 2000, diagnostics: [] });
    expect(problems("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n---\n- back")[0]).toMatch(/^2:8 `\*a` is a YAML alias/);
  });

  it("says at most 200 things", () => {
    expect(parseFlow(HEAD + "- x1\n".repeat(1500)).diagnostics).toHaveLength(200);
  });

  /** Every result is whole, whatever was read: places inside the text, a flow or an error. */
  function holds(source: string): void {
    const { flow, diagnostics, commands } = parseFlow(source);
    const lines = source.split("\n");
    expect(flow !== undefined || diagnostics.some(({ severity }) => severity === "error")).toBe(true);
    expect(commands).toBeGreaterThanOrEqual(0);
    for (const { line, column, message } of diagnostics) {
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThan(0);
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
      expect(message).not.toBe("");
      expect(message).not.toContain("fault in the reader");
    }
  }

  const GOOD = `${HEAD}- tapOn:\n    id: a # b\n    below: {text: "x y"}\n- runFlow:\n    when: {visible: a}\n    commands:\n      - inputText: |\n          two\n          lines\n      - swipe: {direction: UP}\n`;
  it("never throws on noise", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), holds), { numRuns: 500 * PROVE_TIMES });
  });
  it("never throws on pieces of YAML", () => {
    const piece = fc.constantFrom(
      ...[
        "- ",
        "  ",
        "\n",
        "\n- ",
        ": ",
        "a",
        "tapOn",
        "---\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"',
        "'",
        "|\n",
        ">-\n",
        "#",
        "&a ",
        "*a",
        "!t ",
        "? ",
        "\t",
        "\r\n",
        "%Y",
        "appId: x",
        "...\n",
        "<<",
        "null",
        "~",
        "runFlow:",
        "commands:",
      ],
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
        holds,
      ),
      { numRuns: 1000 * PROVE_TIMES },
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => HEAD + pieces.join("")),
        holds,
      ),
      { numRuns: 1000 * PROVE_TIMES },
    );
  });
  it("never throws on flows with a few characters changed", () => {
    const edit = fc.tuple(
      fc.nat(GOOD.length - 1),
      fc.nat(4),
      fc.constantFrom("", ":", "-", " ", "\n", "[", "{", "}", '"', "*", "\t", "é"),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        holds(edits.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), GOOD));
      }),
      { numRuns: 1000 * PROVE_TIMES },
    );
  });
  it.each([
    "[",
    "{",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a ",
    "!!a ",
    '"',
    "|\n",
    "---\n",
    "a:\n ",
    "{a: ",
    "a: b\n",
    "[]",
    "- {}\n",
    "\\",
    "\t",
  ])("reads or refuses 256 KiB of %j", (piece) => {
    holds((HEAD + piece.repeat(262_144 / piece.length)).slice(0, 262_144));
  });
});
