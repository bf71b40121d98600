import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasExpression, splitTemplate, truthy } from "./template.ts";

const show = (template: string) =>
  splitTemplate(template).map((part) => (part.kind === "literal" ? part.text : [part.source]));

describe("splitting", () => {
  it.each([
    ["", []],
    ["plain $ {a} text", ["plain $ {a} text"]],
    ["${NAME}", [["NAME"]]],
    ["Hi ${ NAME || 'you' }, ${n}!", ["Hi ", [" NAME || 'you' "], ", ", ["n"], "!"]],
    ["${a}${b}", [["a"], ["b"]]],
    ["\\${a} ${b}", ["${a} ", ["b"]]],
    ["${ {a: {b: 1}}.a.b }", [[" {a: {b: 1}}.a.b "]]],
    ["${'}' + \"}\"}x", [["'}' + \"}\""], "x"]],
    ["${'it\\'s }'}", [["'it\\'s }'"]]],
    ["${`}${x + '}'}}`}!", [["`}${x + '}'}}`"], "!"]],
    ["${a /* } */ + 1}", [["a /* } */ + 1"]]],
    ["${a // }\n}", [["a // }\n"]]],
    ["${output.a = 1}", [["output.a = 1"]]],
    ["${}", [[""]]],
    ["100 ${ open", ["100 ${ open"]],
    ["${a} ${'open}", [["a"], " ", ["'open"]]],
  ])("%j", (template, parts) => expect(show(template)).toEqual(parts));

  it("keeps every character of texts without expressions, and every escaped text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "a", "'", '"', "\\", "`", " ") }), (text) => {
        if (!text.includes("${")) expect(splitTemplate(text)).toEqual(text === "" ? [] : [{ kind: "literal", text }]);
        const escaped = text.replaceAll("\\", "").replaceAll("${", "\\${");
        expect(show(escaped).join("")).toBe(text.replaceAll("\\", ""));
      }),
    );
  });
  it("reads each character once", () => {
    expect(splitTemplate("${".repeat(100_000))).toHaveLength(1);
    expect(splitTemplate("${a}".repeat(50_000))).toHaveLength(50_000);
    expect(hasExpression("\\${a}")).toBe(false);
    expect(hasExpression("x${a}")).toBe(true);
  });
});

describe("truth", () => {
  it.each(["", "  ", "false", "FALSE", "undefined", "null", "0", "0.0", "-0", " 0 ", "0e5", ".0"])(
    "%j is false",
    (text) => expect(truthy(text)).toBe(false),
  );
  it.each(["true", "1", "no", "0x", "00a", "[]", "-1", "0.1", "falsey", "NULL", "Undefined"])("%j is true", (text) =>
    expect(truthy(text)).toBe(true),
  );
});
