/** Reads a tar archive held in memory (POSIX ustar): regular files only, which is all the browser's package has. */
const BLOCK = 512;

export interface TarFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** @throws Error when a header is not one of ustar. */
export function readTar(archive: Buffer): TarFile[] {
  const files: TarFile[] = [];
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK);
    const size = Number.parseInt(text(header, 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error("This is not a tar archive");
    const prefix = text(header, 345, 155);
    const name = text(header, 0, 100);
    const type = text(header, 156, 1);
    at += BLOCK;
    if (type === "" || type === "0") {
      files.push({ path: prefix === "" ? name : `${prefix}/${name}`, bytes: archive.subarray(at, at + size) });
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? length : end);
}
