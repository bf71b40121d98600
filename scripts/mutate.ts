/**
 * `npm run mutations`: breaks each control of `mutations/` once, in a copy of the tree, and demands that the test
 * named with it goes red, having been green before. What came out is kept in `docs/security/mutations.md`.
 * `npm run mutations -- <words> …` tries those whose description holds the words, `-- 1-20` the first twenty.
 * Exit status 1 when a break survives, a text to break is gone or a test was not green.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { MUTATIONS } from "./mutations/all.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { titlePattern } from "./test-titles.ts";

/** A break may make a test wait; longer than this it counts as hanging, which a person notices too. */
const LONGEST_MS = 150_000;
const TEST_TIMEOUT_MS = 60_000;

const FILE = "docs/security/mutations.md";
const args = process.argv.slice(2).map((word) => word.toLowerCase());
const chosen = MUTATIONS.filter(({ breaks }, index) =>
  args.every((arg) => {
    const [, from, to] = /^(\d+)-(\d+)$/.exec(arg) ?? [];
    if (from === undefined || to === undefined) return breaks.toLowerCase().includes(arg);
    return index + 1 >= Number(from) && index < Number(to);
  }),
);

/** What git knows or would take, with the packages as they are. */
function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), "perch-mutations-"));
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  for (const file of new Set(files.split("\0").filter((name) => name !== "" && existsSync(name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(file, join(folder, file));
  }
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  return folder;
}

const report = z.object({
  testResults: z.array(z.object({ assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })) })),
});
type Results = readonly { readonly fullName: string; readonly status: string }[];

/** Results of the tests of these titles in these files; `undefined` when the run did not come to its end. */
function run(folder: string, tests: readonly Mutation["test"][], longestMs: number): Results | undefined {
  const output = join(folder, "result.json");
  rmSync(output, { force: true });
  const { signal } = spawnSync(
    "vitest",
    [
      ...["run", ...new Set(tests.map(({ file }) => file))],
      ...["-t", tests.map(({ title }) => titlePattern(title)).join("|"), `--testTimeout=${TEST_TIMEOUT_MS}`],
      ...["--reporter=json", `--outputFile=${output}`],
    ],
    { cwd: folder, env: { ...process.env, NO_COLOR: "1" }, stdio: "ignore", timeout: longestMs },
  );
  if (signal !== null || !existsSync(output)) return undefined;
  return report
    .parse(JSON.parse(readFileSync(output, "utf8")))
    .testResults.flatMap(({ assertionResults }) => assertionResults);
}

function statusesOf(results: Results, title: string): ReadonlySet<string> {
  const pattern = new RegExp(titlePattern(title));
  return new Set(results.filter(({ fullName }) => pattern.test(fullName)).map(({ status }) => status));
}

/** What is wrong, or `undefined` when the test caught it. */
function tryOne(folder: string, before: Results, { file, find, replace, test }: Mutation): string | undefined {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (text.split(find).length !== 2) return "the text to break does not stand exactly once in the file";
  const unbroken = statusesOf(before, test.title);
  if (!unbroken.has("passed") || unbroken.has("failed")) return "the test is not green to begin with";
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
  const after = run(folder, [test], LONGEST_MS);
  writeFileSync(path, text);
  return after === undefined || statusesOf(after, test.title).has("failed") ? undefined : "SURVIVED";
}

const folder = copyTree();
const before = run(
  folder,
  chosen.map(({ test }) => test),
  10 * LONGEST_MS,
);
if (before === undefined) throw new Error("The tests did not run on the tree as it is.");
const when = `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`;
const tried = new Map<string, string>();
let survived = 0;
for (const mutation of chosen) {
  const wrong = tryOne(folder, before, mutation);
  if (wrong !== undefined) survived += 1;
  const { breaks, file, test } = mutation;
  console.log(wrong === undefined ? `caught    ${breaks}` : `SURVIVED  ${breaks}: ${wrong}`);
  tried.set(breaks, `| ${breaks} | \`${file}\` | \`${test.file}\` “${test.title}” | ${wrong ?? "red"} | ${when} |`);
  keep(tried);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${chosen.length - survived} of ${chosen.length} caught.`);
process.exit(survived === 0 ? 0 : 1);

/** What came out now beside what came out earlier. */
function keep(now: ReadonlyMap<string, string>): void {
  const earlier = new Map(
    (existsSync(FILE) ? readFileSync(FILE, "utf8") : "")
      .split("\n")
      .filter((line) => line.endsWith(" UTC |"))
      .map((line) => [line.split(" | ")[0]?.slice(2) ?? "", line]),
  );
  const rows = MUTATIONS.flatMap(({ breaks }) => now.get(breaks) ?? earlier.get(breaks) ?? []);
  const caught = rows.filter((row) => row.includes(" | red | ")).length;
  writeFileSync(
    FILE,
    `# Controls broken on purpose

Written by \`npm run mutations\`; do not edit. Each control of \`scripts/mutations/\` is broken once, in a copy of the tree, by
changing one line; the named test was green before and must go red. \`scripts/mutations.test.ts\` holds that each line and
each test still exist.

${caught} of ${MUTATIONS.length} caught.

| what is broken | where | the test that notices | it went | tried |
|---|---|---|---|---|
${rows.join("\n")}
`,
  );
}
