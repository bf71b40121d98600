/**
 * Into which field something was typed, and whether it may be kept. Fails closed: what may have gone into a password
 * field counts as a secret, and so does what went nobody knows where.
 */
import { focusedElement } from "../../shared/recorder/walk.ts";
import type { UiElement, UiTree } from "../../shared/ui-tree.ts";
import { documentOf } from "./seen-trees.ts";

export interface Typed {
  readonly secret: boolean;
  readonly field: UiElement | undefined;
  /** The tree the field is in. */
  readonly tree: UiTree | undefined;
  readonly note?: string;
}

export interface TypedWhere {
  readonly value: string;
  /** The screen when the text came, and after the phone took it. */
  readonly before: UiTree | undefined;
  readonly after: UiTree | undefined;
  /** Nothing was touched shortly before, so the focus was where `before` has it. */
  readonly settled: boolean;
  /** Fields that were once seen as password fields, e.g. before "show password" was pressed. */
  readonly passwords: ReadonlySet<string>;
}

const UNKNOWN = "It could not be seen which field this went into, so it counts as a secret.";

export function typedWhere({ value, before, after, settled, passwords }: TypedWhere): Typed {
  const was = before && focusedElement(before);
  const is = after && focusedElement(after);
  const hides = (field: UiElement | undefined) => field !== undefined && (field.password || passwords.has(field.ref));
  if (hides(is)) return { secret: true, field: is, tree: after };
  if (hides(was)) return { secret: true, field: was, tree: before };
  const known = before !== undefined && after !== undefined && documentOf(before) === documentOf(after);
  if (is !== undefined && (shows(is, value) || (known && was?.ref === is.ref))) {
    return { secret: false, field: is, tree: after };
  }
  if (settled && was !== undefined && (is === undefined || known)) return { secret: false, field: was, tree: before };
  return { secret: true, field: is ?? was, tree: is === undefined ? before : after, note: UNKNOWN };
}

/** A field that may be read shows what was typed into it. */
function shows({ text }: UiElement, value: string): boolean {
  return value.trim() !== "" && text.includes(value.trim());
}

/** Password fields on a screen. */
export function passwordRefs({ root }: UiTree): readonly string[] {
  const visit = (element: UiElement): string[] => [
    ...(element.password ? [element.ref] : []),
    ...element.children.flatMap(visit),
  ];
  return visit(root);
}
