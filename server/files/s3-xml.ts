/** The XML S3 speaks, read within bounds and written escaped. */
import { SaxesParser } from "saxes";
import { PerchError } from "../errors.ts";

export interface XmlElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/** A thousand of the longest keys and what stands around them. */
const MOST_TEXT = 4 * 1024 * 1024;
const DEEPEST = 16;

/** @throws PerchError for what is no document, or one that is too large */
export function readXml(text: string): XmlElement {
  const parser = new SaxesParser();
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  parser.on("opentag", ({ name }) => {
    const element: XmlElement = { name: name.slice(name.indexOf(":") + 1), text: "", children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
    if (open.length > DEEPEST) throw unreadable();
  });
  parser.on("text", (part) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  });
  parser.on("closetag", () => void open.pop());
  parser.on("error", (cause) => {
    throw unreadable(cause);
  });
  if (text.length > MOST_TEXT) throw unreadable();
  parser.write(text).close();
  if (root === undefined) throw unreadable();
  return root;
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((one) => one.name === name);
}

export function textOf(element: XmlElement, name: string): string | undefined {
  return element.children.find((one) => one.name === name)?.text;
}

/** For text between tags and in attributes. */
export function escapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  return text.replaceAll(/[&<>"']/g, (c) => named[c] ?? c);
}

function unreadable(cause?: unknown): PerchError {
  return new PerchError("unavailable", "The file storage answered something that cannot be read.", { cause });
}
