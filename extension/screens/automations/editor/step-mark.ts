/** The step at the cursor, marked at the side of its lines; and a new line for the next one. */
import { type Extension, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

/** Lines counting from 1, both included. */
interface Lines {
  readonly from: number;
  readonly to: number;
}

const effect = StateEffect.define<Lines | undefined>();
const line = Decoration.line({ class: "code-step" });

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const one of transaction.effects) {
      if (!one.is(effect)) continue;
      const set = new RangeSetBuilder<Decoration>();
      const { doc } = transaction.state;
      if (one.value !== undefined) {
        for (let number = one.value.from; number <= Math.min(one.value.to, doc.lines); number += 1) {
          const { from } = doc.line(number);
          set.add(from, from, line);
        }
      }
      return set.finish();
    }
    return marks.map(transaction.changes);
  },
  provide: (marks) => EditorView.decorations.from(marks),
});

export const stepMark: { readonly extension: Extension; of(lines: Lines | undefined): StateEffect<unknown> } = {
  extension: field,
  of: (lines) => effect.of(lines),
};

/** Makes a line after the one that ends at `end`, `indent` spaces in; gives the offset of its end. */
export function openLine(view: EditorView, end: number, indent: number): number {
  const insert = `\n${" ".repeat(indent)}`;
  view.dispatch({ changes: { from: end, insert }, selection: { anchor: end + insert.length }, userEvent: "input" });
  return end + insert.length;
}
