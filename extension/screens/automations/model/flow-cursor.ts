/**
 * Where in a flow the cursor is, read from the lines above it alone: a text being written is seldom right. Never throws,
 * whatever the text and the offset are.
 */

/** A key above the cursor that it belongs to. */
export interface Owner {
  readonly key: string;
  /** It begins an entry of a list, as a command does. */
  readonly item: boolean;
}

interface Typed {
  /** Offset where the word at the cursor begins. */
  readonly from: number;
  readonly typed: string;
}

export type Cursor =
  | ({ readonly kind: "expression" | "header" } & Typed)
  /** `dash`: the `- ` is still missing. */
  | ({ readonly kind: "command"; readonly dash: boolean } & Typed)
  /** The name of a field below `owners`, outermost first. */
  | ({ readonly kind: "field"; readonly owners: readonly Owner[] } & Typed)
  /** What stands after `key:`. */
  | ({ readonly kind: "value"; readonly key: Owner; readonly owners: readonly Owner[] } & Typed)
  | { readonly kind: "none" };

const NONE: Cursor = { kind: "none" };
/** Lines looked at above the cursor: as far as a command may reach. */
const MOST_LINES = 2_000;

export function cursorIn(text: string, offset: number): Cursor {
  const at = Math.min(Math.max(0, Math.trunc(offset) || 0), text.length);
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const line = text.slice(start, at);
  const expression = openExpression(line);
  if (expression !== undefined) {
    const typed = /[\w$.]*$/.exec(expression)?.[0] ?? "";
    return { kind: "expression", from: at - typed.length, typed };
  }
  if (isComment(line) || /^(---|\.\.\.)/.test(line)) return NONE;
  const above = text.slice(0, start).split("\n").slice(0, -1);
  const inHeader = !above.some((one) => /^---(\s|$)/.test(one));

  const [, spaces = "", dashes = "", rest = ""] = /^( *)((?:- +)*)(.*)$/.exec(line) ?? [];
  const item = dashes !== "";
  const owners = ownersOf(above, spaces.length, item);
  const last = owners.at(-1);
  const steps = isStepList(last) || (!inHeader && owners.length === 0);

  const pair = /^([\w-]+): +(.*)$/.exec(rest);
  if (pair !== null) {
    const [, key = "", typed = ""] = pair;
    return { kind: "value", key: { key, item }, owners, from: at - typed.length, typed };
  }
  if (!/^[\w-]*$/.test(rest)) return NONE;
  const word = { from: at - rest.length, typed: rest };
  if (steps && item) return { kind: "command", dash: false, ...word };
  if (!inHeader && owners.length === 0 && spaces === "") return { kind: "command", dash: true, ...word };
  if (last !== undefined) return { kind: "field", owners, ...word };
  return inHeader && spaces === "" && !item ? { kind: "header", ...word } : NONE;
}

/** Whether the entries of a list below this are steps. */
export function isStepList(owner: Owner | undefined): boolean {
  return owner !== undefined && /^(commands|onFlowStart|onFlowComplete|onFlowFailure)$/.test(owner.key);
}

/** What follows a `${` that nothing closes on this line; `\${` opens none. */
function openExpression(line: string): string | undefined {
  const open = line.lastIndexOf("${");
  if (open === -1 || line[open - 1] === "\\") return undefined;
  const inside = line.slice(open + 2);
  return inside.includes("}") ? undefined : inside;
}

function isComment(line: string): boolean {
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at];
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if ((character === '"' || character === "'") && /[\s:[{,-]/.test(line[at - 1] ?? " ")) quote = character;
    else if (character === "#" && /\s/.test(line[at - 1] ?? " ")) return true;
  }
  return false;
}

function ownersOf(above: readonly string[], column: number, item: boolean): readonly Owner[] {
  const owners: Owner[] = [];
  let limit = column;
  // A list may stand right below its key, no further in.
  let inclusive = item;
  for (let index = above.length - 1; index >= 0 && above.length - index <= MOST_LINES; index -= 1) {
    const line = above[index] ?? "";
    if (/^(---|\.\.\.)(\s|$)/.test(line)) break;
    if (/^\s*(#|$)/.test(line)) continue;
    const [, spaces = "", dashes = "", rest = ""] = /^( *)((?:- +)*)(.*)$/.exec(line) ?? [];
    const place = spaces.length + dashes.length;
    const fits = place < limit || (inclusive && place === limit && dashes === "");
    if (!fits) {
      // An entry's dash further out ends what stands in it.
      if (dashes !== "" && spaces.length < limit) limit = spaces.length;
      continue;
    }
    const key = /^(?:"([^"]*)"|'([^']*)'|([\w-]+)):\s*(?:#.*)?$/.exec(rest);
    if (key !== null) owners.unshift({ key: key[1] ?? key[2] ?? key[3] ?? "", item: dashes !== "" });
    limit = dashes === "" ? place : spaces.length;
    inclusive = dashes !== "";
    if (limit === 0 && !inclusive) break;
  }
  return owners;
}
