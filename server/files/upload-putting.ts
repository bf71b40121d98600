/** Gives phones what has been received for them, one file at a time to each phone. */
import type { UploadId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { FileToPut, PhoneDriver } from "../phones/driver.ts";
import type { PhoneLifecycle } from "../phones/phone-lifecycle.ts";
import { createTurns } from "../phones/phone-moves.ts";
import type { PhonesRepo } from "../phones/phones.repo.ts";
import type { UploadStore } from "./upload-store.ts";
import type { UploadRow, UploadsRepo } from "./uploads.repo.ts";

export interface Putting {
  /** Bytes the phone has of what it gets now. */
  done(id: UploadId): number;
  /** Gives it to its phone when that can be reached; what cannot be done now waits for the next call. */
  put(id: UploadId): Promise<void>;
  /** Stops what goes on. */
  stop(id: UploadId): void;
  close(): Promise<void>;
}

/** A phone that is lost so often in the middle of one file does not get it. */
const MOST_TRIES = 5;
/** How a ZIP archive, and so every APK, begins (APPNOTE.TXT 4.3.7). */
const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const NO_APP = "This is no Android app: an APK is a ZIP archive, and this file is none.";

export function looksLikeApk(start: Uint8Array): boolean {
  return ZIP.equals(start.subarray(0, ZIP.length));
}
export function noApp(): PerchError {
  return new PerchError("bad_input", NO_APP);
}

export function createPutting(options: {
  db: Database;
  repo: UploadsRepo;
  store: UploadStore;
  phones: Pick<PhonesRepo, "findAnywhere">;
  lifecycle: Pick<PhoneLifecycle, "runningDriver" | "used">;
  audit: Audit;
  clock: Clock;
  log: Log;
}): Putting {
  const { db, repo, store, lifecycle, clock, log } = options;
  const turns = createTurns();
  const active = new Map<UploadId, { bytes: number; readonly stop: AbortController; work: Promise<void> }>();
  const tries = new Map<UploadId, number>();
  const now = () => new Date(clock.now());

  async function over(row: UploadRow, message: string | undefined): Promise<void> {
    const action = row.purpose === "app" ? "phone.app_installed" : "phone.file_added";
    await db.tx(async (tx) => {
      const state = message === undefined ? "done" : "failed";
      const changed = await repo.change(tx, row.id, ["putting"], { state, message: message ?? null, updatedAt: now() });
      if (changed === undefined || message !== undefined) return;
      await options.audit.record(tx, { chain: row.teamId, actor: row.createdBy, action, object: row.phoneId });
    });
    tries.delete(row.id);
    await store.remove([row]);
  }

  /** The driver, or why not: `later` when the phone may be there in a moment, else a sentence. */
  async function driverFor(row: UploadRow): Promise<PhoneDriver | "later" | { readonly words: string }> {
    const phone = await options.phones.findAnywhere(row.phoneId);
    if (phone?.state === "creating" || phone?.state === "starting") return "later";
    if (phone?.state !== "running")
      return { words: "The phone stopped before it had the file. Start it and send the file again." };
    if (phone.unreachableSince !== null) return "later";
    try {
      return lifecycle.runningDriver(row.phoneId);
    } catch (error) {
      if (error instanceof PerchError) return "later";
      throw error;
    }
  }

  async function give(row: UploadRow, driver: PhoneDriver, signal: AbortSignal, done: (bytes: number) => void) {
    if (row.purpose === "app") {
      for await (const start of store.read(row, Math.min(row.bytes, ZIP.length), signal)) {
        if (!looksLikeApk(start)) throw noApp();
      }
    }
    const pieces = store.read(row, row.bytes, signal)[Symbol.asyncIterator]();
    const file: FileToPut = { name: row.name, size: row.bytes, content: readWhenTaken(pieces, signal) };
    try {
      const taken =
        row.purpose === "app"
          ? driver.apps?.install(row.phoneId, file, done)
          : driver.files.write?.(row.phoneId, file, done);
      if (taken === undefined) throw new PerchError("capability_missing", "This phone takes no such files.");
      await taken;
    } finally {
      // A phone that took no more leaves the file open.
      await pieces.return?.();
    }
  }

  async function attempt(id: UploadId, signal: AbortSignal, done: (bytes: number) => void): Promise<void> {
    const row = await repo.findAnywhere(id);
    if (row?.state !== "putting") return;
    const driver = await driverFor(row);
    if (driver === "later") return;
    if ("words" in driver) return over(row, driver.words);
    try {
      await give(row, driver, signal, (bytes) => {
        done(bytes);
        lifecycle.used(row.phoneId);
      });
      await over(row, undefined);
    } catch (error) {
      if (signal.aborted) return;
      const tried = (tries.get(id) ?? 0) + 1;
      tries.set(id, tried);
      const passing = error instanceof PerchError && error.code === "phone_unavailable" && tried < MOST_TRIES;
      log.warn("A phone did not take a file", { phoneId: row.phoneId, attempt: tried, ...errorFields(error) });
      if (passing) return;
      await over(row, error instanceof PerchError ? error.message : "The phone did not take the file. Try again.");
    }
  }

  return {
    done: (id) => active.get(id)?.bytes ?? 0,
    async put(id) {
      const going = active.get(id);
      if (going !== undefined) return going.work;
      const row = await repo.findAnywhere(id);
      if (row === undefined || active.has(id)) return active.get(id)?.work;
      const one = { bytes: 0, stop: new AbortController(), work: Promise.resolve() };
      active.set(id, one);
      one.work = turns
        .take(row.phoneId, () =>
          attempt(id, one.stop.signal, (bytes) => {
            one.bytes = bytes;
          }),
        )
        .finally(() => active.delete(id));
      return one.work;
    },
    stop(id) {
      active.get(id)?.stop.abort(new PerchError("conflict", "This was cancelled."));
    },
    async close() {
      for (const { stop } of active.values()) stop.abort(new PerchError("unavailable", "The server is stopping."));
      await Promise.allSettled([...active.values()].map(({ work }) => work));
    },
  };
}

/** Nothing is read ahead, so that what was stopped gives nothing more. */
function readWhenTaken(pieces: AsyncIterator<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        signal.throwIfAborted();
        const { done, value } = await pieces.next();
        signal.throwIfAborted();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
