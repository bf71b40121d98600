/**
 * From text to plain nodes with their places: all that knows YAML's grammar. Size, depth and aliases are bounded here, so
 * whatever reads the nodes may recurse. Never throws.
 */
import { Composer, type CST, isMap, isScalar, isSeq, Lexer, type Node, Parser, type Scalar } from "yaml";
import type { Diagnostic, Place } from "./model.ts";

export const MAX_SOURCE_BYTES = 256 * 1024;
export const MAX_DEPTH = 64;

export interface ScalarNode {
  readonly kind: "scalar";
  /** As written when plain: `007` stays "007". */
  readonly text: string;
  /** Quoted or block text is never a number, a yes or nothing. */
  readonly plain: boolean;
  readonly place: Place;
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  readonly place: Place;
}
export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: SourceNode;
}
export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly place: Place;
}
export type SourceNode = ScalarNode | ListNode | MapNode;

/** One of the parts that `---` separates. */
export interface SourcePart {
  readonly node: SourceNode;
  /** Of its `---`, or its first line. */
  readonly start: Place;
}
export interface FlowSource {
  readonly parts: readonly SourcePart[];
  readonly end: Place;
  readonly diagnostics: readonly Diagnostic[];
}

export function isNothing(node: SourceNode): boolean {
  return node.kind === "scalar" && node.plain && /^(|~|null|Null|NULL)$/.test(node.text);
}

/** Parts are absent when the text is no YAML; the diagnostics then say where. */
export function readSource(source: string): FlowSource {
  if (source.length > MAX_SOURCE_BYTES || new TextEncoder().encode(source).length > MAX_SOURCE_BYTES) {
    return refused({ line: 1, column: 1 }, "A flow may be 256 KiB at most; split it into files and use `runFlow`.");
  }
  const placeOf = places(source);
  const tokens = tokenize(source);
  if (tokens === undefined)
    return refused(
      { line: 1, column: 1 },
      "This flow has too many parts to be read; split it into files and use `runFlow`.",
    );
  const fault = firstFault(tokens);
  if (fault !== undefined) return refused(placeOf(fault.offset), fault.message);

  const starts = tokens
    .filter((token) => token.type === "document")
    .map((token) => placeOf(token.start.find(({ type }) => type === "doc-start")?.offset ?? token.offset));
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const diagnostics: Diagnostic[] = [];
  const parts: SourcePart[] = [];
  for (const document of composer.compose(tokens, false, source.length)) {
    // What follows a first error is mostly its echo.
    const [error] = document.errors;
    if (error !== undefined) {
      const place = placeOf(error.pos[0]);
      const line = source.split("\n", place.line)[place.line - 1] ?? "";
      diagnostics.push({ ...place, severity: "error", message: yamlSentence(error.code, error.message, line) });
    }
    const start = starts[parts.length] ?? placeOf(document.range[0]);
    parts.push({ node: convert(document.contents, document.range[1], placeOf, diagnostics), start });
    if (parts.length === 3 || diagnostics.length > 20) break;
  }
  const broken = diagnostics.length > 0;
  return { parts: broken ? [] : parts, end: placeOf(source.length), diagnostics };
}

/** A flow of 2,000 commands has some 50,000; more only costs time. `undefined`: too many. */
const MAX_LEXEMES = 100_000;

function tokenize(source: string): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source)) {
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) return undefined;
    tokens.push(...parser.next(lexeme));
  }
  tokens.push(...parser.end());
  return tokens;
}

/** Offsets to places. The parser's own counter loses lines inside quotes that never close. */
function places(source: string): (offset: number) => Place {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.min(offset, source.length) - (starts[low] ?? 0) + 1 };
  };
}

function refused(place: Place, message: string): FlowSource {
  return { parts: [], end: place, diagnostics: [{ ...place, severity: "error", message }] };
}

/** Walks with a stack of its own: hostile nesting must not exhaust the program's. */
function firstFault(tokens: readonly CST.Token[]): { offset: number; message: string } | undefined {
  const open: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (token.type === "alias") {
      return {
        offset: token.offset,
        message: `\`${token.source.slice(0, 40)}\` is a YAML alias, which flows do not have. Write the value itself; put text that begins with * in quotes.`,
      };
    }
    if (depth > MAX_DEPTH) {
      return {
        offset: token.offset,
        message: `Nested deeper than ${MAX_DEPTH} levels; move the inner part to a file.`,
      };
    }
    const inner: { token: CST.Token; depth: number }[] = [];
    if (token.type === "document") {
      if (token.value !== undefined) inner.push({ token: token.value, depth: 1 });
    } else if (token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection") {
      for (const { key, value } of token.items) {
        if (key) inner.push({ token: key, depth: depth + 1 });
        if (value) inner.push({ token: value, depth: depth + 1 });
      }
    }
    for (const one of inner.reverse()) open.push(one);
  }
  return undefined;
}

function convert(
  node: Node | null,
  at: number,
  placeOf: (offset: number) => Place,
  diagnostics: Diagnostic[],
): SourceNode {
  const offset = node?.range?.[0] ?? at;
  const place = placeOf(offset);
  if (isSeq<Node>(node)) {
    return { kind: "list", items: node.items.map((item) => convert(item, offset, placeOf, diagnostics)), place };
  }
  if (isMap<Node, Node>(node)) {
    const seen = new Set<string>();
    const entries: Entry[] = [];
    for (const pair of node.items) {
      const keyOffset = pair.key?.range?.[0] ?? offset;
      const keyPlace = placeOf(keyOffset);
      if (pair.key !== null && !isScalar(pair.key)) {
        diagnostics.push({
          ...keyPlace,
          severity: "error",
          message: "A name before `:` must be plain text, not a list or map.",
        });
        continue;
      }
      const key = pair.key === null ? "" : textOf(pair.key);
      if (seen.has(key)) {
        diagnostics.push({
          ...keyPlace,
          severity: "error",
          message: `\`${key.slice(0, 60)}\` is written twice here; keep one.`,
        });
        continue;
      }
      seen.add(key);
      entries.push({
        key,
        keyPlace,
        value: convert(pair.value, pair.key?.range?.[1] ?? keyOffset, placeOf, diagnostics),
      });
    }
    return { kind: "map", entries, place };
  }
  if (isScalar(node)) return { kind: "scalar", text: textOf(node), plain: node.type === "PLAIN", place };
  return { kind: "scalar", text: "", plain: true, place };
}

function textOf(scalar: Scalar): string {
  return typeof scalar.value === "string" ? scalar.value : (scalar.source ?? "");
}

function yamlSentence(code: string, message: string, line: string): string {
  switch (code) {
    case "TAB_AS_INDENT":
      return "YAML is indented with spaces, not tabs.";
    case "BAD_INDENT":
      return "This line's indentation fits no line above it.";
    case "MULTILINE_IMPLICIT_KEY":
    case "BLOCK_AS_IMPLICIT_KEY":
      if (line.includes("${"))
        return "Text that holds `: ` needs quotes, expressions too: `inputText: \"${a ? 'b' : 'c'}\"`.";
      return "A `:` is missing or misplaced here: names and their `:` stand on one line, and text that holds `: ` needs quotes.";
    case "MISSING_CHAR":
      return `Something is not closed or separated: ${lowerFirst(message)}.`;
    case "BAD_SCALAR_START":
      return `${message}. Put the text in quotes.`;
    case "BAD_DQ_ESCAPE":
      return `${message}. Inside "…" a backslash is written \\\\; inside '…' it stands for itself.`;
    default:
      return `This is not YAML: ${lowerFirst(message)}.`;
  }
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1, 200).replace(/\.$/, "");
}
