import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvLine } from "./csv.ts";

/** Reads one line as RFC 4180 has it. */
function cells(line: string): string[] {
  const found: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n$)/gy;
  for (let match = cell.exec(line); match !== null; match = cell.exec(line)) {
    found.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] !== ",") return found;
  }
  throw new Error("This is no line of CSV.");
}

describe("a line of CSV", () => {
  it("has nothing that a spreadsheet takes for a formula", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]) {
      expect(cells(csvLine([text]))).toEqual([`'${text}`]);
    }
    expect(csvLine([-5, 1.5, true, null, undefined, new Date(0), { a: "b" }])).toBe(
      '-5,1.5,true,,,1970-01-01T00:00:00.000Z,"{""a"":""b""}"\r\n',
    );
  });

  it("comes back as it was, but for the apostrophe", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (texts) => {
        const read = cells(csvLine(texts));
        expect(read.map((text, place) => (text === `'${texts[place]}` ? texts[place] : text))).toEqual(texts);
        for (const text of read) expect(text).not.toMatch(/^[=+\-@\t\r\n]/);
      }),
    );
  });
});
