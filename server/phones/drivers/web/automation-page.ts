/**
 * What automations need inside pages: the part they share. It is sent only when an automation asks, into the agent's
 * world, whose prototypes the page cannot touch. What a page still can do is name form controls like properties of their
 * form (and pictures like properties of the document), so DOM properties are read by their own getters throughout.
 *
 * The functions are sent to the browser as text: each stands alone and gets the others' work as arguments. Boxes are in
 * CSS pixels of the visible part of the topmost document this world reaches.
 */

import { reachPage } from "./automation-reach.ts";
import { listPage } from "./automation-walk.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How a document's own coordinates become the screen's, and what of the screen it fills. */
export interface Port {
  readonly x: number;
  readonly y: number;
  readonly sx: number;
  readonly sy: number;
  readonly clip: Box;
}

export interface PageTools {
  /** Of this document; elements' numbers mean nothing without it. */
  readonly token: string;
  numberOf(element: Element): number;
  /** The element of that number while it is in a document on the screen. */
  find(number: number): Element | undefined;
  readonly root: () => Port;
  document(frame: Element): Document | undefined;
  /** The port of a frame's document, cut to `clip`. */
  inner(frame: Element, port: Port, clip: Box): Port;
  place(port: Port, rect: Box): Box;
  cut(one: Box, other: Box): Box;
  empty(box: Box): boolean;
  isElement(node: Node): node is Element;
  /** Undefined for what is no text node. */
  text(node: Node): string | undefined;
  /** The document an element is in. */
  owner(element: Element): Document;
  view(doc: Document): Window | null;
  all(root: Document | ShadowRoot, css: string): readonly Element[];
  tag(element: Element): string;
  /** An element as what its tag says it is; the caller has looked at the tag. */
  as<E extends Element>(element: Element): E;
  attribute(element: Element, name: string): string;
  has(element: Element, name: string): boolean;
  rect(element: Element): Box;
  shadow(element: Element): ShadowRoot | null;
  body(doc: Document): Element | null;
  /** What is drawn inside an element, in order: shadow roots and slotted nodes in place of what they replace. */
  nodes(element: Element): Node[];
  /** The element it is drawn inside of, in the same document. */
  parent(element: Element): Element | null;
  focused(): Element | undefined;
  /** Whether `inner` is drawn inside `outer`, or is it; through frames. */
  within(inner: Element | undefined, outer: Element): boolean;
  role(element: Element): string;
  isPassword(element: Element): boolean;
  /** Text inside, as short words for a name. */
  words(element: Element): string;
  /** What a person calls it: its label for assistive technology, without what it shows itself. */
  label(element: Element): string;
}

/** Source that makes `perchAutomation` in the world it is evaluated in. */
export function automationSource(): string {
  return `(()=>{if(Object.hasOwn(globalThis,"perchAutomation"))return;const tools=(${pageTools.toString()})();Object.defineProperty(globalThis,"perchAutomation",{value:{token:tools.token,...(${listPage.toString()})(tools),...(${reachPage.toString()})(tools)}})})()`;
}

function pageTools(): PageTools {
  const MAX_NUMBERS = 20_000;
  const getter = <Of extends object, Value>(prototype: Of, name: keyof Of): ((this: Of) => Value) => {
    const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
    if (get === undefined) throw new Error(`No ${String(name)}`);
    return get;
  };
  const element = Element.prototype;
  const tagOf = getter<Element, string>(element, "tagName");
  const shadowOf = getter<Element, ShadowRoot | null>(element, "shadowRoot");
  const slotOf = getter<Element, HTMLSlotElement | null>(element, "assignedSlot");
  const firstOf = getter<Node, Node | null>(Node.prototype, "firstChild");
  const nextOf = getter<Node, Node | null>(Node.prototype, "nextSibling");
  const upOf = getter<Node, Node | null>(Node.prototype, "parentNode");
  const typeOf = getter<Node, number>(Node.prototype, "nodeType");
  const textOf = getter<Node, string | null>(Node.prototype, "textContent");
  const ownerOf = getter<Node, Document | null>(Node.prototype, "ownerDocument");
  const connectedOf = getter<Node, boolean>(Node.prototype, "isConnected");
  const bodyOf = getter<Document, HTMLElement | null>(Document.prototype, "body");
  const rootElementOf = getter<Document, Element | null>(Document.prototype, "documentElement");
  const viewOf = getter<Document, Window | null>(Document.prototype, "defaultView");
  const activeOf = getter<Document, Element | null>(Document.prototype, "activeElement");
  const { getAttribute, hasAttribute, getBoundingClientRect } = element;
  const { getRootNode } = Node.prototype;

  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const token = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const numbers = new WeakMap<Element, number>();
  const elements = new Map<number, WeakRef<Element>>();
  let last = 0;

  const xml = document.contentType === "application/xhtml+xml";
  const tag = (one: Element) => (xml ? tagOf.call(one).toUpperCase() : tagOf.call(one));
  const as = <E extends Element>(one: Element): E => one as E;
  const attribute = (one: Element, name: string) => getAttribute.call(one, name) ?? "";
  const has = (one: Element, name: string) => hasAttribute.call(one, name);
  const rect = (one: Element): Box => getBoundingClientRect.call(one);
  const shadow = (one: Element) => shadowOf.call(one);
  const isElement = (node: Node | null): node is Element => node !== null && typeOf.call(node) === 1;
  // The only fragments something is drawn inside of.
  const isShadow = (node: Node | null): node is ShadowRoot => node !== null && typeOf.call(node) === 11;
  const isDocument = (node: Node): node is Document => typeOf.call(node) === 9;

  const nodes = (parent: Element): Node[] => {
    const found: Node[] = [];
    const add = (node: Node) => {
      const slotted = isElement(node) && tag(node) === "SLOT" ? as<HTMLSlotElement>(node) : undefined;
      const assigned = slotted?.assignedNodes() ?? [];
      if (slotted === undefined) found.push(node);
      else if (assigned.length > 0) assigned.forEach(add);
      else children(slotted);
    };
    const children = (of: Node) => {
      for (let node = firstOf.call(of); node !== null; node = nextOf.call(node)) add(node);
    };
    children(shadowOf.call(parent) ?? parent);
    return found;
  };
  const parent = (one: Element): Element | null => {
    const up: Node | null = slotOf.call(one) ?? upOf.call(one);
    if (isShadow(up)) return up.host;
    if (!isElement(up)) return null;
    return tag(up) === "SLOT" ? parent(up) : up;
  };
  const frameOf = (doc: Document): Element | null => {
    try {
      return viewOf.call(doc)?.frameElement ?? null;
    } catch {
      return null;
    }
  };
  const within = (inner: Element | undefined, outer: Element): boolean => {
    for (let at: Element | null = inner ?? null; at !== null; ) {
      if (at === outer) return true;
      const doc: Document | null = ownerOf.call(at);
      at = parent(at) ?? (doc === null || doc === document ? null : frameOf(doc));
    }
    return false;
  };

  const documentOf = (frame: Element): Document | undefined => {
    if (tag(frame) !== "IFRAME" && tag(frame) !== "FRAME") return undefined;
    try {
      return as<HTMLIFrameElement>(frame).contentDocument ?? undefined;
    } catch {
      return undefined;
    }
  };
  const cut = (one: Box, other: Box): Box => ({
    left: Math.max(one.left, other.left),
    top: Math.max(one.top, other.top),
    right: Math.min(one.right, other.right),
    bottom: Math.min(one.bottom, other.bottom),
  });
  const place = (port: Port, { left, top, right, bottom }: Box): Box => ({
    left: port.x + left * port.sx,
    top: port.y + top * port.sy,
    right: port.x + right * port.sx,
    bottom: port.y + bottom * port.sy,
  });
  const root = (): Port => {
    const seen = visualViewport;
    const clip = { left: 0, top: 0, right: seen?.width ?? innerWidth, bottom: seen?.height ?? innerHeight };
    return { x: -(seen?.offsetLeft ?? 0), y: -(seen?.offsetTop ?? 0), sx: 1, sy: 1, clip };
  };
  const inner = (frame: Element, port: Port, clip: Box): Port => {
    const held = as<HTMLIFrameElement>(frame);
    const outside = rect(frame);
    const style = getComputedStyle(frame);
    const kx = held.offsetWidth > 0 ? (outside.right - outside.left) / held.offsetWidth : 1;
    const ky = held.offsetHeight > 0 ? (outside.bottom - outside.top) / held.offsetHeight : 1;
    const [left, top] = [Number.parseFloat(style.paddingLeft) || 0, Number.parseFloat(style.paddingTop) || 0];
    const [right, bottom] = [Number.parseFloat(style.paddingRight) || 0, Number.parseFloat(style.paddingBottom) || 0];
    const content = place(port, {
      left: outside.left + (held.clientLeft + left) * kx,
      top: outside.top + (held.clientTop + top) * ky,
      right: outside.left + (held.clientLeft + held.clientWidth - right) * kx,
      bottom: outside.top + (held.clientTop + held.clientHeight - bottom) * ky,
    });
    return { x: content.left, y: content.top, sx: port.sx * kx, sy: port.sy * ky, clip: cut(content, clip) };
  };

  const focused = (): Element | undefined => {
    let at = Document.prototype.hasFocus.call(document) ? activeOf.call(document) : null;
    for (;;) {
      if (at === null) return undefined;
      const doc = documentOf(at);
      const deeper = shadowOf.call(at)?.activeElement ?? (doc === undefined ? null : activeOf.call(doc));
      if (deeper === null || deeper === undefined) break;
      at = deeper;
    }
    return tag(at) === "BODY" ? undefined : at;
  };

  const ROLES: Readonly<Record<string, string>> = {
    BUTTON: "button",
    SUMMARY: "button",
    SELECT: "combobox",
    TEXTAREA: "textbox",
    IMG: "image",
    svg: "image",
    PICTURE: "image",
    VIDEO: "video",
    AUDIO: "audio",
    H1: "heading",
    H2: "heading",
    H3: "heading",
    H4: "heading",
    H5: "heading",
    H6: "heading",
    LI: "listitem",
    UL: "list",
    OL: "list",
    NAV: "navigation",
    MAIN: "main",
    HEADER: "banner",
    FOOTER: "contentinfo",
    FORM: "form",
    FIELDSET: "group",
    TABLE: "table",
    TR: "row",
    TD: "cell",
    TH: "columnheader",
    DIALOG: "dialog",
    LABEL: "label",
    OPTION: "option",
    PROGRESS: "progressbar",
    METER: "meter",
    IFRAME: "document",
    FRAME: "document",
  };
  const INPUT_ROLES: Readonly<Record<string, string>> = {
    checkbox: "checkbox",
    radio: "radio",
    range: "slider",
    button: "button",
    submit: "button",
    reset: "button",
    image: "button",
    file: "button",
    search: "searchbox",
    number: "spinbutton",
  };
  const role = (one: Element): string => {
    const said = attribute(one, "role").trim().split(/\s+/)[0] ?? "";
    if (said !== "") return said.slice(0, 40);
    const name = tag(one);
    if (name === "INPUT") return INPUT_ROLES[as<HTMLInputElement>(one).type] ?? "textbox";
    if (name === "A" || name === "AREA") return has(one, "href") ? "link" : "";
    return Object.hasOwn(ROLES, name) ? (ROLES[name] ?? "") : "";
  };
  const isPassword = (one: Element): boolean => {
    if (tag(one) !== "INPUT" && tag(one) !== "TEXTAREA") return false;
    if (as<HTMLInputElement>(one).type === "password") return true;
    if (/\b(current|new)-password\b/i.test(attribute(one, "autocomplete"))) return true;
    // A password in a field of text, drawn as dots.
    return !["", "none"].includes(getComputedStyle(one).getPropertyValue("-webkit-text-security"));
  };

  const SILENT = ["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "SELECT", "TEXTAREA", "INPUT", "IFRAME", "OBJECT"];
  const words = (one: Element): string => {
    let text = "";
    let budget = 500;
    const add = (node: Node, depth: number) => {
      budget -= 1;
      if (budget < 0 || depth > 50 || text.length > 1_000) return;
      if (typeOf.call(node) === 3) text += textOf.call(node);
      if (!isElement(node) || SILENT.includes(tag(node)) || attribute(node, "aria-hidden") === "true") return;
      text += ` ${attribute(node, "alt")}`;
      for (const child of nodes(node)) add(child, depth + 1);
      text += " ";
    };
    for (const child of nodes(one)) add(child, 0);
    return text.replace(/\s+/g, " ").trim().slice(0, 300);
  };
  const label = (one: Element): string => {
    const by = attribute(one, "aria-labelledby").trim();
    if (by !== "") {
      const tree = getRootNode.call(one);
      const byId = (id: string) => {
        if (isDocument(tree)) return Document.prototype.getElementById.call(tree, id);
        return isShadow(tree) ? DocumentFragment.prototype.getElementById.call(tree, id) : null;
      };
      const named = by
        .split(/\s+/)
        .slice(0, 10)
        .flatMap((id) => byId(id) ?? []);
      const text = named.map(words).join(" ").trim();
      if (text !== "") return text;
    }
    const said = attribute(one, "aria-label").trim() || attribute(one, "alt").trim();
    return said.replace(/\s+/g, " ").slice(0, 1_000);
  };

  return {
    token,
    numberOf(one) {
      const known = numbers.get(one);
      if (known !== undefined) return known;
      last += 1;
      numbers.set(one, last);
      elements.set(last, new WeakRef(one));
      if (elements.size > MAX_NUMBERS && last % 1_000 === 0) {
        for (const [number, held] of elements) if (held.deref() === undefined) elements.delete(number);
      }
      return last;
    },
    find(number) {
      const one = elements.get(number)?.deref();
      if (one === undefined || !connectedOf.call(one)) return undefined;
      const doc = ownerOf.call(one);
      return doc === null || viewOf.call(doc) === null ? undefined : one;
    },
    root,
    document: documentOf,
    inner,
    place,
    cut,
    empty: (box) => box.right - box.left < 0.5 || box.bottom - box.top < 0.5,
    isElement,
    text: (node) => (typeOf.call(node) === 3 ? (textOf.call(node) ?? "") : undefined),
    owner: (one) => ownerOf.call(one) ?? document,
    view: (doc) => viewOf.call(doc),
    all(within, css) {
      if (isDocument(within)) return [...Document.prototype.querySelectorAll.call(within, css)];
      return [...DocumentFragment.prototype.querySelectorAll.call(within, css)];
    },
    tag,
    as,
    attribute,
    has,
    rect,
    shadow,
    body: (doc) => bodyOf.call(doc) ?? rootElementOf.call(doc),
    nodes,
    parent,
    focused,
    within,
    role,
    isPassword,
    words,
    label,
  };
}
