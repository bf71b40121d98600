import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cursorIn } from "./flow-cursor.ts";

/** The cursor stands at `|`. */
const at = (marked: string) => cursorIn(marked.replace("|", ""), marked.indexOf("|"));
const HEAD = "url: https://a.example\n---\n";

describe("where the cursor is", () => {
  it("is a command after a dash, or at the margin without one", () => {
    expect(at(`${HEAD}- |`)).toMatchObject({ kind: "command", typed: "", dash: false });
    expect(at(`${HEAD}- tap|`)).toMatchObject({ kind: "command", typed: "tap", from: HEAD.length + 2 });
    expect(at(`${HEAD}- launchApp\nta|`)).toMatchObject({ kind: "command", dash: true, typed: "ta" });
    expect(at(`${HEAD}- repeat:\n    times: 2\n    commands:\n      - sc|`)).toMatchObject({ kind: "command" });
    expect(at(`${HEAD}- repeat:\n    times: 2\n    commands:\n    - sc|`)).toMatchObject({ kind: "command" });
    expect(at("url: x\nonFlowStart:\n  - l|\n---\n")).toMatchObject({ kind: "command" });
    expect(at("url: x\nonFlowStart:\n- l|\n---\n")).toMatchObject({ kind: "command" });
  });

  it("is a field of what it stands below", () => {
    expect(at(`${HEAD}- tapOn:\n    te|`)).toMatchObject({
      kind: "field",
      typed: "te",
      owners: [{ key: "tapOn", item: true }],
    });
    expect(at(`${HEAD}- tapOn: x\n- runFlow:\n    when:\n      visible:\n        id: a\n        |`)).toMatchObject({
      kind: "field",
      owners: [
        { key: "runFlow", item: true },
        { key: "when", item: false },
        { key: "visible", item: false },
      ],
    });
    expect(at(`${HEAD}- repeat:\n    commands:\n      - tapOn: x\n    ti|`)).toMatchObject({
      kind: "field",
      owners: [{ key: "repeat" }],
    });
    expect(at(`${HEAD}- tapOn:\n    childOf:\n      id: list\n    in|`)).toMatchObject({ owners: [{ key: "tapOn" }] });
    expect(at("limits:\n  time|\n---\n")).toMatchObject({ kind: "field", owners: [{ key: "limits" }] });
  });

  it("is a value after a colon, with the name before it", () => {
    expect(at(`${HEAD}- tapOn: Lo|`)).toMatchObject({ kind: "value", key: { key: "tapOn", item: true }, typed: "Lo" });
    expect(at(`${HEAD}- swipe:\n    direction: |`)).toMatchObject({ kind: "value", key: { key: "direction" } });
  });

  it("is an expression between its braces, and nowhere in particular in a comment", () => {
    expect(at(`${HEAD}- inputText: hello \${EM|`)).toMatchObject({ kind: "expression", typed: "EM" });
    expect(at(`${HEAD}- inputText: \${a} \${output.to|`)).toMatchObject({ kind: "expression", typed: "output.to" });
    expect(at(`${HEAD}- inputText: \${a} |`)).toMatchObject({ kind: "value" });
    expect(at(`${HEAD}- inputText: \\\${a|`)).toMatchObject({ kind: "value" });
    expect(at(`${HEAD}# - |`)).toEqual({ kind: "none" });
    expect(at(`${HEAD}- back # go|`)).toEqual({ kind: "none" });
    expect(at(`${HEAD}- tapOn: "a # b|`)).toMatchObject({ kind: "value" });
  });

  it("is a key of the header at its margin", () => {
    expect(at("ur|")).toMatchObject({ kind: "header", typed: "ur" });
    expect(at("|")).toMatchObject({ kind: "header", typed: "" });
    expect(at("tags:\n  - sm|\n---\n")).toMatchObject({ kind: "field", owners: [{ key: "tags" }] });
  });

  it("is found at any offset of any text, and the word at it is what is typed there", () => {
    const piece = fc.constantFrom(
      ...[
        "- ",
        "  ",
        "\n",
        "\n",
        "tapOn",
        ":",
        " ",
        "commands",
        "---",
        "#",
        '"',
        "'",
        "${",
        "}",
        "\\",
        "\t",
        "é",
        "\r",
      ],
      ...["- tapOn:\n    id: a", "onFlowStart:\n", "[", "]", "{", "|", "\u{1F600}"],
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.string({ unit: "binary", maxLength: 80 }),
    );
    fc.assert(
      fc.property(text, fc.oneof(fc.integer({ min: -3, max: 400 }), fc.constant(Number.NaN)), (source, offset) => {
        const cursor = cursorIn(source, offset);
        if (cursor.kind === "none") return;
        const end = Math.min(Math.max(0, Number.isNaN(offset) ? 0 : offset), source.length);
        expect(source.slice(cursor.from, end)).toBe(cursor.typed);
      }),
      { numRuns: 2_000 },
    );
  });
});
