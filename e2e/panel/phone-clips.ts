/** Small clips made by the simulated phone's own encoders, for what the stub sends where the browser makes none itself. */
import { Canvas } from "../../server/phones/drivers/adb/simulator/canvas.ts";
import { encodeTone, VideoEncoder } from "../../server/phones/drivers/adb/simulator/scrcpy/encoder.ts";
import type { Rgb } from "./clips.ts";
import type { StubVideo } from "./stub-screen.ts";

/** H.264 as the phone sends it: one access unit a picture, the first a key frame. */
export async function phoneVideo(width: number, height: number, colours: readonly Rgb[]): Promise<StubVideo> {
  const canvas = new Canvas(width, height);
  const clip: { config: Uint8Array; units: StubVideo["units"][number][] } = { config: new Uint8Array(), units: [] };
  const format = { from: { width, height }, width, height, bitRate: 4_000_000, fps: 30 };
  await new Promise<void>((resolve, reject) => {
    const encoder = new VideoEncoder(format, ({ kind, bytes }) => {
      if (kind === "config") clip.config = bytes;
      else clip.units.push({ key: kind === "key", bytes });
      if (clip.units.length === colours.length) {
        encoder.close();
        resolve();
      }
    });
    void encoder.ended.then(() => reject(new Error("The phone's encoder ended.")));
    for (const [red, green, blue] of colours) {
      canvas.fill({ x: 0, y: 0, width, height }, (red << 16) | (green << 8) | blue);
      encoder.encode(canvas);
    }
  });
  return clip;
}

/** The OpusHead, then so many packets of a tone. */
export function phoneTone(packets: number): Promise<readonly Uint8Array[]> {
  return new Promise((resolve) => {
    const made: Uint8Array[] = [];
    const stop = encodeTone((bytes) => {
      made.push(bytes);
      if (made.length <= packets) return;
      stop();
      resolve(made);
    });
  });
}
