/** What on a screen could have been meant by a selector that found nothing, or not what it should. */
import type { FailureCandidate, FailureDetail } from "../../../shared/automation-model.ts";
import { textSimilarity } from "../../../shared/flows/fingerprint.ts";
import type { Selector } from "../../../shared/flows/model.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import type { FlowFailure } from "./context.ts";
import type { Looked } from "./failures.ts";
import type { FindElements } from "./ports.ts";
import { selectorWords } from "./words.ts";

const MOST = 5;
/** Less alike is no help. */
const LEAST_ALIKE = 0.3;
const MOST_TEXT = 200;
const NO_CSS: ReadonlySet<string> = new Set();

export function failureDetail(failure: FlowFailure, tree: UiTree, find: FindElements): FailureDetail {
  const { looked, ...rest } = failure;
  if (looked === undefined) return { ...rest, candidates: [] };
  return {
    ...rest,
    lookedFor: {
      written: selectorWords(looked.selector),
      resolved: selectorWords(looked.resolved),
      wanted: looked.wanted,
    },
    candidates: candidates(looked, tree, find),
  };
}

function candidates({ resolved, wanted, covered }: Looked, tree: UiTree, find: FindElements): FailureCandidate[] {
  const { point: _, ...selector } = resolved;
  if (wanted === "gone") {
    return find(tree, selector, NO_CSS)
      .slice(0, MOST)
      .map((element) => candidate(element, "It is still there."));
  }
  return everything(tree.root)
    .map((element) => ({ element, alike: likeness(element, selector) + (element.ref === covered?.ref ? 1 : 0) }))
    .filter(({ alike }) => alike >= LEAST_ALIKE)
    .sort((a, b) => b.alike - a.alike || area(a.element) - area(b.element))
    .slice(0, MOST)
    .map(({ element }) =>
      candidate(
        element,
        element.ref === covered?.ref
          ? `${covered.by.slice(0, 80)} lies over it.`
          : whyNot(element, selector, tree, find),
      ),
    );
}

function candidate(element: UiElement, why: string): FailureCandidate {
  const { ref, role, id, bounds } = element;
  return { ref, role, id, bounds, text: words(element).slice(0, MOST_TEXT), why };
}

function words({ text, hint, accessibilityText, password }: UiElement): string {
  return (password ? "" : text) || accessibilityText || hint;
}

function everything(root: UiElement): UiElement[] {
  const all: UiElement[] = [];
  const open = [...root.children];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    all.push(next);
    open.push(...next.children);
  }
  return all;
}

/** How near an element comes by text or id, whichever is nearer. */
function likeness(element: UiElement, { text, id, css }: Selector): number {
  const texts = text === undefined ? [] : [element.text, element.hint, element.accessibilityText];
  const wantedId = id ?? idOfCss(css);
  const ids = wantedId === undefined ? [] : [element.id, ...(element.alsoIds ?? [])];
  return Math.max(
    0,
    ...texts.filter((one) => one !== "").map((one) => textSimilarity(literal(text ?? ""), one)),
    ...ids.filter((one) => one !== "").map((one) => textSimilarity(literal(wantedId ?? ""), one)),
  );
}

/** The letters of a pattern: `.*Buy.*` is about "Buy". */
function literal(pattern: string): string {
  return pattern.replace(/\\(.)/g, "$1").replace(/\.[*+?]|[\^$|()[\]{}*+?]/g, " ");
}

function idOfCss(css: string | undefined): string | undefined {
  return /[#.]([\w-]+)[^#.]*$/.exec(css ?? "")?.[1];
}

/** A sentence on the first thing that keeps an element from being what was looked for. */
function whyNot(element: UiElement, selector: Selector, tree: UiTree, find: FindElements): string {
  const fits = (part: Selector) => find(tree, part, NO_CSS).some(({ ref }) => ref === element.ref);
  const { text, id, css, index } = selector;
  if (text !== undefined && !fits({ text })) {
    const shown = words(element);
    if (shown === "") return "It has no text.";
    return shown.trim().toLowerCase().includes(text.trim().toLowerCase())
      ? `Its whole text is “${shown.slice(0, 80)}”; texts match whole. Write .*${text.slice(0, 40)}.* to find a part.`
      : `Its text is “${shown.slice(0, 80)}”.`;
  }
  if (id !== undefined && !fits({ id })) {
    return element.id === "" ? "It has no id." : `Its id is “${element.id.slice(0, 80)}”.`;
  }
  for (const state of ["enabled", "selected", "checked", "focused"] as const) {
    if (selector[state] !== undefined && selector[state] !== element[state]) {
      return `It is ${element[state] ? "" : "not "}${state}.`;
    }
  }
  for (const relation of RELATIONS) {
    const other = selector[relation.name];
    if (other === undefined) continue;
    if (find(tree, other, NO_CSS).length === 0) return `${selectorWords(other)} is not on the screen.`;
    if (!fits({ ...(text !== undefined && { text }), ...(id !== undefined && { id }), [relation.name]: other })) {
      return `It is not ${relation.words} ${selectorWords(other)}.`;
    }
  }
  if (index !== undefined) {
    const { index: _, ...any } = selector;
    const count = find(tree, any, NO_CSS).length;
    return count === 1
      ? `There is only one; number ${index} was asked for.`
      : `There are ${count}; it is not number ${index}.`;
  }
  if (css !== undefined) return "The CSS selector does not find it.";
  if (element.bounds.width === 0 || element.bounds.height === 0) return "It is outside the screen.";
  return "It came too late, or something else asked of it does not hold.";
}

const RELATIONS = [
  { name: "below", words: "below" },
  { name: "above", words: "above" },
  { name: "leftOf", words: "left of" },
  { name: "rightOf", words: "right of" },
  { name: "childOf", words: "in" },
  { name: "containsChild", words: "the parent of" },
] as const;

function area({ bounds }: UiElement): number {
  return bounds.width * bounds.height;
}
