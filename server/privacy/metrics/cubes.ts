/** Sums over people, in fixed cubes, in which nobody can be told from nine others. */

export const METRICS = [
  "people_launching",
  "phones_launched",
  "phone_minutes",
  "runs_passed",
  "runs_failed",
  "runs_ended_early",
] as const;
export type Metric = (typeof METRICS)[number];

/** Cells of fewer people are never made. */
export const FEWEST_PEOPLE = 10;
/** The most one person adds to a cell in a day: nobody's use stands out from a sum. */
const MOST_OF_ONE: Readonly<Record<Metric, number>> = {
  people_launching: 1,
  phones_launched: 20,
  phone_minutes: 24 * 60,
  runs_passed: 200,
  runs_failed: 200,
  runs_ended_early: 200,
};

export interface Contribution {
  readonly metric: Metric;
  readonly driver: string;
  readonly plan: string;
  readonly person: string;
  readonly amount: number;
}
export interface Cell extends Omit<Contribution, "person" | "amount"> {
  readonly value: number;
}

/** Adds up a day. People are known in memory only, while it is added up. */
export function cubesOf(contributions: Iterable<Contribution>): Cell[] {
  const cells = new Map<string, { readonly cell: Omit<Cell, "value">; readonly people: Map<string, number> }>();
  for (const { metric, driver, plan, person, amount } of contributions) {
    const name = JSON.stringify([metric, driver, plan]);
    const known = cells.get(name) ?? { cell: { metric, driver, plan }, people: new Map<string, number>() };
    known.people.set(person, Math.min(MOST_OF_ONE[metric], (known.people.get(person) ?? 0) + amount));
    cells.set(name, known);
  }
  return [...cells.keys()].sort().flatMap((name): Cell[] => {
    const known = cells.get(name);
    if (known === undefined || known.people.size < FEWEST_PEOPLE) return [];
    const sum = [...known.people.values()].reduce((all, one) => all + one, 0);
    return [{ ...known.cell, value: Math.round(sum) }];
  });
}
