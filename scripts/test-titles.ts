/** Titles of tests, as they stand in the sources: for documents that name them. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Whether the file, or a contract or list of cases it runs, has a test of this title, `it.each` placeholders as written. */
export function hasTest(file: string, title: string): boolean {
  const text = readFileSync(file, "utf8");
  if (['"', "'", "`"].some((quote) => text.includes(`${quote}${title}${quote}`))) return true;
  const shared = [...text.matchAll(/from "(\.[^"]+\.(?:contract|cases)\.ts)"/g)];
  return shared.some(([, path = ""]) => hasTest(join(dirname(file), path), title));
}

/** A pattern for `vitest -t` that finds the test whatever stands for its placeholders. */
export function titlePattern(title: string): string {
  return title
    .split(/%\d?\$?[sdifjoO#]|\$\w+/)
    .map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))
    .join(".*");
}
