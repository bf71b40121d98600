/**
 * The XML of `uiautomator dump`, as elements, and that of `appium-uiautomator2-server`, which is the same but for the names
 * of its elements: those are classes (its `core/AccessibilityNodeInfoDumper.java`). It comes from a phone that opens anything, so it is hostile: bytes, nodes,
 * depth and lengths are bounded, declarations and entities of its own are refused, and a place that cannot be is none.
 * Attributes: AOSP cmds/uiautomator `AccessibilityNodeInfoDumper`, androidx.test.uiautomator for `hint`.
 */
import { SaxesParser } from "saxes";
import type { UiBounds } from "../../../../../shared/ui-tree.ts";

export const XML_LIMITS = { bytes: 4 * 1024 * 1024, nodes: 5_000, depth: 200, value: 4_000, id: 300 } as const;

/** One `<node>`, or one element with a class. */
export interface XmlNode {
  readonly className: string;
  readonly packageName: string;
  readonly resourceId: string;
  readonly text: string;
  readonly description: string;
  readonly hint: string;
  /** Fractions of the screen, cut to it; undefined: nowhere that could be drawn. */
  readonly bounds: UiBounds | undefined;
  readonly flags: ReadonlySet<Flag>;
  readonly children: readonly XmlNode[];
}
const FLAGS = [
  "checkable",
  "checked",
  "clickable",
  "focusable",
  "focused",
  "long-clickable",
  "password",
  "scrollable",
  "selected",
] as const;
type Flag = (typeof FLAGS)[number] | "disabled";

export interface ScreenDump {
  readonly nodes: readonly XmlNode[];
  /** Quarter turns from how the screen stands unturned. */
  readonly rotation: 0 | 1 | 2 | 3;
  /** In device pixels, as turned. */
  readonly width: number;
  readonly height: number;
  /** More was there than is read. */
  readonly cut: boolean;
}

/** What came is no dump. */
export class NoDump extends Error {
  override readonly name = "NoDump";
}

/** `screen`: device pixels, as the screen stands unturned. @throws NoDump */
export function parseDump(xml: Uint8Array, screen: { readonly width: number; readonly height: number }): ScreenDump {
  if (xml.byteLength > XML_LIMITS.bytes) throw new NoDump("The dump is larger than any screen's.");
  const text = new TextDecoder("utf-8").decode(xml);
  const start = text.indexOf("<");
  if (start === -1) throw new NoDump("There is no XML in the dump.");
  const parser = new SaxesParser<{ xmlns: false }>({ xmlns: false });
  const roots: XmlNode[] = [];
  const open: { node: Omit<XmlNode, "children">; children: XmlNode[] }[] = [];
  let rotation: ScreenDump["rotation"] | undefined;
  let size = screen;
  let [count, skipped, cut] = [0, 0, false];
  const fail = (why: string) => {
    throw new NoDump(why);
  };
  parser.on("error", (error) => fail(error.message));
  parser.on("doctype", () => fail("A dump declares nothing."));
  parser.on("processinginstruction", () => fail("A dump instructs nobody."));
  parser.on("opentag", ({ name, attributes }) => {
    if (rotation === undefined) {
      if (name !== "hierarchy") fail("A dump begins with a hierarchy.");
      rotation = turns(attributes["rotation"]);
      size = rotation % 2 === 1 ? { width: screen.height, height: screen.width } : screen;
      return;
    }
    count += 1;
    const isNode = name === "node" || attributes["class"] !== undefined;
    if (skipped > 0 || !isNode || count > XML_LIMITS.nodes || open.length >= XML_LIMITS.depth) {
      skipped += 1;
      cut = true;
      return;
    }
    open.push({ node: nodeOf(attributes, size), children: [] });
  });
  parser.on("closetag", () => {
    if (skipped > 0) {
      skipped -= 1;
      return;
    }
    const done = open.pop();
    if (done !== undefined) (open.at(-1)?.children ?? roots).push({ ...done.node, children: done.children });
  });
  parser.write(charactersOf(text.slice(start))).close();
  if (rotation === undefined) throw new NoDump("There is no hierarchy in the dump.");
  return { nodes: roots, rotation, ...size, cut };
}

/** Androids write an emoji as the two numbers of a surrogate pair, and now and then what XML has no sign for. */
function charactersOf(xml: string): string {
  return xml
    .replaceAll(/&#(5\d{4});&#(5\d{4});/g, (whole, high: string, low: string) => {
      const pair = String.fromCharCode(Number(high), Number(low));
      return (pair.codePointAt(0) ?? 0) > 0xffff ? pair : whole;
    })
    .replaceAll(/&#(x[0-9a-f]{1,8}|\d{1,10});/gi, (whole, number: string) =>
      isXmlCharacter(Number(`0${number.toLowerCase()}`)) ? whole : "\ufffd",
    );
}

/** XML 1.0, production 2. */
function isXmlCharacter(code: number): boolean {
  return (
    [0x9, 0xa, 0xd].includes(code) ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

const UNSEEN = ["visible-to-user", "displayed"];
type Attributes = Readonly<Record<string, string>>;

function nodeOf(attributes: Attributes, size: { width: number; height: number }): Omit<XmlNode, "children"> {
  const value = (name: string, most: number = XML_LIMITS.id) => (attributes[name] ?? "").slice(0, most);
  const flags = new Set<Flag>(FLAGS.filter((name) => attributes[name] === "true"));
  if (attributes["enabled"] === "false") flags.add("disabled");
  return {
    className: value("class"),
    packageName: value("package"),
    resourceId: value("resource-id"),
    text: value("text", XML_LIMITS.value),
    description: value("content-desc", XML_LIMITS.value),
    hint: value("hint", XML_LIMITS.value),
    bounds: UNSEEN.some((name) => attributes[name] === "false") ? undefined : boundsOf(attributes["bounds"], size),
    flags,
  };
}

function turns(text: string | undefined): ScreenDump["rotation"] {
  return text === "1" ? 1 : text === "2" ? 2 : text === "3" ? 3 : 0;
}

/** `[left,top][right,bottom]`, cut to the screen; undefined for what is empty, outside or no place at all. */
export function boundsOf(text: string | undefined, { width, height }: { width: number; height: number }) {
  const match = /^\[(-?\d{1,7}),(-?\d{1,7})\]\[(-?\d{1,7}),(-?\d{1,7})\]$/.exec(text ?? "");
  if (match === null) return undefined;
  const [left, top, right, bottom] = match.slice(1).map(Number) as [number, number, number, number];
  const [x, y] = [Math.max(left, 0), Math.max(top, 0)];
  const [toX, toY] = [Math.min(right, width), Math.min(bottom, height)];
  if (toX <= x || toY <= y) return undefined;
  return { x: x / width, y: y / height, width: (toX - x) / width, height: (toY - y) / height };
}
