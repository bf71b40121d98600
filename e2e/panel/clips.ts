/** Small clips made by the browser's own encoders (WebCodecs), for what the stub sends as a phone's video and sound. */
import type { Page } from "playwright-core";
import type { StubVideo } from "./stub-screen.ts";

export type Rgb = readonly [number, number, number];

/** H.264 in Annex B: the first picture is a key frame, each further one only says what changed. `page`: one of the extension's. */
export async function videoClip(
  page: Page,
  width: number,
  height: number,
  colours: readonly Rgb[],
): Promise<StubVideo> {
  const units = await page.evaluate(encodeVideo, { width, height, colours: colours.map((colour) => [...colour]) });
  const [first, ...rest] = units.map((base64) => Buffer.from(base64, "base64"));
  if (first === undefined) throw new Error("The browser encoded nothing.");
  const { sets, picture } = splitKeyFrame(first);
  return { config: sets, units: [{ key: true, bytes: picture }, ...rest.map((bytes) => ({ key: false, bytes }))] };
}

/** Opus: 48 kHz, stereo, 20 ms each; a tone. */
export async function toneClip(page: Page, packets: number): Promise<readonly Uint8Array[]> {
  return (await page.evaluate(encodeTone, packets)).map((base64) => Buffer.from(base64, "base64"));
}

/** An OpusHead (RFC 7845 §5.1): version, channels, pre-skip, rate, gain, mapping family. */
export const OPUS_HEAD = Buffer.concat([
  Buffer.from("OpusHead"),
  Buffer.from([1, 2, 56, 1, 0x80, 0xbb, 0, 0, 0, 0, 0]),
]);

/** Parameter sets (types 7 and 8) come first in a key frame of this encoder, then its picture. */
function splitKeyFrame(unit: Buffer): { sets: Buffer; picture: Buffer } {
  for (let at = 0; at + 4 < unit.length; at += 1) {
    if (unit[at] !== 0 || unit[at + 1] !== 0 || unit[at + 2] !== 1) continue;
    if ((unit[at + 3] ?? 0) % 32 !== 5) continue;
    const from = unit[at - 1] === 0 ? at - 1 : at;
    return { sets: unit.subarray(0, from), picture: unit.subarray(from) };
  }
  throw new Error("The first picture is no key frame.");
}

/** Run in the page. */
async function encodeVideo(clip: { width: number; height: number; colours: number[][] }): Promise<string[]> {
  const { width, height, colours } = clip;
  const units: string[] = [];
  let failure: unknown;
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      units.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
    },
    error(error) {
      failure = error;
    },
  });
  encoder.configure({
    ...{ codec: "avc1.42E028", width, height, latencyMode: "realtime", bitrate: 4_000_000 },
    avc: { format: "annexb" },
  });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  for (const [index, colour] of colours.entries()) {
    if (context === null) break;
    context.fillStyle = `rgb(${colour.join(" ")})`;
    context.fillRect(0, 0, width, height);
    const frame = new VideoFrame(canvas, { timestamp: index * 33_000 });
    encoder.encode(frame, { keyFrame: index === 0 });
    frame.close();
  }
  await encoder.flush();
  encoder.close();
  if (failure !== undefined) throw failure;
  return units;
}

/** Run in the page. */
async function encodeTone(packets: number): Promise<string[]> {
  const made: string[] = [];
  const encoder = new AudioEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      made.push(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
    },
    error() {},
  });
  encoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2 });
  for (let packet = 0; packet < packets; packet += 1) {
    const samples = Float32Array.from(
      { length: 2 * 960 },
      (_, at) => Math.sin(((at % 960) + packet * 960) * 0.0576) / 2,
    );
    const data = new AudioData({
      ...{ format: "f32-planar", sampleRate: 48_000, numberOfFrames: 960, numberOfChannels: 2 },
      ...{ timestamp: packet * 20_000, data: samples },
    });
    encoder.encode(data);
    data.close();
  }
  await encoder.flush();
  encoder.close();
  return made;
}
