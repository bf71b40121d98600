/** A stream of an ADB connection as Node's servers take it. */
import { Duplex } from "node:stream";
import type { AdbStream } from "./adb-stream.ts";

export function duplexOf(stream: AdbStream): Duplex {
  let goOn: (() => void) | undefined;
  const duplex = new Duplex({
    read() {
      goOn?.();
      goOn = undefined;
    },
    write(chunk: Buffer, _encoding, done) {
      stream.write(chunk).then(() => done(), done);
    },
    final(done) {
      stream.end();
      done();
    },
    destroy(error, done) {
      stream.close();
      goOn?.();
      done(error);
    },
  });
  stream.onData((bytes) => {
    if (duplex.destroyed || duplex.push(bytes)) return;
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  });
  void stream.closed.then(() => {
    if (!duplex.destroyed) duplex.push(null);
  });
  return duplex;
}
