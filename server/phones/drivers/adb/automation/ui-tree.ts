/**
 * A dump of an Android screen as a tree for flows. Refs name what an element is (id, class, words, and which of several
 * that are alike), not where it stands, so that the same element has the same ref in the next dump.
 */
import { createHash } from "node:crypto";
import type { UiBounds, UiElement, UiTree } from "../../../../../shared/ui-tree.ts";
import type { ScreenDump, XmlNode } from "./ui-xml.ts";

/** Decorations a window carries behind the system's bars: nothing a finger can mean. */
const BEHIND_BARS: ReadonlySet<string> = new Set([
  "android:id/statusBarBackground",
  "android:id/navigationBarBackground",
]);
const NOTHING: UiBounds = { x: 0, y: 0, width: 1, height: 1 };
const CUT = "There is more on this screen than is read.";

export interface AndroidTree extends UiTree {
  /** Package of the window in front; undefined: nothing could be read. */
  readonly app: string | undefined;
}

export function treeOf(dump: ScreenDump): AndroidTree {
  const counts = new Map<string, number>();
  const children = dump.nodes.flatMap((node, index) => elementsOf(node, `${index}`, counts));
  return {
    root: { ...EMPTY, ref: refOf("screen"), role: "screen", bounds: NOTHING, children },
    width: dump.width,
    height: dump.height,
    app: dump.nodes.find(({ packageName }) => packageName !== "")?.packageName,
    ...(dump.cut && { note: CUT }),
  };
}

/** What can be said of a screen that could not be read. */
export function unreadTree(size: { readonly width: number; readonly height: number }, note: string): AndroidTree {
  return { root: { ...EMPTY, ref: refOf("screen"), role: "screen" }, ...size, app: undefined, note, unread: true };
}

const EMPTY: UiElement = {
  ref: "",
  role: "generic",
  text: "",
  hint: "",
  accessibilityText: "",
  id: "",
  bounds: NOTHING,
  enabled: true,
  selected: false,
  checked: false,
  focused: false,
  clickable: false,
  password: false,
  children: [],
};

/** The element, or what is in it where itself is nowhere on the screen. */
function elementsOf(node: XmlNode, path: string, counts: Map<string, number>): readonly UiElement[] {
  if (BEHIND_BARS.has(node.resourceId)) return [];
  const own = identity(node, path);
  const nth = counts.get(own) ?? 0;
  counts.set(own, nth + 1);
  const children = node.children.flatMap((child, index) => elementsOf(child, `${path}/${index}`, counts));
  return node.bounds === undefined ? children : [elementOf(node, node.bounds, refOf(`${own}\n${nth}`), children)];
}

function elementOf(node: XmlNode, bounds: UiBounds, ref: string, children: readonly UiElement[]): UiElement {
  const { flags, resourceId } = node;
  const password = flags.has("password");
  // An empty field shows its hint, and dumps give that as its text.
  const text = password || node.text === node.hint ? "" : node.text;
  const short = resourceId.slice(resourceId.lastIndexOf("/") + 1);
  return {
    ref,
    role: roleOf(node),
    text,
    hint: node.hint,
    accessibilityText: node.description === text ? "" : node.description,
    id: resourceId,
    ...(short !== resourceId && { alsoIds: [short] }),
    bounds,
    enabled: !flags.has("disabled"),
    selected: flags.has("selected"),
    checked: flags.has("checked"),
    focused: flags.has("focused"),
    clickable: flags.has("clickable") || flags.has("long-clickable"),
    password,
    children,
  };
}

/** What a field holds changes while it stays the same field. */
function identity(node: XmlNode, path: string): string {
  const { className, resourceId, text, description } = node;
  const words = isField(node) ? description : `${text}\n${description}`;
  const named = resourceId !== "" || words.trim() !== "";
  return [className, resourceId, words, named ? "" : path].join("\n");
}

/** Ends in a number, as refs of pages do; what stands before it is the same on every Android screen. */
function refOf(identity: string): string {
  return `a.${createHash("sha1").update(identity).digest().readUIntBE(0, 6)}`;
}

const ROLES: readonly (readonly [RegExp, string])[] = [
  [/AutoCompleteTextView$|Spinner$/, "combobox"],
  [/SearchAutoComplete$|SearchView$/, "searchbox"],
  [/EditText$/, "textbox"],
  [/CheckBox$|CheckedTextView$/, "checkbox"],
  [/RadioButton$/, "radio"],
  [/Switch(Compat|Material)?$|ToggleButton$/, "switch"],
  [/SeekBar$|RatingBar$|Slider$/, "slider"],
  [/ProgressBar$|ProgressIndicator$/, "progressbar"],
  [/Button$/, "button"],
  [/ImageView$|\.Image$/, "image"],
  [/TextView$|\.Chronometer$|\.TextClock$/, "text"],
  [/RecyclerView$|ListView$|GridView$/, "list"],
  [/WebView$/, "document"],
  [/\.Dialog$|AlertDialog$/, "dialog"],
  [/TabWidget$|TabLayout$/, "tablist"],
];

function roleOf({ className, flags }: XmlNode): string {
  if (flags.has("password")) return "textbox";
  const role = ROLES.find(([pattern]) => pattern.test(className))?.[1] ?? "generic";
  if (role === "text" && flags.has("clickable")) return "button";
  return role;
}

function isField(node: XmlNode): boolean {
  return ["textbox", "searchbox", "combobox", "slider"].includes(roleOf(node));
}
