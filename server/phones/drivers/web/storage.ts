/**
 * Where web phones live on disk.
 *
 * `phones/<id>/` holds what the phone remembers (`phone.json`), `files/` its downloads; `profiles/<name>/` is a browser
 * profile, `profiles/<name>.pid` the process using it. A phone points to its profile, so that a warm spare browser with
 * a profile of its own can become a phone's. Folders the browser writes are 0700 and belong to the browser's user.
 *
 * What a phone remembers is always encrypted. Its profile and files are while it is parked: `profiles/<name>.sealed` and
 * `files.sealed` stand in the folders' place then. A running browser needs them plain. Where both stand, after a crash,
 * they hold the same, and the folder counts.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type PhoneId, phoneId } from "../../../../shared/ids.ts";
import { PerchError } from "../../../errors.ts";
import { seal, unseal } from "../../../seal.ts";
import { openFolder, type SealedFolderKey, sealFolder } from "./sealed-folder.ts";

/** The unprivileged system user browsers run as when the server runs as root. */
export interface BrowserUser {
  readonly uid: number;
  readonly gid: number;
}

/** Made again by the browser: not kept over parking, and cleared when a phone is full. */
export const CACHES = ["Default/Code Cache", "Default/Service Worker/ScriptCache", "cache", "tmp"];
const LEFTOVER = /\.(opening|gone|new)$/;

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
  readonly #key: Buffer;

  /** `key`: 32 bytes. */
  constructor(root: string, user: BrowserUser | undefined, key: Buffer) {
    this.root = root;
    this.user = user;
    this.#key = key;
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
  sealedProfile(name: string): string {
    return `${this.profileFolder(name)}.sealed`;
  }
  sealedFiles(id: PhoneId): string {
    return join(this.phoneFolder(id), "files.sealed");
  }
  profileKey(name: string): SealedFolderKey {
    return { key: this.#key, place: `profile ${name}` };
  }
  filesKey(id: PhoneId): SealedFolderKey {
    return { key: this.#key, place: `files ${id}` };
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
    const names = await readdir(join(this.root, "profiles"));
    return [...new Set(names.flatMap((name) => /^([a-f0-9]{24})(\.sealed)?$/.exec(name)?.[1] ?? []))];
  }

  /** Encrypts what a phone that does not run keeps. Does nothing where that is done already. */
  async seal(id: PhoneId): Promise<void> {
    const { profile } = await this.readRecord(id);
    if (profile !== undefined && (await exists(this.profileFolder(profile)))) {
      await sealFolder(this.profileFolder(profile), this.sealedProfile(profile), this.profileKey(profile), CACHES);
    }
    if (await exists(this.filesFolder(id))) {
      await sealFolder(this.filesFolder(id), this.sealedFiles(id), this.filesKey(id));
    }
  }

  /** Makes plain again what a phone keeps, for its browser. */
  async open(id: PhoneId, profile: string | undefined): Promise<void> {
    const unpack = async (sealed: string, folder: string, key: SealedFolderKey) => {
      if (!(await exists(folder)) && (await exists(sealed))) await openFolder(sealed, folder, key, this.user);
      await rm(sealed, { force: true });
      // A backup has no profile of a phone that ran while it was made.
      if (!(await exists(folder))) await this.#browserFolder(folder);
    };
    try {
      if (profile !== undefined) {
        await unpack(this.sealedProfile(profile), this.profileFolder(profile), this.profileKey(profile));
      }
      await this.openFiles(id);
    } catch (cause) {
      throw new PerchError(
        "phone_unavailable",
        "What this phone keeps cannot be decrypted. Restore it from a backup with its key, or remove the phone.",
        { cause },
      );
    }
  }

  async openFiles(id: PhoneId): Promise<void> {
    if (await exists(this.filesFolder(id))) await rm(this.sealedFiles(id), { force: true });
    else if (await exists(this.sealedFiles(id))) {
      await openFolder(this.sealedFiles(id), this.filesFolder(id), this.filesKey(id), this.user);
      await rm(this.sealedFiles(id), { force: true });
    } else await this.#browserFolder(this.filesFolder(id));
  }

  /** Removes what a crash left of packing and unpacking. */
  async removeLeftovers(): Promise<void> {
    const folders = [join(this.root, "profiles"), ...(await this.phones()).map((id) => this.phoneFolder(id))];
    for (const folder of folders) {
      for (const name of await readdir(folder)) {
        if (LEFTOVER.test(name)) await rm(join(folder, name), { recursive: true, force: true });
      }
    }
  }

  /** @throws PerchError `not_found` for a phone that was never created here. */
  readRecord(id: PhoneId): Promise<PhoneRecord> {
    return this.recordIn(id, join(this.phoneFolder(id), "phone.json"));
  }

  /** Of the phone, wherever it lies. */
  async recordIn(id: PhoneId, path: string): Promise<PhoneRecord> {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) throw new PerchError("not_found", "This phone is not on this server.");
    try {
      // A record of before records were sealed is JSON itself.
      return phoneRecord.parse(JSON.parse(unseal(this.#key, recordPlace(id), text) ?? text));
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
    await writeFile(`${path}.new`, seal(this.#key, recordPlace(id), JSON.stringify(record)), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async removeProfile(name: string): Promise<void> {
    await rm(this.profileFolder(name), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    await rm(this.sealedProfile(name), { force: true });
    await rm(this.pidFile(name), { force: true });
  }

  /** Deletes everything a phone stored and looks that it is gone. */
  async wipe(id: PhoneId): Promise<{ files: number; bytes: number; verifiedAbsent: boolean }> {
    const profile = (await this.readRecord(id).catch(() => undefined))?.profile;
    const folders = [
      this.phoneFolder(id),
      ...(profile === undefined ? [] : [this.profileFolder(profile), this.sealedProfile(profile)]),
    ];
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

function recordPlace(id: PhoneId): string {
  return `web phone ${id}`;
}

/** Files and bytes of a file or under a folder; what vanishes while looking counts as gone. Links are not followed. */
export async function folderSize(path: string): Promise<{ files: number; bytes: number }> {
  const itself = await lstat(path).catch(() => undefined);
  if (itself?.isFile() === true) return { files: 1, bytes: itself.size };
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

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Debian's and most systems' `nobody`. */
const NOBODY: BrowserUser = { uid: 65_534, gid: 65_534 };

/** Who browsers run as when nobody else is named: somebody other than root. */
export function browserUser(): BrowserUser | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** The folder web phones of this data folder are kept in. */
export function webPhonesRoot(dataDir: string): Promise<string> {
  return chooseRoot(dataDir, browserUser());
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
