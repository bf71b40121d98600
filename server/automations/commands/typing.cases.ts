/** Text, keys, the clipboard. */
import type { Case } from "./case.ts";

const type = (field: string, text: string, says: string | RegExp, extra = ""): Case => ({
  name: `${text} into ${field}`,
  page: "/form",
  steps: `- tapOn: ${field}\n- inputText: ${text}\n${extra}- hideKeyboard`,
  says: [says],
});
const invented = (command: string, says: RegExp): Case => ({
  name: command,
  page: "/form",
  steps: `- tapOn: Word\n- ${command}\n- hideKeyboard`,
  says: [says],
});
const pick = (field: string, text: string, says: string): Case => ({
  name: `${text} for ${field}`,
  page: "/form",
  steps: `- tapOn: ${field}\n- inputText: '${text}'\n- assertVisible: Word`,
  says: [says],
});

export const TYPING: readonly Case[] = [
  type("Word", "hello", "word=hello"),
  type("Word", "日本語 👩‍👩‍👧 ñ", "word=日本語 👩‍👩‍👧 ñ"),
  type("Word", "'${1 + 1} x'", "word=2 x"),
  type("Notes", '"two\\nlines"', "notes=two\nlines"),
  type("Age", "'42'", "num=42"),
  type("Loud", "quiet", "loud=QUIET"),
  type("Secret", "hunter2", "secret=hunter2"),
  type("{id: story}", "Es war einmal 🐺", "story=Es war einmal 🐺"),
  {
    name: "more than a field takes",
    page: "/form",
    steps: "- tapOn: Code\n- inputText: abcdefg\n- hideKeyboard",
    says: ["code=abcde"],
    words: /did not take the last 2 characters/,
  },
  {
    name: "a code into one box a digit",
    page: "/form",
    steps: "- tapOn: Digit 1\n- inputText: '4711'",
    says: ["code 4711"],
  },
  {
    name: "more to what is there",
    page: "/form",
    steps: "- tapOn: Word\n- inputText: ab\n- inputText: cd\n- assertVisible: now abcd/.*\n- hideKeyboard",
    says: ["word=abcd"],
  },
  {
    name: "and erases some",
    page: "/form",
    steps: "- tapOn: Word\n- inputText: abcdef\n- eraseText: 2\n- hideKeyboard",
    says: ["word=abcd"],
  },
  {
    name: "and erases all",
    page: "/form",
    steps: "- tapOn: Word\n- inputText: 日本👩‍👩‍👧x\n- eraseText\n- inputText: z\n- hideKeyboard",
    says: ["word=z"],
  },
  {
    name: "copies and pastes",
    page: "/words",
    steps:
      "- copyTextFrom: {id: copy}\n- assertTrue: \"${maestro.copiedText == 'Número 42 — 数'}\"\n- tapOn: Field\n- pasteText\n- hideKeyboard",
    says: ["Número 42 — 数"],
  },
  {
    name: "pastes what was set",
    page: "/words",
    steps: "- setClipboard: '${3 * 3} ☂'\n- tapOn: Field\n- pasteText\n- hideKeyboard",
    says: ["9 ☂"],
  },
  {
    name: "Enter sends a form",
    page: "/form",
    steps: "- tapOn: Word\n- inputText: go\n- pressKey: Enter",
    says: ["word=go", "sent go"],
  },
  {
    name: "Tab goes on, Backspace takes back, Escape is heard",
    page: "/form",
    steps: "- tapOn: Word\n- inputText: ab\n- pressKey: Backspace\n- pressKey: escape\n- pressKey: Tab",
    says: ["escape", "word=a", "more focused"],
  },
  {
    name: "hides the keyboard",
    page: "/form",
    steps: "- tapOn: More\n- hideKeyboard\n- assertVisible: {id: more, focused: false}",
    says: ["more focused", "more left"],
  },
  {
    name: "Home and Back are the phone's",
    page: "/form",
    steps: "- pressKey: Home\n- assertVisible: Web apps\n- launchApp\n- tapOn: Word\n- action: hideKeyboard",
  },
  {
    name: "an option of a list",
    page: "/form",
    steps: "- tapOn: Size\n- tapOn: Medium\n- assertVisible: Medium",
    says: ["size=Medium"],
  },
  {
    name: "an option in a group, in another script",
    page: "/form",
    steps: "- tapOn: {id: size}\n- tapOn: 日本語サイズ",
    says: ["size=日本語サイズ"],
  },
  {
    name: "an option far down a list",
    page: "/form",
    steps: "- tapOn: {id: size}\n- tapOn: Size 37",
    says: ["size=Size 37"],
  },
  {
    name: "no option, with Back",
    page: "/form",
    steps: "- tapOn: {id: size}\n- back\n- assertVisible: Small\n- assertVisible: Word",
  },
  pick("Day", "1990-02-11", "day=1990-02-11"),
  pick("Day", "02111990", "day=1990-02-11"),
  pick("Day", "02/11/1990", "day=1990-02-11"),
  pick("Hour", "18:30", "hour=18:30"),
  pick("Hour", "6:30 PM", "hour=18:30"),
  pick("Moon", "2026-03", "month=2026-03"),
  pick("Meeting", "2026-03-04 18:30", "meet=2026-03-04T18:30"),
  pick("Paint", "#336699", "paint=#336699"),
  {
    name: "no day that is none",
    page: "/form",
    steps: "- tapOn: Day\n- inputText: soon",
    ends: "failed",
    words: /asks for a date, like 2026-03-04.*“soon”/,
  },
  invented("inputRandomText: {length: 12}", /^word=[a-z]{12}$/),
  invented("inputRandomNumber", /^word=[1-9]\d{7}$/),
  invented("inputRandomEmail", /^word=\S+@\S+\.\S+$/),
  invented("inputRandomPersonName", /^word=\S+ \S+$/),
  invented("inputRandomCityName", /^word=\S+$/),
  invented("inputRandomCountryName", /^word=\S+$/),
  invented("inputRandomColorName", /^word=\S+$/),
];
