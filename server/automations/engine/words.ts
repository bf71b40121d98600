/** How steps and selectors are called in reports, and numbers in templates. */
import type { Command, Selector } from "../../../shared/flows/model.ts";
import { resolvePath } from "../../../shared/workspace-model.ts";
import { StepFailure } from "./failures.ts";

const MAX_LABEL = 200;

/** A selector in a few words: `"Sign in"`, `id "submit"`, `"Save" below "Address"`. */
export function selectorWords(selector: Selector): string {
  const parts: string[] = [];
  if (selector.text !== undefined) parts.push(`"${selector.text}"`);
  if (selector.id !== undefined) parts.push(`id "${selector.id}"`);
  if (selector.css !== undefined) parts.push(`css "${selector.css}"`);
  if (selector.point !== undefined) parts.push(`at ${selector.point}`);
  if (selector.index !== undefined) parts.push(`number ${selector.index}`);
  for (const state of ["enabled", "selected", "checked", "focused"] as const) {
    if (selector[state] !== undefined) parts.push(selector[state] ? state : `not ${state}`);
  }
  if (selector.traits !== undefined) parts.push(selector.traits.join(", "));
  for (const [relation, words] of [
    ["below", "below"],
    ["above", "above"],
    ["leftOf", "left of"],
    ["rightOf", "right of"],
    ["childOf", "in"],
    ["containsChild", "with child"],
  ] as const) {
    const other = selector[relation];
    if (other !== undefined) parts.push(`${words} ${selectorWords(other)}`);
  }
  if (selector.containsDescendants !== undefined) {
    parts.push(`with ${selector.containsDescendants.map(selectorWords).join(" and ")}`);
  }
  return parts.length === 0 ? "any element" : parts.join(" ");
}

/** What a step is called when it has no label. Templates stand as written, so nothing a flow computes is shown here. */
export function commandWords(command: Command): string {
  return text(command).slice(0, MAX_LABEL);
}

function text(command: Command): string {
  switch (command.name) {
    case "tapOn":
    case "doubleTapOn":
    case "longPressOn":
    case "copyTextFrom":
    case "assertVisible":
    case "assertNotVisible":
      return `${command.name} ${selectorWords(command.selector)}`;
    case "scrollUntilVisible":
      return `${command.name} ${selectorWords(command.element)}`;
    case "openLink":
      return `${command.name} ${command.link}`;
    case "inputText":
    case "setClipboard":
      return `${command.name} "${command.text}"`;
    case "pressKey":
      return `${command.name} ${command.key}`;
    case "assertTrue":
      return `${command.name} ${command.condition}`;
    case "runFlow":
    case "retry":
      return "file" in command.steps ? `${command.name} ${command.steps.file}` : command.name;
    case "runScript":
      return `${command.name} ${command.file}`;
    case "addMedia":
      return `${command.name} ${command.files.join(", ")}`;
    case "takeScreenshot":
    case "assertScreenshot":
      return `${command.name} ${command.path}`;
    case "swipe":
      return `swipe ${command.direction ?? `${command.start ?? ""} to ${command.end ?? ""}`}`.trim();
    case "unsupported":
      return command.command;
    default:
      return command.name;
  }
}

const QUOTE = /\uE000([\s\S]*?)\uE001(\d+)\uE002/g;

/**
 * A value within a message, of which at most so many characters are shown. It is cut by `cutQuotes`, once secrets in it
 * are hidden: half a secret would not be found.
 */
export function quoted(value: string, most: number): string {
  return `\uE000${value}\uE001${most}\uE002`;
}

export function cutQuotes(message: string): string {
  return message.replace(QUOTE, (_all, value: string, most: string) => value.slice(0, Number(most)));
}

/** A whole number out of a template's text; "10_000" is how Maestro's users write long ones. */
export function wholeNumber(value: string, what: string): number {
  const digits = value.trim().replaceAll("_", "");
  if (!/^[+-]?\d{1,12}(\.0*)?$/.test(digits)) {
    throw new StepFailure("phone_cannot", `${what} must be a whole number, not "${quoted(value, 100)}".`);
  }
  return Number.parseInt(digits, 10);
}

/** Maestro's truth: everything but blank, "false", "undefined", "null" and 0. */
export function isTruthy(value: string): boolean {
  const text = value.trim().toLowerCase();
  return text !== "" && text !== "false" && text !== "undefined" && text !== "null" && !/^[+-]?0(\.0*)?$/.test(text);
}

/** The path of a file that the flow in `from` names. @throws StepFailure */
export function fileNamed(from: string, name: string): string {
  const path = resolvePath(from, name.trim());
  if (path !== undefined) return path;
  throw new StepFailure("phone_cannot", `"${name.slice(0, 80)}" is no file of this workspace.`);
}
