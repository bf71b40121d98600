/** What an Engine answers as streams: lines of JSON, the output of a program. */
import type { Readable } from "node:stream";
import { EngineError } from "./engine-call.ts";
import { FrameReader } from "./exec-stream.ts";

const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;
const MAX_LINE = 1024 * 1024;

/** dockerode types answers that stream as the older interface; each is a response of `node:http`. */
export function readable(stream: NodeJS.ReadableStream): Readable {
  return stream as unknown as Readable;
}

/** Hands over each line of JSON until the stream is over or `signal` ends it. */
export async function lines(stream: Readable, signal: AbortSignal, listener: (line: unknown) => void): Promise<void> {
  const stop = () => stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let rest = "";
  try {
    stream.setEncoding("utf8");
    for await (const chunk of stream) {
      rest += String(chunk);
      const parts = rest.split("\n");
      rest = parts.pop() ?? "";
      if (rest.length > MAX_LINE) throw new EngineError("refused", "The Engine sent a line without end.");
      for (const part of parts) if (part.trim() !== "") listener(parsed(part));
    }
  } catch (error) {
    if (signal.aborted || error instanceof EngineError) throw error;
    throw new EngineError("gone", "The Engine's stream broke.", { cause: error });
  } finally {
    signal.removeEventListener("abort", stop);
    stream.destroy();
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Everything the program writes. */
export async function text(stream: Readable, signal: AbortSignal): Promise<string> {
  const stop = () => stream.destroy(new EngineError("gone", "exec: the program did not end in time."));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const piece = Buffer.from(chunk);
      bytes += piece.length;
      if (bytes > MAX_OUTPUT_BYTES) throw new EngineError("refused", "exec: more output than is taken.");
      chunks.push(piece);
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("gone", "exec: the connection broke.", { cause: error });
  } finally {
    signal.removeEventListener("abort", stop);
    stream.destroy();
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Logs of a container without terminal are framed like a program's output. */
export function splitLogs(logs: Buffer): { stdout: string; stderr: string } {
  const kept: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  new FrameReader({
    stdout: (bytes) => kept.stdout.push(bytes),
    stderr: (bytes) => kept.stderr.push(bytes),
  }).push(logs);
  return { stdout: Buffer.concat(kept.stdout).toString("utf8"), stderr: Buffer.concat(kept.stderr).toString("utf8") };
}
