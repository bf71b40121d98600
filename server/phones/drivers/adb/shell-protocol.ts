/**
 * Shell protocol version 2 (AOSP `adb/shell_protocol.h`): one byte that says what, four of length (little-endian), the data.
 * Lengths come from the device, so data is handed on as it arrives and never kept for a length that was only announced.
 */
export const SHELL = { stdin: 0, stdout: 1, stderr: 2, exit: 3, closeStdin: 4 } as const;
const HEADER_BYTES = 5;
/** adbd sends 32 KB at most in one; a MB is beyond every version. */
const MAX_DATA = 1024 * 1024;

export interface ShellPiece {
  readonly id: number;
  readonly data: Uint8Array;
}

export class ShellParser {
  #head = Buffer.alloc(0);
  #id = 0;
  #left = 0;

  /** @throws Error for what no shell sends */
  push(chunk: Uint8Array): ShellPiece[] {
    const pieces: ShellPiece[] = [];
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#left === 0) {
        const missing = HEADER_BYTES - this.#head.byteLength;
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + missing)]);
        at += missing;
        if (this.#head.byteLength < HEADER_BYTES) break;
        this.#id = this.#head.readUInt8(0);
        this.#left = this.#head.readUInt32LE(1);
        this.#head = Buffer.alloc(0);
        if (this.#left > MAX_DATA) throw new Error("This is not the shell of an Android.");
        continue;
      }
      const data = chunk.subarray(at, at + this.#left);
      at += data.byteLength;
      this.#left -= data.byteLength;
      pieces.push({ id: this.#id, data });
    }
    return pieces;
  }
}

export function shellPacket(id: number, data: Uint8Array = new Uint8Array()): Uint8Array {
  const packet = Buffer.alloc(HEADER_BYTES + data.byteLength);
  packet.writeUInt8(id, 0);
  packet.writeUInt32LE(data.byteLength, 1);
  packet.set(data, HEADER_BYTES);
  return packet;
}
