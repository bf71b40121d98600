/** Text and keys. What was typed is read back from the field, where that can be read. */
import { randomInt } from "node:crypto";
import type { PhoneKey } from "../../../../shared/screen-protocol.ts";
import type { UiElement } from "../../../../shared/ui-tree.ts";
import { PerchError } from "../../../errors.ts";
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { findElement, poll } from "../lookup.ts";
import { quoted, wholeNumber } from "../words.ts";

const READ_BACK_MS = 1_000;
const ERASED_BY_DEFAULT = 50;
const MOST_ERASED = 1_000;
const CHUNK = 5_000;

/** Keys by the names flows use, in small letters. */
const KEYS: Readonly<Record<string, PhoneKey>> = {
  enter: "Enter",
  backspace: "Backspace",
  delete: "Delete",
  back: "Back",
  home: "Home",
  tab: "Tab",
  escape: "Escape",
  "app switch": "AppSwitch",
  "remote dpad up": "ArrowUp",
  "remote dpad down": "ArrowDown",
  "remote dpad left": "ArrowLeft",
  "remote dpad right": "ArrowRight",
};

/** The field that is typed into; undefined when there is none or it may not be read. */
export async function focusedField(step: Pick<StepContext, "phone">): Promise<UiElement | undefined> {
  const focused = deepestFocused((await step.phone.elements()).root);
  return focused === undefined || focused.password ? undefined : focused;
}

function deepestFocused(element: UiElement): UiElement | undefined {
  for (const child of element.children) {
    const found = deepestFocused(child);
    if (found !== undefined) return found;
  }
  return element.focused ? element : undefined;
}

async function send(step: StepContext, text: string): Promise<void> {
  const letters = Array.from(text);
  for (let at = 0; at < letters.length; at += CHUNK) {
    step.signal.throwIfAborted();
    await step.phone.input({ type: "text", value: letters.slice(at, at + CHUNK).join("") });
  }
}

/** Types and reads back; what the field did not take at the end is typed once more (research §6, pain 3). */
export async function typeText(step: StepContext, text: string): Promise<string | undefined> {
  if (text === "") return undefined;
  const before = await focusedField(step);
  if (await step.phone.answerPicker(text)) return undefined;
  await send(step, text);
  if (before === undefined) return undefined;
  const expected = before.text + text;
  const shown = await readBack(step, before, expected);
  if (shown === undefined || !expected.startsWith(shown) || shown.length < before.text.length) return undefined;
  // An empty field of an app shows its hint as its text: what looks like nothing may be all of it.
  if (shown === before.text && shown === text) return undefined;
  const missing = expected.slice(shown.length);
  if (missing === "") return undefined;
  await send(step, missing);
  const left = expected.length - ((await readBack(step, before, expected)) ?? expected).length;
  if (left <= 0) return "The field lost the end of the text; it was typed again.";
  return `The field did not take the last ${left === 1 ? "character" : `${left} characters`}.`;
}

/**
 * The field's text once it is what was expected, or can no longer become it because the page writes it in its own way;
 * else what it is after a while. Undefined: the page went on to another field.
 */
async function readBack(step: StepContext, field: UiElement, expected: string): Promise<string | undefined> {
  let last: string | undefined;
  await poll(step, READ_BACK_MS, async () => {
    const focused = await focusedField(step);
    last = focused?.ref === field.ref ? focused.text : undefined;
    return last === undefined || last === expected || !expected.startsWith(last) ? true : undefined;
  });
  return last;
}

const pick = <T>(values: readonly [T, ...T[]]): T => values[randomInt(values.length)] ?? values[0];
const letters = (length: number, from: string) =>
  Array.from({ length }, () => from.charAt(randomInt(from.length))).join("");
const SMALL = "abcdefghijklmnopqrstuvwxyz";
const FIRST = ["Ada", "Ben", "Chloe", "Deniz", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas"] as const;
const LAST = ["Berg", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kaya"] as const;
const CITIES = ["Berlin", "Lisbon", "Nairobi", "Osaka", "Quito", "Toronto", "Utrecht", "Warsaw"] as const;
const COUNTRIES = ["Brazil", "Canada", "Germany", "Ghana", "India", "Japan", "Norway", "Portugal"] as const;
const COLORS = ["amber", "blue", "green", "indigo", "maroon", "orange", "teal", "violet"] as const;
const name = () => `${pick(FIRST)} ${pick(LAST)}`;
const MOST_RANDOM = 1_000;
const lengthOf = (command: { readonly length?: number }) => Math.min(Math.max(command.length ?? 8, 1), MOST_RANDOM);

export const typing: Handlers<
  | "inputText"
  | "eraseText"
  | "pasteText"
  | "copyTextFrom"
  | "setClipboard"
  | "pressKey"
  | "hideKeyboard"
  | "back"
  | "inputRandomText"
  | "inputRandomNumber"
  | "inputRandomEmail"
  | "inputRandomPersonName"
  | "inputRandomCityName"
  | "inputRandomCountryName"
  | "inputRandomColorName"
> = {
  inputText: async (step, { text }) => typeText(step, await step.expand(text)),
  async eraseText(step, { characters }) {
    const asked =
      characters === undefined
        ? ERASED_BY_DEFAULT
        : wholeNumber(await step.expand(characters), "The number of characters");
    const field = await focusedField(step);
    // A rich text's words are in what it holds.
    const there = field === undefined || field.children.length > 0 ? asked : Array.from(field.text).length;
    const count = Math.min(Math.max(asked, 0), there, MOST_ERASED);
    step.signal.throwIfAborted();
    if (count > 0) await step.phone.erase(count);
    return undefined;
  },
  async pasteText(step) {
    return typeText(step, await step.phone.readClipboard());
  },
  async copyTextFrom(step, { selector }) {
    const { element } = await findElement(step, selector);
    const text = [element.text, element.hint, element.accessibilityText].find((value) => value !== "") ?? "";
    step.scripts.copied(text);
    try {
      await step.phone.writeClipboard(text);
    } catch (error) {
      // pasteText has it all the same.
      if (!(error instanceof PerchError) || error.code !== "capability_missing") throw error;
    }
    return undefined;
  },
  async setClipboard(step, { text }) {
    const value = await step.expand(text);
    await step.phone.writeClipboard(value);
    step.scripts.copied(value);
    return undefined;
  },
  async pressKey(step, { key }) {
    const asked = await step.expand(key);
    const name = asked.trim().toLowerCase();
    const known = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    if (known !== undefined) await step.phone.input({ type: "key", name: known });
    else if (!step.phone.can.apps || !(await step.phone.pressKey(name))) {
      const more = step.phone.can.apps ? ", Volume Up, Volume Down, Lock and Power" : "";
      throw new StepFailure(
        "phone_cannot",
        `This phone has no key "${quoted(asked, 40)}". It has Enter, Backspace, Delete, Back, Home, Tab and Escape${more}.`,
      );
    }
    return undefined;
  },
  async hideKeyboard(step) {
    await step.phone.hideKeyboard();
    return undefined;
  },
  async back(step) {
    await step.phone.input({ type: "key", name: "Back" });
    return undefined;
  },
  inputRandomText: (step, command) => typeText(step, letters(lengthOf(command), SMALL)),
  inputRandomNumber: (step, command) =>
    typeText(step, letters(1, "123456789") + letters(lengthOf(command) - 1, "0123456789")),
  inputRandomEmail: (step) => typeText(step, `${letters(10, SMALL)}@mail.example`),
  inputRandomPersonName: (step) => typeText(step, name()),
  inputRandomCityName: (step) => typeText(step, pick(CITIES)),
  inputRandomCountryName: (step) => typeText(step, pick(COUNTRIES)),
  inputRandomColorName: (step) => typeText(step, pick(COLORS)),
};
