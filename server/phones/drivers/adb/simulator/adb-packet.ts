/**
 * ADB's messages on the wire, as the device sees them: AOSP packages/modules/adb/protocol.txt and adb.h. 24 bytes of
 * header, then the payload.
 */

const word = (name: string) => Buffer.from(name, "latin1").readUInt32LE(0);
export const CNXN = word("CNXN");
export const AUTH = word("AUTH");
export const OPEN = word("OPEN");
export const OKAY = word("OKAY");
export const CLSE = word("CLSE");
export const WRTE = word("WRTE");

/** From this version on the checksum is not looked at (adb.h, A_VERSION_SKIP_CHECKSUM). */
export const VERSION = 0x01000001;
export const MAX_PAYLOAD = 1024 * 1024;
const HEADER = 24;

export interface AdbPacket {
  readonly command: number;
  readonly arg0: number;
  readonly arg1: number;
  readonly payload: Buffer;
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return sum >>> 0;
}

export function encodePacket({ command, arg0, arg1, payload }: AdbPacket, withChecksum: boolean): Buffer {
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32LE(command, 0);
  header.writeUInt32LE(arg0, 4);
  header.writeUInt32LE(arg1, 8);
  header.writeUInt32LE(payload.length, 12);
  header.writeUInt32LE(withChecksum ? checksum(payload) : 0, 16);
  header.writeUInt32LE((command ^ 0xffffffff) >>> 0, 20);
  return payload.length === 0 ? header : Buffer.concat([header, payload]);
}

/** Cuts a TCP stream into messages. */
export class AdbPacketReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** @throws Error for what is no ADB message: wrong magic, or a payload larger than was agreed on */
  push(chunk: Buffer): AdbPacket[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const packets: AdbPacket[] = [];
    for (;;) {
      if (this.#length < HEADER) return packets;
      const first = this.#first(HEADER);
      const command = first.readUInt32LE(0);
      const size = first.readUInt32LE(12);
      if (first.readUInt32LE(20) !== (command ^ 0xffffffff) >>> 0) throw new Error("no ADB message: wrong magic");
      if (size > MAX_PAYLOAD) throw new Error(`ADB message too large: ${size} bytes`);
      if (this.#length < HEADER + size) return packets;
      const whole = this.#first(HEADER + size);
      this.#chunks = this.#length > HEADER + size ? [whole.subarray(HEADER + size)] : [];
      this.#length -= HEADER + size;
      packets.push({
        command,
        arg0: whole.readUInt32LE(4),
        arg1: whole.readUInt32LE(8),
        payload: whole.subarray(HEADER, HEADER + size),
      });
    }
  }

  /** A buffer that begins with `count` bytes of what is there. Joins the chunks only when the first is too short. */
  #first(count: number): Buffer {
    const head = this.#chunks[0];
    if (head !== undefined && head.length >= count) return head;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
