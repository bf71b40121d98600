/** A sequence and a picture parameter set of a picture of this size, as an encoder begins with. Source: ITU-T H.264 §7.3.2. */
export function sps(width: number, height: number): Uint8Array {
  const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const bits = new Bits();
  // Baseline, level 4: identifiers, frame numbers and order of pictures.
  bits.put(66, 8).put(0, 8).put(40, 8).golomb(0).golomb(0).golomb(2);
  bits.golomb(1).put(0, 1);
  bits.golomb(columns - 1).golomb(rows - 1);
  bits.put(1, 1).put(1, 1).put(1, 1);
  bits
    .golomb(0)
    .golomb((columns * 16 - width) / 2)
    .golomb(0)
    .golomb((rows * 16 - height) / 2);
  bits.put(0, 1).put(1, 1);
  return Buffer.from([0, 0, 0, 1, 0x67, ...bits.bytes(), 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80]);
}

class Bits {
  #text = "";
  put(value: number, length: number): this {
    this.#text += value.toString(2).padStart(length, "0");
    return this;
  }
  golomb(value: number): this {
    const digits = (value + 1).toString(2);
    this.#text += "0".repeat(digits.length - 1) + digits;
    return this;
  }
  /** With the bytes that keep start codes out of it. */
  bytes(): number[] {
    const padded = this.#text.padEnd(Math.ceil(this.#text.length / 8) * 8, "0");
    const out: number[] = [];
    for (let at = 0; at < padded.length; at += 8) {
      const byte = Number.parseInt(padded.slice(at, at + 8), 2);
      if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
      out.push(byte);
    }
    return out;
  }
}
