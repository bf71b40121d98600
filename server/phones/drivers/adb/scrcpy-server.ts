/**
 * scrcpy's server: the program that is put on an Android device to send its screen and take its input. It is a file of the
 * operator's, never downloaded from here, and only a file with a known hash is put on devices.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Config } from "../../../config.ts";

/** The client's options are this version's, and the server refuses any other. */
export const SCRCPY_VERSION = "3.3.3";
/** Of the release's file `scrcpy-server-v3.3.3`, as scrcpy's doc/build.md states it. */
export const SCRCPY_RELEASE_SHA256 = "7e70323ba7f259649dd4acce97ac4fefbae8102b2c6d91e2e7be613fd5354be0";
export const SCRCPY_RELEASE_URL = `https://github.com/Genymobile/scrcpy/releases/download/v${SCRCPY_VERSION}/scrcpy-server-v${SCRCPY_VERSION}`;
/** The release's has 90 KB. */
const MAX_BYTES = 8 * 1024 * 1024;

export type ScrcpyServerConfig = Pick<Config, "SCRCPY_SERVER_PATH" | "SCRCPY_SERVER_SHA256">;

/** What the settings name; undefined when they name none. */
export function scrcpyServerFile(config: ScrcpyServerConfig) {
  const { SCRCPY_SERVER_PATH: path, SCRCPY_SERVER_SHA256: own } = config;
  return path === undefined ? undefined : { path, version: SCRCPY_VERSION, sha256: own ?? SCRCPY_RELEASE_SHA256 };
}

export type ScrcpyServer =
  | { readonly usable: true; readonly bytes: Uint8Array; readonly sha256: string }
  /** A sentence for the operator; `unset` when none was asked for. */
  | { readonly usable: false; readonly unset: boolean; readonly words: string };

/** Reads and checks the file each time: an operator who puts another in its place need not restart the server. */
export async function readScrcpyServer(config: ScrcpyServerConfig): Promise<ScrcpyServer> {
  const { SCRCPY_SERVER_PATH: path, SCRCPY_SERVER_SHA256: own } = config;
  const not = (words: string, unset = false): ScrcpyServer => ({ usable: false, unset, words });
  if (path === undefined) {
    return not(
      `SCRCPY_SERVER_PATH is not set, so Android phones show single pictures instead of live video. Get scrcpy-server-v${SCRCPY_VERSION} and set it.`,
      true,
    );
  }
  const bytes = await read(path);
  if (bytes === "unreadable")
    return not(`${path} cannot be read. Put the file there, or set SCRCPY_SERVER_PATH to it.`);
  if (bytes === "too_large") return not(`${path} is far too large to be scrcpy's server.`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 === (own ?? SCRCPY_RELEASE_SHA256)) return { usable: true, bytes, sha256 };
  return not(
    own === undefined
      ? `${path} is not the scrcpy-server of release ${SCRCPY_VERSION}: its SHA-256 is ${sha256}. If it is a build of that version that you trust, set SCRCPY_SERVER_SHA256 to this.`
      : `${path} is not the file SCRCPY_SERVER_SHA256 names: its SHA-256 is ${sha256}.`,
  );
}

async function read(path: string): Promise<Uint8Array | "unreadable" | "too_large"> {
  try {
    const { size } = await stat(path);
    return size > MAX_BYTES ? "too_large" : await readFile(path);
  } catch {
    return "unreadable";
  }
}
