import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Opens a file the browser's user may have tampered with: a link there must not lead out of the phone. */
export async function openPlainFile(path: string) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error("Not a plain file");
}
