/** Edits of a text by offsets, and the unified diff that shows them. */

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const CONTEXT = 2;

/** Edits must not overlap. */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { start, end, text: next } of edits.toSorted((a, b) => b.start - a.start)) {
    text = text.slice(0, start) + next + text.slice(end);
  }
  return text;
}

/** Lines that change, counting from 0; `to` is the first that does not. */
interface Block {
  from: number;
  to: number;
  lines: string[];
}

/** A unified diff with two lines around each change; empty when nothing changes. */
export function unifiedDiff(source: string, edits: readonly Edit[], name: string): string {
  const before = source.split("\n");
  const blocks = changedBlocks(source, edits).map((block) => trimmed(before, block));
  const hunks: string[] = [];
  let shift = 0;
  for (const group of grouped(blocks.filter(({ from, to, lines }) => to > from || lines.length > 0))) {
    const start = Math.max(0, (group[0]?.from ?? 0) - CONTEXT);
    const end = Math.min(before.length, (group.at(-1)?.to ?? 0) + CONTEXT);
    const body: string[] = [];
    let [at, added, removed] = [start, 0, 0];
    for (const { from, to, lines } of group) {
      body.push(...before.slice(at, from).map((line) => ` ${line}`));
      body.push(...before.slice(from, to).map((line) => `-${line}`), ...lines.map((line) => `+${line}`));
      at = to;
      added += lines.length;
      removed += to - from;
    }
    body.push(...before.slice(at, end).map((line) => ` ${line}`));
    const [old, next] = [end - start, end - start + added - removed];
    hunks.push(`@@ -${start + 1},${old} +${start + 1 + shift},${next} @@`, ...body);
    shift += added - removed;
  }
  if (hunks.length === 0) return "";
  return `${[`--- ${name}`, `+++ ${name}`, ...hunks].map((line) => line.replace(/\r$/, "")).join("\n")}\n`;
}

/** Edits as whole lines; those on the same lines as one. */
function changedBlocks(source: string, edits: readonly Edit[]): Block[] {
  const lineOf = (offset: number) => source.slice(0, offset).split("\n").length - 1;
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  const groups: { from: number; to: number; edits: Edit[] }[] = [];
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    const [from, to] = [lineOf(edit.start), lineOf(edit.end) + 1];
    const last = groups.at(-1);
    if (last !== undefined && from < last.to) {
      last.to = Math.max(last.to, to);
      last.edits.push(edit);
    } else groups.push({ from, to, edits: [edit] });
  }
  return groups.map(({ from, to, edits: own }) => {
    const start = starts[from] ?? 0;
    const next = starts[to];
    const text = source.slice(start, next === undefined ? source.length : next - 1);
    const shifted = own.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }));
    return { from, to, lines: applyEdits(text, shifted).split("\n") };
  });
}

/** Without equal lines at its ends. */
function trimmed(before: readonly string[], block: Block): Block {
  let { from, to } = block;
  const lines = [...block.lines];
  while (from < to && lines.length > 0 && before[from] === lines[0]) {
    from += 1;
    lines.shift();
  }
  while (to > from && lines.length > 0 && before[to - 1] === lines.at(-1)) {
    to -= 1;
    lines.pop();
  }
  return { from, to, lines };
}

/** Blocks whose surroundings touch share a hunk. */
function grouped(blocks: readonly Block[]): Block[][] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    const last = groups.at(-1);
    if (last !== undefined && block.from - (last.at(-1)?.to ?? 0) <= 2 * CONTEXT) last.push(block);
    else groups.push([block]);
  }
  return groups;
}
