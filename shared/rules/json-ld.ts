/** Values of JSON-LD blocks (schema.org), read with a bound on work: pages put anything there. */

const MAX_NODES = 5_000;
const MAX_DEPTH = 12;
const MAX_BLOCKS = 20;
const MAX_CHARS = 65_536;
const MAX_FOUND = 20;

type Json = { readonly [key: string]: unknown };

/**
 * What stands at a path such as `offers.price` in nodes of a type ("Product", with or without https://schema.org/); an
 * empty path gives the type's name once per node. Lists on the way stand for each of their items. At most 20 values.
 */
export function jsonLdValues(blocks: readonly string[], type: string, path: string): readonly string[] {
  const wanted = bareType(type);
  const steps = path === "" ? [] : path.split(".");
  const values: string[] = [];
  for (const node of typedNodes(blocks, wanted)) {
    if (steps.length === 0) values.push(wanted);
    else collect(node, steps, values);
    if (values.length >= MAX_FOUND) break;
  }
  return values.slice(0, MAX_FOUND);
}

function* typedNodes(blocks: readonly string[], wanted: string): Generator<Json> {
  let left = MAX_NODES;
  let chars = MAX_CHARS;
  for (const block of blocks.slice(0, MAX_BLOCKS)) {
    chars -= block.length;
    if (chars < 0) return;
    const queue: { readonly value: unknown; readonly depth: number }[] = [{ value: parse(block), depth: 0 }];
    for (let next = queue.shift(); next !== undefined && left > 0; next = queue.shift()) {
      left -= 1;
      const { value, depth } = next;
      if (!isObject(value)) continue;
      if (!Array.isArray(value) && hasType(value, wanted)) yield value;
      if (depth >= MAX_DEPTH) continue;
      for (const inner of Object.values(value)) {
        if (queue.length >= left) break;
        if (isObject(inner)) queue.push({ value: inner, depth: depth + 1 });
      }
    }
  }
}

function collect(value: unknown, steps: readonly string[], values: string[], depth = 0): void {
  if (values.length >= MAX_FOUND || depth > MAX_DEPTH) return;
  const [step, ...rest] = steps;
  if (Array.isArray(value)) {
    if (step !== undefined && /^\d+$/.test(step)) collect(value[Number(step)], rest, values, depth + 1);
    else for (const item of value.slice(0, MAX_FOUND)) collect(item, steps, values, depth + 1);
  } else if (step === undefined) {
    if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
      values.push(String(value));
    }
  } else if (isObject(value) && Object.hasOwn(value, step)) {
    collect(value[step], rest, values, depth + 1);
  }
}

function hasType(node: Json, wanted: string): boolean {
  const type = Object.hasOwn(node, "@type") ? node["@type"] : undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type.slice(0, MAX_FOUND) : [type];
  return types.some((one) => typeof one === "string" && bareType(one) === wanted);
}

function bareType(type: string): string {
  return type.replace(/^https?:\/\/schema\.org\//, "");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

function parse(block: string): unknown {
  try {
    return JSON.parse(block);
  } catch {
    return undefined;
  }
}
