/**
 * ffmpeg's H.264 out of FLV (Adobe's Flash Video File Format 10.1, Annex E), because there every picture says how long it
 * is: an elementary stream would tell the end of one only by the beginning of the next. Gives what Android's MediaCodec
 * gives: the parameter sets on their own, then pictures, with start codes (ISO 14496-10 Annex B).
 */
export interface VideoUnit {
  readonly kind: "config" | "key" | "delta";
  readonly bytes: Buffer;
}

const START_CODE = Buffer.from([0, 0, 0, 1]);
const VIDEO_TAG = 9;
const FILE_HEADER = 9 + 4;
const TAG_HEADER = 11;
const VIDEO_HEADER = 5;

/** `AVCDecoderConfigurationRecord`, ISO 14496-15 §5.2.4.1. */
function parameterSets(record: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = record.readUInt8(at) & mask;
    at += 1;
    for (let index = 0; index < count; index += 1) {
      const size = record.readUInt16BE(at);
      parts.push(START_CODE, record.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  }
  return Buffer.concat(parts);
}

function annexB(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    parts.push(START_CODE, bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return Buffer.concat(parts);
}

export class FlvReader {
  #held: Buffer = Buffer.alloc(0);
  #started = false;

  push(chunk: Buffer): VideoUnit[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const units: VideoUnit[] = [];
    if (!this.#started) {
      if (this.#held.length < FILE_HEADER) return units;
      this.#held = this.#held.subarray(FILE_HEADER);
      this.#started = true;
    }
    for (;;) {
      if (this.#held.length < TAG_HEADER) return units;
      const size = this.#held.readUIntBE(1, 3);
      if (this.#held.length < TAG_HEADER + size + 4) return units;
      const unit = this.#unit(this.#held.readUInt8(0), this.#held.subarray(TAG_HEADER, TAG_HEADER + size));
      if (unit !== undefined) units.push(unit);
      this.#held = this.#held.subarray(TAG_HEADER + size + 4);
    }
  }

  #unit(type: number, body: Buffer): VideoUnit | undefined {
    if (type !== VIDEO_TAG || body.length <= VIDEO_HEADER) return undefined;
    const rest = body.subarray(VIDEO_HEADER);
    if (body.readUInt8(1) === 0) return { kind: "config", bytes: parameterSets(rest) };
    return { kind: body.readUInt8(0) >> 4 === 1 ? "key" : "delta", bytes: annexB(rest) };
  }
}
