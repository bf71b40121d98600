import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findElements } from "../../../../../shared/flows/match.ts";
import { walk } from "../../../../../shared/recorder/walk.ts";
import type { UiElement } from "../../../../../shared/ui-tree.ts";
import { documentOf } from "../../../../recordings/seen-trees.ts";
import { treeOf } from "./ui-tree.ts";
import { boundsOf, NoDump, parseDump, XML_LIMITS } from "./ui-xml.ts";

const SCREEN = { width: 1080, height: 2400 };
const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll("\n", "&#10;");
type Node = Readonly<Record<string, string>> & { readonly inside?: never };
const node = (attributes: Node, ...children: string[]) =>
  `<node ${Object.entries({
    bounds: "[0,0][1080,200]",
    package: "com.shop.app",
    class: "android.view.View",
    ...attributes,
  })
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(" ")}>${children.join("")}</node>`;
const dumped = (...nodes: string[]) =>
  `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation="0">${nodes.join("")}</hierarchy>`;
const read = (xml: string) => treeOf(parseDump(Buffer.from(xml), SCREEN));
const first = (xml: string): UiElement => {
  const [found] = read(xml).root.children;
  if (found === undefined) throw new Error("nothing was read");
  return found;
};
const all = (xml: string) => walk(read(xml)).elements.slice(1);

describe("a dump of an Android screen", () => {
  it("is read in the words of flows", () => {
    const element = first(
      dumped(
        node({
          class: "android.widget.EditText",
          "resource-id": "com.shop.app:id/email",
          text: "ada@mail.example",
          hint: "E-mail",
          "content-desc": "Your e-mail",
          bounds: "[0,240][1080,480]",
          clickable: "true",
          focused: "true",
          enabled: "true",
        }),
      ),
    );
    expect(element).toMatchObject({
      role: "textbox",
      id: "com.shop.app:id/email",
      alsoIds: ["email"],
      text: "ada@mail.example",
      hint: "E-mail",
      accessibilityText: "Your e-mail",
      bounds: { x: 0, y: 0.1, width: 1, height: 0.1 },
      enabled: true,
      focused: true,
      clickable: true,
      password: false,
      checked: false,
      selected: false,
    });
  });
  it.each([
    ["android.widget.Button", "button"],
    ["android.widget.ImageButton", "button"],
    ["android.widget.CheckBox", "checkbox"],
    ["android.widget.RadioButton", "radio"],
    ["androidx.appcompat.widget.SwitchCompat", "switch"],
    ["android.widget.Spinner", "combobox"],
    ["android.widget.SeekBar", "slider"],
    ["android.widget.ImageView", "image"],
    ["android.widget.TextView", "text"],
    ["androidx.recyclerview.widget.RecyclerView", "list"],
    ["android.webkit.WebView", "document"],
    ["android.widget.FrameLayout", "generic"],
  ])("calls a %s a %s", (className, role) => expect(first(dumped(node({ class: className }))).role).toBe(role));

  it("keeps nothing of a password, whatever the phone tells of it", () => {
    const element = first(
      dumped(node({ class: "android.widget.EditText", password: "true", text: "hunter2", hint: "Password" })),
    );
    expect(element).toMatchObject({ password: true, role: "textbox", text: "", hint: "Password" });
  });
  it("takes a hint that stands for a text as what it is", () => {
    expect(first(dumped(node({ class: "android.widget.EditText", text: "Name", hint: "Name" })))).toMatchObject({
      text: "",
      hint: "Name",
    });
  });
  it("finds an id whole, by its last part, and by a pattern", () => {
    const tree = read(dumped(node({ "resource-id": "com.shop.app:id/buy_3", text: "Buy" })));
    for (const id of ["com.shop.app:id/buy_3", "buy_3", "buy_\\d", ".*:id/buy_3"]) {
      expect(findElements(tree, { id })).toHaveLength(1);
    }
    expect(findElements(tree, { id: "buy" })).toEqual([]);
  });
  it("knows how the screen is turned", () => {
    const { width, height, root } = read(
      dumped(node({ bounds: "[0,0][2400,540]" })).replace('rotation="0"', 'rotation="1"'),
    );
    expect({ width, height }).toEqual({ width: 2400, height: 1080 });
    expect(root.children[0]?.bounds).toEqual({ x: 0, y: 0, width: 1, height: 0.5 });
  });
  it("cuts to the screen, and lifts what is in something that is nowhere", () => {
    const found = all(
      dumped(
        node({ bounds: "[-100,-50][540,1200]", text: "cut" }),
        node({ bounds: "[0,0][0,0]", text: "nowhere" }, node({ text: "inside" })),
        node({ bounds: "[0,2400][1080,2500]", text: "below" }),
        node({ bounds: "[9999999999,0][1,1]", text: "no number" }),
        node({ "visible-to-user": "false", text: "hidden" }),
      ),
    );
    expect(found.map(({ text }) => text)).toEqual(["cut", "inside"]);
    expect(found[0]?.bounds).toEqual({ x: 0, y: 0, width: 0.5, height: 0.5 });
  });
  it("leaves out what stands behind the system's bars", () => {
    expect(all(dumped(node({ "resource-id": "android:id/statusBarBackground" }), node({ text: "app" })))).toHaveLength(
      1,
    );
  });
  it("tells the app in front", () => expect(read(dumped(node({}))).app).toBe("com.shop.app"));
  it("reads an emoji however it is written, and puts a sign for what XML has none", () => {
    const xml = dumped(node({ text: "T" })).replace(
      'text="T"',
      'text="&#55357;&#56832; 😀 &#128512; &#0; &#x1F; &#55357;"',
    );
    expect(first(xml).text).toBe("😀 😀 😀 \ufffd \ufffd \ufffd");
  });
});

describe("refs", () => {
  const row = (text: string, bounds: string) => node({ "resource-id": "com.shop.app:id/row", text, bounds });
  const field = (text: string, bounds = "[0,0][1080,200]") =>
    node({ class: "android.widget.EditText", "resource-id": "com.shop.app:id/name", text, bounds });
  const refOf = (xml: string, index: number) => all(xml)[index]?.ref;

  it("stay with an element that moves, and with a field that is typed into", () => {
    expect(refOf(dumped(row("A", "[0,0][1080,200]"), row("B", "[0,200][1080,400]")), 1)).toBe(
      refOf(dumped(row("B", "[0,0][1080,200]")), 0),
    );
    expect(refOf(dumped(field("")), 0)).toBe(refOf(dumped(row("new", "[0,900][1080,990]"), field("typed")), 1));
  });
  it("are of one screen only once, and all of one document", () => {
    const tree = read(dumped(row("A", "[0,0][1080,200]"), row("A", "[0,200][1080,400]"), node({}), node({})));
    const refs = walk(tree).elements.map(({ ref }) => ref);
    expect(new Set(refs).size).toBe(refs.length);
    expect(documentOf(tree)).toBe(documentOf(read(dumped(field("")))));
  });
});

describe("a hostile dump", () => {
  it.each([
    ["entities of its own", `<!DOCTYPE h [<!ENTITY a "b">]><hierarchy rotation="0"><node text="&a;"/></hierarchy>`],
    ["a bomb", `<!DOCTYPE h [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><hierarchy rotation="0"/>`],
    ["a file", `<!DOCTYPE h SYSTEM "file:///etc/passwd"><hierarchy rotation="0"/>`],
    ["instructions", `<?run me?><hierarchy rotation="0"/>`],
    ["unknown entities", `<hierarchy rotation="0"><node text="&nope;"/></hierarchy>`],
    ["another root", `<html><node/></html>`],
    ["an end too soon", `<hierarchy rotation="0"><node>`],
    ["two of one attribute", `<hierarchy rotation="0"><node text="a" text="b"/></hierarchy>`],
    ["nothing", ``],
    ["words", `ERROR: could not get idle state.`],
  ])("with %s is no dump", (_, xml) => expect(() => read(xml)).toThrow(NoDump));
  it("is not read where it is too large", () => {
    const xml = dumped(node({ text: "x".repeat(XML_LIMITS.bytes) }));
    expect(() => read(xml)).toThrow(NoDump);
  });
  it("is cut where it is too deep, too long or too wordy, and says so", () => {
    const deep = read(dumped("<node bounds='[0,0][9,9]'>".repeat(5_000) + "</node>".repeat(5_000)));
    expect(walk(deep).elements.length).toBe(XML_LIMITS.depth + 1);
    expect(deep.note).toMatch(/more on this screen/);
    const many = read(dumped("<node bounds='[0,0][9,9]'/>".repeat(XML_LIMITS.nodes + 10)));
    expect(walk(many).elements.length).toBe(XML_LIMITS.nodes + 1);
    expect(many.note).toMatch(/more on this screen/);
    expect(first(dumped(node({ text: "x".repeat(9_999), "resource-id": "i".repeat(999) })))).toMatchObject({
      text: "x".repeat(XML_LIMITS.value),
      id: "i".repeat(XML_LIMITS.id),
    });
  });

  const words = fc.string({ unit: "binary", maxLength: 20 });
  const attributes = fc.dictionary(
    fc.constantFrom(
      "text",
      "bounds",
      "class",
      "resource-id",
      "content-desc",
      "hint",
      "password",
      "package",
      "__proto__",
    ),
    fc.oneof(words, fc.constantFrom("true", "[0,0][10,10]", "[-5,7][99999,8]", "[1,1][0,0]")),
    { maxKeys: 6 },
  );
  const { tree: nodes } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc
      .tuple(attributes, fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie("tree"), { maxLength: 3 })))
      .map(([own, inside]) => node(own as Node, ...inside)),
  }));
  it("gives elements within the screen, or no dump at all", () => {
    fc.assert(
      fc.property(fc.array(nodes, { maxLength: 4 }), (list) => {
        let elements: readonly UiElement[];
        try {
          elements = walk(read(dumped(...list))).elements;
        } catch (error) {
          expect(error).toBeInstanceOf(NoDump);
          return;
        }
        for (const { bounds, password, text } of elements) {
          const { x, y, width, height } = bounds;
          expect(x >= 0 && y >= 0 && x + width <= 1.000001 && y + height <= 1.000001 && width > 0 && height > 0).toBe(
            true,
          );
          if (password) expect(text).toBe("");
        }
      }),
      { numRuns: 300 },
    );
  });
  it("never does anything else but be read or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const xml = typeof bytes === "string" ? Buffer.from(`<hierarchy rotation="0">${bytes}</hierarchy>`) : bytes;
        try {
          parseDump(xml, SCREEN);
        } catch (error) {
          expect(error).toBeInstanceOf(NoDump);
        }
      }),
      { numRuns: 500 },
    );
  });
  it("has no place outside the screen, whatever its numbers", () => {
    fc.assert(
      fc.property(fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()), ([a, b, c, d]) => {
        const bounds = boundsOf(`[${a},${b}][${c},${d}]`, SCREEN);
        if (bounds === undefined) return;
        expect(bounds.x >= 0 && bounds.x + bounds.width <= 1.000001 && bounds.width > 0).toBe(true);
        expect(bounds.y >= 0 && bounds.y + bounds.height <= 1.000001 && bounds.height > 0).toBe(true);
      }),
    );
  });
});
