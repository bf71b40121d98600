/** Before all end-to-end tests: which browsers there are, said once, the extension built, and an empty folder for pictures. */
import { mkdirSync, rmSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { ensureBrowsers } from "../../scripts/browsers.ts";
import { extensionBuild } from "./builds.ts";

declare module "vitest" {
  export interface ProvidedContext {
    chromium: string | undefined;
    firefox: string | undefined;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const { chromium, firefox, missing } = await ensureBrowsers();
  for (const line of missing) console.log(line);
  project.provide("chromium", chromium);
  project.provide("firefox", firefox);
  // A run of what failed keeps the pictures of all.
  if (process.env["PERCH_E2E_KEEP"] === undefined) rmSync("e2e/out", { recursive: true, force: true });
  mkdirSync("e2e/out", { recursive: true });
  // Once, before files that run two at a time would both make it.
  if (chromium !== undefined) extensionBuild("chrome");
  if (firefox !== undefined) extensionBuild("firefox");
}
