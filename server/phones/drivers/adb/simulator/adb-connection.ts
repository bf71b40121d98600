/** One host's connection to the device, as adbd speaks it: AOSP packages/modules/adb/{protocol.txt,adb.cpp}. */
import type { KeyObject } from "node:crypto";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { newToken, PUBLIC_KEY, parseAndroidKey, SIGNATURE, signed, TOKEN } from "./adb-auth.ts";
import {
  type AdbPacket,
  AdbPacketReader,
  AUTH,
  CLSE,
  CNXN,
  encodePacket,
  MAX_PAYLOAD,
  OKAY,
  OPEN,
  VERSION,
  WRTE,
} from "./adb-packet.ts";
import { AdbStream, type StreamPipe } from "./adb-stream.ts";

/** What the device says it can do; each is implemented. */
export const FEATURES = ["shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir"] as const;
/** More open streams than this is a host gone mad. */
const MAX_STREAMS = 256;

export interface ConnectionHost {
  /** Undefined: everybody may. */
  readonly trusted: ReadonlyMap<string, KeyObject> | undefined;
  /** Somebody unknown shows a key; a person at the device says whether it may (`allow`). */
  asked(connection: AdbConnection, key: string): void;
  banner(): string;
  /** What serves a stream of this name; undefined: there is no such service. */
  service(name: string, connection: AdbConnection): ((stream: AdbStream) => void) | undefined;
  delayMs(): number;
  ended(connection: AdbConnection): void;
}

export class AdbConnection implements StreamPipe {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #reader = new AdbPacketReader();
  readonly #streams = new Map<number, AdbStream>();
  readonly #opening = new Map<number, (stream: AdbStream | undefined) => void>();
  #nextId = 1;
  #token: Buffer | undefined;
  #online = false;
  #withChecksum = true;
  #silent = false;
  #later: Promise<void> = Promise.resolve();
  maxPayload = 4096;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("close", () => this.#over());
  }

  get online(): boolean {
    return this.#online;
  }

  #received(chunk: Buffer): void {
    if (this.#silent) return;
    try {
      for (const packet of this.#reader.push(chunk)) this.#take(packet);
    } catch {
      this.#socket.destroy();
    }
  }

  #take(packet: AdbPacket): void {
    switch (packet.command) {
      case CNXN:
        this.#hello(packet);
        return;
      case AUTH:
        this.#auth(packet);
        return;
      default:
        if (this.#online) this.#streamPacket(packet);
    }
  }

  #hello({ arg0, arg1 }: AdbPacket): void {
    this.#dropStreams();
    this.#online = false;
    this.maxPayload = Math.max(1, Math.min(MAX_PAYLOAD, arg1));
    this.#withChecksum = arg0 < VERSION;
    if (this.#host.trusted === undefined) this.accept();
    else this.#challenge();
  }

  #challenge(): void {
    this.#token = newToken();
    this.send(AUTH, TOKEN, 0, this.#token);
  }

  #auth({ arg0, payload }: AdbPacket): void {
    const token = this.#token;
    if (token === undefined || this.#online) return;
    if (arg0 === SIGNATURE) {
      const known = [...(this.#host.trusted?.values() ?? [])];
      if (known.some((key) => signed(key, token, payload))) this.accept();
      else this.#challenge();
    } else if (arg0 === PUBLIC_KEY) {
      const text = payload.toString("latin1").replace(/\0.*$/s, "");
      parseAndroidKey(text);
      this.#host.asked(this, text);
    }
  }

  /** Lets the host in. */
  accept(): void {
    this.#token = undefined;
    this.#online = true;
    this.send(CNXN, VERSION, MAX_PAYLOAD, Buffer.from(this.#host.banner()));
  }

  #streamPacket({ command, arg0, arg1, payload }: AdbPacket): void {
    switch (command) {
      case OPEN: {
        if (arg0 === 0) return;
        const serve = this.#host.service(payload.toString("utf8").replace(/\0+$/, ""), this);
        if (serve === undefined || this.#streams.size >= MAX_STREAMS) {
          this.send(CLSE, 0, arg0);
          return;
        }
        const stream = new AdbStream(this, this.#newId(), arg0);
        this.#streams.set(stream.localId, stream);
        this.send(OKAY, stream.localId, arg0);
        serve(stream);
        return;
      }
      case OKAY: {
        const opened = this.#opening.get(arg1);
        const stream = this.#streams.get(arg1);
        if (opened !== undefined && stream !== undefined) {
          this.#opening.delete(arg1);
          stream.remoteId = arg0;
          opened(stream);
        } else stream?.ready();
        return;
      }
      case WRTE: {
        const stream = this.#streams.get(arg1);
        if (stream === undefined) this.send(CLSE, 0, arg0);
        else stream.received(payload);
        return;
      }
      case CLSE: {
        this.#opening.get(arg1)?.(undefined);
        this.#opening.delete(arg1);
        this.#streams.get(arg1)?.over();
        return;
      }
    }
  }

  /** Opens a stream to the host, for a reverse forward. */
  connect(name: string): Promise<AdbStream | undefined> {
    const id = this.#newId();
    this.#streams.set(id, new AdbStream(this, id, 0));
    const opened = Promise.withResolvers<AdbStream | undefined>();
    this.#opening.set(id, opened.resolve);
    this.send(OPEN, id, 0, Buffer.from(`${name}\0`));
    return opened.promise;
  }

  #newId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  send(command: number, arg0: number, arg1: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const bytes = encodePacket({ command, arg0, arg1, payload: Buffer.from(payload) }, this.#withChecksum);
    const delay = this.#host.delayMs();
    if (delay === 0) this.#write(bytes);
    else {
      const due = performance.now() + delay;
      this.#later = this.#later.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        this.#write(bytes);
      });
    }
  }

  #write(bytes: Uint8Array): void {
    if (!this.#silent && this.#socket.writable) this.#socket.write(bytes);
  }

  forget(localId: number): void {
    this.#streams.delete(localId);
  }

  /** Stops answering and keeps the socket: a cable that went dark, a phone that froze. */
  halfOpen(): void {
    this.#silent = true;
  }

  /** Bytes that mean nothing, in the middle of what does. */
  garbage(): void {
    this.#write(randomBytes(4096));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #dropStreams(): void {
    for (const opened of this.#opening.values()) opened(undefined);
    this.#opening.clear();
    for (const stream of [...this.#streams.values()]) stream.over();
  }

  #over(): void {
    this.#online = false;
    this.#dropStreams();
    this.#host.ended(this);
  }
}
