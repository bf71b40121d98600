/** scrcpy's server on one device: the operator's file, looked at before each push, under a name of our own. */
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PerchError } from "../../../../errors.ts";
import type { AndroidDevice } from "../ports.ts";
import { SCRCPY_VERSIONS } from "./scrcpy-protocol.ts";

export interface ScrcpyServerFile {
  readonly path: string;
  readonly version: string;
  /** Hex. */
  readonly sha256: string;
}

export interface ScrcpyFile {
  readonly version: string;
  /** Where it lies on the device; puts it there when it does not. */
  path(): Promise<string>;
  /** It may be gone from the device: the next `path` puts it there again. */
  doubt(): void;
  remove(): Promise<void>;
}

const FOLDER = "/data/local/tmp";

export function createScrcpyFile(device: AndroidDevice, server: ScrcpyServerFile): ScrcpyFile {
  const remote = `${FOLDER}/perch-${randomBytes(8).toString("hex")}.jar`;
  let pushed: Promise<string> | undefined;
  async function push(): Promise<string> {
    const bytes = await readChecked(server);
    await device.push(remote, streamOf(bytes), { mode: 0o644 });
    return remote;
  }
  return {
    version: server.version,
    path() {
      pushed ??= push().catch((error: unknown) => {
        pushed = undefined;
        throw error;
      });
      return pushed;
    },
    doubt() {
      pushed = undefined;
    },
    async remove() {
      if (pushed === undefined) return;
      pushed = undefined;
      await device.run(["rm", "-f", remote], { timeoutMs: 5_000 });
    },
  };
}

/** @throws PerchError for a version with another protocol, a file that cannot be read, or another file. */
export async function readChecked({ path, version, sha256 }: ScrcpyServerFile): Promise<Uint8Array> {
  if (!(SCRCPY_VERSIONS as readonly string[]).includes(version)) {
    throw new PerchError("unavailable", `scrcpy ${version} is not supported. Use ${SCRCPY_VERSIONS.at(-1)}.`);
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new PerchError("unavailable", "The scrcpy server's file cannot be read. Look at its path.", { cause });
  });
  if (createHash("sha256").update(bytes).digest("hex") !== sha256.toLowerCase()) {
    throw new PerchError("unavailable", "The scrcpy server's file is not the one it should be: its hash differs.");
  }
  return bytes;
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
