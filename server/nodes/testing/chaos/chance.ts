/** Everything a storm draws by lot, from its seed. */
export interface Chance {
  /** 0 to 1. */
  next(): number;
  below(limit: number): number;
  between(from: number, to: number): number;
  of<T>(things: readonly T[]): T | undefined;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  word(): string;
}

/** Mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (from, to) => from + below(to - from + 1),
    of: (things) => things[below(things.length)],
    weighted(weights) {
      const names = namesOf(weights);
      let left = next() * names.reduce((sum, name) => sum + weights[name], 0);
      for (const name of names) {
        left -= weights[name];
        if (left < 0) return name;
      }
      const last = names.at(-1);
      if (last === undefined) throw new Error("There is nothing to choose from.");
      return last;
    },
    word: () => Array.from({ length: 16 }, () => "abcdefghijklmnopqrstuvwxyz0123456789"[below(36)]).join(""),
  };
}

/** `Object.keys` of a record whose keys are exactly its names. */
function namesOf<Name extends string>(weights: Readonly<Record<Name, number>>): Name[] {
  return Object.keys(weights) as Name[];
}
