/** Files and apps on their way to phones. Every method for people takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import { type NodeId, newId, type PhoneId, type UploadId } from "../../shared/ids.ts";
import { MAX_UPLOAD_BYTES, type openUploadInput, UPLOAD_PIECE_BYTES, type Upload } from "../../shared/uploads.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { PhoneLifecycle } from "../phones/phone-lifecycle.ts";
import type { PhonesService } from "../phones/phones.service.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { looksLikeApk, noApp, type Putting } from "./upload-putting.ts";
import type { UploadStore } from "./upload-store.ts";
import { OPEN_STATES, type UploadRow, type UploadsRepo } from "./uploads.repo.ts";

export interface UploadOffset {
  /** Bytes the server has, safe on the disk. */
  readonly received: number;
  readonly bytes: number;
}

export interface UploadsService {
  /** @throws PerchError `capability_missing` where the phone takes no such thing, `too_large`, `limit_reached` */
  open(scope: TeamScope, input: z.output<typeof openUploadInput>): Promise<Upload>;
  /** Of one phone, the newest first. */
  list(scope: TeamScope, phone: PhoneId): Promise<readonly Upload[]>;
  /** Ends it, wherever it is; what the phone has already stays there. */
  cancel(scope: TeamScope, phone: PhoneId, upload: UploadId): Promise<Record<never, never>>;
  /** Of an upload the caller opened. */
  offset(scope: TeamScope, phone: PhoneId, upload: UploadId): Promise<UploadOffset>;
  /**
   * Adds to an upload the caller opened; what came before the content broke off is kept. A later call takes the place of
   * one that is still waiting for bytes.
   * @throws PerchError `conflict` when the server has more or less than `from`; `too_large`, `bad_input`
   */
  receive(
    scope: TeamScope,
    phone: PhoneId,
    upload: UploadId,
    from: number,
    content: AsyncIterable<Uint8Array>,
  ): Promise<UploadOffset>;
}

export interface Uploads extends UploadsService {
  /** Brings rows and disk together after a start of the server, then gives phones what waits for them. */
  recover(): Promise<void>;
  /** Gives phones what waits for them. Called every few seconds. */
  tick(): Promise<void>;
  /** The phone is this node's since a moment; what was sent for it lies where it was. */
  phoneCame(phone: PhoneId): Promise<void>;
  /** Nothing for it is needed any more. */
  phoneRemoved(phone: PhoneId): Promise<void>;
  /** Removes files that belong to no upload any more; gives how many uploads. */
  removeOrphans(): Promise<number>;
  close(): Promise<void>;
}

/** Of one team, at once. */
const MOST_OPEN = 20;
const MOST_BYTES = 4 * 1024 ** 3;
/** Stays free on the disk, whatever is sent. */
const DISK_RESERVE_BYTES = 1024 ** 3;

const isOpen = ({ state }: UploadRow) => OPEN_STATES.some((open) => open === state);

function noSuchUpload(): PerchError {
  return new PerchError("not_found", "There is no such upload. Send the file again.");
}

export function createUploads(options: {
  db: Database;
  repo: UploadsRepo;
  store: UploadStore;
  putting: Putting;
  phones: Pick<PhonesService, "get" | "runningPhone">;
  lifecycle: Pick<PhoneLifecycle, "used">;
  clock: Clock;
  log: Log;
  /** Whose phones get files from here; undefined where there is no other node. */
  node: NodeId | undefined;
  /** Bytes that are free where the store is. */
  room: () => Promise<number>;
}): Uploads {
  const { db, repo, store, putting, phones, lifecycle, clock, log } = options;
  const receiving = new Map<UploadId, { readonly stop: AbortController; readonly over: Promise<unknown> }>();
  const now = () => new Date(clock.now());
  let ready = false;
  let recovering: "now" | "failed" | undefined;
  let closing = false;

  const viewOf = (row: UploadRow): Upload => ({
    ...{ id: row.id, purpose: row.purpose, name: row.name, bytes: row.bytes, received: row.received, state: row.state },
    put: row.state === "done" ? row.bytes : putting.done(row.id),
    ...(row.message !== null && { message: row.message }),
    createdAt: row.createdAt.toISOString(),
  });
  const offsetOf = ({ received, bytes }: UploadRow): UploadOffset => ({ received, bytes });

  /** Only who opened an upload adds to it. */
  async function own(scope: TeamScope, phone: PhoneId, id: UploadId): Promise<UploadRow> {
    const row = await repo.find(scope, phone, id);
    if (row === undefined || row.createdBy !== scope.userId) throw noSuchUpload();
    return row;
  }

  async function refuseOverDisk(bytes: number, promised: number): Promise<void> {
    if ((await options.room()) - promised - DISK_RESERVE_BYTES < bytes) {
      throw new PerchError("limit_reached", "The server's disk has no room for this file. Ask who runs it.");
    }
  }

  function stop(id: UploadId): void {
    receiving.get(id)?.stop.abort();
    putting.stop(id);
  }

  function give(id: UploadId): void {
    if (closing) return;
    putting.put(id).catch((error: unknown) => log.error("A file was not put on a phone", errorFields(error)));
  }

  async function failed(row: UploadRow, error: PerchError): Promise<never> {
    await db.tx((tx) =>
      repo.change(tx, row.id, ["receiving"], { state: "failed", message: error.message, updatedAt: now() }),
    );
    await store.remove([row]);
    throw error;
  }

  /** In its turn: nobody else adds to this upload. */
  async function take(row: UploadRow, from: number, content: AsyncIterable<Uint8Array>): Promise<UploadOffset> {
    if (row.state !== "receiving") throw new PerchError("conflict", "The server has all of this file already.");
    if (row.received !== from) {
      throw new PerchError("conflict", `The server has ${row.received} bytes of this file. Go on from there.`);
    }
    const start: Uint8Array[] = [];
    async function* seen() {
      for await (const part of content) {
        if (from === 0 && start.length < 4) start.push(part.subarray(0, 4));
        yield part;
      }
    }
    const added = await store.add(row, from, seen(), Math.min(UPLOAD_PIECE_BYTES, row.bytes - from));
    if (added === 0) return offsetOf(row);
    const first = Buffer.concat(start);
    if (row.purpose === "app" && from === 0 && first.length >= 4 && !looksLikeApk(first)) return failed(row, noApp());
    const received = from + added;
    const moved = await db.tx(async (tx) => {
      if (!(await repo.advance(tx, row.id, from, { received, updatedAt: now() }))) return false;
      if (received === row.bytes) await repo.change(tx, row.id, ["receiving"], { state: "putting" });
      return true;
    });
    if (!moved) throw noSuchUpload();
    lifecycle.used(row.phoneId);
    if (received === row.bytes) give(row.id);
    return { received, bytes: row.bytes };
  }

  async function tick(): Promise<void> {
    if (closing) return;
    // What could not be looked at yet: the storage was down.
    if (recovering === "failed") await recover();
    if (!ready) return;
    for (const { id } of await repo.inStatesAnywhere(["putting"], options.node)) give(id);
  }

  /** No more is counted than is here. */
  async function putInOrder(row: UploadRow): Promise<void> {
    const held = await store.held(row);
    if (held >= row.received) return;
    const lost = { state: "failed", message: "The server lost what was sent. Send the file again." } as const;
    const change = row.state === "receiving" ? { received: held } : lost;
    await db.tx((tx) => repo.change(tx, row.id, [row.state], { ...change, updatedAt: now() }));
  }

  async function removeOrphans(): Promise<number> {
    const there = await store.shelf.kept(now());
    const known = await repo.known(there.map(({ id }) => id));
    const orphans = there.filter(({ id }) => !known.has(id));
    await store.shelf.remove(orphans);
    return orphans.length;
  }

  async function recover(): Promise<void> {
    recovering = "now";
    try {
      for (const row of await repo.inStatesAnywhere(OPEN_STATES, options.node)) await putInOrder(row);
      await removeOrphans();
    } catch (error) {
      recovering = "failed";
      throw error;
    }
    recovering = undefined;
    ready = true;
    await tick();
  }

  return {
    tick,
    removeOrphans,
    async open(scope, { phoneId, purpose, name, bytes }) {
      const { driver } = await phones.runningPhone(scope, phoneId);
      const takes = purpose === "app" ? driver.apps !== undefined : driver.files.write !== undefined;
      if (!takes || (purpose === "file" && !driver.capabilities.upload)) {
        const words = purpose === "app" ? "This phone takes no apps." : "No files can be put on this phone.";
        throw new PerchError("capability_missing", words);
      }
      if (bytes > MAX_UPLOAD_BYTES[purpose]) {
        throw new PerchError("too_large", "This file is larger than 512 MB, which is the most a file may have.");
      }
      await refuseOverDisk(bytes, (await repo.promised(db.read, scope)).everywhere);
      const row = await db.tx(async (tx) => {
        const promised = await repo.promised(tx, scope);
        if (promised.count >= MOST_OPEN || promised.bytes + bytes > MOST_BYTES) {
          const words = "Your team sends as much as it may at once. Wait until some of it is there, or cancel some.";
          throw new PerchError("limit_reached", words);
        }
        const at = now();
        return repo.insert(tx, {
          ...{ id: newId("upload"), teamId: scope.teamId, createdBy: scope.userId, phoneId, purpose, name, bytes },
          ...{ received: 0, state: "receiving", createdAt: at, updatedAt: at },
        });
      });
      return viewOf(row);
    },
    async list(scope, phone) {
      await phones.get(scope, phone);
      return (await repo.list(scope, phone)).map(viewOf);
    },
    async cancel(scope, phone, id) {
      const row = await repo.find(scope, phone, id);
      if (row === undefined) throw noSuchUpload();
      await db.tx((tx) => repo.delete(tx, [id]));
      stop(id);
      await receiving.get(id)?.over.catch(() => {});
      await store.remove([row]);
      return {};
    },
    offset: async (scope, phone, id) => offsetOf(await own(scope, phone, id)),
    async receive(scope, phone, id, from, content) {
      await own(scope, phone, id);
      for (let before = receiving.get(id); before !== undefined; before = receiving.get(id)) {
        before.stop.abort();
        await before.over.catch(() => {});
      }
      const stopper = new AbortController();
      const over = (async () => take(await own(scope, phone, id), from, unlessStopped(content, stopper.signal)))();
      receiving.set(id, { stop: stopper, over });
      try {
        return await over;
      } finally {
        receiving.delete(id);
      }
    },
    async phoneCame(phone) {
      for (const row of await repo.ofPhoneAnywhere(phone)) if (isOpen(row)) await putInOrder(row);
    },
    recover,
    async phoneRemoved(phone) {
      const rows = await repo.ofPhoneAnywhere(phone);
      const ids = rows.map(({ id }) => id);
      for (const id of ids) stop(id);
      await db.tx((tx) => repo.delete(tx, ids));
      await store.remove(rows);
    },
    async close() {
      closing = true;
      for (const { stop: stopper } of receiving.values()) stopper.abort();
      await Promise.allSettled([...receiving.values()].map(({ over }) => over));
      await putting.close();
    },
  };
}

/** The content until it ends or the signal is aborted, whatever comes first; a source that gives nothing holds nothing up. */
async function* unlessStopped(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts = content[Symbol.asyncIterator]();
  const stopped = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => stopped.resolve(undefined), { once: true });
  if (signal.aborted) stopped.resolve(undefined);
  try {
    for (;;) {
      const part = await Promise.race([parts.next(), stopped.promise]);
      if (part === undefined || part.done === true) return;
      yield part.value;
    }
  } finally {
    // Whatever a source says that nobody reads any more, it holds nothing up and goes nowhere.
    void Promise.resolve(parts.return?.()).catch(() => {});
  }
}
