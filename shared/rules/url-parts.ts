/**
 * Addresses by their parts, in the part of URLPattern's syntax that needs no regular expression: text, `*`, `:name` and
 * `\` before a character that stands for itself. Our own matcher, because browsers we support lack URLPattern.
 */
import { type Glob, type GlobPiece, matchGlob } from "./glob.ts";
import { encodeLiteral, type Parsed } from "./match-pattern.ts";

export const URL_PARTS = ["protocol", "hostname", "port", "pathname", "search", "hash"] as const;
export type UrlPart = (typeof URL_PARTS)[number];
/** A part that is absent may be anything. `search` and `hash` are written without ? and #. */
export type UrlParts = { readonly [P in UrlPart]?: string | undefined };
export type CompiledParts = readonly (readonly [UrlPart, Glob])[];

const MAX_LENGTH = 512;
const MAX_PIECES = 32;

/** Reads the parts; a refusal names the part, the place in it and what to write. */
export function parseUrlParts(parts: UrlParts): Parsed<CompiledParts> {
  const compiled: [UrlPart, Glob][] = [];
  const names = new Set<string>();
  for (const part of URL_PARTS) {
    const text = parts[part];
    if (text === undefined) continue;
    const glob = parsePart(part, text, names);
    if (!glob.ok) return { ok: false, message: `In ${part}, ${glob.message}` };
    compiled.push([part, glob.value]);
  }
  if (compiled.length === 0) return { ok: false, message: `Give at least one of ${URL_PARTS.join(", ")}.` };
  return { ok: true, value: compiled };
}

function parsePart(part: UrlPart, text: string, names: Set<string>): Parsed<Glob> {
  const wrong = (message: string) => ({ ok: false, message }) as const;
  if (text.length > MAX_LENGTH) return wrong(`a pattern has at most ${MAX_LENGTH} characters.`);
  if (part === "pathname" && !/^[/*]/.test(text)) return wrong("the path begins with / or *.");
  if ((part === "search" && text.startsWith("?")) || (part === "hash" && text.startsWith("#"))) {
    return wrong(`leave the ${text[0]} in front away.`);
  }
  const until = part === "pathname" ? "/" : part === "hostname" ? "." : "";
  const pieces: GlobPiece[] = [];
  let literal = "";
  const flush = () => {
    if (literal !== "") pieces.push(canonical(part, literal));
    literal = "";
  };
  for (let at = 0; at < text.length; ) {
    const char = text[at] ?? "";
    const place = `at character ${at + 1}`;
    if ("{}()?+".includes(char)) {
      return wrong(
        `${place}, ${char} is not supported: only text, * and :name are. For the character itself write \\${char}.`,
      );
    }
    if (char === "\\") {
      if (at + 1 === text.length) return wrong(`${place}, \\ needs a character after it.`);
      literal += text[at + 1];
      at += 2;
    } else if (char === "*") {
      flush();
      if (typeof pieces.at(-1) !== "object" || "name" in (pieces.at(-1) as object)) pieces.push({ any: true });
      at += 1;
    } else if (char === ":") {
      const name = /^[A-Za-z_][A-Za-z0-9_]{0,39}/.exec(text.slice(at + 1))?.[0];
      if (name === undefined) return wrong(`${place}, a name has to follow :. For the character itself write \\:.`);
      if (names.has(name)) return wrong(`${place}, the name ${name} stands twice; give each its own.`);
      if (text[at + 1 + name.length] === "*") return wrong(`${place}, * cannot follow a name.`);
      flush();
      names.add(name);
      pieces.push({ name, until });
      at += 1 + name.length;
    } else {
      literal += char;
      at += 1;
    }
  }
  flush();
  if (pieces.length > MAX_PIECES) return wrong(`there are more than ${MAX_PIECES} pieces.`);
  return { ok: true, value: pieces };
}

function canonical(part: UrlPart, literal: string): string {
  if (part === "protocol") return literal.toLowerCase();
  if (part === "hostname") return /^[\x21-\x7e]*$/.test(literal) ? literal.toLowerCase() : punycode(literal);
  return encodeLiteral(literal);
}

function punycode(literal: string): string {
  const ascii = literal.split(".").map((label) => {
    const address = `https://${label}.x/`;
    return label !== "" && URL.canParse(address) ? new URL(address).hostname.slice(0, -2) : label;
  });
  return ascii.join(".");
}

/** The text of one part of an address, as patterns see it. */
export function partOf(url: URL, part: UrlPart): string {
  if (part === "protocol") return url.protocol.slice(0, -1);
  if (part === "search" || part === "hash") return url[part].slice(1);
  return url[part];
}

/** What the names stand for when every part matches, else undefined. */
export function matchParts(parts: CompiledParts, url: URL): ReadonlyMap<string, string> | undefined {
  const names = new Map<string, string>();
  for (const [part, glob] of parts) {
    const found = matchGlob(glob, partOf(url, part));
    if (found === undefined) return undefined;
    for (const [name, value] of found) names.set(name, value);
  }
  return names;
}
