/** A real Chromium with the viewer page in it, as a page of the extension: its origin is the one the server lets in. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { rolldown } from "rolldown";
import { MANIFEST_KEY } from "../extension/manifest-key.ts";
import { ensureBrowsers } from "../scripts/browsers.ts";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import { PRODUCT_VERSION } from "../shared/version.ts";
import type {} from "./viewer-page.ts";
import type { BenchAccount, World } from "./world.ts";

export interface Viewer {
  readonly page: Page;
  signIn(world: World, account: BenchAccount): Promise<void>;
  close(): Promise<void>;
}

/** Opens a Chromium with an unpacked extension. Headless, without the parts that call home. */
export async function openChromium(profile: string, extension: string): Promise<BrowserContext> {
  const { chromium: executablePath, missing } = await ensureBrowsers(["chromium"]);
  if (executablePath === undefined) throw new Error(missing.join(" "));
  return chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [
      `--load-extension=${extension}`,
      `--disable-extensions-except=${extension}`,
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export async function startViewer(): Promise<Viewer> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-viewer-"));
  const extension = join(folder, "extension");
  await mkdir(extension);
  const bundle = await rolldown({ input: new URL("./viewer-page.ts", import.meta.url).pathname, platform: "browser" });
  await bundle.write({ file: join(extension, "viewer.js"), format: "iife" });
  await bundle.close();
  const manifest = { manifest_version: 3, name: "Perch viewer", version: PRODUCT_VERSION, key: MANIFEST_KEY };
  await writeFile(join(extension, "manifest.json"), JSON.stringify(manifest));
  await writeFile(
    join(extension, "viewer.html"),
    '<!doctype html><meta charset="utf-8"><style>canvas{width:180px;height:400px}</style><body><script src="viewer.js"></script>',
  );
  const context = await openChromium(join(folder, "profile"), extension);
  const page = await context.newPage();
  await page.goto(`chrome-extension://${CHROME_EXTENSION_ID}/viewer.html`);
  return {
    page,
    async signIn(world, account) {
      await page.evaluate(([server, token]) => window.viewer.signIn(server, token), [
        world.server.url,
        account.token,
      ] as const);
    },
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
