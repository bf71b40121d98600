/** The pass over a page that lists what is visible on the screen. Runs in the browser as text (see `automation-page.ts`). */
import type { Box, PageTools, Port } from "./automation-page.ts";

/**
 * One visible element: its parent's place in the list (-1: none), number, role, text, hint, name, ids (the best, or none, first),
 * x, y, width and height in CSS pixels of the screen, flags (`ROW_FLAGS`).
 */
export type Row = readonly [
  parent: number,
  number: number,
  role: string,
  text: string,
  hint: string,
  name: string,
  ids: readonly string[],
  x: number,
  y: number,
  width: number,
  height: number,
  flags: number,
];

export const ROW_FLAGS = { enabled: 1, selected: 2, checked: 4, focused: 8, clickable: 16, password: 32 } as const;

/** A frame whose document only the browser can reach: its row, its content's place, and what of that is on the screen. */
export interface Hole {
  readonly row: number;
  readonly content: Box;
  readonly clip: Box;
}

export interface Listing {
  readonly token: string;
  readonly width: number;
  readonly height: number;
  readonly rows: readonly Row[];
  readonly holes: readonly Hole[];
  /** The page holds more than was listed. */
  readonly cut: boolean;
}

export interface WalkCalls {
  /** Settles when the document is read and drawn; one that is not after a while is not waited for again. */
  ready(): Promise<void>;
  /**
   * A `Listing` as JSON. `sheet`: options of a list are listed at its edge where they are scrolled out of it. `drawn`: as
   * in `automation-port.ts`.
   */
  elements(sheet: boolean, drawn: boolean): Promise<string>;
}

export function listPage(tools: PageTools): WalkCalls {
  const MAX_ROWS = 5_000;
  const MAX_VISITED = 50_000;
  const MAX_DEPTH = 800;
  const MAX_MS = 1_500;
  const MAX_TEXT = 10_000;
  const MAX_ALL_TEXT = 1_000_000;
  const MAX_LABELS = 5_000;
  const MAX_NAME = 1_000;
  const MAX_ID = 300;
  const FRAME_MS = 8;
  const MAX_READING_MS = 3_000;
  const MAX_DRAWING_MS = 300;
  let ready = false;
  // Flutter numbers its ids anew on every page; what its app calls an element stands beside.
  const ID_ATTRIBUTES = ["data-testid", "data-test", "data-qa", "flt-semantics-identifier", "id", "name", "for"];
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "LINK", "META", "HEAD", "TITLE", "BR", "WBR"]);
  const PRESSED = new Set([
    ...["button", "link", "checkbox", "radio", "switch", "tab", "option", "menuitem", "menuitemcheckbox"],
    ...["menuitemradio", "combobox", "textbox", "searchbox", "spinbutton", "slider", "treeitem", "label"],
  ]);
  const NAMED_BY_CONTENT = new Set([
    ...["button", "link", "checkbox", "radio", "switch", "tab", "option", "menuitem", "menuitemcheckbox", "label"],
    ...["menuitemradio", "treeitem", "heading", "cell", "gridcell", "columnheader", "rowheader", "tooltip"],
  ]);
  const ENABLED = 1;
  const SELECTED = 2;
  const CHECKED = 4;
  const FOCUSED = 8;
  const CLICKABLE = 16;
  const PASSWORD = 32;
  const { attribute, cut, empty, has, place, tag } = tools;
  const { matches } = Element.prototype;

  const fieldText = (field: Element, name: string): string => {
    if (name === "SELECT")
      return [...tools.as<HTMLSelectElement>(field).selectedOptions].map(({ label }) => label).join("\n");
    const input = tools.as<HTMLInputElement>(field);
    if (name === "TEXTAREA") return input.value;
    if (["checkbox", "radio", "image", "hidden"].includes(input.type)) return "";
    if (input.type === "file") return [...(input.files ?? [])].map((file) => file.name).join("\n");
    if (input.value !== "") return input.value;
    return input.type === "submit" ? "Submit" : input.type === "reset" ? "Reset" : "";
  };

  const flagsOf = (element: Element, name: string, role: string, pointed: boolean, focused: boolean): number => {
    const labelled = name === "LABEL" ? tools.as<HTMLLabelElement>(element).control : null;
    const state = labelled ?? element;
    const disabled = matches.call(state, ":disabled") || attribute(element, "aria-disabled") === "true";
    const ticked = attribute(element, "aria-checked") || attribute(element, "aria-pressed");
    const kind = tag(state) === "INPUT" ? tools.as<HTMLInputElement>(state).type : "";
    const checked =
      kind === "checkbox" || kind === "radio" ? tools.as<HTMLInputElement>(state).checked : ticked === "true";
    const current = attribute(element, "aria-current");
    const chosen = attribute(element, "aria-selected") === "true" || (current !== "" && current !== "false");
    const selected = chosen || (name === "OPTION" && tools.as<HTMLOptionElement>(element).selected);
    const pressed = pointed || has(element, "onclick") || has(element, "contenteditable") || PRESSED.has(role);
    return (
      (disabled ? 0 : ENABLED) |
      (selected ? SELECTED : 0) |
      (checked ? CHECKED : 0) |
      (focused ? FOCUSED : 0) |
      (pressed && (name !== "LABEL" || labelled !== null) ? CLICKABLE : 0)
    );
  };

  const idsOf = (element: Element): string[] => {
    const ids: string[] = [];
    const add = (value: string) => {
      if (value !== "" && !ids.includes(value)) ids.push(value.slice(0, MAX_ID));
    };
    for (const name of ID_ATTRIBUTES) add(attribute(element, name).trim());
    const others = [attribute(element, "aria-label").trim(), attribute(element, "title").trim()];
    if (ids.length === 0 && others.some((value) => value !== "")) ids.push("");
    others.forEach(add);
    return ids;
  };

  const list = (sheet: boolean, drawn: boolean): Listing => {
    const rows: Row[] = [];
    const holes: Hole[] = [];
    /** What is read so far, in order, with the page's own white space; names are cut out of it. */
    const read: string[] = [];
    const labels = new Map<Element, Element>();
    const focused = tools.focused();
    const until = performance.now() + MAX_MS;
    let visited = 0;
    let room = MAX_ALL_TEXT;
    let full = false;

    const spaced = (text: string) => text.replace(/[ \t\n\r\f\u00a0]+/g, " ");
    const tidy = (text: string): string => {
      const short = text.replace(/ *\n */g, "\n").trim();
      const fits = short.slice(0, Math.min(MAX_TEXT, room));
      room -= fits.length;
      if (fits.length < short.length) full = true;
      return fits;
    };
    const readLabels = (within: Document | ShadowRoot) => {
      for (const label of tools.all(within, "label").slice(0, MAX_LABELS)) {
        const { control } = tools.as<HTMLLabelElement>(label);
        if (control !== null && !labels.has(control)) labels.set(control, label);
      }
    };

    const visit = (
      element: Element,
      depth: number,
      above: number,
      port: Port,
      flow: Box,
      free: Box,
      hand: boolean,
    ): void => {
      const name = tag(element);
      if (full || SKIPPED.has(name)) return;
      visited += 1;
      const late = visited % 256 === 0 && performance.now() > until;
      if (visited > MAX_VISITED || depth > MAX_DEPTH || rows.length >= MAX_ROWS || late) {
        full = true;
        return;
      }
      const style = getComputedStyle(element);
      const { display, position } = style;
      if (display === "none" || style.opacity === "0" || style.contentVisibility === "hidden") return;
      const hidden = attribute(element, "aria-hidden") === "true" && name !== "BODY";
      if (hidden && !drawn && !tools.within(focused, element)) return;

      const clip = position === "fixed" ? port.clip : position === "absolute" ? free : flow;
      const kids = name === "SELECT" && tools.as<HTMLSelectElement>(element).size < 2 ? [] : tools.nodes(element);
      const boxless = display === "contents";
      const visible = style.visibility === "visible";
      const hasText = kids.some((node) => /\S/.test(tools.text(node) ?? ""));
      let box = boxless ? rangeBox(element, port) : place(port, tools.rect(element));
      if (drawn && hasText && !boxless) {
        const { left, top, right, bottom } = rangeBox(element, port);
        box = {
          left: Math.min(box.left, left),
          top: Math.min(box.top, top),
          right: Math.max(box.right, right),
          bottom: Math.max(box.bottom, bottom),
        };
      }
      let seen = cut(box, clip);
      if (sheet && empty(seen) && attribute(element, "role") === "option") {
        const top = Math.max(Math.min(box.top, clip.bottom - 1), clip.top);
        seen = { ...seen, top, bottom: top + 1 };
      }
      const pointed = style.cursor === "pointer";
      // Shapes inside a drawing, which come by the hundred, unless they say or take something.
      const drawing = name !== "svg" && name.charCodeAt(0) > 96;

      let own = "";
      const ids = idsOf(element);
      const wanted = (!boxless || hasText) && (!drawing || hasText || ids.length > 0 || pointed !== hand);
      const row = visible && wanted && !empty(seen) ? rows.length : -1;
      if (row !== -1) rows.push([above, 0, "", "", "", "", [], 0, 0, 0, 0, 0]);

      const start = read.length;
      const block = !display.startsWith("inline") && !boxless;
      if (block) read.push(" ");
      if (visible && name === "IMG") read.push(` ${attribute(element, "alt")} `);
      const clips =
        (style.overflowX !== "visible" || style.overflowY !== "visible") &&
        display !== "inline" &&
        !boxless &&
        name !== "BODY" &&
        name !== "HTML";
      const inside = clips ? cut(clip, box) : clip;
      const insideFree = position === "static" ? free : inside;
      const next = row === -1 ? above : row;

      const doc = tools.document(element);
      if (doc !== undefined) {
        const within = tools.inner(element, port, clip);
        const body = tools.body(doc);
        if (body !== null && visible && !empty(within.clip)) {
          readLabels(doc);
          visit(body, depth + 1, next, within, within.clip, within.clip, false);
        }
      } else if (row !== -1 && (name === "IFRAME" || name === "FRAME")) {
        const content = tools.inner(element, port, { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9 }).clip;
        const shown = cut(content, clip);
        if (!empty(shown)) holes.push({ row, content, clip: shown });
      } else {
        const within = tools.shadow(element);
        if (within !== null) readLabels(within);
        let between = false;
        for (const node of kids) {
          const text = tools.text(node);
          if (text !== undefined) {
            const drawn = text.includes("\n") && style.whiteSpace.startsWith("pre") ? text : spaced(text);
            if (visible) read.push(drawn);
            own += between ? ` ${drawn}` : drawn;
            between = false;
          } else if (tools.isElement(node)) {
            if (tag(node) === "BR") {
              own += "\n";
              read.push(" ");
            } else {
              between = true;
              visit(node, depth + 1, next, port, inside, insideFree, pointed);
            }
          }
        }
      }
      if (block) read.push(" ");
      if (row === -1) return;

      const field = name === "INPUT" || name === "TEXTAREA" || name === "SELECT";
      const password = field && tools.isPassword(element);
      const text = tidy(field ? (password ? "" : fieldText(element, name)) : own);
      const role = tools.role(element) || (text === "" ? "generic" : "text");
      const label = labels.get(element);
      let called = tools.label(element) || (field && label !== undefined ? tools.words(label) : "");
      if (called === "" && !field && (hasText || NAMED_BY_CONTENT.has(role))) {
        const content = spaced(read.slice(start).join("")).trim();
        if (content !== text && content.length <= MAX_NAME) called = content;
      }
      if (called === "") called = attribute(element, "title").trim();
      const hint = attribute(element, "placeholder") || attribute(element, "aria-placeholder");
      const flags = flagsOf(element, name, role, pointed && !hand, element === focused);
      rows[row] = [
        above,
        tools.numberOf(element),
        role,
        text,
        tidy(spaced(hint)),
        tidy(spaced(called)),
        ids,
        seen.left,
        seen.top,
        seen.right - seen.left,
        seen.bottom - seen.top,
        flags | (password ? PASSWORD : 0),
      ];
    };

    /** Where the text of an element without a box of its own is. */
    const rangeBox = (element: Element, port: Port): Box => {
      const range = new Range();
      range.selectNodeContents(element);
      return place(port, range.getBoundingClientRect());
    };
    const top = tools.root();
    const body = tools.body(document);
    readLabels(document);
    if (body !== null) visit(body, 0, -1, top, top.clip, top.clip, false);
    return {
      token: tools.token,
      width: top.clip.right,
      height: top.clip.bottom,
      rows,
      holes,
      cut: full,
    };
  };

  const now = () => performance.now();
  /** What is looked for in an empty page of which more comes is not "not there", and touches of it are lost. */
  const waited = (async () => {
    const frame = () => new Promise((resolve) => setTimeout(resolve, FRAME_MS));
    const read = now() + MAX_READING_MS;
    while (document.readyState === "loading" && now() < read) await frame();
    const drawn = now() + MAX_DRAWING_MS;
    while (performance.getEntriesByName("first-contentful-paint").length === 0 && now() < drawn) await frame();
    ready = true;
  })();
  return {
    ready: () => waited,
    elements: async (sheet, drawn) => {
      // Frames come and go all the time; they are listed as they are.
      if (!ready && self === top) await waited;
      return JSON.stringify(list(sheet, drawn));
    },
  };
}
