import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { fingerprintOf, SAME_ELEMENT, similarity, textSimilarity } from "./fingerprint.ts";
import { parseFlow } from "./parse.ts";

let refs = 0;
function element(over: Partial<UiElement>): UiElement {
  refs += 1;
  return {
    ref: String(refs),
    role: "button",
    text: "",
    hint: "",
    accessibilityText: "",
    id: "",
    bounds: { x: 0.1, y: 0.5, width: 0.8, height: 0.06 },
    enabled: true,
    selected: false,
    checked: false,
    focused: false,
    clickable: true,
    password: false,
    children: [],
    ...over,
  };
}
const screen = (...children: UiElement[]): UiTree => ({
  root: element({ role: "screen", bounds: { x: 0, y: 0, width: 1, height: 1 }, children }),
  width: 360,
  height: 800,
});
const at = (y: number) => ({ x: 0.1, y, width: 0.8, height: 0.06 });
const title = (text: string) => element({ role: "heading", text, bounds: at(0.1) });
const price = (text: string) => element({ role: "text", text, bounds: at(0.42) });

describe("a fingerprint", () => {
  const buy = element({ text: "Buy now", id: "buy" });
  const recorded = fingerprintOf(buy, screen(title("Blue chair"), price("$ 20"), buy));

  it("tells what the element was like and what stood near", () => {
    expect(recorded).toEqual({ role: "button", text: "Buy now", bounds: buy.bounds, near: ["$ 20", "Blue chair"] });
    expect(similarity(recorded, buy, screen(title("Blue chair"), price("$ 20"), buy))).toBe(1);
  });

  it("knows the same element that was renamed, moved or put into something", () => {
    const renamed = element({ text: "Add to basket", id: "basket" });
    expect(similarity(recorded, renamed, screen(title("Blue chair"), price("$ 20"), renamed))).toBeGreaterThanOrEqual(
      SAME_ELEMENT,
    );
    const moved = element({ text: "Buy now", bounds: at(0.8) });
    expect(similarity(recorded, moved, screen(title("Blue chair"), price("$ 20"), moved))).toBeGreaterThan(0.85);
    const wrapped = element({ text: "Buy now" });
    const page = screen(title("Blue chair"), price("$ 20"), element({ role: "group", children: [wrapped] }));
    expect(similarity(recorded, wrapped, page)).toBe(1);
  });

  it("knows another element", () => {
    const other = element({
      role: "link",
      text: "Terms and conditions",
      bounds: { x: 0.1, y: 0.95, width: 0.3, height: 0.03 },
    });
    expect(similarity(recorded, other, screen(title("Blue chair"), price("$ 20"), other))).toBeLessThan(SAME_ELEMENT);
    const elsewhere = element({ text: "Delete account" });
    expect(similarity(recorded, elsewhere, screen(title("Settings"), price("Danger"), elsewhere))).toBeLessThan(
      SAME_ELEMENT,
    );
  });

  it("never holds what a password field shows", () => {
    const field = element({ role: "textbox", text: "hunter2", hint: "Password", password: true });
    expect(JSON.stringify(fingerprintOf(field, screen(field)))).not.toContain("hunter2");
    expect(fingerprintOf(buy, screen(buy, field)).near).not.toContain("hunter2");
  });

  it("is between 0 and 1, and 1 for an element itself", () => {
    const any = fc.record({
      role: fc.constantFrom("button", "link", "text"),
      text: fc.string(),
      bounds: fc.record({
        x: fc.double({ min: 0, max: 1, noNaN: true }),
        y: fc.double({ min: 0, max: 1, noNaN: true }),
        width: fc.double({ min: 0, max: 1, noNaN: true }),
        height: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 2, maxLength: 8 }), (all) => {
        const elements = all.map(element);
        const [one, other] = elements;
        if (one === undefined || other === undefined) return;
        const page = screen(...elements);
        const print = fingerprintOf(one, page);
        expect(similarity(print, one, page)).toBeCloseTo(1);
        const alike = similarity(print, other, page);
        expect(alike).toBeGreaterThanOrEqual(0);
        expect(alike).toBeLessThanOrEqual(1.000001);
      }),
    );
    expect([textSimilarity("Sign in", "sign  IN"), textSimilarity("", "x"), textSimilarity("é", "日")]).toEqual([
      1, 0, 0,
    ]);
  });
});

describe("a fingerprint in x-targets", () => {
  const read = (item: string) => parseFlow(`url: a\nx-targets:\n  "0#a":\n    - id: a\n    - ${item}\n---\n- back\n`);
  it("is the last item", () => {
    const { flow, diagnostics, portable } = read(
      "fingerprint: {role: button, text: 007, bounds: [0.1, 0.25, 0.5, 1], near: [Total, 2]}",
    );
    expect([diagnostics, portable]).toEqual([[], true]);
    expect(flow?.header.targets).toEqual([
      {
        key: "0#a",
        selectors: [{ id: "a" }],
        fingerprint: {
          role: "button",
          text: "007",
          bounds: { x: 0.1, y: 0.25, width: 0.5, height: 1 },
          near: ["Total", "2"],
        },
      },
    ]);
    expect(read("fingerprint: {role: button}").flow?.header.targets[0]?.fingerprint).toEqual({
      role: "button",
      text: "",
      near: [],
    });
  });
  it.each([
    "fingerprint: {bounds: [0, 0, 2, 1]}",
    "fingerprint: {bounds: [0]}",
    "fingerprint: {colour: red}",
    "fingerprint: x",
  ])("that cannot be read is a warning: %s", (item) => {
    const { flow, diagnostics } = read(item);
    expect(diagnostics.map(({ severity, line }) => `${severity} ${line}`)).toEqual(["warning 3"]);
    expect(flow?.header.targets).toEqual([]);
  });
});
