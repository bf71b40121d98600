/**
 * One run of scrcpy's server on a device, over a forward tunnel. Everything here ends by itself: a start that does not
 * come up in time is given up, a write that does not get through ends the session.
 */
import { AdbNoneProtocolSpawner } from "@yume-chan/adb";
import { AdbScrcpyClient } from "@yume-chan/adb-scrcpy";
import {
  type ScrcpyControlMessageWriter,
  ScrcpyInstanceId,
  type ScrcpyMediaStreamPacket,
  ScrcpyVideoCodecId,
} from "@yume-chan/scrcpy";
import { type ReadableStream, TransformStream, WritableStream } from "@yume-chan/stream-extra";
import { PerchError } from "../../../../errors.ts";
import type { Log } from "../../../../log.ts";
import type { AndroidDevice } from "../ports.ts";
import type { ScrcpyFile } from "./scrcpy-file.ts";
import { BoundedOptions, type DeviceMessages, getClipboardMessage } from "./scrcpy-protocol.ts";
import type { Trouble } from "./trouble.ts";

const START_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 5_000;
/** The library collects lines however long they are. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const MAX_LOGGED_LINES = 20;
const MAX_LINE_LENGTH = 300;
const TECHNICAL_LINE = /^\[server\] (?:ERROR|WARN): .*(?:encod|codec|captur|audio)/i;

/** What a session is started for. */
export interface SessionWish {
  readonly video?: { readonly maxSize: number; readonly bitRate: number; readonly maxFps: number };
  readonly audio?: { readonly bitRate: number };
  /** `autosync`: the device tells when its clipboard changes. Without it, it tells when asked. */
  readonly control?: { readonly autosync: boolean };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface ScrcpySession {
  /** Video or sound, until the session is over. Has to be read, once. */
  packets(): AsyncGenerator<ScrcpyMediaStreamPacket, void, undefined>;
  /** The device says that it has no sound to give. */
  readonly silent: boolean;
  /** Of the video, as its newest configuration says. */
  size(): Size | undefined;
  /** Writes control messages, each with a time limit. @throws PerchError `phone_unavailable` */
  control(write: (writer: ScrcpyControlMessageWriter) => Promise<void>): Promise<void>;
  askClipboard(): Promise<void>;
  /** Settles when the server on the device is gone. */
  readonly ended: Promise<void>;
  readonly over: boolean;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly device: AndroidDevice;
  readonly file: ScrcpyFile;
  readonly log: Log;
  readonly trouble: Trouble;
  readonly wish: SessionWish;
  readonly messages?: DeviceMessages;
}

const NO_MESSAGES: DeviceMessages = { clipboard() {}, clipboardSet() {} };

/** @throws PerchError `phone_unavailable` */
export async function startSession(options: SessionOptions): Promise<ScrcpySession> {
  const { device, file, wish } = options;
  const path = await file.path();
  let spawned: { kill(): unknown } | undefined;
  let late = false;
  const spawner = new AdbNoneProtocolSpawner(async (command, signal) => {
    const process = await device.adb.subprocess.noneProtocol.spawn(command, signal);
    spawned = process;
    if (late) await process.kill();
    const output = process.output.pipeThrough(firstBytes(MAX_OUTPUT_BYTES));
    return { stdin: process.stdin, output, exited: process.exited, kill: () => process.kill() };
  });
  const scrcpy = new BoundedOptions(
    {
      video: wish.video !== undefined,
      audio: wish.audio !== undefined,
      control: wish.control !== undefined,
      ...(wish.video !== undefined && {
        videoCodec: "h264",
        maxSize: wish.video.maxSize,
        videoBitRate: wish.video.bitRate,
        maxFps: wish.video.maxFps,
        // The size is lowered here, where it is known then.
        downsizeOnError: false,
      }),
      ...(wish.audio !== undefined && { audioCodec: "opus", audioBitRate: wish.audio.bitRate }),
      clipboardAutosync: wish.control?.autosync === true,
      // Its clean-up would delete the file that the next session needs.
      cleanup: false,
      // Who looks at a phone or does something on it wakes it.
      powerOn: wish.video !== undefined || wish.control?.autosync === true,
      // It comes first on whichever socket is the first, and the library reads it from video alone.
      sendDeviceMeta: false,
      tunnelForward: true,
      scid: ScrcpyInstanceId.random(),
      logLevel: "warn",
    },
    { version: file.version, spawner },
    options.messages ?? NO_MESSAGES,
  );
  const starting = AdbScrcpyClient.start(device.adb, path, scrcpy);
  // What comes up after it was given up is ended again.
  starting.then(
    (client) => (late ? endQuietly(client) : undefined),
    () => {},
  );
  try {
    const client = await within(starting, START_TIMEOUT_MS);
    return await within(take(client, scrcpy, options), START_TIMEOUT_MS).catch((error: unknown) => {
      void endQuietly(client);
      throw error;
    });
  } catch (cause) {
    late = true;
    void Promise.resolve(spawned?.kill()).catch(() => {});
    file.doubt();
    options.trouble("scrcpy did not start", cause);
    throw new PerchError("phone_unavailable", "The phone's screen did not start. Try again in a moment.", { cause });
  }
}

type Client = AdbScrcpyClient<BoundedOptions>;

async function take(client: Client, scrcpy: BoundedOptions, { wish, log }: SessionOptions): Promise<ScrcpySession> {
  void client.output.pipeTo(logOf(log)).catch(() => {});
  let video: Awaited<Client["videoStream"]>;
  let packets: ReadableStream<ScrcpyMediaStreamPacket> | undefined;
  if (wish.video !== undefined) {
    video = await client.videoStream;
    if (video?.metadata.codec !== ScrcpyVideoCodecId.H264) throw new Error("The device does not send H.264.");
    packets = video.stream;
  }
  if (wish.audio !== undefined) {
    const audio = await client.audioStream;
    if (audio?.type === "success") packets = audio.stream;
  }
  const { controller } = client;
  if (wish.control !== undefined && controller === undefined) throw new Error("The device takes no control messages.");
  let over = false;
  const ended = client.exited.then(
    () => {},
    () => {},
  );
  void ended.then(() => {
    over = true;
  });
  // The server on the device ends when its sockets do, not with the shell that started it.
  const reader = packets?.getReader();
  async function close(): Promise<void> {
    over = true;
    const ends = [reader?.cancel(), controller?.close(), endQuietly(client)];
    await within(Promise.allSettled(ends), WRITE_TIMEOUT_MS).catch(() => {});
  }
  async function control(write: (writer: ScrcpyControlMessageWriter) => Promise<void>): Promise<void> {
    try {
      if (over || controller === undefined) throw new Error("The control socket is closed.");
      await within(write(controller), WRITE_TIMEOUT_MS);
    } catch (cause) {
      if (!over) void close();
      throw new PerchError("phone_unavailable", "The phone did not take the input. Try again.", { cause });
    }
  }
  return {
    async *packets() {
      for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
        yield next.value;
      }
    },
    silent: wish.audio !== undefined && packets === undefined,
    size: () => (video === undefined || video.width === 0 ? undefined : { width: video.width, height: video.height }),
    control,
    askClipboard: () => control((writer) => writer.write(getClipboardMessage(scrcpy))),
    ended,
    get over() {
      return over;
    },
    close,
  };
}

/** Why the encoder or the capture failed, as the server on the device says it. Other lines may hold what was typed. */
function logOf(log: Log): WritableStream<string> {
  let left = MAX_LOGGED_LINES;
  return new WritableStream({
    write(line) {
      const error = line.trim().slice(0, MAX_LINE_LENGTH);
      if (left <= 0 || !TECHNICAL_LINE.test(error)) return;
      left -= 1;
      log.warn("scrcpy's server says", { error });
    },
  });
}

/** The rest is read and left out. */
function firstBytes(most: number): TransformStream<Uint8Array, Uint8Array> {
  let left = most;
  return new TransformStream({
    transform(chunk, controller) {
      if (chunk.length <= left) controller.enqueue(chunk);
      left = Math.max(0, left - chunk.length);
    },
  });
}

async function endQuietly(client: Client): Promise<void> {
  await Promise.resolve(client.close()).catch(() => {});
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
