/**
 * ADB packets on a stream of bytes (AOSP `packages/modules/adb/protocol.txt`): a header of six little-endian words, then the
 * payload. Lengths are the other side's word, so they are checked before anything is kept for them.
 */
import { AdbCommand, type AdbDaemonConnection, type AdbPacketData, type AdbPacketInit } from "@yume-chan/adb";
import { Consumable, ReadableStream } from "@yume-chan/stream-extra";
import type { ByteStreams } from "./byte-streams.ts";

const HEADER_BYTES = 24;
/** What this side says it takes (`MAX_PAYLOAD`). */
const MAX_PAYLOAD = 1024 * 1024;
const COMMANDS: ReadonlySet<number> = new Set(Object.values(AdbCommand));

/** Packets in the bytes that come, in pieces however cut. */
export class PacketParser {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #wanted = HEADER_BYTES;
  #header: { command: number; arg0: number; arg1: number } | undefined;

  /** @throws Error for what is no ADB packet; nothing after it can be read. */
  push(chunk: Uint8Array): AdbPacketData[] {
    const packets: AdbPacketData[] = [];
    this.#parts.push(chunk);
    this.#bytes += chunk.byteLength;
    while (this.#bytes >= this.#wanted) {
      const piece = this.#take(this.#wanted);
      if (this.#header === undefined) {
        const view = new DataView(piece.buffer, piece.byteOffset, HEADER_BYTES);
        const command = view.getUint32(0, true);
        const length = view.getUint32(12, true);
        const isPacket = COMMANDS.has(command) && view.getUint32(20, true) === (command ^ 0xffffffff) >>> 0;
        if (!isPacket || length > MAX_PAYLOAD) throw new Error("This is not an ADB connection.");
        this.#header = { command, arg0: view.getUint32(4, true), arg1: view.getUint32(8, true) };
        this.#wanted = length;
      } else {
        packets.push({ ...this.#header, payload: piece });
        this.#header = undefined;
        this.#wanted = HEADER_BYTES;
      }
    }
    return packets;
  }

  #take(length: number): Uint8Array {
    const [first] = this.#parts;
    if (this.#parts.length > 1 || first === undefined) this.#parts = [Buffer.concat(this.#parts, this.#bytes)];
    const whole = this.#parts[0] ?? new Uint8Array();
    this.#bytes -= length;
    this.#parts = this.#bytes === 0 ? [] : [whole.subarray(length)];
    return whole.subarray(0, length);
  }
}

export function packetBytes(packet: AdbPacketInit): Uint8Array {
  const { command, arg0, arg1, payload } = packet;
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  const words = [command, arg0, arg1, payload.byteLength, packet.checksum, command ^ 0xffffffff];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word >>> 0, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * What cannot be sent any more is lost without a word: the library sends much that nobody waits for, and that the connection
 * is over is told where it is read.
 */
export function packetConnection(streams: ByteStreams): AdbDaemonConnection {
  const parser = new PacketParser();
  const reader = streams.readable.getReader();
  const writer = streams.writable.getWriter();
  return {
    readable: new ReadableStream<AdbPacketData>({
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          const packets = parser.push(value);
          for (const packet of packets) controller.enqueue(packet);
          if (packets.length > 0) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    }),
    writable: new Consumable.WritableStream<AdbPacketInit>({
      write: (packet) => writer.write(packetBytes(packet)).catch(() => undefined),
      close: () => writer.close().catch(() => undefined),
      abort: (reason) => writer.abort(reason).catch(() => undefined),
    }),
  };
}
