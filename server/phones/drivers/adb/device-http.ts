/** Servers on a device, reached over its ADB connection: no port of this machine is opened for them. */
import { request } from "node:http";
import { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import { PerchError } from "../../../errors.ts";
import { within } from "./connect/bounded.ts";
import type { AndroidDevice } from "./ports.ts";

const OPEN_MS = 5_000;

/** `to`: a service of adbd, `tcp:6790` or `localabstract:name` (AOSP packages/modules/adb/SERVICES.TXT). */
export async function openDeviceSocket(device: AndroidDevice, to: string): Promise<Duplex> {
  const opening = device.adb.createSocket(to);
  const socket = await within(OPEN_MS, device.words, opening).catch((error: unknown) => {
    opening.then((late) => late.close()).catch(() => undefined);
    throw error;
  });
  const duplex = Duplex.fromWeb(asNodeStreams(socket));
  // Whoever waits for it is told by its end.
  duplex.on("error", () => undefined);
  duplex.once("close", () => void Promise.resolve(socket.close()).catch(() => undefined));
  return duplex;
}

/** The library's streams are the global ones, which take plain chunks too; Node names the same classes once more. */
function asNodeStreams(socket: { readonly readable: unknown; readonly writable: unknown }) {
  return socket as { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> };
}

export interface DeviceRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** One request on a connection of its own. @throws PerchError `phone_unavailable` for all but an answer that it was done */
export async function askDevice(device: AndroidDevice, to: string, asked: DeviceRequest): Promise<Buffer> {
  const signal = AbortSignal.timeout(asked.timeoutMs);
  try {
    const socket = await openDeviceSocket(device, to);
    try {
      return await exchange(socket, asked, signal);
    } finally {
      socket.destroy();
    }
  } catch (cause) {
    throw new PerchError("phone_unavailable", "A server on the phone did not answer as it should.", { cause });
  }
}

function exchange(socket: Duplex, asked: DeviceRequest, signal: AbortSignal): Promise<Buffer> {
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  return new Promise((resolve, reject) => {
    const call = request({
      // With an agent named, that one would connect, and not to the phone.
      ...{ createConnection: () => socket, signal, method: asked.method, path: asked.path },
      headers: {
        host: "localhost",
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    });
    call.on("error", reject);
    call.on("response", (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (part: Buffer) => {
        bytes += part.byteLength;
        if (bytes > asked.maxBytes) call.destroy(new Error("The answer is far too large."));
        else parts.push(part);
      });
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new Error(`The server on the phone answered ${answer.statusCode}.`));
      });
    });
    call.end(body);
  });
}
