/**
 * The screen as `uiautomator dump` writes it: AOSP frameworks/base cmds/uiautomator AccessibilityNodeInfoDumper.java, the
 * attributes and their order as Android 12 has them. `pageSource`: as `appium-uiautomator2-server` does, its
 * `core/AccessibilityNodeInfoDumper.java` and `model/UiElementSnapshot.java`.
 */
import { className, type Field, type SeenView, shownText } from "./view.ts";

/** Letters outside the first plane become numbers, as Android's XML writer has them; what XML forbids becomes a dot. */
function attribute(value: string): string {
  let out = "";
  for (const letter of value) {
    const code = letter.codePointAt(0) ?? 0;
    if (letter === "&") out += "&amp;";
    else if (letter === "<") out += "&lt;";
    else if (letter === ">") out += "&gt;";
    else if (letter === '"') out += "&quot;";
    else if (code === 9 || code === 10 || code === 13) out += `&#${code};`;
    else if (code < 32 || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xdfff)) out += ".";
    else out += code > 0xffff ? `&#${code};` : letter;
  }
  return out;
}

function node(seen: SeenView, index: number, app: string, focused: Field | undefined, byClass = false): string {
  const { view, visible, children } = seen;
  const id = view.id === undefined ? "" : view.id.includes(":") ? view.id : `${app}:id/${view.id}`;
  const tappable = view.onTap !== undefined || view.field !== undefined;
  const values = {
    index,
    text: shownText(view),
    "resource-id": id,
    class: className(view.kind),
    package: app,
    "content-desc": view.description ?? "",
    checkable: view.checkable ?? false,
    checked: view.checked ?? false,
    clickable: tappable,
    enabled: view.enabled ?? true,
    focusable: tappable,
    focused: view.field !== undefined && view.field === focused,
    scrollable: view.scroll !== undefined && view.scroll.max > 0,
    "long-clickable": view.onLongTap !== undefined || view.field !== undefined,
    password: view.password ?? false,
    selected: view.selected ?? false,
    bounds: `[${visible.x},${visible.y}][${visible.x + visible.width},${visible.y + visible.height}]`,
    ...(byClass && { displayed: true, hint: view.hint ?? "" }),
  };
  const tag = byClass ? values.class : "node";
  const words = Object.entries(values).map(([name, value]) => `${name}="${attribute(String(value))}"`);
  if (children.length === 0) return `<${tag} ${words.join(" ")} />`;
  return `<${tag} ${words.join(" ")}>${children.map((child, at) => node(child, at, app, focused, byClass)).join("")}</${tag}>`;
}

export function hierarchy(root: SeenView, app: string, rotation: number, focused: Field | undefined): string {
  return `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation="${rotation}">${node(root, 0, app, focused)}</hierarchy>`;
}

interface Showing {
  readonly foreground: { readonly package: string };
  readonly rotation: number;
  readonly size: { readonly width: number; readonly height: number };
  readonly focused: Field | undefined;
}

export function pageSource(root: SeenView, { foreground, rotation, size, focused }: Showing): string {
  const screen = `rotation="${rotation}" width="${size.width}" height="${size.height}"`;
  return `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\r\n<hierarchy index="0" class="hierarchy" ${screen}>\r\n${node(root, 0, foreground.package, focused, true)}</hierarchy>`;
}
