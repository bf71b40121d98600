/** Pictures, films and sounds put where a phone's galleries and file choosers find them. */
import { writeFile } from "../android-files.ts";
import type { AndroidDevice } from "../ports.ts";

const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\.(png|jpe?g|gif|webp|heic|bmp)$/i, "/sdcard/Pictures"],
  [/\.(mp4|webm|mkv|mov|3gp)$/i, "/sdcard/Movies"],
  [/\.(mp3|ogg|opus|wav|m4a|flac)$/i, "/sdcard/Music"],
];

/** A name that is taken gets a number. @throws PerchError `bad_input`, `limit_reached` */
export async function addMedia(device: AndroidDevice, name: string, bytes: Uint8Array): Promise<void> {
  const folder = FOLDERS.find(([ending]) => ending.test(name))?.[1];
  const file = { name, size: bytes.byteLength, content: new Blob([Uint8Array.from(bytes)]).stream() };
  await writeFile(device, file, () => {}, folder);
}
