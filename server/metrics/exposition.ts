/**
 * Metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): families with HELP and
 * TYPE, each once, their samples together. Small enough to be ours; the library for it (prom-client) keeps globals.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

interface Named {
  /** With its base unit, and `_total` for counters (prometheus.io/docs/practices/naming). */
  readonly name: string;
  readonly help: string;
}

export type Family =
  | (Named & { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] })
  | (Named & { readonly type: "histogram"; readonly samples: readonly HistogramSample[] });

interface HistogramSample {
  readonly labels: Labels;
  /** How many were at most each bound, in the order of the bounds; cumulative. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly sum: number;
  readonly count: number;
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Counter {
  add(labels?: Labels, by?: number): void;
  family(): Family;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
  family(): Family;
}

export function createCounter(named: Named): Counter {
  const series = new Map<string, { labels: Labels; value: number }>();
  return {
    add(labels = {}, by = 1) {
      const key = keyOf(labels);
      const one = series.get(key);
      if (one === undefined) series.set(key, { labels, value: by });
      else one.value += by;
    },
    family: () => ({ ...named, type: "counter", samples: [...series.values()].map((one) => ({ ...one })) }),
  };
}

/** `bounds` rise; what is above the last counts in `+Inf` alone. */
export function createHistogram(named: Named, bounds: readonly number[]): Histogram {
  const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();
  return {
    observe(value, labels = {}) {
      const key = keyOf(labels);
      let one = series.get(key);
      if (one === undefined) {
        one = { labels, counts: bounds.map(() => 0), sum: 0, count: 0 };
        series.set(key, one);
      }
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) one.counts[at] = (one.counts[at] ?? 0) + 1;
      one.sum += value;
      one.count += 1;
    },
    family() {
      const samples = [...series.values()].map(({ labels, counts, sum, count }) => {
        let below = 0;
        const buckets = bounds.map((bound, at) => {
          below += counts[at] ?? 0;
          return [bound, below] as const;
        });
        return { labels, buckets, sum, count };
      });
      return { ...named, type: "histogram", samples };
    },
  };
}

/** The text of a scrape. A family without samples is left out: there is nothing to say of it yet. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const head = `# HELP ${family.name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${family.name} ${family.type}\n`;
      return head + linesOf(family).join("");
    })
    .join("");
}

function linesOf(family: Family): string[] {
  const { name } = family;
  if (family.type !== "histogram") return family.samples.map(({ labels, value }) => line(name, labels, value));
  return family.samples.flatMap(({ labels, buckets, sum, count }) => [
    ...buckets.map(([bound, below]) => line(`${name}_bucket`, { ...labels, le: numeral(bound) }, below)),
    line(`${name}_bucket`, { ...labels, le: "+Inf" }, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ]);
}

function line(name: string, labels: Labels = {}, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numeral(value)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** As Go's ParseFloat reads it. */
function numeral(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels));
}
