/** Memory of this process that something still holds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes of buffers that are in use: what nobody holds any more, here or in another test, is collected first. */
export function heldBuffers(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}
