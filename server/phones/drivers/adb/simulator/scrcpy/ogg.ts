/** Packets out of an Ogg stream (RFC 3533). */
const HEADER = 27;

export class OggReader {
  #held: Buffer = Buffer.alloc(0);
  #packet: Buffer[] = [];

  push(chunk: Buffer): Buffer[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const packets: Buffer[] = [];
    for (;;) {
      if (this.#held.length < HEADER) return packets;
      const segments = this.#held.readUInt8(26);
      const lengths = this.#held.subarray(HEADER, HEADER + segments);
      const size = lengths.reduce((sum, length) => sum + length, 0);
      if (lengths.length < segments || this.#held.length < HEADER + segments + size) return packets;
      let at = HEADER + segments;
      for (const length of lengths) {
        this.#packet.push(this.#held.subarray(at, at + length));
        at += length;
        if (length === 255) continue;
        packets.push(Buffer.concat(this.#packet));
        this.#packet = [];
      }
      this.#held = this.#held.subarray(at);
    }
  }
}
