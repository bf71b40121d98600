/** Commands that type: text, keys, the clipboard, invented values. */
import type { CommandSpec, CommandTable } from "./command-spec.ts";
import { present, wordOf } from "./reader.ts";
import { didYouMean } from "./suggestions.ts";

/** Keys of Maestro, by the words flows use; any case is right. */
export const KEYS: readonly string[] = [
  "Enter",
  "Backspace",
  "Back",
  "Home",
  "Lock",
  "Volume Up",
  "Volume Down",
  "Escape",
  "Power",
  "Tab",
  "Remote Dpad Up",
  "Remote Dpad Down",
  "Remote Dpad Left",
  "Remote Dpad Right",
  "Remote Dpad Center",
  "Remote Media Play Pause",
  "Remote Media Stop",
  "Remote Media Next",
  "Remote Media Previous",
  "Remote Media Rewind",
  "Remote Media Fast Forward",
  "Remote System Navigation Up",
  "Remote System Navigation Down",
  "Remote Button A",
  "Remote Button B",
  "Remote Menu",
  "TV Input",
  "TV Input HDMI 1",
  "TV Input HDMI 2",
  "TV Input HDMI 3",
];

const FIRST_TAP = "`inputText` types into the field that has the focus: tap the field with `tapOn` first, then type.";

function invented(
  name:
    | "inputRandomEmail"
    | "inputRandomPersonName"
    | "inputRandomCityName"
    | "inputRandomCountryName"
    | "inputRandomColorName",
): CommandSpec {
  return { fields: [], bare: true, example: name, read: () => ({ name }) };
}

function inventedOfLength(name: "inputRandomText" | "inputRandomNumber"): CommandSpec {
  return {
    fields: ["length"],
    bare: true,
    example: `${name}: {length: 8}`,
    read: (fields) => ({ name, length: fields.number("length", { min: 0, max: 10_000, whole: true }) ?? 8 }),
  };
}

export const TEXT_COMMANDS: CommandTable = {
  inputText: {
    fields: ["text"],
    short: "text",
    bare: false,
    example: "inputText: hello",
    mistakes: { id: FIRST_TAP, element: FIRST_TAP, into: FIRST_TAP, value: "Did you mean `text`?" },
    read(fields) {
      const text = fields.needed("text", "text: hello");
      return text === undefined ? undefined : { name: "inputText", text };
    },
  },
  eraseText: {
    fields: ["charactersToErase"],
    short: "charactersToErase",
    bare: true,
    example: "eraseText: 20",
    mistakes: {
      id: "`eraseText` erases in the field that has the focus: tap the field with `tapOn` first.",
      text: "Say how many: `charactersToErase: 20`.",
      charactersToRemove: "Did you mean `charactersToErase`?",
      characters: "Did you mean `charactersToErase`?",
    },
    read: (fields) =>
      present({
        name: "eraseText",
        characters: fields.numberText("charactersToErase", { min: 0, max: 100_000, whole: true }, "numbers"),
      }),
  },
  pasteText: { fields: [], bare: true, example: "pasteText", read: () => ({ name: "pasteText" }) },
  setClipboard: {
    fields: ["text"],
    short: "text",
    bare: false,
    example: "setClipboard: hello",
    read(fields) {
      const text = fields.needed("text", "text: hello");
      return text === undefined ? undefined : { name: "setClipboard", text };
    },
  },
  pressKey: {
    fields: ["key"],
    short: "key",
    bare: false,
    example: "pressKey: Enter",
    read(fields) {
      const key = fields.needed("key", "key: Enter");
      if (key === undefined) return undefined;
      if (key.includes("${")) {
        fields.reader.portable = false;
        return { name: "pressKey", key };
      }
      const known = wordOf(key, KEYS);
      if (known !== undefined) return { name: "pressKey", key: known };
      const place = fields.node("key")?.place ?? fields.place;
      const help =
        didYouMean(key, KEYS) ||
        " Keys are Enter, Backspace, Tab, Escape, Back, Home, Volume Up, Volume Down, Lock, Power.";
      return fields.reader.error(place, `\`${key.slice(0, 60)}\` is not a key.${help}`);
    },
  },
  inputRandomText: inventedOfLength("inputRandomText"),
  inputRandomNumber: inventedOfLength("inputRandomNumber"),
  inputRandomEmail: invented("inputRandomEmail"),
  inputRandomPersonName: invented("inputRandomPersonName"),
  inputRandomCityName: invented("inputRandomCityName"),
  inputRandomCountryName: invented("inputRandomCountryName"),
  inputRandomColorName: invented("inputRandomColorName"),
};
