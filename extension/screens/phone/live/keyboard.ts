/** The computer's keyboard and input methods type on the phone, through a text field nobody sees. */
import { MAX_TEXT_LENGTH, type PhoneKey, type ViewerMessage } from "../../../../shared/screen-protocol.ts";

/** A second Escape within this time leaves the phone instead of reaching it. */
const LEAVE_WITHIN_MS = 600;

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  /** An input method is at work and takes the key. */
  readonly isComposing: boolean;
}

/** Keys of the same meaning on the phone. `Home` and `End` are not among them: the phone's Home is a button. */
const KEYS: ReadonlyMap<string, PhoneKey> = new Map(
  (
    [
      "Enter",
      "Backspace",
      "Delete",
      "Tab",
      "Escape",
      "ArrowUp",
      "ArrowDown",
      "ArrowLeft",
      "ArrowRight",
      "PageUp",
      "PageDown",
    ] as const
  ).map((name) => [name, name]),
);
const SHORTCUTS: ReadonlyMap<string, PhoneKey> = new Map([
  ["a", "SelectAll"],
  ["c", "Copy"],
  ["x", "Cut"],
  ["z", "Undo"],
]);

/** The phone's key for a key press; `undefined` when it is text, or the browser's own. */
export function phoneKey(press: KeyPress, isMac: boolean): PhoneKey | undefined {
  if (press.isComposing || press.key === "Process") return undefined;
  const command = isMac ? press.metaKey : press.ctrlKey;
  const otherModifier = press.altKey || (isMac ? press.ctrlKey : press.metaKey);
  if (otherModifier) return undefined;
  return command ? SHORTCUTS.get(press.key.toLowerCase()) : KEYS.get(press.key);
}

/** Text as messages of at most `MAX_TEXT_LENGTH` UTF-16 units, never cutting a character in two. */
export function textMessages(text: string, limit: number = MAX_TEXT_LENGTH): ViewerMessage[] {
  const messages: ViewerMessage[] = [];
  let start = 0;
  while (start < text.length) {
    let end = Math.min(text.length, start + limit);
    const last = text.charCodeAt(end - 1);
    const cutsPair = end < text.length && last >= 0xd800 && last <= 0xdbff;
    if (cutsPair && end - start > 1) end -= 1;
    messages.push({ type: "text", value: text.slice(start, end) });
    start = end;
  }
  return messages;
}

/** How much of a field's text is whole characters: Firefox types an emoji as two halves, each with its own `input`. */
export function wholeLength(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
}

export interface KeyboardOptions {
  readonly send: (message: ViewerMessage) => void;
  /** Escape was pressed twice: focus goes back to the panel. */
  readonly onLeave: () => void;
}

/** Listens on a visually hidden `textarea`; it types while that has the focus. Returns what stops it. */
export function attachKeyboard(field: HTMLTextAreaElement, { send, onLeave }: KeyboardOptions): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const isMac = navigator.platform.startsWith("Mac");
  let escapedAt = Number.NEGATIVE_INFINITY;
  let composing = false;

  const type = (text: string) => {
    for (const message of textMessages(text)) send(message);
  };

  field.addEventListener(
    "keydown",
    (event) => {
      const name = phoneKey(event, isMac);
      if (name === undefined) return;
      event.preventDefault();
      if (name !== "Escape") {
        send({ type: "key", name });
      } else if (event.timeStamp - escapedAt < LEAVE_WITHIN_MS) {
        escapedAt = Number.NEGATIVE_INFINITY;
        onLeave();
      } else {
        escapedAt = event.timeStamp;
        send({ type: "key", name });
      }
    },
    { signal },
  );
  field.addEventListener(
    "compositionstart",
    () => {
      composing = true;
    },
    { signal },
  );
  field.addEventListener("compositionupdate", (event) => send({ type: "compose", value: event.data }), { signal });
  field.addEventListener(
    "compositionend",
    (event) => {
      composing = false;
      if (event.data === "") send({ type: "compose", value: "" });
      else type(event.data);
      field.value = "";
    },
    { signal },
  );
  field.addEventListener(
    "input",
    () => {
      // What an input method is still working on is shown by `compose` and stays in the field until it ends.
      if (composing) return;
      const whole = wholeLength(field.value);
      if (whole === 0) return;
      const text = field.value;
      type(text.slice(0, whole));
      // The first half of a character stays until its other half comes.
      field.value = text.slice(whole);
    },
    { signal },
  );
  field.addEventListener(
    "paste",
    (event) => {
      event.preventDefault();
      type(event.clipboardData?.getData("text/plain") ?? "");
    },
    { signal },
  );
  field.addEventListener(
    "blur",
    () => {
      if (composing) send({ type: "compose", value: "" });
      composing = false;
      field.value = "";
    },
    { signal },
  );
  return () => stop.abort();
}
