/** A phone's own video as a file: put together, not encoded again. Sources: ISO/IEC 14496-12 and -15, by mediabunny. */
import { h264ParseConfiguration, h264SearchConfiguration } from "@yume-chan/scrcpy";
import type { TimedUnit } from "../../../driver.ts";

const LEAST_MS = 1;
/** The last picture is seen, also when it came at the end. */
const LAST_MS = 100;

/** Units in order, the first a key one; the last picture stays until `durationMs`. A size that changes is in it as it came. */
export async function packMp4(units: readonly TimedUnit[], durationMs: number): Promise<Uint8Array> {
  const [first] = units;
  if (first?.key !== true) throw new Error("The video does not begin with a whole picture.");
  const decoderConfig = decoderConfigOf(first.bytes);
  // Loaded with the first recording: most servers never make one.
  const { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output } = await import("mediabunny");
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
  const source = new EncodedVideoPacketSource("avc");
  output.addVideoTrack(source);
  await output.start();
  let atMs = 0;
  for (const [index, { bytes, key }] of units.entries()) {
    const next = units[index + 1];
    const endMs = next === undefined ? Math.max(durationMs, atMs + LAST_MS) : Math.max(next.atMs, atMs + LEAST_MS);
    const packet = new EncodedPacket(bytes, key ? "key" : "delta", atMs / 1_000, (endMs - atMs) / 1_000);
    await source.add(packet, index === 0 ? { decoderConfig } : undefined);
    atMs = endMs;
  }
  await output.finalize();
  if (target.buffer === null) throw new Error("The video was not put together.");
  return new Uint8Array(target.buffer);
}

/** Without a description: the parameter sets are in the bytes. */
function decoderConfigOf(bytes: Uint8Array) {
  const { sequenceParameterSet, pictureParameterSet } = h264SearchConfiguration(bytes);
  const { profileIndex, constraintSet, levelIndex, croppedWidth, croppedHeight } = h264ParseConfiguration(
    Buffer.concat([START_CODE, sequenceParameterSet, START_CODE, pictureParameterSet]),
  );
  const codec = `avc1.${Buffer.from([profileIndex, constraintSet, levelIndex]).toString("hex")}`;
  return { codec, codedWidth: croppedWidth, codedHeight: croppedHeight };
}

const START_CODE = Buffer.from([0, 0, 0, 1]);
