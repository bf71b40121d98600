// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitTemplate } from "./template.ts";

const shown = (template: string) =>
  splitTemplate(template).map((part) => (part.kind === "literal" ? part.text : { js: part.source }));

describe("a template", () => {
  it.each([
    ["plain", ["plain"]],
    ["", []],
    ["${a}", [{ js: "a" }]],
    ["a ${b} c ${d}", ["a ", { js: "b" }, " c ", { js: "d" }]],
    ["${a}${b}", [{ js: "a" }, { js: "b" }]],
    ["\\${a}", ["${a}"]],
    ["x \\${a} ${b}", ["x ${a} ", { js: "b" }]],
    ["${ {a: {b: 1}} }", [{ js: " {a: {b: 1}} " }]],
    ["${'}'} and ${\"}\"}", [{ js: "'}'" }, " and ", { js: '"}"' }]],
    ["${`}${x}`}", [{ js: "`}${x}`" }]],
    ["${'\\'}'}", [{ js: "'\\'}'" }]],
    ["${a /* } */ + 1}", [{ js: "a /* } */ + 1" }]],
    ["${a.replace(/'/g, '')}", [{ js: "a.replace(/'/g, '')" }]],
    ["${}", [{ js: "" }]],
    ["${open", ["${open"]],
    ["$ {a} $a {b}", ["$ {a} $a {b}"]],
    ["價格 ${'元'} 🎈", ["價格 ", { js: "'元'" }, " 🎈"]],
  ])("%s", (template, parts) => {
    expect(shown(template)).toEqual(parts);
  });

  it("loses nothing but the backslash of an escape, whatever the text", () => {
    const piece = fc.constantFrom("${", "}", "{", "'", '"', "`", "\\", "/*", "*/", "a", " ", "$");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const template = pieces.join("");
        const plain = (text: string) => text.replaceAll(/\\+\$\{/g, "${");
        const again = splitTemplate(template).map((part) =>
          part.kind === "literal" ? part.text : `\${${part.source}}`,
        );
        expect(plain(again.join(""))).toBe(plain(template));
      }),
    );
  });

  it.each(["${/*", "${'", "${", "${{", "\\${", "${`\\"])("is read in time that grows with its length: %s", (piece) => {
    const started = performance.now();
    splitTemplate(piece.repeat(50_000));
    splitTemplate(`\${${piece.slice(2).repeat(100_000)}`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
