/**
 * Wildcards, matched in time proportional to pattern × text whatever the page sends: no regular expression is built.
 * `*` stands for any text; a named piece for at least one character up to its delimiter.
 */

export type GlobPiece = string | { readonly any: true } | { readonly name: string; readonly until: string };
export type Glob = readonly GlobPiece[];

/** Pieces of a text in which only `*` is special. */
export function starGlob(pattern: string): Glob {
  const pieces: GlobPiece[] = [];
  pattern.split("*").forEach((text, index) => {
    const last = pieces.at(-1);
    if (index > 0 && (last === undefined || typeof last === "string")) pieces.push({ any: true });
    if (text !== "") pieces.push(text);
  });
  return pieces;
}

/**
 * What the named pieces stand for when the whole text matches, else undefined. `*` takes as much as it can, a named
 * piece as little as it can, as in URLPattern.
 */
export function matchGlob(glob: Glob, text: string): ReadonlyMap<string, string> | undefined {
  // Per wildcard and reach, the first end that is known to lead nowhere, as all after it: none is tried twice.
  const dead = glob.map(() => new Map<number, number>());
  const ends = new Array<number>(glob.length).fill(0);
  const from = (index: number, start: number): boolean => {
    const piece = glob[index];
    if (piece === undefined) return start === text.length;
    if (typeof piece === "string") return text.startsWith(piece, start) && from(index + 1, start + piece.length);
    const lazy = "name" in piece;
    const reach = lazy ? delimiter(text, piece.until, start) : text.length;
    const first = lazy ? start + 1 : start;
    const last = (dead[index]?.get(reach) ?? reach + 1) - 1;
    for (let step = 0; step <= last - first; step++) {
      const end = lazy ? first + step : last - step;
      if (!from(index + 1, end)) continue;
      ends[index] = end;
      return true;
    }
    if (first <= last) dead[index]?.set(reach, first);
    return false;
  };
  if (!from(0, 0)) return undefined;
  const names = new Map<string, string>();
  let start = 0;
  glob.forEach((piece, index) => {
    const end = typeof piece === "string" ? start + piece.length : (ends[index] ?? start);
    if (typeof piece !== "string" && "name" in piece) names.set(piece.name, text.slice(start, end));
    start = end;
  });
  return names;
}

function delimiter(text: string, until: string, start: number): number {
  const found = until === "" ? -1 : text.indexOf(until, start);
  return found === -1 ? text.length : found;
}

/** Whether the whole text matches; for patterns in which only `*` is special, faster than `matchGlob`. */
export function matchesStars(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === text;
  if (!text.startsWith(pattern.slice(0, star))) return false;
  let at = star;
  let next = star;
  for (;;) {
    const end = pattern.indexOf("*", next + 1);
    if (end === -1) break;
    const chunk = pattern.slice(next + 1, end);
    const found = text.indexOf(chunk, at);
    if (found === -1) return false;
    at = found + chunk.length;
    next = end;
  }
  const tail = pattern.slice(next + 1);
  return text.length - tail.length >= at && text.endsWith(tail);
}
