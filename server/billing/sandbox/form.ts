/** Stripe's way to write nested parameters as a form: `items[0][price]=price_1`, `expand[]=customer`. */
import { invalid } from "./errors.ts";

export type Param = string | Param[] | { [name: string]: Param };
export type Params = { [name: string]: Param };

interface Node {
  value?: string;
  children?: Map<string, Node>;
}

const KEY = /^([^[\]]+)((?:\[[^[\]]*\])*)$/;
const MAX_DEPTH = 12;

export function parseForm(text: string): Params {
  const root: Node = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const match = KEY.exec(key);
    if (match?.[1] === undefined) throw invalid(`Invalid parameter name: ${key}`, key);
    const rest = [...(match[2] ?? "").matchAll(/\[([^[\]]*)\]/g)].map(([, part]) => part ?? "");
    if (rest.length > MAX_DEPTH) throw invalid(`Too deeply nested: ${key}`, key);
    let node = root;
    for (const part of [match[1], ...rest]) {
      if (node.value !== undefined) throw invalid(`Invalid object: ${key}`, key);
      node.children ??= new Map();
      const name = part === "" ? String(node.children.size) : part;
      const next = node.children.get(name) ?? {};
      node.children.set(name, next);
      node = next;
    }
    if (node.children !== undefined) throw invalid(`Invalid string: ${key}`, key);
    node.value = value;
  }
  return objectOf(root.children ?? new Map());
}

function objectOf(children: Map<string, Node>): Params {
  const made: Params = Object.create(null);
  for (const [name, child] of children) made[name] = paramOf(child);
  return { ...made };
}

function paramOf({ value, children }: Node): Param {
  if (children === undefined) return value ?? "";
  const names = [...children.keys()];
  if (!names.every((name) => /^\d+$/.test(name))) return objectOf(children);
  return names.sort((a, b) => Number(a) - Number(b)).map((name) => paramOf(children.get(name) ?? {}));
}
