/**
 * An Android in memory that speaks scrcpy 3.3's protocol byte by byte over stand-ins of ADB's sockets: what is sent to it
 * is kept, what it sends is told by the test. For what takes exact moments; the simulator shows the rest.
 * Source: Genymobile/scrcpy doc/develop.md and app/tests/test_control_msg_serialize.c.
 */
import { type Adb, AdbNoneProtocolSpawner, type AdbSocket } from "@yume-chan/adb";
import { MaybeConsumable, ReadableStream } from "@yume-chan/stream-extra";
import type { AndroidDevice, AndroidFacts, CommandResult } from "../../ports.ts";
import { sps } from "./sps.ts";

const H264 = 0x68_32_36_34;
const OPUS = 0x6f_70_75_73;

export interface Touch {
  readonly action: number;
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly pressure: number;
}
export type ControlMessage =
  | ({ readonly type: "touch" } & Touch)
  | { readonly type: "key"; readonly action: number; readonly code: number; readonly meta: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "scroll"; readonly x: number; readonly y: number; readonly dx: number; readonly dy: number }
  | { readonly type: "set clipboard"; readonly value: string; readonly paste: boolean }
  | { readonly type: "get clipboard" | "rotate" | "reset video" };

export class FakeDevice implements AndroidDevice {
  readonly words = "fake";
  readonly facts: AndroidFacts;
  readonly adb: Adb;
  readonly gone: Promise<void>;
  /** Servers that were started, the newest last. */
  readonly servers: FakeServer[] = [];
  readonly commands: string[][] = [];
  readonly pushed = new Map<string, Uint8Array>();
  /** Physical pixels as turned. */
  display: { width: number; height: number };
  keyboard = false;
  screen: Uint8Array = new Uint8Array();
  clipboard = "";
  /** Servers do not come up while true. */
  broken = false;
  readonly #end: () => void;

  constructor(facts: Partial<AndroidFacts> = {}) {
    this.facts = {
      sdk: 34,
      release: "14",
      model: "Fake",
      abi: "x86_64",
      width: 1080,
      height: 2400,
      density: 480,
      ...facts,
    };
    this.display = { width: this.facts.width, height: this.facts.height };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#end = resolve;
    this.adb = asAdb({
      createSocket: (service) => this.#connect(service),
      subprocess: { noneProtocol: new AdbNoneProtocolSpawner(async (command) => this.#spawn(command)) },
    });
  }
  get server(): FakeServer {
    const server = this.servers.at(-1);
    if (server === undefined) throw new Error("No server was started.");
    return server;
  }
  /** The servers that run now. */
  get running(): FakeServer[] {
    return this.servers.filter(({ over }) => !over);
  }
  async run(argv: readonly [string, ...string[]]): Promise<CommandResult> {
    this.commands.push([...argv]);
    const line = argv.join(" ");
    const { width, height } = this.display;
    if (line === "dumpsys window displays") return result(`  init=1080x2400 480dpi cur=${width}x${height} app=1x1`);
    if (line === "dumpsys input_method") return result(`  mShowRequested=true mInputShown=${this.keyboard}`);
    if (line === "screencap -p") return { exitCode: 0, stdout: this.screen, stderr: "" };
    if (argv[0] === "rm") this.pushed.delete(argv[2] ?? "");
    return result("");
  }
  async text(argv: readonly [string, ...string[]]): Promise<string> {
    return new TextDecoder().decode((await this.run(argv)).stdout);
  }
  stream(): Promise<globalThis.ReadableStream<Uint8Array>> {
    throw new Error("not here");
  }
  async push(path: string, content: globalThis.ReadableStream<Uint8Array>): Promise<void> {
    this.pushed.set(path, new Uint8Array(await new Response(content).arrayBuffer()));
  }
  pull(): Promise<globalThis.ReadableStream<Uint8Array>> {
    throw new Error("not here");
  }
  async close(): Promise<void> {
    for (const server of this.servers) server.die();
    this.#end();
  }

  async #spawn(command: readonly string[]) {
    if (command[1] !== "app_process") throw new Error(`not scrcpy: ${command.join(" ")}`);
    const server = new FakeServer(command, this);
    this.servers.push(server);
    if (this.broken) server.die();
    return server.process;
  }
  async #connect(service: string): Promise<AdbSocket> {
    const server = this.servers.find(
      (one) => !one.over && service === `localabstract:scrcpy_${one.options.get("scid")?.padStart(8, "0")}`,
    );
    if (server === undefined) throw new Error("Nobody listens.");
    return server.accept(service);
  }
}

export class FakeServer {
  readonly options: ReadonlyMap<string, string>;
  readonly version: string;
  readonly controls: ControlMessage[] = [];
  /** Gives a configuration and a key frame when it is asked to reset. */
  answersReset = true;
  over = false;
  readonly process;
  readonly #device: FakeDevice;
  readonly #waiting: ("video" | "audio" | "control")[];
  readonly #sockets = new Map<string, FakeSocket>();
  readonly #exited = Promise.withResolvers<void>();
  #buffer: Buffer = Buffer.alloc(0);
  #first = true;
  #says: (bytes: Uint8Array) => void = () => {};

  constructor(command: readonly string[], device: FakeDevice) {
    this.#device = device;
    this.version = command[4] ?? "";
    this.options = new Map(command.slice(5).map((one): [string, string] => splitOption(one)));
    this.#waiting = (["video", "audio", "control"] as const).filter((name) => this.options.get(name) !== "false");
    const output = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#says = (bytes) => controller.enqueue(bytes);
        void this.#exited.promise.then(() => controller.close());
      },
    });
    this.process = {
      stdin: new MaybeConsumable.WritableStream<Uint8Array>({ write() {} }),
      output,
      exited: this.#exited.promise,
      kill: () => this.die(),
    };
  }
  has(name: "video" | "audio" | "control"): boolean {
    return this.#sockets.has(name);
  }
  accept(service: string): AdbSocket {
    const name = this.#waiting.shift();
    if (name === undefined) throw new Error("One connection too many.");
    const socket = new FakeSocket(
      service,
      (bytes) => name === "control" && this.#control(bytes),
      () => this.die(),
    );
    this.#sockets.set(name, socket);
    if (this.#first) socket.send(new Uint8Array(1));
    // On the first socket, whichever it is (`DesktopConnection.sendDeviceMeta`).
    if (this.#first && this.options.get("send_device_meta") !== "false") socket.send(Buffer.alloc(64, "Fake"));
    this.#first = false;
    if (name === "video") {
      const head = Buffer.alloc(12);
      head.writeUInt32BE(H264);
      head.writeUInt32BE(this.#device.display.width, 4);
      head.writeUInt32BE(this.#device.display.height, 8);
      socket.send(head);
    } else if (name === "audio") {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(this.#device.facts.sdk >= 30 ? OPUS : 0);
      socket.send(head);
    }
    return socket;
  }
  /** What the encoder begins with. */
  begin(width: number, height: number, key = "key"): void {
    this.config(width, height);
    this.frame(key, "key");
  }
  config(width: number, height: number): void {
    this.packet("video", sps(width, height), 1n << 63n);
  }
  frame(content: string, kind: "key" | "delta" = "delta"): void {
    this.packet("video", Buffer.from(content), kind === "key" ? (1n << 62n) | 1n : 1n);
  }
  packet(name: "video" | "audio", content: Uint8Array, flags: bigint, claimed = content.length): void {
    const head = Buffer.alloc(12);
    head.writeBigUInt64BE(flags);
    head.writeUInt32BE(claimed, 8);
    this.#sockets.get(name)?.send(Buffer.concat([head, content]));
  }
  /** The device's clipboard changed. */
  copied(value: string): void {
    this.#device.clipboard = value;
    this.#tellClipboard();
  }
  /** What it writes where its shell's output goes. */
  says(bytes: Uint8Array): void {
    this.#says(bytes);
  }
  raw(bytes: Uint8Array): void {
    this.#sockets.get("control")?.send(bytes);
  }
  die(): void {
    if (this.over) return;
    this.over = true;
    for (const socket of this.#sockets.values()) socket.end();
    this.#exited.resolve();
  }
  #tellClipboard(): void {
    const text = Buffer.from(this.#device.clipboard);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(text.length, 1);
    this.raw(Buffer.concat([head, text]));
  }
  #control(bytes: Uint8Array): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    for (let taken = this.#read(); taken !== undefined; taken = this.#read())
      this.#buffer = this.#buffer.subarray(taken);
  }
  /** One message; returns its length. */
  #read(): number | undefined {
    const from = this.#buffer;
    const type = from[0];
    if (type === undefined) return undefined;
    const length = lengthOf(from);
    if (length === undefined || from.length < length) return undefined;
    if (type === 0)
      this.controls.push({
        type: "key",
        action: from[1] ?? 0,
        code: from.readUInt32BE(2),
        meta: from.readUInt32BE(10),
      });
    else if (type === 1) this.controls.push({ type: "text", value: from.toString("utf8", 5, length) });
    else if (type === 2) {
      this.controls.push({
        type: "touch",
        action: from[1] ?? 0,
        pointer: Number(from.readBigUInt64BE(2)),
        x: from.readUInt32BE(10),
        y: from.readUInt32BE(14),
        width: from.readUInt16BE(18),
        height: from.readUInt16BE(20),
        pressure: from.readUInt16BE(22),
      });
    } else if (type === 3) {
      const [dx, dy] = [from.readInt16BE(13) / 0x8000, from.readInt16BE(15) / 0x8000];
      this.controls.push({
        type: "scroll",
        x: from.readUInt32BE(1),
        y: from.readUInt32BE(5),
        dx: dx * 16,
        dy: dy * 16,
      });
    } else if (type === 8) {
      this.controls.push({ type: "get clipboard" });
      // With the default of `clipboard_autosync` scrcpy answers no question (`Controller.getClipboard`).
      if (this.options.get("clipboard_autosync") === "false" && this.#device.clipboard !== "") this.#tellClipboard();
    } else if (type === 9) {
      const value = from.toString("utf8", 14, length);
      this.controls.push({ type: "set clipboard", value, paste: from[9] === 1 });
      this.#device.clipboard = value;
      const answer = Buffer.alloc(9, 1);
      from.copy(answer, 1, 1, 9);
      this.raw(answer);
    } else if (type === 11) {
      this.controls.push({ type: "rotate" });
      const { width, height } = this.#device.display;
      this.#device.display = { width: height, height: width };
    } else if (type === 17) {
      this.controls.push({ type: "reset video" });
      if (this.answersReset) this.begin(this.#device.display.width, this.#device.display.height, "reset");
    }
    return length;
  }
}

function lengthOf(from: Buffer): number | undefined {
  const withText = (at: number) => (from.length < at + 4 ? undefined : at + 4 + from.readUInt32BE(at));
  switch (from[0]) {
    case 0:
      return 14;
    case 1:
      return withText(1);
    case 2:
      return 32;
    case 3:
      return 21;
    case 8:
      return 2;
    case 9:
      return withText(10);
    case 11:
    case 17:
      return 1;
    default:
      throw new Error(`Unknown control message ${from[0]}.`);
  }
}

class FakeSocket implements AdbSocket {
  readonly service: string;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable;
  readonly closed: Promise<undefined>;
  readonly #onClose: () => void;
  readonly #closed = Promise.withResolvers<undefined>();
  #controller: { enqueue(bytes: Uint8Array): void; close(): void } | undefined;

  constructor(service: string, onBytes: (bytes: Uint8Array) => void, onClose: () => void) {
    this.service = service;
    this.#onClose = onClose;
    this.closed = this.#closed.promise;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.close(),
    });
    this.writable = new MaybeConsumable.WritableStream<Uint8Array>({
      write: (bytes) => onBytes(bytes),
      close: () => this.close(),
    });
  }
  send(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes);
  }
  /** The device's side is gone. */
  end(): void {
    try {
      this.#controller?.close();
    } catch {
      // It was cancelled from this side.
    }
    this.#controller = undefined;
    this.#closed.resolve(undefined);
  }
  async close(): Promise<void> {
    this.end();
    this.#onClose();
  }
}

function splitOption(option: string): [string, string] {
  const at = option.indexOf("=");
  return [option.slice(0, at), option.slice(at + 1)];
}
function result(text: string): CommandResult {
  return { exitCode: 0, stdout: new TextEncoder().encode(text), stderr: "" };
}

interface UsedOfAdb {
  createSocket(service: string): Promise<AdbSocket>;
  readonly subprocess: { readonly noneProtocol: AdbNoneProtocolSpawner };
}
/** A session uses nothing of ADB but these two. */
function asAdb(used: UsedOfAdb): Adb {
  return used as unknown as Adb;
}
