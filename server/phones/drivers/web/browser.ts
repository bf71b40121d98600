/** Which browser runs web phones, and how it is made ready: `CHROME_PATH`, the bundled headless shell, or the system's. */
import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, normalize, sep } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { PerchError } from "../../../errors.ts";
import type { BrowserUser } from "./storage.ts";
import { readTar } from "./tar.ts";

const inflate = promisify(brotliDecompress);
const run = promisify(execFile);

export interface Browser {
  readonly path: string;
  /** Full version, e.g. `153.0.8010.0`. */
  readonly version: string;
  /** Added to the browser's environment. */
  readonly env: Readonly<Record<string, string>>;
}

const SYSTEM_BROWSERS = [
  "/usr/lib/chromium/chromium",
  "/usr/lib/chromium-browser/chromium-browser",
  "/opt/google/chrome/chrome",
  "/usr/bin/google-chrome",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib"];

/**
 * Finds the browser, unpacking the bundled one into `<root>/browser/<version>` on first use (~2 s, once).
 * @throws PerchError `phone_unavailable` when there is none that runs.
 */
export async function findBrowser(
  root: string,
  chromePath: string | undefined,
  user: BrowserUser | undefined,
): Promise<Browser> {
  if (chromePath !== undefined) {
    if (!(await isExecutable(chromePath))) {
      throw new PerchError(
        "phone_unavailable",
        `CHROME_PATH names ${chromePath}, which is not a program. Correct it, or leave it out to use the built-in browser.`,
      );
    }
    return withVersion(chromePath, {}, user);
  }
  const bundled = bundledPackage();
  if (bundled !== undefined) {
    const folder = await unpack(bundled, root);
    return withVersion(join(folder, "chromium"), await bundledEnv(folder), user);
  }
  for (const path of SYSTEM_BROWSERS) if (await isExecutable(path)) return withVersion(path, {}, user);
  throw new PerchError(
    "phone_unavailable",
    "The server has no browser to run web phones with. Install Chromium or Google Chrome, or set CHROME_PATH to one.",
  );
}

/** Whether the built-in browser lies ready, is still packed, or is none for this machine. Unpacks nothing. */
export async function builtInBrowser(root: string): Promise<"ready" | "packed" | "none"> {
  const bundled = bundledPackage();
  if (bundled === undefined) return "none";
  return (await isExecutable(join(root, "browser", bundled.version, "chromium"))) ? "ready" : "packed";
}

async function withVersion(
  path: string,
  env: Readonly<Record<string, string>>,
  user: BrowserUser | undefined,
): Promise<Browser> {
  try {
    const { stdout } = await run(path, ["--version"], {
      env: { ...env, HOME: "/nonexistent" },
      timeout: 20_000,
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    const version = /\d+\.\d+\.\d+\.\d+/.exec(stdout)?.[0];
    if (version !== undefined) return { path, version, env };
    throw new Error(`No version in: ${stdout.slice(0, 200)}`);
  } catch (cause) {
    throw new PerchError(
      "phone_unavailable",
      `The browser at ${path} does not run. Check that its libraries are installed and that it may be executed.`,
      { cause },
    );
  }
}

interface BundledPackage {
  readonly folder: string;
  readonly version: string;
}

function bundledPackage(): BundledPackage | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    const folder = dirname(dirname(entry));
    const manifest: unknown = createRequire(import.meta.url)(join(folder, "package.json"));
    const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
    return { folder: join(folder, "bin"), version: String(version) };
  } catch {
    return undefined;
  }
}

/** Unpacked beside its final place and moved there whole, so that two servers or a crash never leave half a browser. */
async function unpack(bundled: BundledPackage, root: string): Promise<string> {
  const folder = join(root, "browser", bundled.version);
  if (await isExecutable(join(folder, "chromium"))) return folder;
  const fresh = `${folder}.${process.pid}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o755 });
  await chmod(join(root, "browser"), 0o755);
  try {
    const [program, libraries, fonts] = await Promise.all(
      ["chromium.br", "al2023.tar.br", "fonts.tar.br"].map(async (name) =>
        inflate(await readFile(join(bundled.folder, name))),
      ),
    );
    if (program === undefined || libraries === undefined || fonts === undefined) throw new Error("unreachable");
    await writeSynced(join(fresh, "chromium"), program, 0o755);
    for (const file of [...readTar(libraries), ...readTar(fonts)]) {
      const path = normalize(join(fresh, file.path));
      if (!path.startsWith(fresh + sep)) throw new Error(`Unexpected path in the browser's package: ${file.path}`);
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      await writeFile(path, file.bytes, { mode: 0o644 });
    }
    await writeFile(join(fresh, "fontconfig.xml"), fontConfig(folder), { mode: 0o644 });
    await rename(fresh, folder).catch(async (error: unknown) => {
      if (!(await isExecutable(join(folder, "chromium")))) throw error;
    });
  } catch (cause) {
    throw new PerchError(
      "phone_unavailable",
      "The built-in browser could not be unpacked. Check that the data folder has 300 MB free and is writable.",
      { cause },
    );
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return folder;
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Latin text from the package; CJK, emoji and the rest from whatever the system has. */
function fontConfig(folder: string): string {
  const dirs = [join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"];
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    ...dirs.map((dir) => `<dir>${dir.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</dir>`),
    "<cachedir>/var/cache/fontconfig</cachedir>",
    '<cachedir prefix="xdg">fontconfig</cachedir>',
    '<include ignore_missing="yes" prefix="default">/etc/fonts/conf.d</include>',
    "</fontconfig>",
    "",
  ].join("\n");
}

async function bundledEnv(folder: string): Promise<Record<string, string>> {
  const env: Record<string, string> = { FONTCONFIG_FILE: join(folder, "fontconfig.xml") };
  const found = await Promise.all(LIBRARY_FOLDERS.map((dir) => isThere(join(dir, "libnss3.so"))));
  if (!found.includes(true)) env["LD_LIBRARY_PATH"] = join(folder, "lib");
  return env;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
