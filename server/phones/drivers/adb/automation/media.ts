/** Pictures, films and sounds put where a phone's galleries and file choosers find them. */
import { PerchError } from "../../../../errors.ts";
import type { AndroidDevice } from "../ports.ts";

const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\.(png|jpe?g|gif|webp|heic|bmp)$/i, "Pictures"],
  [/\.(mp4|webm|mkv|mov|3gp)$/i, "Movies"],
  [/\.(mp3|ogg|opus|wav|m4a|flac)$/i, "Music"],
];
const LONGEST_NAME = 120;
const MOST_OF_ONE_NAME = 100;
const SCAN_MS = 10_000;

/** A name that is taken gets a number. @throws PerchError `bad_input`, `limit_reached` */
export async function addMedia(device: AndroidDevice, name: string, bytes: Uint8Array): Promise<void> {
  if (/[/\p{Cc}]/u.test(name) || /^\.{0,2}$/.test(name) || name.length > LONGEST_NAME || !name.isWellFormed()) {
    throw new PerchError("bad_input", "This is no name for a file on a phone. Rename it and try again.");
  }
  const folder = `/sdcard/${FOLDERS.find(([ending]) => ending.test(name))?.[1] ?? "Download"}`;
  const path = `${folder}/${await freeName(device, folder, name)}`;
  await device.push(path, new Blob([Uint8Array.from(bytes)]).stream());
  // Android 11 on: the whole volume (MediaStore.scanVolume); before that by a broadcast. Which is known to the other fails.
  if (device.facts.sdk >= 30) {
    await scan(device, [
      "content",
      "call",
      "--uri",
      "content://media",
      "--method",
      "scan_volume",
      "--arg",
      "external_primary",
    ]);
  } else {
    const file = `file://${path.split("/").map(encodeURIComponent).join("/")}`;
    await scan(device, ["am", "broadcast", "-a", "android.intent.action.MEDIA_SCANNER_SCAN_FILE", "-d", file]);
  }
}

/** The file is there in any case; a gallery that was not told finds it later. */
async function scan(device: AndroidDevice, argv: readonly [string, ...string[]]): Promise<void> {
  await device.run(argv, { timeoutMs: SCAN_MS });
}

async function freeName(device: AndroidDevice, folder: string, name: string): Promise<string> {
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot <= 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot)];
  for (let n = 1; n <= MOST_OF_ONE_NAME; n += 1) {
    const tried = n === 1 ? name : `${stem} (${n})${ending}`;
    if ((await device.run(["ls", "-d", `${folder}/${tried}`])).exitCode !== 0) return tried;
  }
  throw new PerchError(
    "limit_reached",
    `There are ${MOST_OF_ONE_NAME} files named like ${name} on this phone already.`,
  );
}
