/** Compares pictures in a thread of their own: it takes up to a second, and meanwhile nothing else of the server would move. */
import { Worker } from "node:worker_threads";
import { unlessAborted } from "../leased-phone.ts";
import type { PictureAnswer, PictureQuestion } from "./picture-answer.ts";

/** The bundle holds the thread's code as a file of its own beside this one (`scripts/server-bundle.ts`). */
const WORKER = new URL(
  import.meta.url.endsWith(".ts") ? "./picture-worker.ts" : "./picture-worker.js",
  import.meta.url,
);

/** Ends early, by throwing the signal's reason. */
export async function checkPicture(question: PictureQuestion, signal: AbortSignal): Promise<PictureAnswer> {
  const worker = new Worker(WORKER, { name: "perch-picture", workerData: question, env: {}, execArgv: [] });
  const answer = new Promise<PictureAnswer>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("The thread that compares pictures ended.")));
  });
  try {
    return await unlessAborted(signal, answer);
  } finally {
    await worker.terminate();
  }
}
