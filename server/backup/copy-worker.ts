/** The thread of `copy-apart.ts`: one order, one answer. */
import { parentPort, workerData } from "node:worker_threads";
import { copyCounted } from "../db/sqlite-copy.ts";
import { copyOrder } from "./copy-apart.ts";

const { from, to, key } = copyOrder.parse(workerData);
parentPort?.postMessage(await copyCounted({ from, key: Buffer.from(key, "hex"), to }));
