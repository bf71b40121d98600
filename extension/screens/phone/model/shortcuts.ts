/** The keys of the phone screen. They work while the focus is in it, but not while text is typed or a menu is open. */

export type ShortcutAction =
  | "back"
  | "home"
  | "recents"
  | "rotate"
  | "screenshot"
  | "openTab"
  | "address"
  | "paste"
  | "newPhone"
  | "shortcuts";

export const SHORTCUTS: readonly { readonly key: string; readonly action: ShortcutAction; readonly words: string }[] = [
  { key: "b", action: "back", words: "Back" },
  { key: "h", action: "home", words: "Home" },
  { key: "r", action: "recents", words: "Recents" },
  { key: "t", action: "rotate", words: "Rotate" },
  { key: "s", action: "screenshot", words: "Screenshot" },
  { key: "p", action: "paste", words: "Paste from this computer" },
  { key: "o", action: "openTab", words: "Open this tab's page" },
  { key: "a", action: "address", words: "Open an address" },
  { key: "n", action: "newPhone", words: "New phone" },
  { key: "?", action: "shortcuts", words: "This list" },
];

export interface ShortcutPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
  readonly target: EventTarget | null;
}

export function shortcutAction(press: ShortcutPress): ShortcutAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey || press.isComposing) return undefined;
  if (takesText(press.target)) return undefined;
  return SHORTCUTS.find((shortcut) => shortcut.key === press.key.toLowerCase())?.action;
}

/** Fields that take letters, and menus, which find their items by letter. */
const TEXT_TAKERS = "input, textarea, select, [role=menu], dialog";

function takesText(target: EventTarget | null): boolean {
  return typeof Element !== "undefined" && target instanceof Element && target.closest(TEXT_TAKERS) !== null;
}
