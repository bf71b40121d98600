/** A socket, or any duplex stream of bytes, as the streams the ADB library takes. */
import type { Duplex } from "node:stream";
import { MaybeConsumable } from "@yume-chan/stream-extra";

export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array>;
  /** The library's own writers hand over their chunks wrapped. */
  readonly writable: WritableStream<MaybeConsumable<Uint8Array>>;
  /** Settles when both directions are over, whatever ended them. */
  readonly closed: Promise<void>;
}

/** Read on demand: what nobody takes stays with the sender. The end of the other side is the end of both. */
export function byteStreams(duplex: Duplex): ByteStreams {
  const closed = new Promise<void>((resolve) => {
    if (duplex.destroyed) resolve();
    else duplex.once("close", resolve);
  });
  let failure: Error | undefined;
  duplex.on("error", (error) => {
    failure = error;
  });
  let done = false;
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          if (done) return;
          done = true;
          if (failure === undefined) controller.close();
          else controller.error(failure);
          duplex.destroy();
        };
        duplex.pause();
        duplex.on("data", (chunk: Buffer) => {
          if (done) return;
          controller.enqueue(chunk);
          if ((controller.desiredSize ?? 0) <= 0) duplex.pause();
        });
        duplex.once("end", end);
        void closed.then(end);
      },
      pull() {
        duplex.resume();
      },
      // Who reads no more may go on writing, as scrcpy's control socket does: what still comes is dropped.
      cancel() {
        done = true;
        duplex.once("end", () => duplex.destroy());
        duplex.resume();
      },
    },
    { highWaterMark: 1024 * 1024, size: (chunk) => chunk.byteLength },
  );
  const writable = new MaybeConsumable.WritableStream<Uint8Array>({
    write: (chunk) =>
      new Promise<void>((resolve, reject) => {
        if (chunk.byteLength === 0) return resolve();
        if (duplex.destroyed) return reject(failure ?? new Error("The connection is closed."));
        // One that is destroyed meanwhile may never call back.
        void closed.then(() => reject(failure ?? new Error("The connection is closed.")));
        duplex.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    close() {
      duplex.end();
    },
    abort() {
      duplex.destroy();
    },
  });
  return { readable, writable, closed };
}
