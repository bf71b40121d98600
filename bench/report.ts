/** Results as a table in the terminal and as `docs/benchmarks.md`, which is only ever written by a whole run. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { promisify } from "node:util";
import { PRODUCT_VERSION } from "../shared/version.ts";
import { type Benchmark, type Figure, ratio, reached } from "./benchmark.ts";
import type { Foreign } from "./foreign.ts";

const run = promisify(execFile);
const FILE = "docs/benchmarks.md";
const COLUMNS = ["", "median", "p95", "p99", "beside", "ratio", "aim", ""] as const;

export interface Result {
  readonly benchmark: Benchmark;
  readonly figures: readonly Figure[];
  readonly foreign: Foreign;
}

/** What else the machine did meanwhile: figures taken beside much other work say less. */
export function foreignWords({ othersPercent, stolenPercent }: Foreign): string {
  return `Other programs took ${number(othersPercent)} % of one core meanwhile, the host ${number(stolenPercent)} %.`;
}

/** Load before the first benchmark, when this module is read. */
const loadAtStart = loadavg()[0] ?? Number.NaN;

export function consoleTable(figures: readonly Figure[]): string {
  const rows = [COLUMNS, ...figures.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

export async function writeReport(results: readonly Result[]): Promise<void> {
  const all = results.flatMap(({ figures }) => figures).map(reached);
  const aims = all.filter((one) => one !== undefined);
  const sections = results.map(
    ({ benchmark: { name, title, about }, figures, foreign }) =>
      `## ${title}\n\n${about} \`npm run bench -- ${name}\`\n\n${markdownTable(figures)}\n\n${foreignWords(foreign)}\n`,
  );
  const text = `# Benchmarks

Written by \`npm run bench\`; do not edit. Aims are those set for the product (\`aim\`, ✓ reached, ✗ missed); "beside" is the
same work done another way in the same run, and "ratio" is ours divided by it. ${aims.filter(Boolean).length} of ${aims.length} aims reached.

| | |
|---|---|
${(await circumstances()).map(([name, value]) => `| ${name} | ${value} |`).join("\n")}

${sections.join("\n")}`;
  await writeFile(FILE, text);
  console.log(`\nWritten to ${FILE}.`);
}

async function circumstances(): Promise<[string, string][]> {
  const os = /^PRETTY_NAME="(.*)"$/m.exec(await readFile("/etc/os-release", "utf8").catch(() => ""))?.[1];
  const commit = await run("git", ["rev-parse", "--short", "HEAD"]).then(
    ({ stdout }) => stdout.trim(),
    () => "not known",
  );
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model ?? "unknown processor";
  return [
    ["Date", new Date().toISOString().slice(0, 16).replace("T", " ").concat(" UTC")],
    ["Machine", `${availableParallelism()} vCPU (${model}), ${memory} GiB, ${os ?? process.platform}`],
    ["Load at the start", `${loadAtStart.toFixed(2)} (one-minute average)`],
    ["Versions", `Perch ${PRODUCT_VERSION} at ${commit}, Node ${process.versions.node}`],
    ["Phones' browser", `@sparticuz/chromium ${await pinned("@sparticuz/chromium")}`],
    ["Command", "`npm run bench`"],
  ];
}

/** Version of a package as `package.json` pins it. */
async function pinned(name: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  const found = new RegExp(`"${name}":"([^"]+)"`).exec(JSON.stringify(manifest));
  return found?.[1] ?? "not known";
}

function markdownTable(figures: readonly Figure[]): string {
  const row = (values: readonly string[]) => `| ${values.join(" | ")} |`;
  return [
    row(COLUMNS),
    row(COLUMNS.map((_, column) => (column === 0 ? "---" : "--:"))),
    ...figures.map((one) => row(cells(one))),
  ].join("\n");
}

function cells(figure: Figure): string[] {
  const { name, unit, median, p95, p99, beside, aim } = figure;
  const besides = ratio(figure);
  return [
    name,
    `${number(median)} ${unit}`,
    p95 === undefined ? "" : `${number(p95)} ${unit}`,
    p99 === undefined ? "" : `${number(p99)} ${unit}`,
    beside === undefined ? "" : `${beside.name}: ${number(beside.median)} ${unit}`,
    besides === undefined ? "" : number(besides),
    aim === undefined ? "" : aimWords(aim, unit),
    { true: "✓", false: "✗", undefined: "" }[`${reached(figure)}`],
  ];
}

function aimWords({ of, atMost, atLeast }: NonNullable<Figure["aim"]>, unit: string): string {
  const limit = atMost === undefined ? `≥ ${number(atLeast ?? 0)}` : `≤ ${number(atMost)}`;
  return `${of} ${limit}${of === "ratio" ? "" : ` ${unit}`}`;
}

/** Three significant digits, or whole numbers with separators from 100 on. */
function number(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-GB");
  return String(Number(value.toPrecision(3)));
}
