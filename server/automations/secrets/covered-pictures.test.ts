import { decode, encode } from "fast-png";
import { describe, expect, it } from "vitest";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import { coveredScreenshot, treeForPictures, treeToKeep } from "./covered-pictures.ts";
import { NO_SECRETS, redactorOf } from "./redact.ts";

const WIDTH = 100;
const HEIGHT = 200;
const REDACTOR = redactorOf([{ name: "PASSWORD", value: "hunter22" }]);

const element = (change: Partial<UiElement>): UiElement => ({
  ref: "1",
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
  ...change,
});
const treeOf = (...children: UiElement[]): UiTree => ({
  root: element({ role: "screen", children }),
  width: 50,
  height: 100,
});
const at = (y: number) => ({ x: 0.1, y, width: 0.5, height: 0.1 });
const field = (y: number) => element({ password: true, text: "should not be here", bounds: at(y) });

/** Every pixel is of its own colour. */
const noise = () => {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).map((_, index) => Math.imul(index, 2_654_435_761) >>> 24);
  return { width: WIDTH, height: HEIGHT, png: encode({ width: WIDTH, height: HEIGHT, channels: 3, data }) };
};
/** Colours in a part of a picture; fractions. */
const colours = (picture: Uint8Array, { x, y, width, height }: UiElement["bounds"]): number => {
  const { data, channels, width: across } = decode(picture);
  const seen = new Set<string>();
  for (let row = Math.round(y * HEIGHT); row < Math.round((y + height) * HEIGHT); row += 1) {
    for (let column = Math.round(x * WIDTH); column < Math.round((x + width) * WIDTH); column += 1) {
      const start = (row * across + column) * channels;
      seen.add([...data.subarray(start, start + 3)].join());
    }
  }
  return seen.size;
};
const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

/** Answers in turn; the last one for good. */
const inTurn = <T>(...answers: [T, ...T[]]) => {
  let calls = 0;
  return async () => answers[Math.min(calls++, answers.length - 1)] ?? answers[0];
};

describe("a picture of a run", () => {
  it("has its password fields covered, and all else as it was", async () => {
    const { png } = await coveredScreenshot({
      redactor: NO_SECRETS,
      take: async () => noise(),
      elements: async () => treeOf(field(0.2), element({ text: "hunter22", bounds: at(0.5) })),
    });
    expect(colours(png, at(0.2))).toBe(1);
    expect(colours(png, at(0.5))).toBeGreaterThan(500);
    expect(colours(png, WHOLE)).toBeGreaterThan(700);
  });

  it("is left alone when there is nothing to cover", async () => {
    const taken = noise();
    const options = { redactor: REDACTOR, take: async () => taken, elements: async () => treeOf() };
    expect(await coveredScreenshot(options)).toBe(taken);
  });

  it.each([
    ["its text", { text: "your password is hunter22!" }],
    ["its hint", { hint: "hunter22" }],
    ["its name", { accessibilityText: "aHVudGVyMjI=" }],
  ])("covers what shows a secret in %s", async (_where, shown) => {
    const elements = async () => treeOf(element({ ...shown, bounds: at(0.4) }));
    const { png } = await coveredScreenshot({ redactor: REDACTOR, take: async () => noise(), elements });
    expect(colours(png, at(0.4))).toBe(1);
    expect(colours(png, at(0.7))).toBeGreaterThan(500);
  });

  it("is taken again when what is to be covered moved meanwhile", async () => {
    let taken = 0;
    const { png } = await coveredScreenshot({
      redactor: NO_SECRETS,
      take: async () => {
        taken += 1;
        return noise();
      },
      elements: inTurn(treeOf(field(0.2)), treeOf(field(0.3)), treeOf(field(0.6)), treeOf(field(0.6))),
    });
    expect(taken).toBe(3);
    expect(colours(png, at(0.6))).toBe(1);
    expect(colours(png, at(0.2))).toBeGreaterThan(500);
  });

  it("is covered as a whole when that never rests, or the screen cannot be read as a whole", async () => {
    let y = 0;
    const moving = async () => {
      y = (y + 0.01) % 0.8;
      return treeOf(field(y));
    };
    const cut = async () => ({ ...treeOf(), note: "There is more." });
    const sheet = async () => ({ ...treeOf(), overPicture: true });
    for (const [redactor, elements] of [
      [NO_SECRETS, moving],
      [REDACTOR, cut],
      [REDACTOR, sheet],
    ] as const) {
      const { png } = await coveredScreenshot({ redactor, take: async () => noise(), elements });
      expect(colours(png, WHOLE)).toBe(1);
    }
  });

  it("shows of a dialog over a page the dialog alone", async () => {
    const dialog = element({ role: "dialog", bounds: { x: 0.2, y: 0.4, width: 0.6, height: 0.2 } });
    const elements = async () => ({ ...treeOf(dialog), overPicture: true });
    const { png } = await coveredScreenshot({ redactor: REDACTOR, take: async () => noise(), elements });
    expect(colours(png, { x: 0.25, y: 0.42, width: 0.5, height: 0.15 })).toBeGreaterThan(500);
    for (const outside of [
      { x: 0, y: 0, width: 1, height: 0.4 },
      { x: 0, y: 0.6, width: 1, height: 0.4 },
      { x: 0, y: 0.4, width: 0.2, height: 0.2 },
      { x: 0.8, y: 0.4, width: 0.2, height: 0.2 },
    ]) {
      expect(colours(png, outside)).toBe(1);
    }
  });

  it("that is left out as a whole where it shows a password is left out where it shows a secret too", () => {
    const shown = element({ text: "hunter22", bounds: at(0.2) });
    expect(treeForPictures(treeOf(shown), REDACTOR).root.password).toBe(true);
    expect(treeForPictures({ ...treeOf(), note: "There is more." }, REDACTOR).root.password).toBe(true);
    expect(treeForPictures(treeOf(), REDACTOR).root.password).toBe(false);
    expect(treeForPictures(treeOf(shown), NO_SECRETS).root.password).toBe(false);
  });

  it("stands beside a tree without secrets, and without what is in password fields", () => {
    const kept = treeToKeep(treeOf(field(0.1), element({ text: "hunter22", id: "id-hunter22" })), REDACTOR);
    expect(JSON.stringify(kept)).not.toMatch(/hunter22|should not be here/);
    expect(kept.root.children).toMatchObject([{ text: "" }, { text: "[PASSWORD]", id: "id-[PASSWORD]" }]);
  });
});
