/**
 * The two apps of `appium-uiautomator2-server` (Apache-2.0): they read a screen that never rests. They are the operator's
 * files, never downloaded from here, and only files with known hashes are installed on devices.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../../config.ts";

export const HELPER_VERSION = "10.6.6";
/** Package ids of the apps: uiautomator2-driver `lib/uiautomator2-server/packages.ts`. The second starts the first. */
export const HELPER_PACKAGES = ["io.appium.uiautomator2.server", "io.appium.uiautomator2.server.test"] as const;
/** Of the APKs in the npm package of that version, in the order of the packages. */
export const HELPER_SHA256 = [
  "8ff760a2a86b487f53090fbdcd5b0360e67d02bb811887d527a9557b0d59c80d",
  "e6f729287d72351388fd66597c35b69988b9091a7011954bf92a55d416cb1e1c",
] as const;
/** File names: the npm package's `index.mjs`. */
const FILES = [/^appium-uiautomator2-server-v[\w.-]+\.apk$/, /^appium-uiautomator2-server-debug-androidTest\.apk$/];
/** The larger of 10.6.6 has 18 MB. */
const MAX_BYTES = 64 * 1024 * 1024;

export type HelperApksConfig = Pick<Config, "UIAUTOMATOR_SERVER_PATH" | "UIAUTOMATOR_SERVER_SHA256">;

export interface HelperApk {
  readonly package: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}
export type HelperApks =
  | { readonly usable: true; readonly apks: readonly HelperApk[] }
  /** A sentence for the operator; `unset` when none was asked for. */
  | { readonly usable: false; readonly unset: boolean; readonly words: string };

/** Reads and checks the files each time: an operator who puts others in their place need not restart the server. */
export async function readHelperApks(config: HelperApksConfig): Promise<HelperApks> {
  const { UIAUTOMATOR_SERVER_PATH: folder, UIAUTOMATOR_SERVER_SHA256: own } = config;
  const not = (words: string, unset = false): HelperApks => ({ usable: false, unset, words });
  if (folder === undefined) return not("UIAUTOMATOR_SERVER_PATH is not set.", true);
  const paths = (await apksIn(join(folder, "apks"))) ?? (await apksIn(folder));
  if (paths === undefined) {
    return not(`${folder} has no two APKs of appium-uiautomator2-server. Set UIAUTOMATOR_SERVER_PATH to their folder.`);
  }
  const apks: HelperApk[] = [];
  for (const [at, path] of paths.entries()) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) return not(`${path} cannot be read. Allow this server to.`);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (sha256 !== (own ?? HELPER_SHA256)[at]) {
      return not(
        own === undefined
          ? `${path} is not of appium-uiautomator2-server ${HELPER_VERSION}: its SHA-256 is ${sha256}. If it is of another version that you trust, set UIAUTOMATOR_SERVER_SHA256.`
          : `${path} is not a file UIAUTOMATOR_SERVER_SHA256 names: its SHA-256 is ${sha256}.`,
      );
    }
    apks.push({ package: HELPER_PACKAGES[at] ?? HELPER_PACKAGES[0], bytes, sha256 });
  }
  return { usable: true, apks };
}

/** The two files, of one version; undefined where they are not, or cannot be. */
async function apksIn(folder: string): Promise<readonly string[] | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  const paths: string[] = [];
  for (const pattern of FILES) {
    const [name, second] = names.filter((one) => pattern.test(one));
    if (name === undefined || second !== undefined) return undefined;
    const path = join(folder, name);
    const { size } = await stat(path).catch(() => ({ size: Number.POSITIVE_INFINITY }));
    if (size > MAX_BYTES) return undefined;
    paths.push(path);
  }
  return paths;
}
