/** The thread that writes SQLite's log back into the file: it reads and flushes while the server goes on. */
import { parentPort, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import type { CheckpointData, LogState } from "./checkpoints.ts";

const { file, key } = workerData as CheckpointData;
const db = new Sqlite(file, { timeout: 0 });
db.pragma(`key = "x'${Buffer.from(key).toString("hex")}'"`);
db.pragma("synchronous = FULL");
const writeBack = db.prepare<[], LogState>("pragma wal_checkpoint(PASSIVE)");

parentPort?.on("message", (message: "write back" | "end") => {
  if (message === "end") {
    db.close();
    parentPort?.close();
  } else parentPort?.postMessage(writeBack.get());
});
