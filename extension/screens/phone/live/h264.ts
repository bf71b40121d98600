/** What a decoder has to know of an H.264 stream before its first picture, read from an Annex B byte stream (ITU-T H.264 §7.3.1, Annex B). */

/** Parameter sets take some tens of bytes; where none begins this early, none is looked for any further. */
const MOST_BYTES_LOOKED_AT = 4096;
const SPS = 7;

/**
 * The codec string of RFC 6381 (`avc1.` and three bytes of the sequence parameter set in hexadecimal: profile, constraints,
 * level); undefined where no whole one is found.
 */
export function codecOf(bytes: Uint8Array): string | undefined {
  const end = Math.min(bytes.length, MOST_BYTES_LOOKED_AT);
  // A start code is 00 00 01; the unit's type is in the low five bits of the byte after it.
  for (let at = 0; at + 6 < end; at += 1) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    if (((bytes[at + 3] ?? 0) & 0x1f) !== SPS) continue;
    const [profile = 0, constraints = 0, level = 0] = bytes.subarray(at + 4, at + 7);
    if (profile === 0 || level === 0) return undefined;
    return `avc1.${hex(profile)}${hex(constraints)}${hex(level)}`;
  }
  return undefined;
}

/** Parameter sets and the key frame they belong to, as one access unit. */
export function withConfig(config: Uint8Array, keyFrame: Uint8Array): Uint8Array {
  if (codecOf(keyFrame) !== undefined) return keyFrame;
  const whole = new Uint8Array(config.length + keyFrame.length);
  whole.set(config);
  whole.set(keyFrame, config.length);
  return whole;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
