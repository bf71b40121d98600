import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { findElements, resolveSelector } from "./match.ts";
import type { Selector } from "./model.ts";

type Box = readonly [x: number, y: number, width: number, height: number];
const SIZE = 1000;

/** An element at pixels of a 1000 × 1000 screen, named by its ref. */
function element(
  ref: string,
  [x, y, width, height]: Box,
  more: Partial<UiElement> = {},
  children: readonly UiElement[] = [],
): UiElement {
  return {
    ref,
    role: "view",
    text: "",
    hint: "",
    accessibilityText: "",
    id: "",
    bounds: { x: x / SIZE, y: y / SIZE, width: width / SIZE, height: height / SIZE },
    enabled: true,
    selected: false,
    checked: false,
    focused: false,
    clickable: false,
    password: false,
    ...more,
    children,
  };
}
const screen = (...children: readonly UiElement[]): UiTree => ({
  root: element("root", [0, 0, SIZE, SIZE], {}, children),
  width: SIZE,
  height: SIZE,
});
const refs = (tree: UiTree, selector: Selector, css?: ReadonlySet<string>) =>
  findElements(tree, selector, css).map(({ ref }) => ref);
const B: Box = [0, 0, 10, 10];

describe("text and id", () => {
  const tree = screen(
    element("text", B, { text: "Log in" }),
    element("hint", B, { hint: "log in" }),
    element("name", B, { accessibilityText: "LOG IN" }),
    element("lines", B, { text: "Log\nin" }),
    element("price", B, { text: "Price (5)" }),
    element("id", B, { id: "com.shop:id/buy_button" }),
    element("plain", B, { id: "buy_button" }),
    element("named", B, { id: "buy", alsoIds: ["buy-id", "Buy now"] }),
  );
  it("looks at text, hint and accessibility text, whole and in any case", () => {
    expect(refs(tree, { text: "log in" })).toEqual(["text", "hint", "name", "lines"]);
    expect(refs(tree, { text: "log" })).toEqual([]);
    expect(refs(tree, { text: "log.*" })).toEqual(["text", "hint", "name", "lines"]);
  });
  it("takes a text for itself where the expression means something else", () => {
    expect(refs(tree, { text: "Price (5)" })).toEqual(["price"]);
    expect(refs(tree, { text: "Price (5" })).toEqual([]);
  });
  it("finds ids whole or by what follows the last slash", () => {
    expect(refs(tree, { id: "buy_button" })).toEqual(["id", "plain"]);
    expect(refs(tree, { id: "com.shop:id/buy_.*" })).toEqual(["id"]);
    expect(refs(tree, { id: "button" })).toEqual([]);
    expect(refs(tree, { id: "Buy now" })).toEqual(["named"]);
    expect(refs(tree, { id: "" })).toEqual([]);
  });
  it("asks for all parts of a selector", () => {
    expect(
      refs(screen(element("a", B, { text: "x", id: "1" }), element("b", B, { text: "x", id: "2" })), {
        text: "x",
        id: "2",
      }),
    ).toEqual(["b"]);
  });
});

describe("other ids", () => {
  const tree = screen(
    element("field", B, { id: "search", alsoIds: ["q"] }),
    element("titled", B, { alsoIds: ["", "Search"] }),
    element("named", B, { id: "a", alsoIds: ["Menu"] }),
  );
  it("count where nothing has the id first of all", () => {
    expect(refs(tree, { id: "search" })).toEqual(["field"]);
    expect(refs(tree, { id: "q" })).toEqual(["field"]);
    expect(refs(tree, { id: "menu" })).toEqual(["named"]);
    expect(refs(tree, { id: "none" })).toEqual([]);
  });
});

describe("state, size, traits, css", () => {
  it.each(["enabled", "selected", "checked", "focused"] as const)("tells %s", (name) => {
    const tree = screen(element("yes", B, { [name]: true, text: "x" }), element("no", B, { [name]: false, text: "x" }));
    expect(refs(tree, { text: "x", [name]: true })).toEqual(["yes"]);
    expect(refs(tree, { text: "x", [name]: false })).toEqual(["no"]);
  });
  it("compares sizes in pixels with a tolerance", () => {
    const tree = screen(element("a", [0, 0, 100, 50]), element("b", [0, 0, 104, 50]));
    expect(refs(tree, { width: 100 })).toEqual(["a"]);
    expect(refs(tree, { width: 100, height: 50, tolerance: 4 })).toEqual(["a", "b"]);
    expect(refs(tree, { width: 100, height: 60, tolerance: 4 })).toEqual([]);
  });
  it("knows traits", () => {
    const tree = screen(
      element("long", [0, 0, 10, 90], { text: "x".repeat(201) }),
      element("short", [0, 0, 10, 90], { text: "x" }),
      element("square", [0, 0, 100, 98]),
    );
    expect(refs(tree, { traits: ["text"] })).toEqual(["long", "short"]);
    expect(refs(tree, { traits: ["text", "long-text"] })).toEqual(["long"]);
    expect(refs(tree, { traits: ["square"] })).toEqual(["square"]);
  });
  it("takes css from outside", () => {
    const tree = screen(element("a", B), element("b", B));
    expect(refs(tree, { css: ".x" }, new Set(["b"]))).toEqual(["b"]);
    expect(refs(tree, { css: ".x" })).toEqual([]);
  });
});

describe("order", () => {
  it("gives the deepest of nested matches", () => {
    const tree = screen(
      element("outer", B, { text: "x" }, [
        element("mid", B, {}, [element("one", B, { text: "x" }), element("two", B, { text: "x" })]),
      ]),
      element("after", B, { text: "x" }),
    );
    expect(refs(tree, { text: "x" })).toEqual(["one", "two", "after"]);
  });
  it("puts what can be clicked first and keeps the order otherwise", () => {
    const tree = screen(
      element("a", B, { text: "x" }),
      element("b", B, { text: "x", clickable: true }),
      element("c", B, { text: "x" }),
      element("d", B, { text: "x", clickable: true }),
    );
    expect(refs(tree, { text: "x" })).toEqual(["b", "d", "a", "c"]);
  });
  it("counts an index by rows, from the end when negative", () => {
    const tree = screen(
      element("low", [0, 50, 9, 9], { text: "x" }),
      element("right", [50, 0, 9, 9], { text: "x", clickable: true }),
      element("left", [0, 0, 9, 9], { text: "x" }),
    );
    const at = (index: string) => refs(tree, { text: "x", index });
    expect([at("0"), at("1"), at("2"), at("3")]).toEqual([["left"], ["right"], ["low"], []]);
    expect([at("-1"), at("-3"), at("-4")]).toEqual([["low"], ["left"], []]);
    expect([at("1.0"), at("1.9"), at("x"), at("")]).toEqual([["right"], ["right"], [], []]);
  });
});

describe("relations", () => {
  const names = [
    ["Top Left", "Top", "Top Right"],
    ["Left", "Middle", "Right"],
    ["Bottom Left", "Bottom", "Bottom Right"],
  ];
  const grid: UiTree = screen(
    ...names.flatMap((row, y) => row.map((text, x) => element(text, [100 * x, 100 + 100 * y, 100, 100], { text }))),
  );
  it.each([
    [{ above: { text: "Middle" }, rightOf: { text: "Top Left" } }, "Top"],
    [{ below: { text: "Middle" }, rightOf: { text: "Bottom Left" } }, "Bottom"],
    [{ leftOf: { text: "Middle" }, below: { text: "Top Left" } }, "Left"],
    [{ rightOf: { text: "Middle" }, below: { text: "Top Right" } }, "Right"],
    [{ below: { text: "Middle" }, leftOf: { text: "Middle" } }, "Bottom Left"],
    [{ below: { text: "Middle" }, rightOf: { text: "Middle" } }, "Bottom Right"],
  ] as const)("%j", (selector, expected) => expect(refs(grid, selector)[0]).toBe(expected));

  it("puts the nearest first, whatever the document says", () => {
    const tree = screen(
      element("far", [0, 500, 9, 9], { text: "x" }),
      element("near", [0, 100, 9, 9], { text: "x" }),
      element("title", B, { text: "Title" }),
    );
    expect(refs(tree, { text: "x", below: { text: "Title" } })).toEqual(["near", "far"]);
    expect(refs(tree, { text: "x", below: { text: "None" } })).toEqual([]);
    expect(refs(tree, { text: "x", above: { text: "x" } })).toEqual(["near"]);
  });
  it("compares corners only", () => {
    const tree = screen(element("a", [0, 0, 900, 900], { text: "a" }), element("b", [1, 1, 5, 5], { text: "b" }));
    expect(refs(tree, { text: "b", below: { text: "a" }, rightOf: { text: "a" } })).toEqual(["b"]);
  });

  const list = (ref: string, ...texts: readonly string[]) =>
    element(
      ref,
      B,
      { id: ref },
      texts.map((text) => element(`${ref}.${text}`, B, { text })),
    );
  const lists = screen(
    list("one", "a", "b"),
    list("two", "b", "c"),
    element("deep", B, { id: "deep" }, [list("three", "c")]),
  );
  it("finds by children and descendants", () => {
    expect(refs(lists, { containsChild: { text: "c" } })).toEqual(["two", "three"]);
    expect(refs(lists, { id: "deep", containsChild: { text: "c" } })).toEqual([]);
    expect(refs(lists, { id: "deep", containsDescendants: [{ text: "c" }, { id: "three" }] })).toEqual(["deep"]);
    expect(refs(lists, { id: "one", containsDescendants: [{ id: "one" }] })).toEqual([]);
    expect(refs(lists, { id: "one|two", containsDescendants: [{ text: "b" }, { text: "c" }] })).toEqual(["two"]);
  });
  it("finds within a parent, and within a parent's parent", () => {
    expect(refs(lists, { text: "b", childOf: { id: "two" } })).toEqual(["two.b"]);
    expect(refs(lists, { text: "c", childOf: { id: "three", childOf: { id: "deep" } } })).toEqual(["three.c"]);
    expect(refs(lists, { text: "c", childOf: { id: "three", childOf: { id: "one" } } })).toEqual([]);
    expect(refs(lists, { text: ".", index: "-1", childOf: { id: "one" } })).toEqual(["one.b"]);
  });
  it("reads relations inside relations", () => {
    const tree = screen(
      element("top", [0, 50, 9, 9], { text: "top side" }),
      element("l0", [0, 100, 300, 300], { id: "l0" }, [
        element("l1", [10, 120, 200, 200], { id: "l1" }, [element("l2", [20, 140, 9, 9], { id: "l2" })]),
      ]),
      element("end", [0, 500, 9, 9], { text: "bottom side" }),
    );
    const selector = {
      id: "l0",
      containsChild: {
        id: "l1",
        containsChild: { id: "l2" },
        below: { text: "top side" },
        above: { text: "bottom side" },
      },
    };
    expect(refs(tree, selector)).toEqual(["l0"]);
    expect(
      refs(tree, { ...selector, containsChild: { ...selector.containsChild, below: { text: "bottom side" } } }),
    ).toEqual([]);
  });
});

describe("any tree", () => {
  const tree = fc
    .array(
      fc.record({
        at: fc.nat(30),
        text: fc.constantFrom("", "a", "b", "ab"),
        x: fc.nat(9),
        y: fc.nat(9),
        clickable: fc.boolean(),
      }),
      { maxLength: 30 },
    )
    .map((nodes): UiTree => {
      const build = (index: number): UiElement[] =>
        nodes.flatMap((node, at) =>
          at > 0 && node.at % at === index && index < at
            ? [element(`${at}`, [node.x, node.y, 9, 9], node, build(at))]
            : [],
        );
      return screen(...build(0));
    });
  const walk = (one: UiElement): readonly UiElement[] => [one, ...one.children.flatMap(walk)];

  it("gives exactly the matching elements that contain no matching one", () => {
    fc.assert(
      fc.property(tree, fc.constantFrom("a", "b", "ab", "a|b", ".+"), (page, text) => {
        const fits = (one: UiElement) => new RegExp(`^(?:${text})$`).test(one.text);
        const expected = walk(page.root).filter((one) => fits(one) && !walk(one).slice(1).some(fits));
        expect(new Set(refs(page, { text }))).toEqual(new Set(expected.map(({ ref }) => ref)));
      }),
    );
  });
  it("gives each element once, and by index the same set", () => {
    const selector: fc.Arbitrary<Selector> = fc.constantFrom(
      { text: "a" },
      { text: ".*", below: { text: "b" } },
      { containsChild: { text: "a|b" } },
      { containsDescendants: [{ text: "a" }, { text: "b" }] },
      { text: ".+", childOf: { containsChild: { text: "a" } } },
    );
    fc.assert(
      fc.property(tree, selector, (page, one) => {
        const found = refs(page, one);
        expect(new Set(found).size).toBe(found.length);
        const byIndex = found.flatMap((_, index) => refs(page, { ...one, index: `${index}` }));
        expect(byIndex.toSorted()).toEqual(found.toSorted());
      }),
    );
  });
});

it("evaluates the templates of inner selectors too", async () => {
  const selector: Selector = {
    text: "${a}",
    width: 5,
    traits: ["text"],
    below: { id: "${b}" },
    containsDescendants: [{ text: "c" }, { css: "${d}" }],
  };
  expect(await resolveSelector(selector, async (template) => `<${template}>`)).toEqual({
    text: "<${a}>",
    width: 5,
    traits: ["text"],
    below: { id: "<${b}>" },
    containsDescendants: [{ text: "<c>" }, { css: "<${d}>" }],
  });
});
