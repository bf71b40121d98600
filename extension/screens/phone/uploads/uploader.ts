/**
 * Sends files to phones, one after the other, in pieces: goes on where it was after a pause or a lost connection, and
 * tells how far each is, until the phone has it.
 */
import type { PhoneId, UploadId } from "../../../../shared/ids.ts";
import { UPLOAD_PIECE_BYTES, type Upload, type UploadPurpose } from "../../../../shared/uploads.ts";
import type { FileLike } from "./check-file.ts";

const FIRST_PIECE_BYTES = 256 * 1024;
/** Pieces grow and shrink towards this, so that progress is seen and little is sent twice. */
const PIECE_MS = 800;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
const LOOK_MS = 700;

export type UploadStage =
  /** Another is sent first. */
  | "queued"
  | "sending"
  | "paused"
  /** The connection is lost; it goes on by itself. */
  | "waiting"
  /** The server has all of it, and the phone gets it. */
  | "putting"
  | "done"
  | "failed";

export interface UploadItem {
  /** In this page. */
  readonly key: number;
  readonly phoneId: PhoneId;
  readonly name: string;
  readonly purpose: UploadPurpose;
  readonly bytes: number;
  /** Bytes the server has. */
  readonly sent: number;
  /** Bytes the phone has. */
  readonly put: number;
  readonly stage: UploadStage;
  /** Why it failed, as a sentence. */
  readonly message?: string;
  /** It was not even begun, and never can be. */
  readonly refused?: true;
  readonly uploadId?: UploadId;
}

/** The server said no, and will again. */
export class UploadRefused extends Error {
  override readonly name = "UploadRefused";
}

/** Methods throw `UploadRefused`, or anything else when the server was not reached. */
export interface UploadTransport {
  open(phoneId: PhoneId, purpose: UploadPurpose, name: string, bytes: number): Promise<Upload>;
  /** Bytes the server has of it. */
  offset(phoneId: PhoneId, uploadId: UploadId): Promise<number>;
  /** Adds a piece at `offset`; resolves with the bytes the server has then, or undefined when it has others than that. */
  send(
    phoneId: PhoneId,
    uploadId: UploadId,
    offset: number,
    piece: ArrayBuffer,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  list(phoneId: PhoneId): Promise<readonly Upload[]>;
  cancel(phoneId: PhoneId, uploadId: UploadId): Promise<void>;
}

export interface UploaderParts {
  readonly transport: UploadTransport;
  readonly now: () => number;
  readonly later: (ms: number, callback: () => void) => () => void;
  readonly onChange: (items: readonly UploadItem[]) => void;
}

export interface Uploader {
  add(phoneId: PhoneId, file: FileLike, purpose: UploadPurpose): void;
  /** Lists a file that cannot be sent, with the sentence that says why. */
  refuse(phoneId: PhoneId, file: FileLike, purpose: UploadPurpose, message: string): void;
  /** Goes on with an upload the server has a part of, from the same file. */
  resume(phoneId: PhoneId, upload: Upload, file: FileLike): void;
  pause(key: number): void;
  goOn(key: number): void;
  /** Takes it off the list; what the server has of it is deleted. */
  cancel(key: number): void;
  /** The network may be back. */
  wake(): void;
  close(): void;
}

interface Job {
  readonly file: FileLike;
  item: UploadItem;
  abort: AbortController;
}

export function createUploader({ transport, now, later, onChange }: UploaderParts): Uploader {
  let jobs: readonly Job[] = [];
  let nextKey = 1;
  let working: Job | undefined;
  let closed = false;
  let stopWaiting: (() => void) | undefined;

  const publish = () => {
    if (!closed) onChange(jobs.map(({ item }) => item));
  };
  function set(job: Job, change: Partial<UploadItem>): void {
    job.item = { ...job.item, ...change };
    publish();
  }
  /** Resolves after `ms`, or earlier when the network may be back or the job is stopped. */
  function wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        stop();
        signal.removeEventListener("abort", done);
        stopWaiting = undefined;
        resolve();
      };
      const stop = later(ms, done);
      stopWaiting = done;
      if (signal.aborted) done();
      else signal.addEventListener("abort", done);
    });
  }

  /** Does something at the server, again and again while the connection is lost; undefined when the job was stopped. */
  async function insist<T>(job: Job, stage: UploadStage, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    const { signal } = job.abort;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LONGEST_RETRY_MS, delay * 2)) {
      try {
        const value = await work();
        if (signal.aborted) return undefined;
        if (job.item.stage === "waiting") set(job, { stage });
        return { value };
      } catch (error) {
        if (signal.aborted) return undefined;
        if (error instanceof UploadRefused) throw error;
        if (job.item.stage !== "waiting") set(job, { stage: "waiting" });
        await wait(delay, signal);
        if (signal.aborted) return undefined;
      }
    }
  }

  async function send(job: Job): Promise<boolean> {
    const { file, abort } = job;
    const { phoneId, purpose, name, bytes } = job.item;
    set(job, { stage: "sending" });
    let { uploadId } = job.item;
    if (uploadId === undefined) {
      const opened = await insist(job, "sending", () => transport.open(phoneId, purpose, name, bytes));
      if (opened === undefined) return false;
      uploadId = opened.value.id;
      set(job, { uploadId, sent: opened.value.received });
    }
    const id = uploadId;
    const lookAgain = () => insist(job, "sending", () => transport.offset(phoneId, id));
    let size = FIRST_PIECE_BYTES;
    if (job.item.sent > 0) {
      const at = await lookAgain();
      if (at === undefined) return false;
      set(job, { sent: at.value });
    }
    while (job.item.sent < bytes) {
      const { sent } = job.item;
      const piece = await file
        .slice(sent, Math.min(bytes, sent + size))
        .arrayBuffer()
        .catch(() => undefined);
      if (abort.signal.aborted) return false;
      if (piece === undefined || piece.byteLength === 0) {
        throw new UploadRefused("The file changed or is gone on this computer. Choose it again.");
      }
      const startedAt = now();
      let got: number | undefined;
      let lost = false;
      try {
        got = await transport.send(phoneId, id, sent, piece, abort.signal);
      } catch (error) {
        if (abort.signal.aborted) return false;
        if (error instanceof UploadRefused) throw error;
        lost = true;
      }
      if (abort.signal.aborted) return false;
      if (got === undefined) {
        // Nobody knows how much of the piece arrived.
        if (lost) {
          set(job, { stage: "waiting" });
          await wait(FIRST_RETRY_MS, abort.signal);
        }
        const at = await lookAgain();
        if (at === undefined) return false;
        got = at.value;
      } else {
        const ms = Math.max(1, now() - startedAt);
        size = ms < PIECE_MS / 2 ? size * 2 : ms > PIECE_MS * 2 ? Math.ceil(size / 2) : size;
        size = Math.min(UPLOAD_PIECE_BYTES, Math.max(FIRST_PIECE_BYTES / 4, size));
      }
      set(job, { stage: "sending", sent: Math.min(bytes, got) });
    }
    return true;
  }

  /** Follows it from the server to the phone. */
  async function follow(job: Job): Promise<void> {
    const { phoneId, uploadId } = job.item;
    set(job, { stage: "putting" });
    for (;;) {
      const listed = await insist(job, "putting", () => transport.list(phoneId));
      if (listed === undefined) return;
      const upload = listed.value.find(({ id }) => id === uploadId);
      if (upload === undefined) throw new UploadRefused("The server no longer has this file. Send it again.");
      if (upload.state === "failed") throw new UploadRefused(upload.message ?? "The phone did not take it. Try again.");
      if (upload.state === "done") return set(job, { stage: "done", put: upload.bytes });
      set(job, { put: upload.put });
      await wait(LOOK_MS, job.abort.signal);
      if (job.abort.signal.aborted) return;
    }
  }

  async function work(): Promise<void> {
    if (working !== undefined || closed) return;
    const job = jobs.find(({ item }) => item.stage === "queued");
    if (job === undefined) return;
    working = job;
    try {
      if (await send(job)) await follow(job);
    } catch (error) {
      const known = error instanceof UploadRefused;
      set(job, { stage: "failed", message: known ? error.message : "Something went wrong here. Send it again." });
    }
    working = undefined;
    void work();
  }
  function find(key: number): Job | undefined {
    return jobs.find(({ item }) => item.key === key);
  }
  function enter(item: Omit<UploadItem, "key" | "put">, file: FileLike): void {
    const job: Job = { file, item: { ...item, key: nextKey, put: 0 }, abort: new AbortController() };
    nextKey += 1;
    jobs = [...jobs, job];
    publish();
    void work();
  }

  /** What failed is not gone on with: nobody knows what of it is of use. */
  function startOver(job: Job): void {
    const { uploadId, ...item } = job.item;
    job.item = { ...item, sent: 0, put: 0 };
    if (uploadId !== undefined) transport.cancel(item.phoneId, uploadId).catch(() => {});
  }

  return {
    add(phoneId, file, purpose) {
      enter({ phoneId, name: file.name.trim(), purpose, bytes: file.size, sent: 0, stage: "queued" }, file);
    },
    refuse(phoneId, file, purpose, message) {
      const why = { stage: "failed", message, refused: true } as const;
      enter({ phoneId, name: file.name, purpose, bytes: file.size, sent: 0, ...why }, file);
    },
    resume(phoneId, upload, file) {
      const { id: uploadId, name, purpose, bytes, received: sent } = upload;
      enter({ phoneId, name, purpose, bytes, sent, uploadId, stage: "queued" }, file);
    },
    pause(key) {
      const job = find(key);
      if (job === undefined || !["queued", "sending", "waiting"].includes(job.item.stage)) return;
      job.abort.abort();
      set(job, { stage: "paused" });
    },
    goOn(key) {
      const job = find(key);
      if (job?.item.stage !== "paused" && (job?.item.stage !== "failed" || job.item.refused)) return;
      job.abort = new AbortController();
      const { message: _message, ...item } = job.item;
      job.item = { ...item, stage: "queued" };
      if (item.stage === "failed") startOver(job);
      publish();
      void work();
    },
    cancel(key) {
      const job = find(key);
      if (job === undefined) return;
      job.abort.abort();
      jobs = jobs.filter((other) => other !== job);
      publish();
      const { phoneId, uploadId, stage } = job.item;
      if (uploadId === undefined || stage === "done") return;
      // What is left there is deleted after a day in any case.
      transport.cancel(phoneId, uploadId).catch(() => {});
    },
    wake: () => stopWaiting?.(),
    close() {
      closed = true;
      for (const { abort } of jobs) abort.abort();
      jobs = [];
    },
  };
}

/** How much of the whole way is done, 0–1: to the server, then to the phone, which is quicker. */
export function progressOf({ bytes, sent, put, stage }: UploadItem): number {
  if (stage === "done") return 1;
  return (0.85 * sent + 0.15 * put) / bytes;
}
