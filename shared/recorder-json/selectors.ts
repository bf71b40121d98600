/** Selectors of recordings and those of flows, each as the other. */
import type { Selector } from "../flows/model.ts";
import { literal, plain } from "./templates.ts";

/** The kinds a recording tells apart, the ones that survive a changed page first. */
const ORDER = ["aria", "id", "text", "css"] as const;
type Kind = (typeof ORDER)[number];

/** The best of a step's alternatives; undefined when none means anything here. */
export function bestSelector(alternatives: unknown): Selector | undefined {
  if (!Array.isArray(alternatives)) return undefined;
  const found = new Map<Kind, Selector>();
  for (const alternative of alternatives.slice(0, 50)) {
    const parts: unknown = Array.isArray(alternative) ? alternative.at(-1) : alternative;
    const read = typeof parts === "string" ? readSelector(parts) : undefined;
    if (read !== undefined && !found.has(read.kind)) found.set(read.kind, read.selector);
  }
  for (const kind of ORDER) {
    const selector = found.get(kind);
    if (selector !== undefined) return selector;
  }
  return undefined;
}

function readSelector(text: string): { kind: Kind; selector: Selector } | undefined {
  if (text.startsWith("xpath/")) return undefined;
  if (text.startsWith("aria/")) {
    const name = text
      .slice(5)
      .replace(/\[role="[^"]*"\]$/, "")
      .trim();
    return name === "" ? undefined : { kind: "aria", selector: { text: literal(name) } };
  }
  if (text.startsWith("text/")) {
    const name = text.slice(5).trim();
    return name === "" ? undefined : { kind: "text", selector: { text: literal(name) } };
  }
  const css = text.replace(/^pierce\//, "").trim();
  if (css === "") return undefined;
  const id = /^#([\p{L}\p{N}_-]+)$/u.exec(css)?.[1] ?? /^\[(?:data-testid|id)=(["']?)([^"'\]\\]+)\1\]$/.exec(css)?.[2];
  if (id !== undefined) return { kind: "id", selector: { id: literal(id) } };
  return { kind: "css", selector: { css: literal(css) } };
}

/** Alternatives for one selector; undefined when a recording has no such selector. */
export function alternatives(selector: Selector): readonly (readonly [string])[] | undefined {
  const { text, id, css, ...rest } = selector;
  if (Object.keys(rest).length > 0 || [text, id, css].filter((part) => part !== undefined).length !== 1)
    return undefined;
  const value = plain(text ?? id ?? css ?? "");
  if (value === undefined || value.trim() !== value || value === "") return undefined;
  if (text !== undefined) return value.endsWith("]") ? undefined : [[`aria/${value}`], [`text/${value}`]];
  if (id !== undefined) {
    if (/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(value)) return [[`#${value}`]];
    return /["'\]\\]/.test(value) ? undefined : [[`[id="${value}"]`]];
  }
  return /^(aria|text|xpath|pierce)\/|^#[\p{L}\p{N}_-]+$|^\[(data-testid|id)=/u.test(value) ? undefined : [[value]];
}
