/** The extension as built for end-to-end tests, made once per run and again when a source is newer. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const SOURCES = ["extension/**/*.{ts,tsx,css,html,svg,png}", "shared/**/*.ts", "wxt.config.ts"];

/** Folder of the build for `browser`, which holds the loopback origins from the start (`extension/manifest.ts`). */
export function extensionBuild(browser: "chrome" | "firefox"): string {
  const folder = resolve(`dist/extension-e2e/${browser}-mv3`);
  const stamp = `${folder}.stamp`;
  const newest = Math.max(...globSync(SOURCES).map((file) => statSync(file).mtimeMs));
  if (existsSync(`${folder}/manifest.json`) && existsSync(stamp) && Number(readFileSync(stamp, "utf8")) === newest) {
    return folder;
  }
  const { status, stdout, stderr } = spawnSync("wxt", ["build", "--browser", browser, "--mv3"], {
    env: { ...process.env, PERCH_E2E: "1", NODE_ENV: "production" },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The extension did not build for ${browser}:\n${stdout}\n${stderr}`);
  writeFileSync(stamp, String(newest));
  return folder;
}
