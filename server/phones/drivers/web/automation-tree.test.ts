/** Refs and listings are read from outside: whatever they hold, reading them is safe. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UiElement } from "../../../../shared/ui-tree.ts";
import { parseRef } from "./automation-ref.ts";
import { parseListing, treeOf } from "./automation-tree.ts";
import type { Row } from "./automation-walk.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const length = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const row = (at: number) =>
  fc.tuple(
    fc.integer({ min: -1, max: at - 1 }),
    fc.nat({ max: 999_999_999 }),
    fc.string(),
    fc.string(),
    fc.string(),
    fc.string(),
    fc.array(fc.string(), { maxLength: 3 }),
    length,
    length,
    length,
    length,
    fc.nat({ max: 63 }),
  );
const listing = fc.nat({ max: 20 }).chain((count) =>
  fc.record({
    token: hex(16),
    width: fc.integer({ min: 1, max: 2_000 }),
    height: fc.integer({ min: 1, max: 2_000 }),
    rows: fc.tuple(...Array.from({ length: count }, (_, at) => row(at))),
    holes: fc.constant([]),
    cut: fc.boolean(),
  }),
);

function everyElement(element: UiElement, look: (one: UiElement) => void): void {
  look(element);
  for (const child of element.children) everyElement(child, look);
}

describe("a page's listing", () => {
  it("becomes a tree inside the screen, without passwords", () => {
    fc.assert(
      fc.property(listing, (made) => {
        const parsed = parseListing(JSON.stringify(made));
        expect(parsed).toBeDefined();
        if (parsed === undefined) return;
        const tree = treeOf({ listing: parsed, prefix: "", inside: new Map() }, 360, 800);
        everyElement(tree.root, ({ bounds, password, text, ref }) => {
          for (const low of [bounds.x, bounds.y, bounds.width, bounds.height]) expect(low).toBeGreaterThanOrEqual(0);
          expect(Math.max(bounds.x + bounds.width, bounds.y + bounds.height)).toBeLessThanOrEqual(1 + 1e-9);
          if (password) expect(text).toBe("");
          if (ref !== "") expect(parseRef(ref)).toHaveLength(1);
        });
      }),
    );
  });

  it("of any other shape is none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.anything()), (answer) => {
        expect(parseListing(answer)).toBeUndefined();
      }),
    );
    const good = { token: "0".repeat(16), width: 1, height: 1, rows: [], holes: [], cut: false };
    expect(parseListing(JSON.stringify(good))).toBeDefined();
    for (const bad of [{ width: 0 }, { token: "x" }, { rows: [[]] }, { rows: "" }, { holes: [{ row: 0 }] }]) {
      expect(parseListing(JSON.stringify({ ...good, ...bad }))).toBeUndefined();
    }
    const rows = [[-1, 1, "", "", "", "", [], 0, 0, 1, 1, 0]];
    expect(parseListing(JSON.stringify({ ...good, rows }))).toBeDefined();
    const bare = { row: 0, content: {}, clip: {} };
    expect(parseListing(JSON.stringify({ ...good, rows, holes: [bare] }))).toBeUndefined();
  });

  it("in a frame that is nowhere has no elements there", () => {
    const rows: Row[] = [[-1, 1, "", "", "", "", [], 0, 0, 1e-3, 1e-3, 0]];
    const wide = { left: -1e308, top: -1e308, right: 1e308, bottom: 1e308 };
    const made = { token: "0".repeat(16), width: 1e-3, height: 1e-3, rows, holes: [], cut: false };
    const framed = { listing: made, prefix: "", inside: new Map() };
    const page = { ...made, holes: [{ row: 0, content: wide, clip: wide }] };
    const { root } = treeOf({ listing: page, prefix: "", inside: new Map([[0, framed]]) }, 360, 800);
    expect(root.children).toMatchObject([{ bounds: { x: 0, y: 0, width: 1, height: 1 }, children: [] }]);
  });
});

describe("a ref", () => {
  it("is read as the way it was written", () => {
    const step = fc.record({ frameId: hex(32), token: hex(16), number: fc.nat({ max: 999_999_999 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        const way = steps.map((one, at) => (at === 0 ? { ...one, frameId: "" } : one));
        const text = way.map(({ frameId, token, number }) => `${frameId && `${frameId}:`}${token}.${number}`).join(">");
        expect(parseRef(text)).toEqual(way);
      }),
    );
  });

  it("of any other shape is none", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseRef(text)).toBeUndefined();
      }),
    );
  });
});
