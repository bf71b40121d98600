/** The text field a flow is written in: CodeMirror with the flow language, problems, completion, search and undo. */
import {
  autocompletion,
  type CompletionSource,
  closeBrackets,
  type Completion as Option,
  snippet,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, insertNewline } from "@codemirror/commands";
import { indentUnit } from "@codemirror/language";
import {
  lintGutter,
  type Diagnostic as Mark,
  nextDiagnostic,
  previousDiagnostic,
  setDiagnostics,
} from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec, Transaction } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import type { Diagnostic } from "../../../../shared/flows/model.ts";
import { type Completion, type CompletionWorld, completionsAt } from "../model/flow-completions.ts";
import { newLine, offsetOf } from "../model/text-editing.ts";
import { flowLanguage } from "./flow-language.ts";
import { openLine, stepMark } from "./step-mark.ts";

export interface CodeViewOptions {
  readonly parent: HTMLElement;
  readonly source: string;
  readonly readOnly: boolean;
  /** Accessible name, and the ids of what describes it. */
  readonly label: string;
  readonly describedBy: string;
  readonly world: () => CompletionWorld;
  readonly onChange: (source: string) => void;
  /** The cursor came to a line, counting from 1, or went elsewhere in it. */
  readonly onCursor: (line: number) => void;
  readonly onRunStep: () => void;
}

/** Kept apart from `onChange`: a text from outside is not the person's typing. */
const fromOutside = Transaction.remote.of(true);
/** Long enough to reach for Tab without hurry. */
const LEAVE_MS = 3_600_000;

export function createCodeView(options: CodeViewOptions): CodeView {
  const readOnly = new Compartment();
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.source,
      extensions: [extensions(options), readOnly.of(locked(options.readOnly))],
    }),
  });
  return new CodeView(view, readOnly);
}

export class CodeView {
  readonly #view: EditorView;
  readonly #readOnly: Compartment;

  constructor(view: EditorView, readOnly: Compartment) {
    this.#view = view;
    this.#readOnly = readOnly;
  }
  get source(): string {
    return this.#view.state.doc.toString();
  }
  /** Takes a text from outside: a draft read, changes discarded. Undo does not lead back to another text. */
  show(source: string): void {
    if (source === this.source) return;
    this.#view.dispatch({
      ...this.#difference(source),
      annotations: [fromOutside, Transaction.addToHistory.of(false)],
    });
  }
  /** Puts another text in place as one change, which undo takes back; the cursor stays by what it stood at. */
  replace(source: string): void {
    this.#view.dispatch({ ...this.#difference(source), userEvent: "input" });
  }
  setReadOnly(value: boolean): void {
    this.#view.dispatch({ effects: this.#readOnly.reconfigure(locked(value)) });
  }
  setProblems(diagnostics: readonly Diagnostic[]): void {
    this.#view.dispatch(
      setDiagnostics(
        this.#view.state,
        diagnostics.map((one) => this.#mark(one)),
      ),
    );
  }
  /** Marks the lines of the step at the cursor. */
  setStep(lines: { readonly from: number; readonly to: number } | undefined): void {
    this.#view.dispatch({ effects: stepMark.of(lines) });
  }
  goTo(line: number, column: number): void {
    const anchor = offsetOf(this.source, { line, column });
    this.#view.dispatch({
      selection: { anchor },
      effects: EditorView.scrollIntoView(anchor, { y: "center" }),
    });
    this.#view.focus();
  }
  nextProblem(): void {
    nextDiagnostic(this.#view);
    this.#view.focus();
  }
  previousProblem(): void {
    previousDiagnostic(this.#view);
    this.#view.focus();
  }
  /** Puts a snippet into a line of its own after `line`, counting from 1, `indent` spaces in. */
  insertAfter(line: number, indent: number, text: string): void {
    const { state } = this.#view;
    const place = state.doc.line(Math.min(Math.max(1, line), state.doc.lines));
    const at = openLine(this.#view, place.to, indent);
    snippet(text)(this.#view, null, at, at);
    this.#view.focus();
  }
  destroy(): void {
    this.#view.destroy();
  }

  /** The least change that makes the text `source`. */
  #difference(source: string) {
    const before = this.source;
    let from = 0;
    const shorter = Math.min(before.length, source.length);
    while (from < shorter && before[from] === source[from]) from += 1;
    let same = 0;
    while (same < shorter - from && before[before.length - 1 - same] === source[source.length - 1 - same]) same += 1;
    return { changes: { from, to: before.length - same, insert: source.slice(from, source.length - same) } };
  }

  /** From its place to the end of the word there, or of the line. */
  #mark({ line, column, severity, message }: Diagnostic): Mark {
    const text = this.source;
    const from = offsetOf(text, { line, column });
    const word = /^[\w$.-]+/.exec(text.slice(from, from + 200))?.[0].length;
    const end = text.indexOf("\n", from);
    const to = word === undefined ? Math.min(from + 1, end === -1 ? text.length : end) : from + word;
    return { from, to: Math.max(from, to), severity, message: message.replaceAll("`", "") };
  }
}

function locked(readOnly: boolean): Extension {
  return readOnly
    ? [EditorState.readOnly.of(true), EditorView.contentAttributes.of({ "aria-readonly": "true" })]
    : EditorView.contentAttributes.of({ "aria-readonly": "false" });
}

function extensions({ label, describedBy, world, onChange, onCursor, onRunStep }: CodeViewOptions): Extension {
  return [
    lineNumbers(),
    lintGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    closeBrackets(),
    flowLanguage,
    stepMark.extension,
    search({ top: true }),
    placeholder("url: https://…"),
    autocompletion({
      override: [completions(world)],
      icons: false,
      activateOnCompletion: ({ type }) => type === "command" || type === "field",
      optionClass: ({ type = "" }) => `option-${type}`,
    }),
    EditorView.contentAttributes.of({
      "aria-label": label,
      "aria-describedby": describedBy,
      tabindex: "0",
      spellcheck: "false",
      autocapitalize: "off",
      autocorrect: "off",
    }),
    Prec.high(
      keymap.of([
        { key: "Enter", run: enter },
        {
          key: "Mod-Enter",
          run() {
            onRunStep();
            return true;
          },
        },
        { key: "F8", run: nextDiagnostic, shift: previousDiagnostic },
      ]),
    ),
    keymap.of([
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      { key: "Tab", run: indentMore, shift: indentLess },
    ]),
    Prec.lowest(
      keymap.of([
        {
          key: "Escape",
          run(view) {
            view.setTabFocusMode(LEAVE_MS);
            return true;
          },
        },
      ]),
    ),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((one) => one.annotation(Transaction.remote) === true))
        onChange(update.state.doc.toString());
      if (update.docChanged || update.selectionSet)
        onCursor(update.state.doc.lineAt(update.state.selection.main.head).number);
    }),
  ];
}

/** A new line where the next part of a flow belongs. */
function enter(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly) return false;
  const { from, to } = state.selection.main;
  if (state.selection.ranges.length > 1) return insertNewline(view);
  const edit = newLine(state.doc.toString(), from, to);
  view.dispatch({
    changes: edit,
    selection: { anchor: edit.from + edit.insert.length },
    scrollIntoView: true,
    userEvent: "input",
  });
  return true;
}

function completions(world: () => CompletionWorld): CompletionSource {
  return ({ state, pos, explicit }) => {
    const found = completionsAt(state.doc.toString(), pos, world());
    if (found === undefined || found.options.length === 0) return null;
    // Unasked only where something was typed, or only one kind of thing can be meant.
    const begun = pos > found.from || /(?:- |: |\$\{)$/.test(state.sliceDoc(pos - 2, pos));
    if (!explicit && !begun) return null;
    return { from: found.from, options: found.options.map(option), validFor: /^[\w.-]*$/ };
  };
}

function option({ label, snippet: template, text, detail, about, example, kind }: Completion): Option {
  return {
    label,
    type: kind,
    ...(detail !== undefined && { detail }),
    ...(template !== undefined ? { apply: snippet(template) } : text !== undefined && { apply: text }),
    ...(about !== undefined && { info: () => words(about, example) }),
  };
}

function words(about: string, example: string | undefined): HTMLElement {
  const box = document.createElement("div");
  const line = document.createElement("p");
  line.textContent = about;
  box.append(line);
  if (example !== undefined) {
    const code = document.createElement("code");
    code.textContent = example;
    box.append(code);
  }
  return box;
}
