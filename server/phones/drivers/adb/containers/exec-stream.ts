/**
 * The stream of a program the Engine runs in a container: what is written is its stdin, what is read its stdout. The Engine
 * frames its output: [stream 0–2, 0, 0, 0, length as 32-bit big-endian] and the bytes (Engine API, "Stream format" of
 * ContainerAttach).
 */
import { Duplex } from "node:stream";

const HEADER_BYTES = 8;
const STDERR = 2;
/** Of stderr, so much is kept for words about a failure. */
const MAX_STDERR = 4_096;

export interface FrameSink {
  stdout(bytes: Buffer): void;
  stderr(bytes: Buffer): void;
}

/** Takes a framed stream apart, in whatever pieces it comes; gives out payloads as they come, so no frame is held back. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #left = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws Error for what is no frame: the stream is then of no more use */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const payload = chunk.subarray(at, at + this.#left);
        at += payload.length;
        this.#left -= payload.length;
        if (this.#header[0] === STDERR) this.#sink.stderr(payload);
        else this.#sink.stdout(payload);
        continue;
      }
      const part = chunk.subarray(at, at + HEADER_BYTES - this.#headerBytes);
      this.#header.set(part, this.#headerBytes);
      at += part.length;
      this.#headerBytes += part.length;
      if (this.#headerBytes < HEADER_BYTES) return;
      this.#headerBytes = 0;
      if (this.#header.readUInt8(0) > STDERR || this.#header.readUIntBE(1, 3) !== 0)
        throw new Error("The Docker Engine sent a stream that is not framed.");
      this.#left = this.#header.readUInt32BE(4);
    }
  }
}

/** The program's stdin and stdout over the connection the Engine has handed over. */
export class ExecStream extends Duplex {
  readonly #socket: Duplex;
  #stderr = Buffer.alloc(0);

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    const frames = new FrameReader({
      stdout: (bytes) => {
        if (!this.push(bytes)) socket.pause();
      },
      stderr: (bytes) => {
        if (this.#stderr.length < MAX_STDERR)
          this.#stderr = Buffer.concat([this.#stderr, bytes]).subarray(0, MAX_STDERR);
      },
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch (error) {
        this.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => {
      if (!this.readableEnded) this.push(null);
      // Nothing can be written any more, and nobody waits for it.
      if (!this.writableFinished) this.destroy();
    });
  }

  /** What the program said about a failure, so far. */
  get complaint(): string {
    return this.#stderr.toString("utf8").trim();
  }

  override _read(): void {
    this.#socket.resume();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
