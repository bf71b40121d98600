/**
 * Runs in a page, in the extension's isolated world, and reads what rules need: no more than that, never for long.
 * The function stands alone, so that it can be bundled as a content script or handed over as source.
 */
import type { PageFacts, PageNeeds } from "./page-facts.ts";

/**
 * Reads the page within `budgetMs` and a fixed amount of work; every answer is capped. Never throws. Pages can name
 * elements so that they hide properties of `document` and of forms; therefore all is called by way of the prototypes.
 */
export function extractPage(needs: PageNeeds, budgetMs = 20): PageFacts {
  const MAX_WORK = 12_000;
  const MAX_ELEMENTS = 100_000;
  const MAX_COUNT = 1_000;
  const MAX_VISIBLE_TRIED = 200;
  const MAX_TEXT = 10_240;
  const MAX_VALUE = 2_048;
  const MAX_ATTRIBUTE = 8_192;
  const MAX_JSON_LD = 65_536;
  const MAX_BLOCKS = 20;
  const MAX_APPS = 5;
  const SHOW_TEXT = 4;
  const CHECK_TIME_EVERY = 64;
  const UNSEEN = new Set(["script", "style", "noscript", "template", "textarea"]);

  const started = performance.now();
  let work = 0;
  let cut = false;
  /** Whether there is budget for one more piece of work. */
  const may = (units = 1): boolean => {
    const before = Math.floor(work / CHECK_TIME_EVERY);
    work += units;
    const late = (units > 1 || Math.floor(work / CHECK_TIME_EVERY) > before) && performance.now() - started >= budgetMs;
    if (work > MAX_WORK || late) {
      cut = true;
      work = Number.POSITIVE_INFINITY;
    }
    return work <= MAX_WORK;
  };
  /** A whole-document look-up costs more than one piece. */
  const find = (css: string): ArrayLike<Element> | undefined => {
    if (!may(CHECK_TIME_EVERY)) return [];
    try {
      return Document.prototype.querySelectorAll.call(document, css);
    } catch {
      return undefined;
    }
  };
  const first = (css: string): Element | null => {
    if (!may(CHECK_TIME_EVERY)) return null;
    try {
      return Document.prototype.querySelector.call(document, css);
    } catch {
      return null;
    }
  };
  const attribute = (element: Element, name: string): string | null => {
    const value = Element.prototype.getAttribute.call(element, name);
    return value === null ? null : value.slice(0, MAX_ATTRIBUTE);
  };
  /** Up to `most` elements, for as long as there is budget. */
  const each = (elements: ArrayLike<Element>, most: number, visit: (element: Element) => void): void => {
    if (elements.length > most) cut = true;
    for (let index = 0; index < elements.length && index < most && may(); index++) {
      const element = elements[index];
      if (element !== undefined) visit(element);
    }
  };
  /** Shown text below a node, on one line; with a range, only of nodes it touches. */
  const textOf = (root: Node, most: number, range?: Range): string => {
    const walker = Document.prototype.createTreeWalker.call(document, root, SHOW_TEXT);
    let text = "";
    let node: Node | null = root;
    if (range !== undefined) {
      walker.currentNode = range.startContainer;
      node = range.startContainer;
    }
    for (; node !== null && text.length < most && may(); node = walker.nextNode()) {
      if (!(node instanceof Text)) continue;
      if (range !== undefined && !range.intersectsNode(node)) break;
      const parent = node.parentNode;
      if (parent instanceof Element && UNSEEN.has(parent.localName)) continue;
      const from = range !== undefined && node === range.startContainer ? range.startOffset : 0;
      const to = range !== undefined && node === range.endContainer ? range.endOffset : node.length;
      const raw = node.substringData(from, Math.min(to - from, 4 * (most - text.length)));
      // Neighbours in different elements would run together; a selection is taken as it stands.
      const line = range === undefined ? `${raw.trim()} ` : raw;
      if (line.trim() !== "" || (range !== undefined && !text.endsWith(" "))) text += line.replace(/\s+/g, " ");
    }
    return text.replace(/ {2,}/g, " ").trim().slice(0, most);
  };

  const dom = (): PageFacts["dom"] =>
    needs.dom.map(({ css, visible }) => {
      const found = find(css);
      if (found === undefined) return { css, visible, count: -1 };
      if (!visible) return { css, visible, count: Math.min(found.length, MAX_COUNT) };
      let count = 0;
      each(found, MAX_VISIBLE_TRIED, (element) => {
        if (Element.prototype.checkVisibility.call(element, { checkOpacity: true, checkVisibilityCSS: true }))
          count += 1;
      });
      return { css, visible, count };
    });
  const css = (): PageFacts["css"] =>
    needs.css.map((need) => {
      const element = first(need.css);
      const secret = element instanceof HTMLInputElement && element.type === "password";
      if (element === null || secret) return { ...need, value: null };
      if (need.attr === undefined) return { ...need, value: textOf(element, MAX_VALUE) };
      const raw = attribute(element, need.attr);
      return { ...need, value: raw !== null && /^(href|src)$/i.test(need.attr) ? resolved(raw) : raw };
    });
  const resolved = (address: string): string => {
    const base = Object.getOwnPropertyDescriptor(Node.prototype, "baseURI")?.get?.call(document);
    return typeof base === "string" && URL.canParse(address, base) ? new URL(address, base).href : address;
  };
  const meta = (): PageFacts["meta"] => {
    const wanted = new Set(needs.meta);
    const found = new Map<string, string>();
    if (wanted.size === 0) return [];
    each(find("meta[content]") ?? [], 2_000, (element) => {
      for (const key of ["property", "name", "itemprop"]) {
        const name = attribute(element, key)?.toLowerCase();
        if (name === undefined || !wanted.has(name) || found.has(name)) continue;
        found.set(name, (attribute(element, "content") ?? "").slice(0, MAX_VALUE));
      }
    });
    return [...found].map(([name, content]) => ({ name, content }));
  };
  const links = (): Pick<PageFacts, "canonical" | "apps"> => {
    let canonical: string | null = null;
    const apps: string[] = [];
    if (!needs.links) return { canonical, apps };
    each(
      find('link[rel~="canonical" i][href], link[rel~="alternate" i][href^="android-app:"]') ?? [],
      50,
      (element) => {
        const href = attribute(element, "href") ?? "";
        if (href.startsWith("android-app:")) {
          if (apps.length < MAX_APPS) apps.push(href.slice(0, MAX_VALUE));
        } else canonical ??= resolved(href).slice(0, MAX_VALUE);
      },
    );
    each(find('a[href^="market:"]') ?? [], MAX_APPS, (element) => {
      apps.push((attribute(element, "href") ?? "").slice(0, MAX_VALUE));
    });
    return { canonical, apps };
  };
  const jsonLd = (): PageFacts["jsonLd"] => {
    const blocks: string[] = [];
    let left = MAX_JSON_LD;
    if (!needs.jsonLd) return blocks;
    each(find('script[type="application/ld+json" i]') ?? [], MAX_BLOCKS, (element) => {
      let block = "";
      for (let node = element.firstChild; node !== null && may(); node = node.nextSibling) {
        if (!(node instanceof Text)) continue;
        if (block.length + node.length > left) {
          cut = true;
          return;
        }
        block += node.data;
      }
      left -= block.length;
      blocks.push(block);
    });
    return blocks;
  };
  const selection = (): string => {
    const selected = needs.selection ? Document.prototype.getSelection.call(document) : null;
    if (selected === null || selected.rangeCount === 0 || selected.isCollapsed) return "";
    const range = selected.getRangeAt(0);
    return textOf(range.commonAncestorContainer, MAX_VALUE, range);
  };
  const text = (): string => {
    const body = needs.text ? first("body") : null;
    return body === null ? "" : textOf(body, MAX_TEXT);
  };
  const playing = (): boolean => {
    let plays = false;
    if (!needs.media) return plays;
    each(find("video, audio") ?? [], 50, (element) => {
      if (element instanceof HTMLMediaElement) plays ||= !element.paused && !element.ended && element.readyState > 2;
    });
    return plays;
  };

  if (Document.prototype.getElementsByTagName.call(document, "*").length > MAX_ELEMENTS) {
    cut = true;
    work = Number.POSITIVE_INFINITY;
  }
  // What is cheap and trusted most comes first: a page that is too large still gets that much.
  const facts = { ...links(), meta: meta(), jsonLd: jsonLd(), selection: selection(), playing: playing() };
  const slow = { dom: dom(), css: css(), text: text() };
  return { ...facts, ...slow, cut, tookMs: Math.round((performance.now() - started) * 10) / 10 };
}
