/**
 * `npm run mutations`: breaks each control of `mutations.ts` once, in a copy of the tree, and demands that the test
 * named with it goes red, having been green before. What came out is kept in `docs/security/mutations.md`.
 * `npm run mutations -- <words> …` tries those whose description holds one of the words, and keeps nothing.
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
import { MUTATIONS, type Mutation } from "./mutations.ts";
import { titlePattern } from "./test-titles.ts";

/** A break may make a test wait; longer than this it counts as hanging, which a person notices too. */
const LONGEST_MS = 150_000;
const TEST_TIMEOUT_MS = 20_000;

type Outcome = "green" | "red" | "no such test" | "hangs";

const words = process.argv.slice(2).map((word) => word.toLowerCase());
const chosen = MUTATIONS.filter(
  ({ breaks }) => words.length === 0 || words.some((word) => breaks.toLowerCase().includes(word)),
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

const report = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });

function runTest(folder: string, { file, title }: Mutation["test"]): Outcome {
  const output = join(folder, "result.json");
  rmSync(output, { force: true });
  const project = file.startsWith("server/") ? "server" : file.startsWith("extension/") ? "extension" : "unit";
  const { signal } = spawnSync(
    "vitest",
    [
      ...["run", "--project", project, file, "-t", titlePattern(title), `--testTimeout=${TEST_TIMEOUT_MS}`],
      ...["--reporter=json", `--outputFile=${output}`],
    ],
    { cwd: folder, env: { ...process.env, NO_COLOR: "1" }, stdio: "ignore", timeout: LONGEST_MS },
  );
  if (signal !== null) return "hangs";
  const counts = existsSync(output) ? report.safeParse(JSON.parse(readFileSync(output, "utf8"))).data : undefined;
  if (counts === undefined || counts.numPassedTests + counts.numFailedTests === 0) return "no such test";
  return counts.numFailedTests > 0 ? "red" : "green";
}

/** What is wrong, or `undefined` when the test caught it. */
function tryOne(folder: string, { file, find, replace, test }: Mutation): string | undefined {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (text.split(find).length !== 2) return "the text to break does not stand exactly once in the file";
  const before = runTest(folder, test);
  if (before !== "green") return `the test is not green to begin with (${before})`;
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
  const after = runTest(folder, test);
  writeFileSync(path, text);
  return after === "red" || after === "hangs" ? undefined : `SURVIVED (${after})`;
}

const folder = copyTree();
const rows: string[] = [];
let survived = 0;
for (const mutation of chosen) {
  const wrong = tryOne(folder, mutation);
  if (wrong !== undefined) survived += 1;
  console.log(
    `${wrong === undefined ? "caught  " : "SURVIVED"}  ${mutation.breaks}${wrong === undefined ? "" : `: ${wrong}`}`,
  );
  const { breaks, file, test } = mutation;
  rows.push(`| ${breaks} | \`${file}\` | \`${test.file}\` “${test.title}” | ${wrong ?? "red"} |`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${chosen.length - survived} of ${chosen.length} caught.`);

if (words.length === 0) {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const now = new Date().toISOString().slice(0, 16).replace("T", " ");
  writeFileSync(
    "docs/security/mutations.md",
    `# Controls broken on purpose

Written by \`npm run mutations\`; do not edit. Each control of \`scripts/mutations.ts\` is broken once, in a copy of the tree, by
changing one line; the named test was green before and must go red. \`scripts/mutations.test.ts\` holds that each line and
each test still exist.

${chosen.length - survived} of ${chosen.length} caught. ${now} UTC, commit ${commit}, Node ${process.versions.node}.

| what is broken | where | the test that notices | it went |
|---|---|---|---|
${rows.join("\n")}
`,
  );
}
process.exit(survived === 0 ? 0 : 1);
