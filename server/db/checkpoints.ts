/**
 * When SQLite's log is written back into the file. By itself the engine does it inside the commit that fills the log, and
 * the whole server stands still for two flushes and a thousand pages; here a thread does it
 * (`docs/decisions/the-log-is-written-back-by-a-thread.md`).
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type Sqlite from "better-sqlite3";

/** Pages of the log, of 4 kB, that are not in the file yet when the thread begins. */
const WRITE_BACK_AT = 500;
/** The commit that finds so many in the log does it itself: the log never grows without end. */
const BY_THE_COMMIT_AT = 8_000;
const ENGINES_OWN = 1_000;

/** The bundle holds the thread's code as a file of its own beside this one (`scripts/server-bundle.ts`). */
const WORKER = new URL(
  import.meta.url.endsWith(".ts") ? "./checkpoint-worker.ts" : "./checkpoint-worker.js",
  import.meta.url,
);

export interface CheckpointData {
  readonly file: string;
  readonly key: Uint8Array;
}

/** What the engine tells of its log, in pages. */
export interface LogState {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

export interface Checkpoints {
  /** After each commit: has the log written back when it is time. The thread starts with the first time. */
  committed(): void;
  /** Resolves when the thread does nothing; while nothing is committed it begins nothing. */
  rest(): Promise<void>;
  /** Ends the thread, which has to come before the writer closes. */
  close(): Promise<void>;
}

export function createCheckpoints(writer: Sqlite.Database, data: CheckpointData): Checkpoints {
  writer.pragma(`wal_autocheckpoint = ${BY_THE_COMMIT_AT}`);
  const look = writer.prepare<[], LogState>("pragma wal_checkpoint(NOOP)");
  let thread: Worker | undefined;
  let writing: Promise<void> | undefined;
  let isGone = false;
  /** How far the log was when the thread last began: a reader may keep it from getting there. */
  let triedTo = 0;

  /** Without a thread the engine does it as it always did. */
  function doWithout(): void {
    isGone = true;
    thread = undefined;
    if (writer.open) writer.pragma(`wal_autocheckpoint = ${ENGINES_OWN}`);
  }

  function started(): Worker {
    const worker = new Worker(WORKER, { name: "perch-checkpoints", workerData: data, env: {}, execArgv: [] });
    // Without a listener an error of the thread would end the server; its exit tells enough.
    worker.on("error", () => {});
    worker.once("exit", doWithout);
    return worker;
  }

  async function writeBack(): Promise<void> {
    try {
      thread ??= started();
      thread.ref();
      const waiting = new AbortController();
      const { signal } = waiting;
      thread.postMessage("write back");
      await Promise.race([once(thread, "message", { signal }), once(thread, "exit", { signal })]).finally(() =>
        waiting.abort(),
      );
      thread?.unref();
    } catch {
      doWithout();
    } finally {
      writing = undefined;
    }
  }

  function isTime(): boolean {
    const state = look.get();
    if (state === undefined) return false;
    if (state.log < triedTo) triedTo = 0;
    if (state.log - Math.max(state.checkpointed, triedTo) < WRITE_BACK_AT) return false;
    triedTo = state.log;
    return true;
  }

  return {
    committed() {
      if (isGone || writing !== undefined) return;
      try {
        if (isTime()) writing = writeBack();
      } catch {
        // What was committed is committed, whatever becomes of the log.
        doWithout();
      }
    },
    async rest() {
      await writing;
    },
    async close() {
      await writing;
      if (thread === undefined) return;
      thread.ref();
      const ended = once(thread, "exit");
      thread.postMessage("end");
      await ended;
    },
  };
}
