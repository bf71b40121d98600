/**
 * What a host tells scrcpy's server: app/src/control_msg.h, server ControlMessageReader.java and Controller.java of scrcpy
 * 3.3. Numbers are big-endian.
 */
import { press } from "../keys.ts";
import type { Phone } from "../phone.ts";

export interface ControlHost {
  readonly phone: Phone;
  /** Of the video now; what is meant for another size is left out. */
  size(): { readonly width: number; readonly height: number };
  readonly clipboardAutosync: boolean;
  resetVideo(): void;
  send(bytes: Buffer): void;
  warn(words: string): void;
}

/** Bytes of a message behind its type, as far as they can be told; undefined: more is needed. */
const FIXED: Readonly<Record<number, number>> = {
  0: 13,
  2: 31,
  3: 20,
  4: 1,
  5: 0,
  6: 0,
  7: 0,
  8: 1,
  10: 1,
  11: 0,
  14: 2,
  15: 0,
  17: 0,
};
const MAX_TEXT = 300;
const MAX_CLIPBOARD = 256 * 1024;
const ACTIONS = ["down", "up", "move", "cancel"] as const;

export class ControlReader {
  readonly #host: ControlHost;
  #held: Buffer = Buffer.alloc(0);
  /** The text the host set itself, which it need not be told. */
  #setting = false;

  constructor(host: ControlHost) {
    this.#host = host;
  }

  /** @throws Error for what is no message: the server ends then, as scrcpy's does */
  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (this.#held.length > 0) {
      const type = this.#held.readUInt8(0);
      const size = this.#size(type, this.#held.subarray(1));
      if (size === undefined || this.#held.length < 1 + size) return;
      this.#take(type, this.#held.subarray(1, 1 + size));
      this.#held = this.#held.subarray(1 + size);
    }
  }

  #size(type: number, rest: Buffer): number | undefined {
    const fixed = FIXED[type];
    if (fixed !== undefined) return fixed;
    switch (type) {
      case 1:
        return bounded(rest, 0, 4, MAX_TEXT);
      case 9:
        return bounded(rest, 9, 4, MAX_CLIPBOARD);
      case 16:
        return bounded(rest, 0, 1, 255);
      case 12: {
        const name = rest.length > 6 ? rest.readUInt8(6) : undefined;
        if (name === undefined || rest.length < 9 + name) return undefined;
        return 9 + name + rest.readUInt16BE(7 + name);
      }
      case 13:
        return rest.length < 4 ? undefined : 4 + rest.readUInt16BE(2);
      default:
        throw new Error(`Unknown event type: ${type}`);
    }
  }

  #take(type: number, body: Buffer): void {
    const { phone } = this.#host;
    switch (type) {
      case 0:
        if (body.readUInt8(0) === 0) press(phone, body.readInt32BE(1), body.readInt32BE(9));
        return;
      case 1:
        this.#text(body.toString("utf8", 4));
        return;
      case 2:
        this.#touch(body);
        return;
      case 3:
        this.#scroll(body);
        return;
      case 4:
        if (body.readUInt8(0) !== 0) return;
        if (phone.awake) phone.back();
        else phone.setAwake(true);
        return;
      case 5:
      case 6:
      case 7:
        phone.setShade(type !== 7);
        return;
      case 8:
        this.#getClipboard(body.readUInt8(0));
        return;
      case 9:
        this.#setClipboard(body.readBigUInt64BE(0), body.readUInt8(8) !== 0, body.toString("utf8", 13));
        return;
      case 11:
        phone.rotate((phone.rotation & 1) ^ 1);
        return;
      case 16:
        this.#startApp(body.toString("utf8", 1));
        return;
      case 17:
        this.#host.resetVideo();
        return;
      default:
        // A display that goes dark, keyboards and mice of its own: nothing is to be seen of them here.
        return;
    }
  }

  /** Letters without a key of their own are left out. */
  #text(text: string): void {
    for (const letter of text) {
      const plain = letter.normalize("NFD");
      if (/^[\x20-\x7e\n][\u0300-\u036f]?$/.test(plain)) this.#host.phone.type(letter);
      else this.#host.warn(`Could not inject char u+${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
    }
  }

  #place(body: Buffer, at: number): { readonly x: number; readonly y: number } | undefined {
    const video = this.#host.size();
    const [width, height] = [body.readUInt16BE(at + 8), body.readUInt16BE(at + 10)];
    if (width !== video.width || height !== video.height) {
      this.#host.warn(
        `Ignore positional event generated for size ${width}x${height} (current size is ${video.width}x${video.height})`,
      );
      return undefined;
    }
    const { size } = this.#host.phone;
    return {
      x: Math.round((body.readInt32BE(at) * size.width) / width),
      y: Math.round((body.readInt32BE(at + 4) * size.height) / height),
    };
  }

  #touch(body: Buffer): void {
    const action = ACTIONS[body.readUInt8(0)];
    const place = this.#place(body, 9);
    if (action === undefined || place === undefined) return;
    const pressure = body.readUInt16BE(21) / 0xffff;
    this.#host.phone.touch({ action, pointer: Number(body.readBigInt64BE(1)), ...place, pressure });
  }

  #scroll(body: Buffer): void {
    const place = this.#place(body, 0);
    const amount = (at: number) => (body.readInt16BE(at) / 0x8000) * 16;
    if (place !== undefined) this.#host.phone.wheel(place.x, place.y, amount(12), amount(14));
  }

  #getClipboard(copyKey: number): void {
    const { phone } = this.#host;
    if (copyKey === 1) press(phone, 278);
    if (copyKey === 2) press(phone, 277);
    if (!this.#host.clipboardAutosync) this.#tell(phone.clipboard);
  }
  #setClipboard(sequence: bigint, paste: boolean, text: string): void {
    this.#setting = true;
    this.#host.phone.setClipboard(text);
    this.#setting = false;
    if (paste) press(this.#host.phone, 279);
    if (sequence === 0n) return;
    const ack = Buffer.alloc(9);
    ack.writeUInt8(1);
    ack.writeBigUInt64BE(sequence, 1);
    this.#host.send(ack);
  }
  /** The phone's clipboard changed. */
  clipboardChanged(text: string): void {
    if (this.#host.clipboardAutosync && !this.#setting) this.#tell(text);
  }
  #tell(text: string): void {
    const bytes = Buffer.from(text).subarray(0, MAX_CLIPBOARD);
    const head = Buffer.alloc(5);
    head.writeUInt8(0);
    head.writeUInt32BE(bytes.length, 1);
    this.#host.send(Buffer.concat([head, bytes]));
  }

  #startApp(name: string): void {
    const { phone } = this.#host;
    const anew = name.startsWith("+");
    const plain = anew ? name.slice(1) : name;
    const found = plain.startsWith("?")
      ? phone.icons().find(({ label }) => label.toLowerCase().startsWith(plain.slice(1).toLowerCase()))?.package
      : plain;
    if (found === undefined || !phone.installed(found)) {
      this.#host.warn(`No app found for "${plain}"`);
      return;
    }
    if (anew) phone.stop(found);
    phone.launch(found);
  }
}

/** The length of what is counted at `at`, with all that is before it. */
function bounded(rest: Buffer, at: number, bytes: 1 | 4, max: number): number | undefined {
  if (rest.length < at + bytes) return undefined;
  const size = rest.readUIntBE(at, bytes);
  if (size > max) throw new Error(`Message too large: ${size}`);
  return at + bytes + size;
}
