/** What a clause says now and said before, word by word. */
import type { Policy, PolicyClause } from "./policy-v1.ts";

export interface DiffPart {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}
export interface ClauseChange {
  readonly id: string;
  readonly section: string;
  readonly kind: "same" | "added" | "removed" | "changed";
  readonly parts: readonly DiffPart[];
}

/** Longest common subsequence of words; clauses are a few dozen words, so the table is small. */
export function wordDiff(before: string, after: string): readonly DiffPart[] {
  const old = before.split(/\s+/).filter(Boolean);
  const fresh = after.split(/\s+/).filter(Boolean);
  const width = fresh.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = fresh.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const words: { kind: DiffPart["kind"]; word: string }[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      words.push({ kind: "same", word: old[i] ?? "" });
      i += 1;
      j += 1;
    } else if (i < old.length && (j === fresh.length || at(i + 1, j) >= at(i, j + 1))) {
      words.push({ kind: "removed", word: old[i] ?? "" });
      i += 1;
    } else {
      words.push({ kind: "added", word: fresh[j] ?? "" });
      j += 1;
    }
  }
  const parts: { kind: DiffPart["kind"]; text: string }[] = [];
  for (const { kind, word } of words) {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += ` ${word}`;
    else parts.push({ kind, text: word });
  }
  return parts;
}

/** Every clause of either version, in the order of the later one; what was dropped stands where it stood. */
export function policyDiff(before: Policy, after: Policy): readonly ClauseChange[] {
  const old = new Map(before.clauses.map((clause) => [clause.id, clause]));
  const fresh = new Set(after.clauses.map(({ id }) => id));
  const changes: ClauseChange[] = after.clauses.map((clause) => changeOf(old.get(clause.id), clause));
  for (const [position, clause] of before.clauses.entries()) {
    if (fresh.has(clause.id)) continue;
    const { id, section, text } = clause;
    const previous = before.clauses[position - 1]?.id;
    const place = changes.findIndex((change) => change.id === previous) + 1;
    changes.splice(place, 0, { id, section, kind: "removed", parts: [{ kind: "removed", text }] });
  }
  return changes;
}

function changeOf(before: PolicyClause | undefined, { id, section, text }: PolicyClause): ClauseChange {
  if (before === undefined) return { id, section, kind: "added", parts: [{ kind: "added", text }] };
  if (before.text === text) return { id, section, kind: "same", parts: [{ kind: "same", text }] };
  return { id, section, kind: "changed", parts: wordDiff(before.text, text) };
}
