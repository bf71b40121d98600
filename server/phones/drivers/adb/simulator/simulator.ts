/**
 * A phone that is none: it speaks the ADB protocol on a TCP port, so that `adb` and `@yume-chan/adb` connect to it, and has
 * a small scripted system behind it. For tests and development; docs/android-simulator.md says what is like Android and
 * how far.
 */
import type { KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAndroidKey } from "./adb-auth.ts";
import { AdbConnection, FEATURES } from "./adb-connection.ts";
import { phoneService } from "./adb-services.ts";
import { netcat } from "./commands/network.ts";
import { phonePrograms, runProgram } from "./commands/programs.ts";
import { DeviceFiles } from "./device-files.ts";
import { type DevtoolsOf, serveDevtools } from "./devtools.ts";
import { Instrumentation } from "./instrumentation.ts";
import { LocalSockets } from "./local-sockets.ts";
import { behindLogin } from "./login-gate.ts";
import { Phone } from "./phone.ts";
import { screenRecordProgram } from "./scrcpy/screenrecord.ts";
import { type ScrcpyFaults, type ScrcpySession, scrcpyProgram } from "./scrcpy/server.ts";
import { ShellHost } from "./shell-host.ts";
import { installStubs, StubServer } from "./shell-stub.ts";

export interface SimulatorOptions {
  /** A free one by default. */
  readonly port?: number;
  readonly serial?: string;
  /** Unturned, in pixels; 720 × 1280 with 320 dpi by default. */
  readonly width?: number;
  readonly height?: number;
  readonly density?: number;
  /** Whether a host must be allowed first. */
  readonly auth?: boolean;
  /** The password that `glogin` takes now, on a device that lets nobody in without. */
  readonly login?: () => string | undefined;
  /** How long `uiautomator dump` waits on a screen that never rests. Ten seconds by default, as on a phone. */
  readonly idleTimeoutMs?: number;
}

export interface Simulator {
  readonly port: number;
  /** `127.0.0.1:PORT`, as `adb connect` takes it. */
  readonly address: string;
  readonly serial: string;
  /** What is on it and open, to look at and to change. */
  readonly phone: Phone;
  readonly apps: Phone["apps"];
  /** The folder that is the phone's `/`. */
  readonly root: string;
  /** Hosts that are connected and let in. */
  readonly connections: number;
  /** Keys that asked and wait for an answer. */
  readonly asking: readonly string[];

  /** Lets in whoever waits, and remembers its key. */
  allow(): void;
  /** Forgets every key and ends what is connected. Does nothing without `auth`. */
  unauthorize(): void;
  /** The cable is pulled: connections break, new ones are refused. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  /** Stops answering without closing, also to who connects anew, until `plugIn`. */
  halfOpen(): void;
  /** Every message to a host waits this long. */
  slow(ms: number): void;
  /** Sends what is no ADB to every host. */
  garbage(): void;
  /** The encoder of everybody who watches breaks. */
  dieEncoder(): void;
  /** The helper that reads screens, once its apps are installed. */
  readonly instrumentation: Instrumentation;
  /** Encoders that are not there. */
  readonly faults: ScrcpyFaults;
  /** scrcpy servers that run. */
  readonly scrcpy: ReadonlySet<ScrcpySession>;
  /** Programs that were run, with their arguments as they came, the newest last. */
  readonly ran: readonly (readonly string[])[];
  /** The DevTools of an app: those of a browser on a port of this machine. Until the returned function is called. */
  devtools(socket: string, browser: DevtoolsOf): () => void;
  /** Nothing more can be written to it. */
  fullStorage(full: boolean): void;
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = new AndroidSimulator(options);
  await simulator.start();
  return simulator;
}

const PROGRAMS_KEPT = 2_000;

class AndroidSimulator implements Simulator {
  readonly ran: (readonly string[])[] = [];
  readonly serial: string;
  readonly phone: Phone;
  readonly root: string;
  readonly instrumentation: Instrumentation;
  readonly faults: ScrcpyFaults = { noEncoder: false, noAudio: false };
  readonly scrcpy = new Set<ScrcpySession>();
  readonly #sockets = new LocalSockets();
  readonly #shells = new ShellHost();
  readonly #path: string;
  readonly #home: string;
  readonly #stubs: StubServer;
  readonly #service: ReturnType<typeof phoneService>;
  readonly #connections = new Set<AdbConnection>();
  readonly #trusted: Map<string, KeyObject> | undefined;
  readonly #login: SimulatorOptions["login"];
  readonly #asking = new Map<AdbConnection, string>();
  #server: Server | undefined;
  #port: number;
  #delayMs = 0;
  #frozen = false;

  constructor(options: SimulatorOptions) {
    this.serial = options.serial ?? "simulator";
    this.#port = options.port ?? 0;
    this.#trusted = options.auth === true ? new Map() : undefined;
    this.#login = options.login;
    this.#home = mkdtempSync(join(tmpdir(), "adb-"));
    this.root = join(this.#home, "root");
    mkdirSync(this.root);
    const files = new DeviceFiles(this.root);
    const { width = 720, height = 1280, density = 320, idleTimeoutMs = 10_000 } = options;
    this.phone = new Phone({ serial: this.serial, width, height, density }, files);
    const { phone, faults, scrcpy: sessions } = this;
    const sockets = this.#sockets;
    this.instrumentation = new Instrumentation(phone, sockets);
    const programs = phonePrograms(
      { phone, files, instrumentation: this.instrumentation, idleTimeoutMs },
      {
        app_process: scrcpyProgram({ phone, files, sockets, faults, sessions }),
        screenrecord: screenRecordProgram(phone, faults),
        nc: netcat(sockets),
      },
    );
    this.#stubs = new StubServer((io) => {
      this.ran.push([io.name, ...io.args]);
      if (this.ran.length > PROGRAMS_KEPT) this.ran.shift();
      return runProgram(programs, io);
    });
    this.#path = installStubs(join(this.#home, "bin"), this.#socketPath, Object.keys(programs));
    this.#service = phoneService({
      shell: this.#shells,
      files,
      sockets,
      reboot: () => this.#reboot(),
    });
  }

  get #socketPath(): string {
    return join(this.#home, "s");
  }
  get port(): number {
    return this.#port;
  }
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }
  get connections(): number {
    return [...this.#connections].filter((connection) => connection.online).length;
  }
  get asking(): readonly string[] {
    return [...this.#asking.values()];
  }
  get apps(): Simulator["apps"] {
    return this.phone.apps;
  }

  async start(): Promise<void> {
    await this.#stubs.listen(this.#socketPath);
    await this.#shells.listen(join(this.#home, "h"), this.#path, this.root);
    await this.plugIn();
  }

  plugIn(): Promise<void> {
    if (this.#frozen) for (const connection of this.#connections) connection.destroy();
    this.#frozen = false;
    if (this.#server !== undefined) return Promise.resolve();
    const server = createServer((socket) => {
      const connection = new AdbConnection(socket, {
        trusted: this.#trusted,
        asked: (who, key) => this.#asking.set(who, key),
        banner: () => this.#banner(),
        service: this.#login === undefined ? this.#service : behindLogin(this.#service, this.#login),
        delayMs: () => this.#delayMs,
        ended: (who) => {
          this.#connections.delete(who);
          this.#asking.delete(who);
          this.#sockets.forget(who);
        },
      });
      this.#connections.add(connection);
      if (this.#frozen) connection.halfOpen();
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => {
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #banner(): string {
    const { properties } = this.phone;
    const of = (name: string) => `${name}=${properties.get(name) ?? ""}`;
    const words = [
      of("ro.product.name"),
      of("ro.product.model"),
      of("ro.product.device"),
      `features=${FEATURES.join(",")}`,
    ];
    return `device::${words.join(";")}`;
  }

  #hangUp(): void {
    for (const connection of [...this.#connections]) connection.destroy();
  }
  async unplug(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#hangUp();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
  halfOpen(): void {
    this.#frozen = true;
    for (const connection of this.#connections) connection.halfOpen();
  }
  slow(ms: number): void {
    this.#delayMs = ms;
  }
  garbage(): void {
    for (const connection of this.#connections) connection.garbage();
  }
  dieEncoder(): void {
    for (const session of this.scrcpy) session.dieEncoder();
  }
  devtools(socket: string, browser: DevtoolsOf): () => void {
    return serveDevtools(this.#sockets, socket, browser);
  }
  fullStorage(full: boolean): void {
    this.phone.files.full = full;
  }
  allow(): void {
    for (const [connection, key] of this.#asking) {
      this.#trusted?.set(key, parseAndroidKey(key));
      connection.accept();
    }
    this.#asking.clear();
  }
  unauthorize(): void {
    if (this.#trusted === undefined) return;
    this.#trusted.clear();
    this.#hangUp();
  }
  #reboot(): void {
    this.phone.restart();
    this.#hangUp();
  }

  async close(): Promise<void> {
    await this.unplug();
    await this.#shells.close();
    await this.#stubs.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
