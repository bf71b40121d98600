/** Copies and counts a SQLite file in a thread of its own: it takes a second for 100 MB, and meanwhile no screen would move. */
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { CopySqlite, TableCount } from "./database-copy.ts";

/** The bundle holds the thread's code as a file of its own beside this one (`scripts/server-bundle.ts`). */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./copy-worker.ts" : "./copy-worker.js", import.meta.url);

export const copyOrder = z.strictObject({
  from: z.string(),
  to: z.string(),
  /** In hex. */
  key: z.string(),
});

export const copyCountedApart: CopySqlite = async (order) => {
  const workerData: z.infer<typeof copyOrder> = { ...order, key: order.key.toString("hex") };
  const worker = new Worker(WORKER, { name: "perch-backup", workerData, env: {}, execArgv: [] });
  try {
    return await new Promise<readonly TableCount[]>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("The thread that copies the database ended.")));
    });
  } finally {
    await worker.terminate();
  }
};
