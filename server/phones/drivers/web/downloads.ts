/** What a phone downloads becomes its files: saved under a safe name of its own, stopped when the phone is full. */
import { constants } from "node:fs";
import { lstat, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneFile } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";
import type { FileToPut } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import { openPlainFile } from "./plain-file.ts";
import { readSealedFile, sealedEntries } from "./sealed-folder.ts";
import { type BrowserUser, exists, type WebPhoneStorage } from "./storage.ts";

const MAX_NAME_BYTES = 200;
/** A page can save thousands of tiny files a second, which no limit on bytes holds back. */
const MAX_FILES = 500;
const TOO_MANY = `This phone keeps at most ${MAX_FILES} files. Remove some first.`;
const noRoom = (name: string) => `There is no room for ${name}. Remove files from this phone first.`;
const GUID = /^[0-9a-f-]{36}$/i;
/** What the browser calls a file it has not finished, or not yet given to us. */
const UNFINISHED = /^[0-9a-f-]{36}(\.crdownload)?$/i;
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|]/gu;

/** A file name that is only a name: no folders, no control characters, no hidden or reserved names. */
export function safeName(suggested: string): string {
  let name = suggested
    .normalize("NFC")
    .replace(UNSAFE, "_")
    .replace(/^[.\s]+|[.\s]+$/g, "");
  if (name === "" || UNFINISHED.test(name)) name = `download${name === "" ? "" : "-"}${name}`;
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? "";
  let stem = [...name.slice(0, name.length - extension.length)];
  while (Buffer.byteLength(stem.join("")) > MAX_NAME_BYTES - extension.length) stem = stem.slice(0, -1);
  return stem.join("") + extension;
}

/** "a.txt", then "a (2).txt", … */
function numbered(name: string, count: number): string {
  if (count === 1) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? "";
  return `${name.slice(0, name.length - extension.length)} (${count})${extension}`;
}

export interface DownloadsOptions {
  readonly folder: string;
  /** Who the browser runs as, when that is not who the server does. */
  readonly user: BrowserUser | undefined;
  /** Bytes the phone may still write. */
  room(): number;
  /** A file was saved, or a download was stopped with a sentence that says why; `frame` asked for it. */
  changed(note: string, frame: string): void;
}

/** Watches the browser's downloads. The browser writes them under a name of random letters; we give the real one. */
export class Downloads {
  readonly #browser: CdpSession;
  readonly #options: DownloadsOptions;
  readonly #asked = new Map<string, { readonly name: string; readonly frame: string }>();
  #kept = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(browser: CdpSession, options: DownloadsOptions) {
    this.#browser = browser;
    this.#options = options;
    browser.on("Browser.downloadWillBegin", ({ guid, frameId, suggestedFilename }) => {
      if (this.#kept + this.#asked.size >= MAX_FILES) {
        browser.tell("Browser.cancelDownload", { guid });
        this.#work = this.#work.then(() => this.#count());
        options.changed(TOO_MANY, frameId);
        return;
      }
      this.#asked.set(guid, { name: safeName(suggestedFilename), frame: frameId });
    });
    browser.on("Browser.downloadProgress", (event) => {
      const asked = this.#asked.get(event.guid);
      if (asked === undefined || !GUID.test(event.guid)) return;
      if (event.state === "inProgress") {
        if (Math.max(event.totalBytes, event.receivedBytes) <= options.room()) return;
        browser.tell("Browser.cancelDownload", { guid: event.guid });
        options.changed(noRoom(asked.name), asked.frame);
        return;
      }
      this.#asked.delete(event.guid);
      this.#work = this.#work.then(() =>
        event.state === "completed" ? this.#keep(event.guid, asked.name, asked.frame) : this.#drop(event.guid),
      );
    });
  }

  async start(): Promise<void> {
    await this.#count();
    await this.#browser.send("Browser.setDownloadBehavior", {
      behavior: "allowAndName",
      downloadPath: this.#options.folder,
      eventsEnabled: true,
    });
  }

  /** Keeps a file that comes from no page, under its name or a numbered one. @throws PerchError `limit_reached` */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    const file: FileToPut = {
      ...{ name, size: bytes.length },
      get content() {
        return new Blob([Buffer.from(bytes)]).stream();
      },
    };
    await this.write(file, () => {});
  }

  /** The same, as it comes; gives the name it got. One that breaks off leaves nothing. */
  write(file: FileToPut, done: (bytes: number) => void): Promise<string> {
    const added = this.#work.then(() => this.#write(file, done));
    this.#work = added.then(
      () => undefined,
      () => undefined,
    );
    return added;
  }

  get running(): boolean {
    return this.#asked.size > 0;
  }

  /** Settles when what has ended so far has its name. */
  settled(): Promise<void> {
    return this.#work;
  }

  async #count(): Promise<void> {
    this.#kept = (await readdir(this.#options.folder).catch(() => [])).filter((name) => !UNFINISHED.test(name)).length;
  }

  async #write(given: FileToPut, done: (bytes: number) => void): Promise<string> {
    const { folder, user, room, changed } = this.#options;
    const { size } = given;
    const name = safeName(given.name);
    if (this.#kept + this.#asked.size >= MAX_FILES) throw new PerchError("limit_reached", TOO_MANY);
    if (size > room()) throw new PerchError("limit_reached", noRoom(name));
    // The folder is the browser's: what lies there under the name, a link say, is left alone.
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    for (let count = 1; count < 1000; count += 1) {
      const got = numbered(name, count);
      const path = join(folder, got);
      if (await exists(path)) continue;
      const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      let written = 0;
      try {
        for await (const part of given.content) {
          written += part.length;
          if (written > size) break;
          await file.writeFile(part);
          done(written);
        }
        if (written !== size) throw new PerchError("bad_input", `${name} is not as long as it was said to be.`);
        if (user !== undefined) await file.chown(user.uid, user.gid);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await file.close();
      }
      this.#kept += 1;
      changed("", "");
      return got;
    }
    throw new PerchError("limit_reached", `This phone has too many files called ${name}. Remove some first.`);
  }

  async #drop(guid: string): Promise<void> {
    await rm(join(this.#options.folder, guid), { force: true }).catch(() => undefined);
  }

  async #keep(guid: string, name: string, frame: string): Promise<void> {
    const from = join(this.#options.folder, guid);
    for (let count = 1; count < 1000; count += 1) {
      const to = join(this.#options.folder, numbered(name, count));
      if (await exists(to)) continue;
      const moved = await rename(from, to).then(
        () => true,
        () => false,
      );
      if (moved) this.#kept += 1;
      if (moved) this.#options.changed("", frame);
      return;
    }
  }
}

/** The saved files of a phone, newest first. Unfinished downloads are not files yet. */
export async function listFiles(storage: WebPhoneStorage, id: PhoneId): Promise<PhoneFile[]> {
  const folder = storage.filesFolder(id);
  if (!(await exists(folder)) && (await exists(storage.sealedFiles(id)))) return listSealed(storage, id);
  const files: PhoneFile[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (UNFINISHED.test(name) || safeName(name) !== name) continue;
    const info = await lstat(join(folder, name)).catch(() => undefined);
    if (info?.isFile()) files.push({ name, bytes: info.size, savedAt: info.mtime.toISOString() });
  }
  return files.sort(newestFirst);
}

async function listSealed(storage: WebPhoneStorage, id: PhoneId): Promise<PhoneFile[]> {
  const entries = await sealedEntries(storage.sealedFiles(id), storage.filesKey(id));
  return entries
    .flatMap(({ path, bytes, modifiedMs }): PhoneFile[] => {
      if (bytes === undefined || UNFINISHED.test(path) || safeName(path) !== path) return [];
      return [{ name: path, bytes, savedAt: new Date(modifiedMs).toISOString() }];
    })
    .sort(newestFirst);
}

function newestFirst(one: PhoneFile, other: PhoneFile): number {
  return other.savedAt.localeCompare(one.savedAt) || one.name.localeCompare(other.name);
}

export async function readFileOf(
  storage: WebPhoneStorage,
  id: PhoneId,
  name: string,
): Promise<ReadableStream<Uint8Array>> {
  const path = filePath(storage, id, name);
  if (!(await exists(storage.filesFolder(id))) && (await exists(storage.sealedFiles(id)))) {
    const sealed = await readSealedFile(storage.sealedFiles(id), storage.filesKey(id), name);
    if (sealed === undefined) throw noFile();
    return sealed;
  }
  const file = await openPlainFile(path).catch(() => {
    throw noFile();
  });
  return asByteStream(Readable.toWeb(file.createReadStream()));
}

export async function removeFileOf(storage: WebPhoneStorage, id: PhoneId, name: string): Promise<void> {
  await rm(filePath(storage, id, name)).catch(() => {
    throw noFile();
  });
}

/** @throws PerchError `not_found` for a name no file of a phone can have. */
export function filePath(storage: WebPhoneStorage, id: PhoneId, name: string): string {
  if (name === "" || safeName(name) !== name || UNFINISHED.test(name)) throw noFile();
  return join(storage.filesFolder(id), name);
}

function noFile(): PerchError {
  return new PerchError("not_found", "This phone has no file of that name.");
}

/** Node types web streams of its own module; a file's stream yields bytes. */
function asByteStream(stream: unknown): ReadableStream<Uint8Array> {
  return stream as ReadableStream<Uint8Array>;
}
