/**
 * An ADB server: the program that has USB devices and what was connected to it by `adb connect`, for everybody on its
 * machine. It is the operator's, so it is asked and never started, stopped or reconfigured. Protocol: AOSP
 * `packages/modules/adb/SERVICES.TXT`.
 */
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { Adb, AdbBanner, type AdbFeature, AdbServerClient } from "@yume-chan/adb";
import { type ReadableStream as LibraryStream, MaybeConsumable } from "@yume-chan/stream-extra";
import { PerchError } from "../../../../errors.ts";
import type { AdbEndpoint } from "../ports.ts";
import { within } from "./bounded.ts";
import { byteStreams } from "./byte-streams.ts";
import { unauthorized } from "./daemon.ts";
import { type Address, addressText, type DialDevice } from "./dial-device.ts";
import { BoundedTransport, CLIENT_FEATURES } from "./transport.ts";
import { AdbUnavailable } from "./unavailable.ts";

const ANSWER_MS = 10_000;
/** `adb connect` itself gives up after ten seconds. */
const CONNECT_MS = 15_000;
const TRACK_AGAIN_MS = { first: 1_000, most: 30_000 } as const;
const MAX_LIST = 64 * 1024;
const MAX_DEVICES = 500;

export interface ServerDevice {
  readonly serial: string;
  /** As the server says it: device, offline, unauthorized, connecting, no permissions, … */
  readonly state: string;
  readonly model: string | undefined;
  readonly transportId: bigint;
}

export interface AdbServer {
  readonly words: string;
  /** @throws AdbUnavailable `host_gone` */
  devices(signal: AbortSignal): Promise<readonly ServerDevice[]>;
  endpoint(serial: string): AdbEndpoint;
  /** Tells the devices now and with each change until the signal aborts; `undefined` while the server does not answer. */
  track(listener: (devices: readonly ServerDevice[] | undefined) => void, signal: AbortSignal): Promise<void>;
}

export function createAdbServer(at: Address, dial: DialDevice): AdbServer {
  const words = `The ADB server at ${addressText(at)}`;

  /** A client whose sockets all end with `end`. */
  function connect() {
    const open = new Set<Duplex>();
    const ending = new AbortController();
    const connector: AdbServerClient.ServerConnector = {
      async connect({ signal } = {}) {
        const signals = [ending.signal, ...(signal === undefined ? [] : [abortSignal(signal)])];
        const socket = await dial(at, AbortSignal.any(signals)).catch((cause: unknown) => {
          if (ending.signal.aborted) throw ending.signal.reason;
          throw serverGone(cause);
        });
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        const { readable, writable, closed } = byteStreams(socket);
        const writer = writable.getWriter();
        return {
          readable: bytesOnly(readable),
          // Some of the library's parts hand on buffers they fill again, and say so by what they wrap them in.
          writable: new MaybeConsumable.WritableStream<Uint8Array>({
            write: (chunk) => writer.write(chunk),
            close: () => writer.close(),
            abort: (reason) => writer.abort(reason),
          }),
          closed: closed.then(() => undefined),
          close: () => void socket.destroySoon(),
        };
      },
      addReverseTunnel() {
        throw new Error("Reverse tunnels are not used.");
      },
      removeReverseTunnel() {},
      clearReverseTunnels() {},
    };
    const end = () => {
      ending.abort(new Error("The connection is closed."));
      for (const socket of open) socket.destroy();
    };
    return { client: new AdbServerClient(connector), end };
  }
  const serverGone = (cause?: unknown) =>
    new AdbUnavailable(
      "host_gone",
      `${words} does not answer. Whoever runs this server can start it there with: adb start-server.`,
      {
        cause,
      },
    );

  /** Asks something of the server itself; over when it is over. */
  async function asking<T>(signal: AbortSignal, ms: number, work: (client: AdbServerClient) => Promise<T>): Promise<T> {
    const { client, end } = connect();
    try {
      return await within(ms, words, work(client), signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof PerchError ? error : serverGone(error);
    } finally {
      end();
    }
  }
  const list = async (client: AdbServerClient) => {
    const stream = await client.createConnection("host:devices-l");
    return parseDevices(await readText(stream));
  };
  const devices = (signal: AbortSignal) => asking(signal, ANSWER_MS, list);

  /** `adb connect`. A server keeps a device that went away as `offline` and calls it connected: it is forgotten first. */
  async function reconnect(serial: string, signal: AbortSignal): Promise<void> {
    await asking(signal, ANSWER_MS, async (client) => {
      // It fails for what it does not have.
      await client.wireless.disconnect(serial).catch((error: unknown) => {
        if (error instanceof PerchError) throw error;
      });
    });
    await asking(signal, CONNECT_MS, async (client) => {
      await client.wireless.connect(serial).catch((error: unknown) => {
        if (error instanceof PerchError) throw error;
        if (error instanceof AdbServerClient.AlreadyConnectedError) return;
        if (error instanceof AdbServerClient.UnauthorizedError) throw unauthorizedOrGone(serial, error);
        throw new AdbUnavailable("device_gone", `${serial} cannot be reached by the ADB server.`, { cause: error });
      });
    });
  }

  async function find(serial: string, signal: AbortSignal): Promise<ServerDevice> {
    const now = async () => (await devices(signal)).find((device) => device.serial === serial);
    let found = await now();
    let isNew = false;
    if (isAddress(serial) && (found === undefined || found.state === "offline")) {
      await reconnect(serial, signal);
      isNew = true;
      found = await now();
    }
    // The server asks a new device who it is, and may forget the old one of the same address only now; that takes a moment.
    const mayChange = (state: string | undefined) =>
      state === undefined || state === "offline" ? isNew : IN_BETWEEN.has(state);
    for (let tries = 0; mayChange(found?.state) && tries < 10; tries += 1) {
      await wait(200, undefined, { signal });
      found = await now();
    }
    const trouble = deviceTrouble(serial, found?.state);
    if (found === undefined || trouble !== undefined) throw trouble ?? deviceGone(serial);
    return found;
  }

  return {
    words,
    devices,
    endpoint: (serial) => ({
      words: serial,
      async open(signal) {
        const { transportId, model } = await find(serial, signal);
        const { client, end } = connect();
        try {
          const features = await within(ANSWER_MS, serial, featuresOf(client, transportId), signal);
          const over = client.waitForDisconnect(transportId);
          over.catch(() => undefined);
          const ended = Promise.withResolvers<void>();
          const transport = new BoundedTransport(
            {
              serial,
              maxPayloadSize: 1024 * 1024,
              banner: new AdbBanner("device", undefined, model, undefined, features),
              clientFeatures: CLIENT_FEATURES,
              disconnected: Promise.race([over, ended.promise]),
              connect: (service) => client.createDeviceConnection({ transportId }, service),
              close: () => ended.resolve(),
            },
            serial,
            end,
          );
          return new Adb(transport);
        } catch (error) {
          end();
          if (signal.aborted) throw signal.reason;
          throw error instanceof PerchError ? error : deviceGone(serial, error);
        }
      },
    }),
    async track(listener, signal) {
      for (
        let pause: number = TRACK_AGAIN_MS.first;
        !signal.aborted;
        pause = Math.min(pause * 2, TRACK_AGAIN_MS.most)
      ) {
        const { client, end } = connect();
        signal.addEventListener("abort", end, { once: true });
        try {
          const stream = await within(ANSWER_MS, words, client.createConnection("host:track-devices-l"), signal);
          for (;;) {
            listener(parseDevices(await readText(stream)));
            pause = TRACK_AGAIN_MS.first;
          }
        } catch {
          if (signal.aborted) return;
          listener(undefined);
        } finally {
          signal.removeEventListener("abort", end);
          end();
        }
        await wait(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
  };
}

/** States a device is in only for a moment. */
const IN_BETWEEN: ReadonlySet<string> = new Set(["connecting", "authorizing", "detached"]);

/** Why a device in this state cannot be used now, and what to do; `undefined` when it can. */
export function deviceTrouble(serial: string, state: string | undefined): AdbUnavailable | undefined {
  if (state === "device") return undefined;
  if (state === undefined) return deviceGone(serial);
  if (state === "unauthorized" || IN_BETWEEN.has(state)) return unauthorized(serial);
  if (state === "offline") {
    const todo = "Unlock it, and plug it in again or switch USB debugging off and on.";
    return new AdbUnavailable("device_gone", `${serial} is connected and does not answer (offline). ${todo}`);
  }
  if (state.startsWith("no permissions")) {
    const todo = "Whoever runs this server can add the udev rules for it.";
    return new AdbUnavailable("device_gone", `The ADB server has no right to use ${serial}. ${todo}`);
  }
  return new AdbUnavailable("device_gone", `${serial} has not started Android: it is in ${state} mode.`);
}

function deviceGone(serial: string, cause?: unknown): AdbUnavailable {
  return new AdbUnavailable(
    "device_gone",
    `${serial} is not connected to the ADB server. Plug it in or switch it on.`,
    { cause },
  );
}
/** The server says the same of a device that refuses and of one that is not there. */
function unauthorizedOrGone(serial: string, cause: Error): AdbUnavailable {
  if (cause.message.startsWith("failed to authenticate")) return unauthorized(serial);
  return new AdbUnavailable("device_gone", `${serial} cannot be reached by the ADB server.`, { cause });
}

/** A serial that `adb connect` takes. */
function isAddress(serial: string): boolean {
  return /^(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(serial);
}

async function featuresOf(client: AdbServerClient, transportId: bigint): Promise<AdbFeature[]> {
  const { features } = await client.getDeviceFeatures({ transportId });
  return features.slice(0, 100);
}

/** Text behind four hexadecimal digits of its length. */
async function readText(stream: {
  readExactly(length: number): PromiseLike<Uint8Array> | Uint8Array;
}): Promise<string> {
  const digits = Buffer.from(await stream.readExactly(4)).toString("latin1");
  if (!/^[\da-f]{4}$/i.test(digits)) throw new Error("This is not an ADB server.");
  const length = Number.parseInt(digits, 16);
  return length === 0 ? "" : Buffer.from(await stream.readExactly(Math.min(length, MAX_LIST))).toString("utf8");
}

/** Lines of `adb devices -l`: serial, state (which may be words in brackets), `key:value` pairs. */
export function parseDevices(text: string): ServerDevice[] {
  return text
    .split("\n")
    .slice(0, MAX_DEVICES)
    .flatMap((line): ServerDevice[] => {
      const parts = /^(\S{1,200})\s+(no permissions[^\n]*?|\S+)((?:\s+[a-z_]+:\S*)*)\s*$/.exec(line);
      const [, serial, state, rest = ""] = parts ?? [];
      const transportId = /\stransport_id:(\d{1,18})/.exec(rest)?.[1];
      if (serial === undefined || state === undefined || transportId === undefined) return [];
      const model = /\smodel:(\S{1,100})/.exec(rest)?.[1]?.replaceAll("_", " ");
      return [{ serial, state, model, transportId: BigInt(transportId) }];
    });
}

/** The library types streams of its own, which are the platform's. */
function bytesOnly(stream: unknown): LibraryStream<Uint8Array> {
  return stream as LibraryStream<Uint8Array>;
}

/** The library types signals by the few members it uses; what it is given is always ours. */
function abortSignal(signal: unknown): AbortSignal {
  return signal as AbortSignal;
}
