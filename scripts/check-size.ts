/**
 * Holds the extension to its size budget: the JavaScript each page loads, all chunks together, gzipped.
 * Run after the build: `node scripts/check-size.ts [folder of the built extension]`. Exit status 1 when over.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";

/** kB of 1000 bytes. */
export const BUDGETS = [
  { entry: "popup.html", kB: 100 },
  { entry: "sidepanel.html", kB: 140 },
  { entry: "background.js", kB: 40 },
] as const;

export interface EntrySize {
  readonly files: number;
  readonly gzipBytes: number;
}

/** Follows scripts, preloads and imports (static and dynamic) from an HTML page or a script. Paths are relative to `folder`. */
export function entrySize(folder: string, entry: string): EntrySize {
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const code = readFileSync(join(folder, path), "utf8");
    for (const reference of path.endsWith(".html") ? pageScripts(code) : imports(code)) {
      const target = reference.startsWith("/") ? reference.slice(1) : posix.join(posix.dirname(path), reference);
      if (existsSync(join(folder, target))) visit(target);
    }
  };
  visit(entry);
  const scripts = [...seen].filter((path) => path.endsWith(".js"));
  const gzipBytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length, 0);
  return { files: scripts.length, gzipBytes };
}

function pageScripts(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1] ?? "");
}

function imports(code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+\.js)["'`]/g)].map(
    (match) => match[1] ?? "",
  );
}

if (import.meta.main) {
  const folder = process.argv[2] ?? "dist/extension/chrome-mv3";
  if (!existsSync(folder)) {
    console.error(`There is no built extension in ${folder}. Build it first: npm run build:extension`);
    process.exit(1);
  }
  let over = false;
  for (const { entry, kB } of BUDGETS) {
    const { files, gzipBytes } = entrySize(folder, entry);
    const size = gzipBytes / 1000;
    over ||= size > kB;
    const verdict = size > kB ? "TOO LARGE" : "ok";
    console.log(`${entry.padEnd(16)} ${size.toFixed(1).padStart(6)} kB of ${kB} kB in ${files} files  ${verdict}`);
  }
  process.exit(over ? 1 : 0);
}
