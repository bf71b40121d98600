/**
 * The stream of a program the cluster runs in a pod: what is written is its stdin, what is read its stdout. Each message of
 * the socket begins with the number of its channel: 0 stdin, 1 stdout, 2 stderr, 3 how it ended as a Status; from v5 on,
 * 255 and a number end that channel (kubernetes/apimachinery, util/remotecommand/constants.go; KEP-4006).
 */
import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { z } from "zod";

export const EXEC_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

const [STDIN, STDOUT, STDERR, STATUS, CLOSE] = [0, 1, 2, 3, 255];
const MAX_STDERR = 4_096;
/** Of a chunk that is typed, so much goes in one message: a kubelet takes no longer ones. */
const MESSAGE_BYTES = 32 * 1024;

/** `status` of a Status; the exit code is a cause of the failure (kubernetes/apimachinery, `ExitCodeCauseType`). */
const ended = z.object({
  status: z.string(),
  message: z.string().optional(),
  details: z
    .object({ causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).nullish() })
    .nullish(),
});

export class PodStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #exit = Promise.withResolvers<number>();
  #stderr = Buffer.alloc(0);

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on("message", (data) => {
      if (Buffer.isBuffer(data) && data.length > 0) this.#take(data.readUInt8(0), data.subarray(1));
    });
    socket.on("close", () => {
      // No word about the end is no success.
      this.#exit.resolve(255);
      if (!this.readableEnded) this.push(null);
      if (!this.writableFinished) this.destroy();
    });
  }

  /** Of the program; 255 when nothing was said. */
  get exitCode(): Promise<number> {
    return this.#exit.promise;
  }
  /** What the program said about a failure, so far. */
  get complaint(): string {
    return this.#stderr.toString("utf8").trim();
  }

  #take(channel: number, payload: Buffer): void {
    if (channel === STDOUT) {
      if (payload.length > 0 && !this.push(payload)) this.#socket.pause();
    } else if (channel === STDERR) {
      if (this.#stderr.length < MAX_STDERR)
        this.#stderr = Buffer.concat([this.#stderr, payload]).subarray(0, MAX_STDERR);
    } else if (channel === STATUS) {
      this.#exit.resolve(exitCodeOf(payload.toString("utf8")));
    }
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    for (let at = 0; at < chunk.length; at += MESSAGE_BYTES) {
      const isLast = at + MESSAGE_BYTES >= chunk.length;
      const message = Buffer.concat([Buffer.of(STDIN), chunk.subarray(at, at + MESSAGE_BYTES)]);
      // Called when it has left, so what is typed waits for the connection.
      this.#socket.send(message, isLast ? (error) => done(error ?? null) : undefined);
    }
    if (chunk.length === 0) done();
  }
  override _final(done: (error?: Error | null) => void): void {
    if (this.#socket.protocol === EXEC_PROTOCOLS[0]) this.#socket.send(Buffer.of(CLOSE, STDIN), () => done());
    else done();
  }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}

export function exitCodeOf(text: string): number {
  const parsed = ended.safeParse(tryJson(text));
  if (!parsed.success) return 255;
  if (parsed.data.status === "Success") return 0;
  const said = parsed.data.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return said !== undefined && /^\d{1,3}$/.test(said) ? Number(said) : 255;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
