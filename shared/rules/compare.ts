/** Comparisons of rules: one wanted value against what was observed, which can be several values or none. */
import { matchesStars } from "./glob.ts";
import type { Operator } from "./model.ts";

/** One observed value that fits is enough, but `not` wants that none is equal. Numbers are read as JavaScript writes them. */
export function compares(op: Operator, wanted: string, observed: readonly string[]): boolean {
  if (op === "exists") return observed.length > 0;
  if (op === "not") return !observed.includes(wanted);
  return observed.some((value) => comparesOne(op, wanted, value));
}

function comparesOne(op: Exclude<Operator, "exists" | "not">, wanted: string, value: string): boolean {
  switch (op) {
    case "equals":
      return value === wanted;
    case "contains":
      return value.includes(wanted);
    case "startsWith":
      return value.startsWith(wanted);
    case "wildcard":
      return matchesStars(wanted, value);
    case "lessThan":
      return number(value) < number(wanted);
    case "greaterThan":
      return number(value) > number(wanted);
  }
}

function number(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}
