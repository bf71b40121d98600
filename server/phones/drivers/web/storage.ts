/**
 * Where web phones live on disk.
 *
 * `phones/<id>/` holds what the phone remembers (`phone.json`), `files/` its downloads; `profiles/<name>/` is a browser
 * profile, `profiles/<name>.pid` the process using it. A phone points to its profile, so that a warm spare browser with
 * a profile of its own can become a phone's. Folders the browser writes are 0700 and belong to the browser's user.
 */
import { createHash, randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { chown, lstat, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type PhoneId, phoneId } from "../../../../shared/ids.ts";
import { PerchError } from "../../../errors.ts";

/** The unprivileged system user browsers run as when the server runs as root. */
export interface BrowserUser {
  readonly uid: number;
  readonly gid: number;
}

const savedCookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string(),
  path: z.string(),
  secure: z.boolean(),
  httpOnly: z.boolean(),
  sameSite: z.string().optional(),
});
const webApp = z.object({ name: z.string(), url: z.string(), icon: z.string().optional() });
export type WebApp = z.infer<typeof webApp>;
const rememberedPage = z.object({ url: z.string(), title: z.string() });
export type RememberedPage = z.infer<typeof rememberedPage>;
const phoneRecord = z.object({
  /** Folder name under `profiles/`; absent until the first start. */
  profile: z
    .string()
    .regex(/^[a-f0-9]{24}$/)
    .optional(),
  /** Address in the foreground when it was last seen; absent: the home screen. */
  open: z.string().optional(),
  /** What recents list, most recently used first, with the page in the foreground; absent in records of before. */
  pages: z.array(rememberedPage).default([]),
  apps: z.array(webApp).default([]),
  /** Cookies without an expiry: a browser forgets them when it closes, a parked phone must not. */
  sessionCookies: z.array(savedCookie).default([]),
});
export type PhoneRecord = z.infer<typeof phoneRecord>;

export class WebPhoneStorage {
  readonly root: string;
  readonly user: BrowserUser | undefined;

  constructor(root: string, user: BrowserUser | undefined) {
    this.root = root;
    this.user = user;
  }

  phoneFolder(id: PhoneId): string {
    return join(this.root, "phones", id);
  }
  filesFolder(id: PhoneId): string {
    return join(this.phoneFolder(id), "files");
  }
  profileFolder(name: string): string {
    return join(this.root, "profiles", name);
  }
  pidFile(name: string): string {
    return join(this.root, "profiles", `${name}.pid`);
  }

  async prepare(): Promise<void> {
    const mode = this.user === undefined ? 0o700 : 0o711;
    for (const folder of [this.root, join(this.root, "phones"), join(this.root, "profiles")]) {
      await mkdir(folder, { recursive: true, mode });
    }
  }

  /** Idempotent. */
  async createPhone(id: PhoneId): Promise<void> {
    await mkdir(this.phoneFolder(id), { recursive: true, mode: this.user === undefined ? 0o700 : 0o711 });
    await this.#browserFolder(this.filesFolder(id));
    if (!(await exists(join(this.phoneFolder(id), "phone.json")))) {
      await this.writeRecord(id, { pages: [], apps: [], sessionCookies: [] });
    }
  }

  async createProfile(): Promise<string> {
    const name = randomBytes(12).toString("hex");
    await this.#browserFolder(this.profileFolder(name));
    return name;
  }

  async hasPhone(id: PhoneId): Promise<boolean> {
    return exists(join(this.phoneFolder(id), "phone.json"));
  }

  async phones(): Promise<PhoneId[]> {
    const ids: PhoneId[] = [];
    for (const name of await readdir(join(this.root, "phones"))) {
      const parsed = phoneId.safeParse(name);
      if (parsed.success && (await this.hasPhone(parsed.data))) ids.push(parsed.data);
    }
    return ids;
  }

  /** Names of all profiles, also those no phone points to. */
  async profiles(): Promise<string[]> {
    return (await readdir(join(this.root, "profiles"))).filter((name) => /^[a-f0-9]{24}$/.test(name));
  }

  /** @throws PerchError `not_found` for a phone that was never created here. */
  async readRecord(id: PhoneId): Promise<PhoneRecord> {
    const text = await readFile(join(this.phoneFolder(id), "phone.json"), "utf8").catch(() => undefined);
    if (text === undefined) throw new PerchError("not_found", "This phone is not on this server.");
    try {
      return phoneRecord.parse(JSON.parse(text));
    } catch (cause) {
      throw new PerchError(
        "phone_unavailable",
        "What this phone remembers cannot be read. Remove it and make a new one.",
        {
          cause,
        },
      );
    }
  }

  async writeRecord(id: PhoneId, record: PhoneRecord): Promise<void> {
    const path = join(this.phoneFolder(id), "phone.json");
    await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async removeProfile(name: string): Promise<void> {
    await rm(this.profileFolder(name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    await rm(this.pidFile(name), { force: true });
  }

  /** Deletes everything a phone stored and looks that it is gone. */
  async wipe(id: PhoneId): Promise<{ files: number; bytes: number; verifiedAbsent: boolean }> {
    const profile = (await this.readRecord(id).catch(() => undefined))?.profile;
    const folders = [this.phoneFolder(id), ...(profile === undefined ? [] : [this.profileFolder(profile)])];
    let files = 0;
    let bytes = 0;
    for (const folder of folders) {
      const size = await folderSize(folder);
      files += size.files;
      bytes += size.bytes;
    }
    if (profile !== undefined) await this.removeProfile(profile);
    await rm(this.phoneFolder(id), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    const left = await Promise.all(folders.map((folder) => exists(folder)));
    return { files, bytes, verifiedAbsent: !left.includes(true) };
  }

  async #browserFolder(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (this.user !== undefined) await chown(path, this.user.uid, this.user.gid);
  }
}

/** Files and bytes under a folder; what vanishes while looking counts as gone. Links are not followed. */
export async function folderSize(path: string): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let files = 0;
  let bytes = 0;
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      const inside = await folderSize(child);
      files += inside.files;
      bytes += inside.bytes;
      continue;
    }
    files += 1;
    const info = await lstat(child).catch(() => undefined);
    // Allocated blocks, not length: databases of the browser are sparse.
    if (info !== undefined) bytes += Math.min(info.size, info.blocks * 512);
  }
  return { files, bytes };
}

/** Opens a file the browser's user may have tampered with: a link there must not lead out of the phone. */
export async function openPlainFile(path: string) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error("Not a plain file");
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/**
 * The folder web phones are kept in: `<dataDir>/web-phones`, or, when the server is root and the browser's user cannot
 * reach the data folder (a home folder of root's, say), one of its own under /var/lib.
 */
export async function chooseRoot(dataDir: string, user: BrowserUser | undefined): Promise<string> {
  if (user === undefined || (await reachable(dataDir, user))) return join(dataDir, "web-phones");
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  return join("/var/lib/perch", name, "web-phones");
}

async function reachable(path: string, user: BrowserUser): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const info = await stat(folder).catch(() => undefined);
    if (info !== undefined && !maySearch(info, user)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function maySearch(info: Stats, user: BrowserUser): boolean {
  if (info.uid === user.uid) return (info.mode & 0o100) !== 0;
  if (info.gid === user.gid) return (info.mode & 0o010) !== 0;
  return (info.mode & 0o001) !== 0;
}
