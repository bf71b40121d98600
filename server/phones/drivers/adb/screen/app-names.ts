/**
 * What apps call themselves. Android's shell does not tell; scrcpy's server asks the package manager for it (scrcpy 3.3,
 * `Device.listApps` and `LogUtils.buildAppListMessage`): apps that can be opened, each by its name and package.
 */
import { setTimeout as delay } from "node:timers/promises";
import { appId } from "../../../../../shared/phones.ts";
import { inOneLine } from "../device.ts";
import type { AndroidDevice } from "../ports.ts";
import type { ScrcpyFile } from "./scrcpy-file.ts";
import type { Trouble } from "./trouble.ts";

/** Reading hundreds of names takes a slow phone some seconds: whoever asks then sees them the next time. */
const PATIENCE_MS = 4_000;
const ASKING_MS = 30_000;
const MOST_BYTES = 1024 * 1024;
const MOST_LETTERS = 60;
/** The server pads names to so many columns; a longer one has its package in the next line. */
const COLUMN = 30;
const BELOW = /^ {34}(\S+)$/;

/** The names known of these packages; asks the device when there is one it was not asked for. */
export type AppNames = (packages: readonly string[]) => Promise<ReadonlyMap<string, string>>;

export function createAppNames(device: AndroidDevice, file: ScrcpyFile, trouble: Trouble): AppNames {
  let names: ReadonlyMap<string, string> = new Map();
  let asked: ReadonlySet<string> = new Set();
  let asking: Promise<void> | undefined;
  async function ask(): Promise<void> {
    const run = ["com.genymobile.scrcpy.Server", file.version, "list_apps=true", "cleanup=false"];
    const { stdout } = await device.run(["env", `CLASSPATH=${await file.path()}`, "app_process", "/", ...run], {
      ...{ timeoutMs: ASKING_MS, maxBytes: MOST_BYTES },
    });
    names = parseAppNames(Buffer.from(stdout).toString("utf8"));
  }
  return async (packages) => {
    if (asking === undefined && packages.some((name) => !asked.has(name))) {
      asked = new Set(packages);
      asking = ask()
        .catch((error: unknown) => trouble("scrcpy did not tell the names of apps", error))
        .finally(() => {
          asking = undefined;
        });
    }
    const over = new AbortController();
    await Promise.race([asking, delay(PATIENCE_MS, undefined, { signal: over.signal }).catch(() => {})]);
    over.abort();
    return names;
  };
}

/** A name may hold anything, also lines that look like another app's: a package that stands there twice has none. */
export function parseAppNames(text: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const found = new Set<string>();
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (!/^ [*-] /.test(line)) continue;
    const below = BELOW.exec(lines[index + 1] ?? "")?.[1];
    const id = appId.safeParse(below ?? line.slice(3 + COLUMN).trim()).data;
    if (id === undefined) continue;
    const label = inOneLine(line.slice(3, below === undefined ? 3 + COLUMN : undefined)).slice(0, MOST_LETTERS);
    if (found.has(id) || label === "") names.delete(id);
    else names.set(id, label);
    found.add(id);
  }
  return names;
}
