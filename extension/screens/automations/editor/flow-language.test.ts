import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colouredParts } from "./flow-language.ts";

/** Without the marks, which are everywhere. */
const parts = (text: string) => colouredParts(text).filter((part) => !part.startsWith("code-mark"));

describe("colours of a flow", () => {
  it("tell commands, names, values, expressions and comments apart", () => {
    expect(parts("url: https://a.example # home\n---\n- tapOn: Log in\n- back\n")).toEqual([
      "code-key: url",
      "code-text: https://a.example",
      "code-comment: # home",
      "code-meta: ---",
      "code-command: tapOn",
      "code-text: Log",
      "code-text: in",
      "code-command: back",
    ]);
    expect(parts("- repeat:\n    times: 3\n    optional: true\n")).toEqual([
      "code-command: repeat",
      "code-key: times",
      "code-value: 3",
      "code-key: optional",
      "code-value: true",
    ]);
  });

  it("find expressions in plain and quoted text, with braces in them, and not behind a backslash", () => {
    const expressions = (text: string) => parts(text).filter((part) => part.startsWith("code-expression"));
    expect(expressions(`- inputText: "a \${b.c({})} d"\n`)).toEqual([`code-expression: \${b.c({})}`]);
    expect(expressions(`- inputText: \${A} and \${B}\n`)).toEqual([`code-expression: \${A}`, `code-expression: \${B}`]);
    expect(expressions(`- inputText: \\\${A}\n`)).toEqual([]);
  });

  it("keep blocks of text together until a line further out", () => {
    expect(parts("- evalScript: |\n    let a = 1\n    # no comment\n- back\n")).toEqual([
      "code-command: evalScript",
      "code-text:     let a = 1",
      "code-text:     # no comment",
      "code-command: back",
    ]);
  });

  it("come to the end of any text", () => {
    const piece = fc.constantFrom(
      "- ",
      "a: ",
      '"',
      "'",
      "${",
      "}",
      "\\",
      "|",
      ">",
      "\n",
      "  ",
      "#",
      "---\n",
      "[",
      "{",
      ",",
      "é",
      "\t",
      "$",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        colouredParts(pieces.join(""));
      }),
      { numRuns: 1_000 },
    );
  });
});
