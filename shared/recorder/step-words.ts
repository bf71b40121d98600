/** A recorded step in words, and a selector in the words of the choice among them. */
import type { Selector } from "../flows/model.ts";
import type { Candidate, RecordedAction, SelectorKind } from "../recording-model.ts";
import { directionOf } from "./gestures.ts";

const LONGEST = 60;

/** "Tap “Sign in”". `name`: what the target is called, "" when it has no name. */
export function stepWords(action: RecordedAction, name: string): string {
  const what = name === "" ? "a place" : `“${short(name)}”`;
  const into = name === "" ? "" : ` into “${short(name)}”`;
  switch (action.kind) {
    case "tap":
      return `Tap ${what}`;
    case "doubleTap":
      return `Double tap ${what}`;
    case "longPress":
      return `Press and hold ${what}`;
    case "assertVisible":
      return `Assert that ${what} is visible`;
    case "swipe":
      if (action.direction === undefined) return "Swipe";
      return `Swipe ${action.direction.toLowerCase()}${name === "" ? "" : ` from ${what}`}`;
    case "scroll":
      // A finger goes against the wheel: the words say where the page goes.
      return `Scroll ${(directionOf(action.dx, action.dy) ?? "DOWN").toLowerCase()}`;
    case "inputText":
      return `Type “${short(action.text)}”${into}`;
    case "inputSecret":
      return `Type the secret ${action.secret}${into}`;
    case "eraseText":
      if (action.characters === undefined) return "Erase the text";
      return action.characters === 1 ? "Erase a character" : `Erase ${action.characters} characters`;
    case "pressKey":
      return `Press ${action.key}`;
    case "back":
      return "Go back";
    case "openLink":
      return `Open ${short(action.link)}`;
    case "setOrientation":
      return action.orientation === "PORTRAIT" ? "Turn upright" : "Turn sideways";
  }
}

export const KIND_WORDS: Readonly<Record<SelectorKind, string>> = {
  id: "Id",
  label: "Label",
  text: "Text",
  hint: "Hint",
  beside: "Beside another",
  id_index: "Id and position",
  pattern: "Text with any number",
  css: "Place in the page",
  text_index: "Text and position",
  point_in: "Place in its container",
  point: "Place on the screen",
};

/** "Text: Sign in". */
export function candidateWords({ kind, selector }: Candidate): string {
  return `${KIND_WORDS[kind]}: ${short(selectorText(selector))}`;
}

function selectorText({ text, id, css, index, point, childOf, below, rightOf }: Selector): string {
  const own = text ?? id ?? css ?? "";
  if (index !== undefined) return `${own}, number ${Number(index) + 1}`;
  if (point !== undefined) return own === "" ? point : `${own} at ${point}`;
  if (childOf !== undefined) return `${own} in ${selectorText(childOf)}`;
  if (below !== undefined) return `${own} below ${selectorText(below)}`;
  return rightOf === undefined ? own : `${own} right of ${selectorText(rightOf)}`;
}

function short(text: string): string {
  const letters = Array.from(text.replaceAll("\n", " "));
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : letters.join("");
}
