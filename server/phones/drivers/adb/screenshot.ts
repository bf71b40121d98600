/** One picture of a device's screen, by its own `screencap`. */
import { PerchError } from "../../../errors.ts";
import type { AndroidDevice } from "./ports.ts";

const PNG = Buffer.from("89504e470d0a1a0a", "hex");
const END = Buffer.from("49454e44ae426082", "hex");
const MAX_BYTES = 48 * 1024 * 1024;
const MAX_PIXELS = 16_384;

/** @throws PerchError when what comes is no whole PNG of a likely size */
export async function takeScreenshot(
  device: AndroidDevice,
): Promise<{ png: Uint8Array; width: number; height: number }> {
  const { exitCode, stdout } = await device.run(["screencap", "-p"], { timeoutMs: 15_000, maxBytes: MAX_BYTES });
  const png = Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const whole =
    png.subarray(0, 8).equals(PNG) && png.toString("latin1", 12, 16) === "IHDR" && png.subarray(-8).equals(END);
  const [width, height] = whole ? [png.readUInt32BE(16), png.readUInt32BE(20)] : [0, 0];
  if (exitCode === 0 && width > 0 && height > 0 && width <= MAX_PIXELS && height <= MAX_PIXELS) {
    return { png: stdout, width, height };
  }
  throw new PerchError(
    "phone_unavailable",
    "The phone gave no picture of its screen. An app may forbid it; try again on another screen.",
  );
}
