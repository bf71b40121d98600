/**
 * A parked web phone as one stream: length of the list (u32, big endian), the list as JSON, then the files in its order. The
 * files are those of the disk, sealed already; caches were left out when they were.
 */
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { PhoneId } from "../../../../shared/ids.ts";
import { PerchError } from "../../../errors.ts";
import { makeFolder } from "../../../make-folder.ts";
import type { ParkedPhones } from "../../profile-archive.ts";
import { exists, type WebPhoneStorage } from "./storage.ts";

const PARTS = ["phone.json", "files.sealed", "profile.sealed"] as const;
const list = z.array(z.strictObject({ name: z.enum(PARTS), bytes: z.int().min(0) })).max(PARTS.length);
const MOST_LIST_BYTES = 4_096;
const READ_BYTES = 64 * 1024;
/** Name of the archive that holds the same as the folder. */
const MARK = "archive";

/** `inTurn`: while nothing else is done to the phone. */
export function parkedPhones(
  storage: WebPhoneStorage,
  inTurn: (id: PhoneId, work: () => Promise<void>) => Promise<void>,
): ParkedPhones {
  const markOf = (id: PhoneId) => join(storage.phoneFolder(id), MARK);

  /** Undefined while anything of it is plain: then the phone runs, or is not sealed yet. */
  async function parts(id: PhoneId): Promise<{ name: (typeof PARTS)[number]; path: string }[] | undefined> {
    if (!(await storage.hasPhone(id))) return undefined;
    const { profile } = await storage.readRecord(id);
    const plain = [storage.filesFolder(id), ...(profile === undefined ? [] : [storage.profileFolder(profile)])];
    for (const folder of plain) if (await exists(folder)) return undefined;
    const found: { name: (typeof PARTS)[number]; path: string }[] = [
      { name: "phone.json", path: join(storage.phoneFolder(id), "phone.json") },
      { name: "files.sealed", path: storage.sealedFiles(id) },
    ];
    if (profile !== undefined) found.push({ name: "profile.sealed", path: storage.sealedProfile(profile) });
    return found;
  }

  return {
    ids: () => storage.phones(),
    wipeIf: (id, isOld) =>
      inTurn(id, async () => {
        if ((await parts(id)) !== undefined && (await isOld())) await storage.wipe(id);
      }),
    mark: (id) => readFile(markOf(id), "utf8").catch(() => undefined),
    async setMark(id, archive) {
      if (archive === undefined) return rm(markOf(id), { force: true });
      await writeFile(`${markOf(id)}.new`, archive, { mode: 0o600 });
      await rename(`${markOf(id)}.new`, markOf(id));
    },
    async pack(id) {
      const found = await parts(id);
      if (found === undefined) return undefined;
      // All are held open: what is packed is of one moment, whatever becomes of the names.
      const files: FileHandle[] = [];
      try {
        for (const { path } of found) files.push(await open(path, "r"));
        const sizes = await Promise.all(files.map(async (file) => (await file.stat()).size));
        const entries = found.map(({ name }, index) => ({ name, bytes: sizes[index] ?? 0 }));
        return packed(entries, files);
      } catch (error) {
        for (const file of files) await file.close();
        throw error;
      }
    },
    async unpack(id, content) {
      const folder = storage.phoneFolder(id);
      makeFolder(folder, storage.user === undefined ? 0o700 : 0o711);
      const draft = (name: string) => join(folder, `${name}.restored.new`);
      try {
        const names = await unpackInto(content, draft);
        if (!names.includes("phone.json")) throw new Error("There is no record in the archive.");
        await replace(storage, id, names, draft);
      } catch (cause) {
        for (const name of PARTS) await rm(draft(name), { force: true });
        if (cause instanceof PerchError) throw cause;
        const words = "What this phone keeps cannot be read from the file storage. Try again, or remove the phone.";
        throw new PerchError("phone_unavailable", words, { cause });
      }
    },
  };
}

/** The record goes first and comes last: without it nothing here counts. */
async function replace(
  storage: WebPhoneStorage,
  id: PhoneId,
  names: readonly string[],
  draft: (name: string) => string,
): Promise<void> {
  const record = join(storage.phoneFolder(id), "phone.json");
  const old = await storage.readRecord(id).catch(() => undefined);
  await rm(record, { force: true });
  await rm(join(storage.phoneFolder(id), MARK), { force: true });
  if (old?.profile !== undefined) await storage.removeProfile(old.profile);
  await rm(storage.filesFolder(id), { recursive: true, force: true });
  await rm(storage.sealedFiles(id), { force: true });
  if (names.includes("files.sealed")) await rename(draft("files.sealed"), storage.sealedFiles(id));
  const { profile } = await storage.recordIn(id, draft("phone.json"));
  if (profile !== undefined && names.includes("profile.sealed")) {
    await rename(draft("profile.sealed"), storage.sealedProfile(profile));
  }
  await rename(draft("phone.json"), record);
}

async function* packed(
  entries: z.output<typeof list>,
  files: readonly FileHandle[],
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const text = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    yield Buffer.concat([length, text]);
    for (const [index, { bytes }] of entries.entries()) {
      for (let at = 0; at < bytes; ) {
        const buffer = Buffer.alloc(Math.min(READ_BYTES, bytes - at));
        const read = await files[index]?.read(buffer, 0, buffer.length, at);
        if (read?.bytesRead !== buffer.length) throw new Error("A file became shorter while it was packed.");
        at += buffer.length;
        yield buffer;
      }
    }
  } finally {
    for (const file of files) await file.close();
  }
}

/** Writes each file to its draft, on the disk and whole; gives their names. */
async function unpackInto(content: AsyncIterable<Uint8Array>, draft: (name: string) => string): Promise<string[]> {
  const input = takenFrom(content);
  try {
    return await unpackTaken(input, draft);
  } finally {
    // Where something is wrong nobody reads to the end, and whatever gives it would stay open.
    await input.end();
  }
}

async function unpackTaken(input: ReturnType<typeof takenFrom>, draft: (name: string) => string): Promise<string[]> {
  const length = (await input.take(4)).readUInt32BE();
  if (length > MOST_LIST_BYTES) throw new Error("The list of an archive is too long.");
  const entries = list.parse(JSON.parse((await input.take(length)).toString("utf8")));
  for (const { name, bytes } of entries) {
    const file = await open(draft(name), "w", 0o600);
    try {
      for (let left = bytes; left > 0; ) {
        const part = await input.take(Math.min(left, READ_BYTES));
        await file.writev([part]);
        left -= part.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
  // Only the end shows that nothing was cut off.
  if (!(await input.isOver())) throw new Error("There is more in the archive than its list says.");
  return entries.map(({ name }) => name);
}

function takenFrom(content: AsyncIterable<Uint8Array>) {
  const pieces = content[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async () => {
    const next = await pieces.next();
    if (next.done !== true) rest = Buffer.concat([rest, next.value]);
    return next.done !== true;
  };
  return {
    async take(bytes: number): Promise<Buffer> {
      while (rest.length < bytes) if (!(await more())) throw new Error("The archive ends too early.");
      const taken = rest.subarray(0, bytes);
      rest = rest.subarray(bytes);
      return taken;
    },
    async isOver(): Promise<boolean> {
      while (rest.length === 0) if (!(await more())) return true;
      return false;
    },
    async end(): Promise<void> {
      await pieces.return?.();
    },
  };
}
