/**
 * scrcpy's server, started as the real one is: `CLASSPATH=… app_process / com.genymobile.scrcpy.Server VERSION key=value…`.
 * scrcpy 3.3.3: doc/develop.md, server/…/{Server,Options,DesktopConnection,Streamer}.java.
 */
import type { AdbStream } from "../adb-stream.ts";
import type { DeviceFiles } from "../device-files.ts";
import type { LocalSockets } from "../local-sockets.ts";
import type { Phone } from "../phone.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { ControlReader } from "./control.ts";
import { encodeTone } from "./encoder.ts";
import type { VideoUnit } from "./flv.ts";
import { ScreenVideo } from "./video.ts";

export const SCRCPY_VERSION = "3.3.3";
const SERVER_CLASS = "com.genymobile.scrcpy.Server";
const CONFIG = 1n << 63n;
const KEY_FRAME = 1n << 62n;

/** What tests turn on and off. */
export interface ScrcpyFaults {
  /** There is no encoder for H.264. */
  noEncoder: boolean;
  /** The sound cannot be had, as before Android 11. */
  noAudio: boolean;
}
export interface ScrcpyPlace {
  readonly phone: Phone;
  readonly files: DeviceFiles;
  readonly sockets: LocalSockets;
  readonly faults: ScrcpyFaults;
  /** The sessions that run. */
  readonly sessions: Set<ScrcpySession>;
}

export function scrcpyProgram(place: ScrcpyPlace): Command {
  return async (io) => {
    const [folder, name, version, ...pairs] = io.args;
    if (folder === undefined || name !== SERVER_CLASS || !isThere(place.files, io.classPath)) {
      io.err(
        `java.lang.ClassNotFoundException: Didn't find class "${name}" on path: DexPathList[[zip file "${io.classPath}"]]\nAborted\n`,
      );
      return 134;
    }
    if (version !== SCRCPY_VERSION) {
      io.err(
        `[server] ERROR: Exception on thread Thread[main,5,main]\njava.lang.IllegalArgumentException: The server version (${SCRCPY_VERSION}) does not match the client (${version})\n`,
      );
      return 1;
    }
    const options = new Map(pairs.map((pair) => [pair.split("=", 1)[0] ?? "", pair.slice(pair.indexOf("=") + 1)]));
    if (options.get("list_encoders") === "true") {
      if (!place.faults.noEncoder)
        io.out(
          "[server] INFO: List of video encoders:\n    --video-codec=h264 --video-encoder='c2.simulator.avc.encoder'\n",
        );
      io.out(
        "[server] INFO: List of audio encoders:\n    --audio-codec=opus --audio-encoder='c2.android.opus.encoder'\n",
      );
      return 0;
    }
    if (options.get("list_apps") === "true") {
      io.out(`[server] INFO: Processing Android apps... (this may take some time)\n${appList(place.phone)}\n`);
      return 0;
    }
    if (options.get("list_displays") === "true") {
      io.out(
        `[server] INFO: List of displays:\n    --display=0    (${place.phone.size.width}x${place.phone.size.height})\n`,
      );
      return 0;
    }
    io.out("[server] INFO: Device: [Google] google Pixel 7 (Android 14)\n");
    const session = new ScrcpySession(place, io, options);
    place.sessions.add(session);
    try {
      return await session.run();
    } finally {
      place.sessions.delete(session);
    }
  };
}

/** As `LogUtils.buildAppListMessage` writes it: a name that is longer than its column has the package below. */
function appList({ packages }: ScrcpyPlace["phone"]): string {
  const lines = packages.all().map(({ name, label, system }) => {
    const end = label.length < 30 ? " ".repeat(30 - label.length) : `\n${" ".repeat(33)}`;
    return ` ${system ? "*" : "-"} ${label}${end} ${name}`;
  });
  return ["[server] INFO: List of apps:", ...lines].join("\n");
}

function isThere(files: DeviceFiles, path: string): boolean {
  try {
    return path !== "" && files.stat(path).size > 0n;
  } catch {
    return false;
  }
}

export class ScrcpySession {
  readonly #place: ScrcpyPlace;
  readonly #io: CommandIo;
  readonly #options: ReadonlyMap<string, string>;
  readonly #done = Promise.withResolvers<number>();
  readonly #cleanUp: (() => void)[] = [];
  #video: ScreenVideo | undefined;

  constructor(place: ScrcpyPlace, io: CommandIo, options: ReadonlyMap<string, string>) {
    this.#place = place;
    this.#io = io;
    this.#options = options;
  }

  #on(name: string, otherwise = true): boolean {
    const value = this.#options.get(name);
    return value === undefined ? otherwise : value === "true";
  }
  #number(name: string): number {
    return Number(this.#options.get(name) ?? 0) || 0;
  }

  async run(): Promise<number> {
    const killed = () => this.#done.resolve(137);
    this.#io.killed.addEventListener("abort", killed, { once: true });
    const kinds = (["video", "audio", "control"] as const).filter((kind) => this.#on(kind));
    void this.#connect(kinds).then((streams) => {
      if (streams === undefined) this.#fail("Could not connect");
      else this.#start(streams);
    });
    const code = await this.#done.promise;
    for (const work of this.#cleanUp.toReversed()) work();
    return code;
  }

  get #socketName(): string {
    const scid = this.#options.get("scid");
    return scid === undefined || scid === "-1" ? "scrcpy" : `scrcpy_${scid.padStart(8, "0")}`;
  }

  async #connect<Kind extends string>(kinds: readonly Kind[]): Promise<ReadonlyMap<Kind, AdbStream> | undefined> {
    const streams = new Map<Kind, AdbStream>();
    if (!this.#on("tunnel_forward", false)) {
      for (const kind of kinds) {
        const stream = await this.#place.sockets.connect(`localabstract:${this.#socketName}`);
        if (stream === undefined) return undefined;
        streams.set(kind, stream);
      }
      return streams;
    }
    const queue: ((stream: AdbStream) => void)[] = [];
    const come: AdbStream[] = [];
    const stop = this.#place.sockets.listen(this.#socketName, (stream) => {
      const next = queue.shift();
      if (next === undefined) come.push(stream);
      else next(stream);
    });
    this.#cleanUp.push(stop);
    for (const [at, kind] of kinds.entries()) {
      const here = come.shift();
      const stream = here ?? (await new Promise<AdbStream>((resolve) => queue.push(resolve)));
      if (at === 0 && this.#on("send_dummy_byte")) void stream.write(Uint8Array.of(0));
      streams.set(kind, stream);
    }
    stop();
    return streams;
  }

  #start(streams: ReadonlyMap<"video" | "audio" | "control", AdbStream>): void {
    for (const stream of streams.values()) {
      this.#cleanUp.push(() => stream.close());
      void stream.closed.then(() => this.#done.resolve(0));
    }
    if (this.#on("power_on") && !this.#place.phone.awake) this.#place.phone.setAwake(true);
    const [first] = streams.values();
    if (first !== undefined && this.#on("send_device_meta")) {
      const name = Buffer.alloc(64);
      name.write(this.#place.phone.properties.get("ro.product.model") ?? "", 0, 63);
      void first.write(name);
    }
    const { video, audio, control } = Object.fromEntries(streams);
    if (audio !== undefined) this.#startAudio(audio);
    if (video !== undefined) this.#startVideo(video);
    if (control !== undefined) this.#startControl(control);
  }

  #startVideo(stream: AdbStream): void {
    stream.onData(() => undefined);
    const codec = this.#options.get("video_codec") ?? "h264";
    if (this.#place.faults.noEncoder || codec !== "h264") {
      this.#fail(`Could not create default video encoder for ${codec}\nList of video encoders:`);
      return;
    }
    const options = {
      maxSize: this.#number("max_size"),
      bitRate: this.#number("video_bit_rate") || 8_000_000,
      maxFps: this.#number("max_fps"),
    };
    const packet = (unit: VideoUnit, ptsUs: bigint) => {
      const flags = unit.kind === "config" ? CONFIG : ptsUs | (unit.kind === "key" ? KEY_FRAME : 0n);
      return stream.write(this.#on("send_frame_meta") ? framed(flags, unit.bytes) : unit.bytes);
    };
    const failed = () => this.#fail("Capture/encoding error: java.lang.IllegalStateException: null");
    const video = new ScreenVideo(this.#place.phone, options, packet, failed);
    if (this.#on("send_codec_meta")) {
      const head = Buffer.alloc(12);
      head.write("h264");
      head.writeUInt32BE(video.size.width, 4);
      head.writeUInt32BE(video.size.height, 8);
      void stream.write(head);
    }
    this.#video = video;
    this.#cleanUp.push(() => video.close());
  }

  #startAudio(stream: AdbStream): void {
    stream.onData(() => undefined);
    if (this.#place.faults.noAudio || (this.#options.get("audio_codec") ?? "opus") !== "opus") {
      this.#io.err("[server] WARN: Audio disabled: it is not supported before Android 11\n");
      void stream.write(Buffer.alloc(4));
      return;
    }
    if (this.#on("send_codec_meta")) void stream.write(Buffer.from("opus"));
    const from = performance.now();
    const end = encodeTone((bytes, config) => {
      const flags = config ? CONFIG : BigInt(Math.round((performance.now() - from) * 1000));
      void stream.write(this.#on("send_frame_meta") ? framed(flags, bytes) : bytes);
    });
    this.#cleanUp.push(end);
  }

  #startControl(stream: AdbStream): void {
    const { phone } = this.#place;
    const reader = new ControlReader({
      phone,
      size: () => this.#video?.size ?? phone.size,
      clipboardAutosync: this.#on("clipboard_autosync"),
      resetVideo: () => this.#video?.reset(),
      send: (bytes) => void stream.write(bytes),
      warn: (words) => this.#io.err(`[server] WARN: ${words}\n`),
    });
    this.#cleanUp.push(phone.onClipboard((text) => reader.clipboardChanged(text)));
    stream.onData((bytes) => reader.push(bytes));
  }

  /** The encoder breaks in the middle of it. */
  dieEncoder(): void {
    this.#video?.die();
  }

  #fail(words: string): void {
    this.#io.err(`[server] ERROR: ${words}\n`);
    this.#done.resolve(1);
  }
}

function framed(ptsAndFlags: bigint, bytes: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64BE(ptsAndFlags);
  head.writeUInt32BE(bytes.length, 8);
  return Buffer.concat([head, bytes]);
}
