import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findElements } from "../flows/match.ts";
import type { UiTree } from "../ui-tree.ts";
import { appeared } from "./appeared.ts";
import { candidatesFor, looksGenerated } from "./candidates.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { createGestureReader, type Gesture, type TouchInput } from "./gestures.ts";
import { hitTest, touchTarget } from "./hit-test.ts";
import { measureSurvival, recorderDocument } from "./testing/survival.ts";
import { element, HEIGHT, SCREENS, screen, settings, shop, signIn, WIDTH } from "./testing/trees.ts";
import { isWithin, walk } from "./walk.ts";

const at = (x: number, y: number) => ({ x: x / WIDTH, y: y / HEIGHT });
const recorded = (tree: UiTree, x: number, y: number) => {
  const target = touchTarget(tree, at(x, y));
  if (target === undefined) throw new Error("Nothing there");
  return { target, candidates: candidatesFor(tree, target, at(x, y)) };
};

describe("what a finger touched", () => {
  it("is the button around the text in it, when that has an id or a label to offer", () => {
    expect(touchTarget(signIn(), at(40, 225))).toMatchObject({ accessibilityText: "Sign in now" });
    expect(touchTarget(shop(), at(370, 20))).toMatchObject({ id: "cart-link" });
  });
  it("is not a container many times its size", () => {
    expect(touchTarget(shop(), at(150, 130))).toMatchObject({ text: "Blue chair" });
    expect(touchTarget(signIn(), at(30, 110))).toMatchObject({ id: "email" });
  });
  it("is what was drawn last, and an empty cover only when nothing else is there", () => {
    const over = element([0, 0, 400, 100], { role: "button", text: "Accept", clickable: true });
    const cover = element([0, 0, 400, 800]);
    const tree = screen(element([0, 0, 400, 100], { text: "Below" }), over, cover);
    expect(hitTest(tree, at(10, 10))).toBe(over);
    expect(hitTest(tree, at(10, 500))).toBe(cover);
  });
  it("is what the page says lies there, if that was in the picture", () => {
    const below = element([0, 0, 400, 100], { text: "Below" });
    const tree = screen(below, element([0, 0, 400, 100], { text: "Passes touches on" }));
    expect(hitTest(tree, at(10, 10), ["gone", below.ref])).toBe(below);
  });
});

describe("candidates", () => {
  it("find their element, and only it, on the screen they were recorded on", () => {
    const spots = fc.tuple(fc.constantFrom(...Object.values(SCREENS)), fc.nat(WIDTH - 1), fc.nat(HEIGHT - 1));
    fc.assert(
      fc.property(spots, ([make, x, y]) => {
        const tree = make();
        const { target, candidates } = recorded(tree, x, y);
        expect(candidates.length).toBeGreaterThan(0);
        for (const { kind, selector } of candidates) {
          const { point, ...rest } = selector;
          const found = findElements(tree, rest);
          if (kind === "point") expect(point).toMatch(/^[\d.]+%,[\d.]+%$/);
          else if (kind === "point_in") expect(found).toHaveLength(1);
          else {
            if (kind !== "beside") expect(found).toHaveLength(1);
            expect(found[0] !== undefined && isWithin(walk(tree), found[0], target)).toBe(true);
          }
        }
      }),
    );
  });
  it("put a made-up id behind a name", () => {
    expect(recorded(signIn(), 40, 225).candidates.map(({ kind }) => kind)).toEqual([
      "label",
      "id",
      "point_in",
      "point",
    ]);
    expect(recorded(shop(), 200, 770).candidates[0]).toMatchObject({ kind: "text", selector: { text: "Contact" } });
  });
  it("tell one of several by what it stands below", () => {
    const { candidates } = recorded(shop(), 320, 350);
    expect(candidates[0]).toMatchObject({
      kind: "beside",
      selector: { text: "Add to cart", below: { text: "Oak table" } },
    });
    expect(candidates.map(({ kind }) => kind)).toContain("text_index");
  });
  it("offer dates as a pattern", () => {
    const { candidates } = recorded(settings(), 30, 410);
    expect(candidates.find(({ kind }) => kind === "pattern")?.selector).toEqual({ text: "Updated \\d+ May \\d+" });
  });
  it("never hold what was typed into a field", () => {
    const tree = screen(element([0, 0, 400, 50], { role: "textbox", text: "hunter2", hint: "Pass phrase" }));
    const { target, candidates } = recorded(tree, 10, 10);
    expect(JSON.stringify([candidates, fingerprintOf(target, tree)])).not.toContain("hunter2");
    expect(candidates[0]?.selector).toEqual({ text: "Pass phrase" });
  });
  it("say where in a large thing without words the finger was", () => {
    const tree = screen(element([0, 0, 400, 400], { role: "image", id: "map" }));
    expect(recorded(tree, 100, 300).candidates[0]?.selector).toEqual({ id: "map", point: "25%,75%" });
  });
  it("write ids as the patterns they are read as", () => {
    const tree = screen(
      element([0, 0, 10, 10], { id: "items[0]", clickable: true }),
      element([0, 20, 10, 10], { id: "items0" }),
    );
    expect(recorded(tree, 5, 5).candidates[0]?.selector).toEqual({ id: "items\\[0\\]" });
  });
  it.each([":r7:", "link-4827193", "a1b2c3d4", "ember123", "b7c1f0e9", "x-3f2504e0-4f89-41d3"])(
    "take %s for made up",
    (id) => expect(looksGenerated(id)).toBe(true),
  );
  it.each(["sign-in", "email", "step-2", "com.shop:id/buy_button", "product_42", "facade", "h1"])(
    "take %s for a name",
    (id) => expect(looksGenerated(id)).toBe(false),
  );
});

describe("what came with a step", () => {
  it("is proposed as an assertion, alerts and headings first, values of fields never", () => {
    const before = signIn();
    const after = screen(
      element([0, 0, 100, 20], { text: "12 results" }),
      element([0, 30, 100, 20], { text: "Welcome back", role: "heading" }),
      element([0, 60, 100, 20], { text: "Sign in" }),
      element([0, 90, 100, 20], { role: "textbox", text: "ada@example.com" }),
    );
    expect(appeared(before, after).map(({ words }) => words)).toEqual(["Welcome back", "12 results"]);
  });
});

describe("gestures", () => {
  const size = { width: 400, height: 800 };
  const play = (
    ...touches: readonly (readonly [number, TouchInput["phase"], number, number, number?])[]
  ): Gesture[] => {
    const reader = createGestureReader();
    return touches.flatMap(
      ([now, phase, x, y, id = 0]) => reader.touch(now, { phase, id, x: x / 400, y: y / 800, seq: now }, size) ?? [],
    );
  };
  it.each([
    [300, "tap"],
    [500, "longPress"],
  ] as const)("a finger down for %i ms is a %s", (ms, kind) => {
    expect(play([0, "start", 100, 100], [ms, "end", 104, 100])).toMatchObject([{ kind, seq: 0, at: at(100, 100) }]);
  });
  it("a way along an axis has a direction, another has none, a trembling finger stands still", () => {
    expect(play([0, "start", 100, 400], [50, "move", 100, 300], [90, "end", 120, 200])).toMatchObject([
      { kind: "swipe", direction: "UP" },
    ]);
    expect(play([0, "start", 100, 400], [90, "end", 200, 300])).toMatchObject([
      { kind: "swipe", direction: undefined },
    ]);
    expect(play([0, "start", 100, 400], [50, "move", 200, 400], [90, "end", 101, 400])).toMatchObject([
      { kind: "swipe" },
    ]);
  });
  it("two fingers are no gesture of a flow, a cancelled touch is none at all", () => {
    const two = [
      [0, "start", 100, 100],
      [5, "start", 200, 200, 1],
      [90, "end", 100, 100],
      [95, "end", 200, 200, 1],
    ] as const;
    expect(play(...two)).toEqual([{ kind: "many" }]);
    expect(play([0, "start", 100, 100], [50, "cancel", 100, 100], [60, "end", 100, 100])).toEqual([]);
    expect(play([0, "start", 100, 100], [900, "start", 100, 100], [990, "end", 100, 100])).toMatchObject([
      { kind: "tap" },
    ]);
  });
});

const FLOORS: Readonly<Record<string, number>> = {
  "its text changed": 0.9,
  "nodes wrapped": 0.95,
  "one more before it": 0.4,
};

describe("survival", () => {
  it("stands in docs/recorder.md as it is", () => {
    expect(readFileSync("docs/recorder.md", "utf8")).toBe(recorderDocument());
  });
  it("is above what a recorder is good for", () => {
    const { ranked } = measureSurvival();
    for (const [mutation, { same, other, none }] of Object.entries(ranked)) {
      const share = same / (same + other + none);
      const floor = FLOORS[mutation] ?? 1;
      expect(share, mutation).toBeGreaterThanOrEqual(floor);
    }
  });
});
