/** A phone's own files: what lies in its Download folder, where browsers save and people look. */
import { randomBytes } from "node:crypto";
import type { PhoneFile } from "../../../../shared/phones.ts";
import { uploadName } from "../../../../shared/uploads.ts";
import { PerchError } from "../../../errors.ts";
import type { FileToPut } from "../../driver.ts";
import type { AndroidDevice } from "./ports.ts";
import { listFolder } from "./sync.ts";

export const DOWNLOADS = "/sdcard/Download";
/** What Android's file systems hold is 255 bytes; some is left for a number. */
const MAX_NAME_BYTES = 240;
const MAX_FILES = 5_000;
const UNFINISHED = /^\.perch-[0-9a-f]{16}\.part$/;

export async function listFiles(device: AndroidDevice): Promise<readonly PhoneFile[]> {
  const entries = await listFolder(device.adb, device.words, DOWNLOADS);
  return entries
    .filter(({ name, isFile }) => isFile && isName(name))
    .map(({ name, bytes, modifiedMs }) => ({ name, bytes, savedAt: new Date(modifiedMs).toISOString() }))
    .sort((one, other) => other.savedAt.localeCompare(one.savedAt) || one.name.localeCompare(other.name))
    .slice(0, MAX_FILES);
}

export function readFile(device: AndroidDevice, name: string): Promise<ReadableStream<Uint8Array>> {
  return device.pull(pathOf(name));
}

export async function removeFile(device: AndroidDevice, name: string): Promise<void> {
  const path = pathOf(name);
  const { exitCode } = await device.run(["rm", path]);
  if (exitCode !== 0) throw noFile();
  await scan(device, path);
}

/** Under a name of its own until it is whole; nothing that is there is written over. */
export async function writeFile(
  device: AndroidDevice,
  file: FileToPut,
  done: (bytes: number) => void,
  folder = DOWNLOADS,
): Promise<string> {
  if (!isName(file.name)) {
    await file.content.cancel();
    throw new PerchError("bad_input", "This file name has characters a phone cannot keep. Rename it and try again.");
  }
  const draft = `${folder}/.perch-${randomBytes(8).toString("hex")}.part`;
  await device.text(["mkdir", "-p", folder]);
  try {
    await device.push(draft, file.content.pipeThrough(counted(file.size, done)));
    return await nameIt(device, draft, file.name, folder);
  } catch (error) {
    await device.run(["rm", "-f", draft]).catch(() => undefined);
    throw error;
  }
}

/** @throws PerchError in the stream for more or fewer bytes than were said */
function counted(size: number, done: (bytes: number) => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > size) throw new PerchError("bad_input", "The file is larger than it said.");
      controller.enqueue(chunk);
      done(bytes);
    },
    flush() {
      if (bytes < size) throw new PerchError("bad_input", "The file broke off.");
    },
  });
}

async function nameIt(device: AndroidDevice, draft: string, wanted: string, folder: string): Promise<string> {
  for (let tries = 0; tries < 10; tries += 1) {
    const taken = new Set((await listFolder(device.adb, device.words, folder)).map(({ name }) => name));
    let count = 1;
    while (taken.has(numbered(wanted, count))) count += 1;
    const name = numbered(wanted, count);
    // `-n`: an app may take the name at this moment. `mv` ends with 0 all the same, and the draft stays.
    await device.text(["mv", "-n", draft, `${folder}/${name}`]);
    const left = await listFolder(device.adb, device.words, folder);
    if (left.some((entry) => `${folder}/${entry.name}` === draft)) continue;
    await scan(device, `${folder}/${name}`);
    return name;
  }
  throw new PerchError("limit_reached", `This phone has too many files called ${wanted}. Remove some first.`);
}

/** So that galleries and file choosers see it: MediaProvider's `scan_file` (Android 10), the broadcast before it. */
async function scan(device: AndroidDevice, path: string): Promise<void> {
  const address = `file://${path.split("/").map(encodeURIComponent).join("/")}`;
  const argv =
    device.facts.sdk >= 29
      ? (["content", "call", "--uri", "content://media", "--method", "scan_file", "--arg", path] as const)
      : (["am", "broadcast", "-a", "android.intent.action.MEDIA_SCANNER_SCAN_FILE", "-d", address] as const);
  // The file is there, seen or not.
  await device.run(argv).catch(() => undefined);
}

/** "a.txt", then "a (2).txt", … */
function numbered(name: string, count: number): string {
  if (count === 1) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? "";
  return `${name.slice(0, name.length - extension.length)} (${count})${extension}`;
}

function isName(name: string): boolean {
  const plain = uploadName.safeParse(name);
  return plain.success && plain.data === name && Buffer.byteLength(name) <= MAX_NAME_BYTES && !UNFINISHED.test(name);
}
/** @throws PerchError `not_found` for a name no file of a phone can have */
function pathOf(name: string): string {
  if (!isName(name)) throw noFile();
  return `${DOWNLOADS}/${name}`;
}
function noFile(): PerchError {
  return new PerchError("not_found", "This phone has no file of that name.");
}
