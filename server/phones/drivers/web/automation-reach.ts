/** Finding one element and where a finger reaches it. Runs in the browser as text (see `automation-page.ts`). */
import type { Box, PageTools, Port } from "./automation-page.ts";

interface Point {
  readonly x: number;
  readonly y: number;
}

/** In CSS pixels of the visible part of the topmost document this world reaches. */
export interface Reach {
  readonly box: Box;
  readonly point: Point;
  /** What lies over the point, in words; empty: nothing. */
  readonly covered: string;
  readonly moving: boolean;
  /** Of the visible part of the document. */
  readonly width: number;
  readonly height: number;
}

/**
 * Numbers of what a selector finds, in the order drawn, and, negated, of frames to look in that only the browser can
 * reach; "invalid": it is no selector.
 */
export type Found = { readonly token: string; readonly numbers: readonly number[] } | "invalid";

/** Numbers of elements, and for each the CSS selector of its place in the page; empty: it has none. */
export interface At {
  readonly token: string;
  readonly hits: readonly (readonly [number: number, css: string])[];
}

export interface ReachCalls {
  element(token: string, number: number): Element | null;
  find(css: string): Found;
  /** What lies at a place, fractions of the visible part: the innermost first, then what it is drawn inside of. */
  at(x: number, y: number): At;
  /** Null: the element is not there any more, or nothing of it can be seen. */
  target(token: string, number: number, withinMs: number): Promise<Reach | null>;
  /** Brings a frame into view; false when it is gone. */
  reveal(token: string, number: number): boolean;
  /** What was reached inside a frame, as seen from here. */
  through(token: string, number: number, inside: Reach): Reach | null;
  /** Takes the focus away. */
  blur(): void;
  /** Whether the page is drawn anywhere. */
  shown(): boolean;
}

export function reachPage(tools: PageTools): ReachCalls {
  const MAX_FOUND = 1_000;
  const MAX_VISITED = 50_000;
  const MAX_AT = 12;
  /** A page that is not drawn has no frames. */
  const FRAME_MS = 100;
  const { attribute, cut, empty, parent, place, tag } = tools;
  const element = Element.prototype;
  const getter = (prototype: Node, name: string): ((this: Element) => Element | null) => {
    const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
    if (get === undefined) throw new Error(`No ${name}`);
    return get;
  };
  const shownOf = Object.getOwnPropertyDescriptor(Document.prototype, "visibilityState")?.get;
  const aboveOf = getter(Node.prototype, "parentElement");
  const beforeOf = getter(element, "previousElementSibling");

  const portOf = (doc: Document): Port => {
    if (doc === document) return tools.root();
    const frame: Element | null = tools.view(doc)?.frameElement ?? null;
    if (frame === null) return { x: 0, y: 0, sx: 1, sy: 1, clip: { left: 0, top: 0, right: 0, bottom: 0 } };
    const port = portOf(tools.owner(frame));
    return tools.inner(frame, port, clipOf(frame, port));
  };

  /** What of the screen an element can be seen in. */
  const clipOf = (one: Element, port: Port): Box => {
    let { clip } = port;
    let { position } = getComputedStyle(one);
    for (let up = parent(one); up !== null && position !== "fixed"; up = parent(up)) {
      const style = getComputedStyle(up);
      if (position === "absolute" && style.position === "static") continue;
      const clips = style.overflowX !== "visible" || style.overflowY !== "visible";
      const bare = style.display === "inline" || style.display === "contents" || ["BODY", "HTML"].includes(tag(up));
      if (clips && !bare) clip = cut(clip, place(port, tools.rect(up)));
      position = style.position;
    }
    return clip;
  };

  const area = (box: Box) => (empty(box) ? 0 : (box.right - box.left) * (box.bottom - box.top));
  /** The visible part of an element, and of its largest line or box. */
  const look = (one: Element): { whole: string; box: Box; part: Box } => {
    const port = portOf(tools.owner(one));
    const clip = clipOf(one, port);
    const rect = place(port, tools.rect(one));
    let part: Box = { left: 0, top: 0, right: 0, bottom: 0 };
    for (const line of [...element.getClientRects.call(one)].slice(0, 100)) {
      const seen = cut(place(port, line), clip);
      if (area(seen) > area(part)) part = seen;
    }
    return { whole: [rect.left, rect.top, rect.right, rect.bottom].join(), box: cut(rect, clip), part };
  };
  const middle = ({ left, top, right, bottom }: Box): Point => ({ x: (left + right) / 2, y: (top + bottom) / 2 });
  const visible = (one: Element) => area(look(one).part) > 0 && getComputedStyle(one).visibility === "visible";
  const show = (one: Element) =>
    element.scrollIntoView.call(one, { block: "center", inline: "center", behavior: "instant" });

  /** The innermost element under a point, through shadow roots and frames. */
  const hitAt = ({ x, y }: Point): Element | undefined => {
    let doc = document;
    for (;;) {
      const port = portOf(doc);
      const [left, top] = [(x - port.x) / port.sx, (y - port.y) / port.sy];
      let hit = Document.prototype.elementFromPoint.call(doc, left, top);
      for (let deeper = hit; deeper !== null; ) {
        hit = deeper;
        const inside: Element | null = tools.shadow(deeper)?.elementFromPoint(left, top) ?? null;
        deeper = inside === hit ? null : inside;
      }
      const framed = hit === null ? undefined : tools.document(hit);
      if (framed === undefined) return hit ?? undefined;
      doc = framed;
    }
  };
  const closest = (one: Element | null, name: string): Element | null => {
    for (let at = one; at !== null; at = parent(at)) if (tag(at) === name) return at;
    return null;
  };
  const controlOf = (label: Element | null) => (label === null ? null : tools.as<HTMLLabelElement>(label).control);

  /** Whether touching `hit` is touching `one`. */
  const same = (hit: Element, one: Element): boolean =>
    tools.within(hit, one) ||
    // What is drawn of an element that takes no touches itself belongs to what it is inside of.
    tools.within(one, hit) ||
    controlOf(closest(hit, "LABEL")) === one ||
    controlOf(closest(one, "LABEL")) === hit;

  const describe = (hit: Element): string => {
    for (let at: Element | null = hit; at !== null; at = parent(at)) {
      const words = (tools.label(at) || tools.words(at)).slice(0, 80);
      if (words !== "") return `${tools.role(at) || "text"} “${words}”`;
      if (tools.role(at) !== "") return tools.role(at);
    }
    return "something";
  };

  /** The first point of a box where a finger reaches the element: its middle, else around it. */
  const reach = (one: Element, box: Box): { point: Point; over: Element | undefined } => {
    const point = middle(box);
    const over = hitAt(point);
    if (over !== undefined && same(over, one)) return { point, over: undefined };
    for (const across of [0.25, 0.75, 0.5]) {
      for (const down of [0.25, 0.75, 0.5]) {
        const at = {
          x: box.left + (box.right - box.left) * across,
          y: box.top + (box.bottom - box.top) * down,
        };
        const hit = hitAt(at);
        if (hit !== undefined && same(hit, one)) return { point: at, over: undefined };
      }
    }
    return { point, over: over ?? tools.body(document) ?? one };
  };

  const frame = () =>
    new Promise<void>((resolve) => {
      const late = setTimeout(resolve, FRAME_MS);
      requestAnimationFrame(() => {
        clearTimeout(late);
        resolve();
      });
    });
  /** Waits until the element stood still for two frames; whether it still moves. Undefined: it is gone. */
  const stand = async (token: string, number: number, until: number): Promise<boolean | undefined> => {
    for (let before = ""; ; ) {
      await frame();
      const one = tools.find(number);
      if (token !== tools.token || one === undefined) return undefined;
      const { whole } = look(one);
      if (whole === before) return false;
      if (performance.now() >= until) return true;
      before = whole;
    }
  };

  const target = async (token: string, number: number, withinMs: number): Promise<Reach | null> => {
    const until = performance.now() + withinMs;
    const first = token === tools.token ? tools.find(number) : undefined;
    if (first === undefined) return null;
    if (!visible(first)) show(first);
    for (let again = true; ; again = false) {
      const moving = await stand(token, number, until);
      const one = tools.find(number);
      if (moving === undefined || one === undefined || !visible(one)) return null;
      const { box, part } = look(one);
      const { point, over } = reach(one, part);
      // What lies over it there, a bar at the edge say, may not in the middle of the screen.
      const { width, height } = size();
      if (over !== undefined && again && !blocks(over, one, { x: width / 2, y: height / 2 })) {
        show(one);
        continue;
      }
      return { box, point, covered: over === undefined ? "" : describe(over), moving, width, height };
    }
  };
  const size = () => {
    const { right, bottom } = tools.root().clip;
    return { width: right, height: bottom };
  };
  /** Whether what lies over the element, taken as a whole, lies over that point too. */
  const blocks = (over: Element, one: Element, point: Point): boolean => {
    let layer = over;
    for (let up = parent(over); up !== null && !tools.within(one, up); up = parent(up)) layer = up;
    const hit = hitAt(point);
    return hit === undefined || tools.within(hit, layer);
  };

  const find: ReachCalls["find"] = (css) => {
    try {
      new DocumentFragment().querySelector(css);
    } catch {
      return "invalid";
    }
    const numbers: number[] = [];
    let left = MAX_VISITED;
    const visit = (one: Element, depth: number) => {
      left -= 1;
      if (left < 0 || depth > 800 || numbers.length >= MAX_FOUND) return;
      if (element.matches.call(one, css)) numbers.push(tools.numberOf(one));
      const doc = tools.document(one);
      const body = doc === undefined ? null : tools.body(doc);
      if (body !== null) visit(body, depth + 1);
      else if (tag(one) === "IFRAME" || tag(one) === "FRAME") numbers.push(-tools.numberOf(one));
      for (const node of tools.nodes(one)) if (tools.isElement(node)) visit(node, depth + 1);
    };
    const body = tools.body(document);
    if (body !== null) visit(body, 0);
    return { token: tools.token, numbers };
  };

  const at: ReachCalls["at"] = (x, y) => {
    const { width, height } = size();
    const hits: [number, string][] = [];
    const hit = hitAt({ x: x * width, y: y * height });
    for (let up: Element | null = hit ?? null; up !== null && hits.length < MAX_AT; up = parent(up)) {
      hits.push([tools.numberOf(up), placeOf(up)]);
    }
    return { token: tools.token, hits };
  };
  /** The way down from the nearest element with an id that a person gave, by kind and number among its kind. */
  const placeOf = (one: Element): string => {
    const parts: string[] = [];
    for (let up: Element | null = one; up !== null; up = aboveOf.call(up)) {
      const id = attribute(up, "id");
      const named = /^[A-Za-z][\w-]{0,40}$/.test(id) && !/\d{3}/.test(id);
      if (named || tag(up) === "BODY") {
        parts.unshift(named ? `#${id}` : "body");
        break;
      }
      let count = 1;
      for (let side = beforeOf.call(up); side !== null; side = beforeOf.call(side))
        if (tag(side) === tag(up)) count += 1;
      if (count > MAX_FOUND || parts.length > MAX_AT) return "";
      parts.unshift(`${tag(up).toLowerCase()}:nth-of-type(${count})`);
    }
    const css = parts.join(" > ");
    // What is in a shadow root or a frame is found by no selector of this document.
    const found = tools.owner(one) === document && /^(#|body)/.test(css) ? tools.all(document, css) : [];
    return found.length === 1 && found[0] === one ? css : "";
  };

  return {
    at,
    element: (token, number) => (token === tools.token ? (tools.find(number) ?? null) : null),
    find,
    target,
    reveal(token, number) {
      const one = token === tools.token ? tools.find(number) : undefined;
      if (one === undefined) return false;
      if (!visible(one)) show(one);
      return true;
    },
    through(token, number, inside) {
      const one = token === tools.token ? tools.find(number) : undefined;
      if (one === undefined) return null;
      const port = portOf(tools.owner(one));
      const { clip } = tools.inner(one, port, { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9 });
      const into = {
        ...port,
        x: clip.left,
        y: clip.top,
        sx: (clip.right - clip.left) / inside.width,
        sy: (clip.bottom - clip.top) / inside.height,
      };
      const box = cut(place(into, inside.box), cut(clip, clipOf(one, port)));
      if (empty(box)) return null;
      const { x, y } = inside.point;
      const point = middle(place(into, { left: x, top: y, right: x, bottom: y }));
      const hit = hitAt(point);
      const covered = inside.covered || (hit !== undefined && same(hit, one) ? "" : describe(hit ?? one));
      return { box, point, covered, moving: inside.moving, ...size() };
    },
    shown: () => shownOf?.call(document) === "visible",
    blur() {
      const focused = tools.focused();
      if (focused !== undefined) HTMLElement.prototype.blur.call(tools.as<HTMLElement>(focused));
    },
  };
}
