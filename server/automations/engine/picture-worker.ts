/** The thread of `picture-check.ts`: one question, one answer. */
import { parentPort, workerData } from "node:worker_threads";
import { answerTo } from "./picture-answer.ts";

parentPort?.postMessage(answerTo(workerData));
