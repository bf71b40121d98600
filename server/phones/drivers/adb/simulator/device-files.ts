/** The phone's files, in a folder of their own: its storage and the shell's folder for what is on its way. */
import { type BigIntStats, constants, lstatSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join, posix } from "node:path";

const STORAGE = ["Alarms", "Android", "DCIM", "Documents", "Download", "Movies", "Music", "Pictures"];
const SAME_AS_STORAGE = /^\/(?:storage\/emulated\/0|storage\/self\/primary|mnt\/sdcard)(?=\/|$)/;
const OPEN = /^\/(?:sdcard|data\/local\/tmp)(?:\/|$)/;
/** What a shell user may not look into. */
const CLOSED = /^\/data(?!\/local(?:\/|$)|$)/;

/** An error with the number and words a phone gives. */
export class FileError extends Error {
  readonly code: "ENOENT" | "EACCES" | "ENOSPC" | "EISDIR" | "ENOTDIR" | "EIO";
  constructor(code: FileError["code"]) {
    super(WORDS[code]);
    this.code = code;
  }
  get errno(): number {
    return ERRNO[this.code];
  }
}
const WORDS = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  ENOSPC: "No space left on device",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  EIO: "I/O error",
} as const;
const ERRNO = { ENOENT: 2, EIO: 5, EACCES: 13, ENOTDIR: 20, EISDIR: 21, ENOSPC: 28 } as const;

/** What the host's file system said, in the phone's words. */
export function asFileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new FileError(code in ERRNO ? (code as FileError["code"]) : "EIO");
}

export class DeviceFiles {
  readonly root: string;
  /** Whether the next byte finds room. */
  full = false;

  constructor(root: string) {
    this.root = root;
    this.reset();
  }

  reset(): void {
    rmSync(join(this.root, "sdcard"), { recursive: true, force: true });
    rmSync(join(this.root, "data"), { recursive: true, force: true });
    for (const name of STORAGE) mkdirSync(join(this.root, "sdcard", name), { recursive: true });
    mkdirSync(join(this.root, "data/local/tmp"), { recursive: true });
  }

  /** The plain path on the phone: no dots, one name for the storage. */
  normal(path: string): string {
    return posix.resolve("/", path).replace(SAME_AS_STORAGE, "/sdcard");
  }

  /**
   * Where a file of the phone lies here. Never outside the root: dots are resolved first, and nothing makes links.
   * @throws FileError
   */
  real(path: string, forWriting = false): string {
    if (path.includes("\0") || path.length > 4096) throw new FileError("ENOENT");
    const normal = this.normal(path);
    if (CLOSED.test(normal)) throw new FileError("EACCES");
    if (forWriting && !OPEN.test(normal)) throw new FileError("EACCES");
    if (forWriting && this.full) throw new FileError("ENOSPC");
    return join(this.root, normal);
  }

  /** @throws FileError */
  stat(path: string): BigIntStats {
    try {
      return lstatSync(this.real(path), { bigint: true });
    } catch (error) {
      throw asFileError(error);
    }
  }

  /** @throws FileError */
  list(path: string): string[] {
    try {
      return readdirSync(this.real(path)).sort();
    } catch (error) {
      throw asFileError(error);
    }
  }

  /** Of the disk this runs on; on a full phone nothing is free. */
  space(): { readonly total: number; readonly free: number } {
    const { blocks, bsize } = statfsSync(this.root);
    const total = blocks * bsize;
    return { total, free: this.full ? 0 : Math.floor(total / 2) };
  }
}

export const isDirectory = (stats: BigIntStats) => (Number(stats.mode) & constants.S_IFMT) === constants.S_IFDIR;
