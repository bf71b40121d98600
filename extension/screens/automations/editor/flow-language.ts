/** Colours of a flow's text: names, commands, values, expressions and comments, line by line. */
import { HighlightStyle, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { highlightTree, tags } from "@lezer/highlight";
import { COMMAND_NAMES } from "../../../../shared/flows/commands.ts";

interface State {
  /** The quote a text is in. */
  quote: '"' | "'" | undefined;
  /** Braces open in an expression; 0 outside. */
  braces: number;
  /** How far in the line is that opened a block of text (`|` or `>`). */
  block: number | undefined;
  /** The next name is a command. */
  afterDash: boolean;
}

const COMMANDS: ReadonlySet<string> = new Set(COMMAND_NAMES);

const flowParser: StreamParser<State> = {
  name: "flow",
  startState: () => ({ quote: undefined, braces: 0, block: undefined, afterDash: false }),
  languageData: { commentTokens: { line: "#" } },
  token(stream, state) {
    if (state.braces > 0) return expression();
    if (stream.match(/^\\\$\{/)) return "string";
    if (stream.match("${")) {
      state.braces = 1;
      return expression();
    }
    if (stream.sol()) {
      state.afterDash = false;
      if (state.block !== undefined && !/^\s*$/.test(stream.string) && stream.indentation() <= state.block)
        state.block = undefined;
      if (state.quote === undefined && state.block === undefined && stream.match(/^(---|\.\.\.)(?=\s|$)/)) {
        state.block = undefined;
        return "meta";
      }
    }
    if (state.block !== undefined) return textUntil(/[^$\\]/);
    if (state.quote !== undefined) {
      if (stream.eat(state.quote)) {
        state.quote = undefined;
        return "string";
      }
      if (state.quote === '"' && stream.match(/^\\[^$]/)) return "string";
      return textUntil(state.quote === '"' ? /[^"$\\]/ : /[^'$\\]/);
    }
    if (stream.eatSpace()) return null;
    const before = stream.string[stream.pos - 1];
    if (stream.peek() === "#" && (before === undefined || /\s/.test(before))) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^-(?=\s|$)/)) {
      state.afterDash = true;
      return "punctuation";
    }
    if (stream.match(/^[[\]{},]/)) return "punctuation";
    const isCommand = state.afterDash;
    state.afterDash = false;
    const key = stream.match(/^(?:"[^"]*"|'[^']*'|[^\s#:,[\]{}"'][^:#,[\]{}]*?)(?=\s*:(\s|$))/);
    if (key !== null && key !== false && key !== true) {
      return isCommand && COMMANDS.has(key[0] ?? "") ? "keyword" : "propertyName";
    }
    if (stream.eat(":")) return "punctuation";
    if (stream.match(/^[|>][-+\d]*(?=\s*(#.*)?$)/)) {
      state.block = stream.indentation();
      return "punctuation";
    }
    const quote = stream.peek();
    if (quote === '"' || quote === "'") {
      stream.next();
      state.quote = quote;
      return "string";
    }
    const word = stream.match(/^[^\s#,[\]{}$\\]+(?=\s*([,\]}]|#|$))/);
    if (word !== null && word !== false && word !== true) {
      if (isCommand && COMMANDS.has(word[0] ?? "")) return "keyword";
      if (/^(true|false|null|~|[+-]?[\d._]+)$/i.test(word[0] ?? "")) return "number";
      return "string";
    }
    return textUntil(/[^\s#$\\,[\]{}]/);

    /** Up to the end of the expression, or of the line. */
    function expression(): string {
      for (let next = stream.next(); next != null; next = stream.next()) {
        if (next === "{") state.braces += 1;
        else if (next === "}") {
          state.braces -= 1;
          if (state.braces === 0) break;
        }
      }
      return "special";
    }
    /** At least one character, so that the line ends. */
    function textUntil(plain: RegExp): string {
      stream.next();
      stream.eatWhile(plain);
      return "string";
    }
  },
  tokenTable: {
    special: tags.special(tags.variableName),
  },
};

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: "code-command" },
  { tag: tags.propertyName, class: "code-key" },
  { tag: tags.string, class: "code-text" },
  { tag: tags.number, class: "code-value" },
  { tag: tags.special(tags.variableName), class: "code-expression" },
  { tag: tags.comment, class: "code-comment" },
  { tag: tags.meta, class: "code-meta" },
  { tag: tags.punctuation, class: "code-mark" },
]);

const language = StreamLanguage.define(flowParser);

export const flowLanguage = [language, syntaxHighlighting(colours)];

/** Every coloured part of a text, in order, as `class: text`. */
export function colouredParts(text: string): readonly string[] {
  const parts: string[] = [];
  highlightTree(language.parser.parse(text), colours, (from, to, name) =>
    parts.push(`${name}: ${text.slice(from, to)}`),
  );
  return parts;
}
