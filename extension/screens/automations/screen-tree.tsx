/** Everything a phone's screen held, as a list that opens level by level, or as what a search finds. */
import { useId, useState } from "react";
import type { RunId } from "../../../shared/id-values.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import { Skeleton } from "../../components/notice.tsx";
import { useRunJson } from "./use-run-file.ts";

const MOST_FOUND = 100;
const MOST_CHILDREN = 200;
/** Levels that stand open at first. */
const OPEN_LEVELS = 3;

export interface ScreenTreeProps {
  readonly runId: RunId;
  readonly name: string | undefined;
  /** Elements that carry a number, in order. */
  readonly marks: readonly string[];
}

export function ScreenTree({ runId, name, marks }: ScreenTreeProps) {
  const [open, setOpen] = useState(false);
  if (name === undefined) return null;
  return (
    <details className="screen-tree" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Everything on the screen</summary>
      {open && <Tree runId={runId} name={name} marks={marks} />}
    </details>
  );
}

function Tree({ runId, name, marks }: ScreenTreeProps & { readonly name: string }) {
  const { value: tree, lost } = useRunJson(runId, name, isTree);
  const [query, setQuery] = useState("");
  const id = useId();
  if (tree === undefined) return lost ? <p>Not available.</p> : <Skeleton label="Loading screen" rows={6} />;
  const wanted = query.trim().toLowerCase();
  return (
    <>
      <label className="sr-only" htmlFor={id}>
        Search the screen
      </label>
      <input
        id={id}
        type="search"
        className="control"
        placeholder="Text, id or role"
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
      />
      {tree.note !== undefined && <p className="secondary">{tree.note}</p>}
      {wanted === "" ? (
        <ul className="tree">
          {tree.root.children.slice(0, MOST_CHILDREN).map((child) => (
            <Branch key={child.ref} element={child} level={1} marks={marks} />
          ))}
        </ul>
      ) : (
        <Found elements={search(tree.root, wanted)} marks={marks} />
      )}
    </>
  );
}

function Found({ elements, marks }: { readonly elements: readonly UiElement[]; readonly marks: readonly string[] }) {
  const count = elements.length;
  const shown = count > MOST_FOUND ? `, the first ${MOST_FOUND} are shown` : "";
  return (
    <>
      <p className="secondary" role="status">
        {count === 0 ? "Nothing like it." : `${count === 1 ? "1 element" : `${count} elements`}${shown}.`}
      </p>
      <ul className="tree">
        {elements.slice(0, MOST_FOUND).map((element) => (
          <li key={element.ref}>
            <Words element={element} marks={marks} />
          </li>
        ))}
      </ul>
    </>
  );
}

interface BranchProps {
  readonly element: UiElement;
  readonly level: number;
  readonly marks: readonly string[];
}

function Branch({ element, level, marks }: BranchProps) {
  const [open, setOpen] = useState(level < OPEN_LEVELS);
  const { children } = element;
  if (children.length === 0) {
    return (
      <li>
        <Words element={element} marks={marks} />
      </li>
    );
  }
  return (
    <li>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Words element={element} marks={marks} />
        </summary>
        {open && (
          <ul className="tree">
            {children.slice(0, MOST_CHILDREN).map((child) => (
              <Branch key={child.ref} element={child} level={level + 1} marks={marks} />
            ))}
            {children.length > MOST_CHILDREN && (
              <li className="secondary">{children.length - MOST_CHILDREN} more: search for them.</li>
            )}
          </ul>
        )}
      </details>
    </li>
  );
}

function Words({ element, marks }: Omit<BranchProps, "level">) {
  const { ref, role, text, hint, accessibilityText, id, enabled, password } = element;
  const number = marks.indexOf(ref) + 1;
  const words = text || accessibilityText || hint;
  const facts = [id === "" ? "" : `id ${id}`, enabled ? "" : "disabled", password ? "password" : ""];
  return (
    <span className="tree-row">
      {number > 0 && <span className="candidate-number tabular">{number}</span>}
      <span className="secondary">{role}</span> {words !== "" && <span>“{words.slice(0, 200)}”</span>}{" "}
      <span className="secondary mono">{facts.filter((fact) => fact !== "").join(" · ")}</span>
    </span>
  );
}

function search(root: UiElement, wanted: string): readonly UiElement[] {
  const found: UiElement[] = [];
  const open = root.children.toReversed();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { role, text, hint, accessibilityText, id } = next;
    if ([role, text, hint, accessibilityText, id].some((word) => word.toLowerCase().includes(wanted))) found.push(next);
    open.push(...next.children.toReversed());
  }
  return found;
}

/** A `failure_tree` file is written by the server as a `UiTree`; this keeps another file from breaking the page. */
function isTree(value: unknown): value is UiTree {
  return typeof value === "object" && value !== null && "root" in value;
}
