import { describe, expect, it } from "vitest";
import type { UiElement, UiTree } from "../../shared/ui-tree.ts";
import { ManualClock } from "../clock.ts";
import { LOOK_MS, SeenTrees } from "./seen-trees.ts";
import { typedWhere } from "./typed-text.ts";

const plain: UiElement = {
  ref: "",
  role: "text",
  text: "",
  hint: "",
  accessibilityText: "",
  id: "",
  bounds: { x: 0, y: 0, width: 1, height: 1 },
  enabled: true,
  selected: false,
  checked: false,
  focused: false,
  clickable: false,
  password: false,
  children: [],
};
const tree = (document: string, text: string, more: Partial<UiElement> = {}): UiTree => ({
  root: { ...plain, children: [{ ...plain, ref: `${document}.1`, text, ...more }] },
  width: 400,
  height: 800,
});
const textOf = (found: UiTree | undefined) => found?.root.children[0]?.text;

/** A phone that shows what it is told. */
function phone(how: { late?: boolean } = {}) {
  const clock = new ManualClock();
  let shown = tree("a", "first");
  let looks = 0;
  const seen = new SeenTrees({
    now: () => clock.now(),
    look: async () => {
      looks += 1;
      return shown;
    },
    ...how,
  });
  return {
    clock,
    seen,
    looks: () => looks,
    /** Another picture goes out, and what it shows is read. */
    async show(frame: number, next: UiTree) {
      shown = next;
      clock.advance(LOOK_MS);
      seen.frame(frame);
      await seen.now();
    },
    change(next: UiTree) {
      shown = next;
    },
  };
}

describe("what was in a picture", () => {
  it("is what was seen at the beginning, while no other picture went out", async () => {
    const { seen, change } = phone({ late: true });
    await seen.now();
    change(tree("a", "second"));
    expect(textOf(await seen.at(57))).toBe("first");
    seen.frame(58);
    expect(textOf(await seen.at(57))).toBe("first");
  });

  it("is the tree that was read for it, though others came since", async () => {
    const at = phone();
    await at.show(1, tree("a", "one"));
    await at.show(2, tree("a", "two"));
    await at.show(3, tree("b", "three"));
    expect(await Promise.all([1, 2, 3].map(async (frame) => textOf(await at.seen.at(frame))))).toEqual([
      "one",
      "two",
      "three",
    ]);
  });
  it("is the nearest of the same document where none was read for it", async () => {
    const at = phone();
    await at.show(1, tree("a", "one"));
    await at.show(9, tree("a", "nine"));
    expect(textOf(await at.seen.at(2))).toBe("one");
    expect(textOf(await at.seen.at(8))).toBe("nine");
  });
  it("is not known between two documents", async () => {
    const at = phone();
    await at.show(1, tree("a", "one"));
    await at.show(9, tree("b", "nine"));
    expect(await at.seen.at(5)).toBeUndefined();
  });
  it("is not the next document's, which is there before it is drawn", async () => {
    const at = phone();
    await at.show(1, tree("a", "one"));
    at.seen.frame(2);
    // Read late, when the page had been left already.
    at.clock.advance(LOOK_MS);
    at.change(tree("b", "next"));
    await at.seen.now();
    expect(await at.seen.at(2)).toBeUndefined();
    await at.show(3, tree("b", "next"));
    expect(textOf(await at.seen.at(3))).toBe("next");
  });
  it("is forgotten after two seconds, but for the newest", async () => {
    const at = phone();
    await at.show(1, tree("a", "one"));
    await at.show(2, tree("a", "two"));
    at.clock.advance(60_000);
    expect(textOf(await at.seen.at(2))).toBe("two");
    await at.show(3, tree("a", "three"));
    await at.show(4, tree("a", "four"));
    at.clock.advance(3_000);
    await at.show(5, tree("a", "five"));
    await at.show(6, tree("a", "six"));
    expect(await at.seen.at(1)).toBeUndefined();
    expect(textOf(await at.seen.at(6))).toBe("six");
  });
  it("is read at a bounded rate while it moves", async () => {
    const at = phone();
    for (let frame = 1; frame <= 50; frame += 1) {
      at.seen.frame(frame);
      at.clock.advance(5);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(at.looks()).toBeLessThanOrEqual(4);
    at.seen.close();
  });
});

describe("where something was typed", () => {
  const field = (document: string, ref: string, more: Partial<UiElement> = {}): UiTree => ({
    ...tree(document, ""),
    root: { ...plain, children: [{ ...plain, role: "textbox", focused: true, ref: `${document}.${ref}`, ...more }] },
  });
  const none = tree("a", "nothing has the focus");
  const plainField = field("a", "1", { text: "ada" });
  const password = field("a", "2", { password: true });
  const where = (before: UiTree | undefined, after: UiTree | undefined, settled = true, passwords: string[] = []) =>
    typedWhere({ value: "ada", before, after, settled, passwords: new Set(passwords) }).secret;

  it("may be kept only when that is known to be no password field", () => {
    expect(where(plainField, plainField)).toBe(false);
    expect(where(none, plainField, false)).toBe(false);
    // It sends itself on the last letter, or Enter came at once.
    expect(where(plainField, none)).toBe(false);
    expect(where(plainField, undefined)).toBe(false);
  });
  it.each([
    ["into a password field", password, password, true],
    ["into one that was focused right before", password, plainField, true],
    ["into one that got the focus meanwhile", plainField, password, true],
    ["nobody knows where", undefined, undefined, true],
    ["right after a touch, and the page went away", plainField, none, false],
    ["into another field, which does not show it", field("b", "1"), field("a", "9", { text: "•••" }), true],
    ["right after a touch, while the phone does not answer", plainField, undefined, false],
  ] as const)("is a secret %s", (_words, before, after, settled) => {
    expect(where(before, after, settled)).toBe(true);
  });
  it("is a secret in a field whose password is shown", () => {
    expect(where(plainField, plainField, true, ["a.1"])).toBe(true);
  });
});

describe("what was in a picture of a phone that takes its time", () => {
  it("is what was read before a touch, not what is read while it works", async () => {
    const { seen, show, change } = phone({ late: true });
    await show(3, tree("a", "the button"));
    change(tree("a", "what the touch opened"));
    seen.frame(4);
    expect(textOf(await seen.at(4))).toBe("the button");
  });
  it("is not known when the picture changed much since", async () => {
    const { seen, show } = phone({ late: true });
    await show(3, tree("a", "the button"));
    seen.frame(20);
    expect(await seen.at(20)).toBeUndefined();
  });
  it("is of the picture the person still saw, though a newer one was read", async () => {
    const { seen, show } = phone({ late: true });
    await show(3, tree("a", "old"));
    await show(30, tree("a", "new"));
    expect(textOf(await seen.at(4))).toBe("old");
    expect(textOf(await seen.at(29))).toBe("new");
    expect(await seen.at(15)).toBeUndefined();
  });
  it("is not known where nothing could be read", async () => {
    const { seen, show } = phone({ late: true });
    await show(3, { ...tree("a", "nothing"), unread: true });
    expect(await seen.at(3)).toBeUndefined();
    expect(seen.newest).toBeUndefined();
  });
});
