/** Keys by their numbers: AOSP frameworks/native include/android/keycodes.h. */
import type { Phone } from "./phone.ts";

const NAMES: Readonly<Record<string, number>> = {
  HOME: 3,
  BACK: 4,
  DPAD_UP: 19,
  DPAD_DOWN: 20,
  DPAD_LEFT: 21,
  DPAD_RIGHT: 22,
  DPAD_CENTER: 23,
  VOLUME_UP: 24,
  VOLUME_DOWN: 25,
  POWER: 26,
  CAMERA: 27,
  TAB: 61,
  SPACE: 62,
  ENTER: 66,
  DEL: 67,
  MENU: 82,
  PAGE_UP: 92,
  PAGE_DOWN: 93,
  ESCAPE: 111,
  FORWARD_DEL: 112,
  MOVE_HOME: 122,
  MOVE_END: 123,
  APP_SWITCH: 187,
  SLEEP: 223,
  WAKEUP: 224,
  CUT: 277,
  COPY: 278,
  SOFT_SLEEP: 276,
  PASTE: 279,
};
export const CTRL = 0x1000;
const SHIFT = 0x1;

/** A number, `HOME` or `KEYCODE_HOME`. @throws Error for what is no key */
export function keyCode(name: string): number {
  if (/^\d{1,3}$/.test(name)) return Number(name);
  const plain = name.replace(/^KEYCODE_/, "");
  if (/^[A-Z]$/.test(plain)) return 29 + plain.charCodeAt(0) - 65;
  if (/^\d$/.test(plain)) return 7 + Number(plain);
  const code = NAMES[plain];
  if (code === undefined) throw new Error(`Unknown keycode: ${name}`);
  return code;
}

const PUNCTUATION: Readonly<Record<number, string>> = {
  55: ",",
  56: ".",
  62: " ",
  68: "`",
  69: "-",
  70: "=",
  71: "[",
  72: "]",
  73: "\\",
  74: ";",
  75: "'",
  76: "/",
  77: "@",
  81: "+",
};

/** The letter a key makes. */
function letter(code: number, meta: number): string | undefined {
  if (code >= 29 && code <= 54) {
    const lower = String.fromCharCode(97 + code - 29);
    return meta & SHIFT ? lower.toUpperCase() : lower;
  }
  if (code >= 7 && code <= 16) return String(code - 7);
  return PUNCTUATION[code];
}

function shortcut(phone: Phone, key: string | undefined): void {
  const field = phone.focused;
  if (field === undefined) return;
  if (key === "a") field.selected = true;
  if (key === "c" || key === "x") phone.setClipboard(field.value);
  if (key === "x") field.value = "";
  if (key === "v") phone.type(phone.clipboard);
  phone.changed();
}

const turn = (phone: Phone, by: number) => {
  phone.volume = Math.min(25, Math.max(0, phone.volume + by));
};
const ACTIONS: Readonly<Record<number, (phone: Phone) => void>> = {
  3: (phone) => phone.home(),
  4: (phone) => phone.back(),
  24: (phone) => turn(phone, 1),
  25: (phone) => turn(phone, -1),
  26: (phone) => phone.setAwake(!phone.awake),
  66: (phone) => phone.enter(),
  67: (phone) => phone.erase(),
  82: (phone) => phone.setAwake(true),
  111: (phone) => phone.back(),
  112: (phone) => phone.erase(),
  160: (phone) => phone.enter(),
  187: (phone) => phone.home(),
  223: (phone) => phone.setAwake(false),
  276: (phone) => phone.setAwake(false),
  224: (phone) => phone.setAwake(true),
  277: (phone) => shortcut(phone, "x"),
  278: (phone) => shortcut(phone, "c"),
  279: (phone) => shortcut(phone, "v"),
};

/** Presses a key and lets it go. */
export function press(phone: Phone, code: number, meta = 0): void {
  const action = ACTIONS[code];
  const made = letter(code, meta);
  if (action !== undefined) action(phone);
  else if (meta & CTRL) shortcut(phone, made);
  else if (made !== undefined) phone.type(made);
}
