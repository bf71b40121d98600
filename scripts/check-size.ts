/**
 * Holds the extension to its size budgets, gzipped: the JavaScript each page loads at once (scripts, preloads and their
 * static imports), and each part that it loads later (`import()`), beside what is there by then.
 * Run after the build: `node scripts/check-size.ts [folders of the built extension]`. Exit status 1 when over.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";

export interface Budget {
  readonly entry: string;
  /** At once; kB of 1000 bytes, as below. */
  readonly kB: number;
  /** By the name of the module that is imported. A part without a budget is over it. */
  readonly parts: Readonly<Record<string, number>>;
}

export const BUDGETS: readonly Budget[] = [
  // 1 of which loads the part, and 1 is what the rule editor's schemas keep of the library all pages share.
  {
    entry: "popup.html",
    kB: 103,
    parts: {
      announcements: 1,
      "connection-notice": 2,
      cost: 2,
      fitting: 10,
      "privacy-word": 4,
      "profile-picker": 1,
      reason: 2,
    },
  },
  {
    entry: "sidepanel.html",
    kB: 140,
    parts: {
      "account-screen": 22,
      "activity-screen": 6,
      announcements: 1,
      // Only real Android has apps, sound and video; files and apps are opened now and then.
      "apps-dialog": 6,
      engine: 4,
      "files-dialog": 6,
      "new-phone-dialog": 6,
      "phone-dialogs": 5,
      "sound-player": 1,
      video: 2,
      "automations-screen": 120,
      "billing-dialogs": 8,
      "billing-screen": 14,
      "flow-workbench": 200,
      "forget-browser": 1,
      "hold-gate": 2,
      "plans-page": 8,
      "privacy-dialogs": 14,
      "privacy-screen": 12,
      "recording-bar": 10,
      regex: 50,
      "second-factor-gate": 2,
      "usage-page": 10,
    },
  },
  // Of which 23 judge pages. Only Firefox's can load the engine for expressions later on; Chrome's never asks for it.
  { entry: "background.js", kB: 52, parts: { regex: 50 } },
  { entry: "page-context.js", kB: 1, parts: {} },
];

export interface Size {
  /** The page or script, or the part's name. */
  readonly name: string;
  readonly files: number;
  readonly gzipBytes: number;
}

/** What an HTML page or a script loads at once comes first, its parts after it. Paths are relative to `folder`. */
export function sizes(folder: string, entry: string): readonly [Size, ...Size[]] {
  const { loaded, later } = load(folder, entry, new Set());
  const parts: Size[] = [];
  const waiting = [...later].map((path) => ({ path, before: loaded }));
  const met = new Set(later);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const part = load(folder, next.path, next.before);
    parts.push(sizeOf(folder, partName(next.path), part.loaded));
    const before = new Set([...next.before, ...part.loaded]);
    for (const path of part.later) {
      if (!met.has(path)) waiting.push({ path, before });
      met.add(path);
    }
  }
  return [sizeOf(folder, entry, loaded), ...parts];
}

/** What `sizes` found beside what is allowed; `kB` is undefined for a part nobody allowed. */
export function judged(folder: string, { entry, kB, parts }: Budget): readonly (Size & { readonly kB?: number })[] {
  const [page, ...later] = sizes(folder, entry);
  return [{ ...page, kB }, ...later.map((part) => ({ ...part, ...(part.name in parts && { kB: parts[part.name] }) }))];
}

/** Everything reached from `start` without waiting, but not what is in `before`; and what may be asked for later. */
function load(folder: string, start: string, before: ReadonlySet<string>): { loaded: Set<string>; later: Set<string> } {
  const loaded = new Set<string>();
  const later = new Set<string>();
  const visit = (path: string) => {
    if (loaded.has(path) || before.has(path)) return;
    loaded.add(path);
    const code = readFileSync(join(folder, path), "utf8");
    const found = (references: readonly string[]) =>
      references
        .map((reference) =>
          reference.startsWith("/") ? reference.slice(1) : posix.join(posix.dirname(path), reference),
        )
        .filter((target) => existsSync(join(folder, target)));
    for (const target of found(path.endsWith(".html") ? pageScripts(code) : staticImports(code))) visit(target);
    for (const target of found(dynamicImports(code))) later.add(target);
  };
  visit(start);
  return { loaded, later: new Set([...later].filter((path) => !loaded.has(path) && !before.has(path))) };
}

function sizeOf(folder: string, name: string, paths: ReadonlySet<string>): Size {
  const scripts = [...paths].filter((path) => path.endsWith(".js"));
  const gzipBytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length, 0);
  return { name, files: scripts.length, gzipBytes };
}

/** `chunks/automations-screen-DwX0_a-b.js` is the part `automations-screen`. */
function partName(path: string): string {
  return posix.basename(path).replace(/(-[\w-]{8})?\.js$/, "");
}

function pageScripts(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1] ?? "");
}

function staticImports(code: string): string[] {
  return [...code.matchAll(/\b(?:from|import)\s*["'](\.{1,2}\/[^"']+\.js)["']/g)].map((match) => match[1] ?? "");
}

function dynamicImports(code: string): string[] {
  return [...code.matchAll(/\bimport\(\s*["'`](\.{1,2}\/[^"'`]+\.js)["'`]/g)].map((match) => match[1] ?? "");
}

if (import.meta.main) {
  const named = process.argv.slice(2);
  const folders = named.length > 0 ? named : ["dist/extension/chrome-mv3", "dist/extension/firefox-mv3"];
  let over = false;
  for (const folder of folders) {
    if (!existsSync(folder)) {
      console.error(`There is no built extension in ${folder}. Build it first: npm run build:extension`);
      process.exit(1);
    }
    console.log(`${folder}, gzipped:`);
    for (const budget of BUDGETS) {
      for (const { name, files, gzipBytes, kB } of judged(folder, budget)) {
        const size = gzipBytes / 1000;
        const fits = kB !== undefined && size <= kB;
        over ||= !fits;
        const label = (name === budget.entry ? name : `  later: ${name}`).padEnd(28);
        const limit = kB === undefined ? "without a budget in scripts/check-size.ts" : `of ${kB} kB`;
        const verdict = fits ? "ok" : kB === undefined ? "NOT ALLOWED" : "TOO LARGE";
        console.log(`${label} ${size.toFixed(1).padStart(6)} kB ${limit} in ${files} files  ${verdict}`);
      }
    }
  }
  process.exit(over ? 1 : 0);
}
