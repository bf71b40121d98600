/** What a benchmark is, and the few statistics they share. */

export type Unit = "ms" | "µs" | "fps" | "%" | "MB" | "kB" | "kB/s" | "MB/s" | "1/s" | "frames";

/** One line of the results. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly p95?: number;
  readonly p99?: number;
  /** The same work done another way in the same run, and our median divided by its. */
  readonly beside?: { readonly name: string; readonly median: number };
  /** Holds for the median, the p95, or the ratio to what stands beside it. */
  readonly aim?: {
    readonly of: "median" | "p95" | "ratio";
    readonly atMost?: number;
    readonly atLeast?: number;
  };
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** What is measured and how, for `docs/benchmarks.md`. */
  readonly about: string;
  /** Starts what it needs and ends it again, also when it fails. */
  run(): Promise<readonly Figure[]>;
}

/** Nearest-rank percentile; NaN of nothing. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Median and p95 of samples, as a figure has them. */
export function spread(values: readonly number[]): { median: number; p95: number } {
  return { median: median(values), p95: percentile(values, 0.95) };
}

export function ratio(figure: Figure): number | undefined {
  return figure.beside === undefined ? undefined : figure.median / figure.beside.median;
}

/** Whether the aim was reached; undefined without one. A figure that could not be taken (NaN) reaches nothing. */
export function reached(figure: Figure): boolean | undefined {
  const { aim } = figure;
  if (aim === undefined) return undefined;
  const value = aim.of === "ratio" ? ratio(figure) : figure[aim.of];
  if (value === undefined || Number.isNaN(value)) return false;
  return value <= (aim.atMost ?? Number.POSITIVE_INFINITY) && value >= (aim.atLeast ?? Number.NEGATIVE_INFINITY);
}
