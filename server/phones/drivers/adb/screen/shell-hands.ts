/**
 * Fingers and keys through Android's `input` program, where scrcpy is not to be had: one finger, whose way becomes a tap
 * or a swipe when it ends; plain letters only. Source: AOSP `InputShellCommand`.
 */
import { PerchError } from "../../../../errors.ts";
import type { PhoneInput } from "../../../driver.ts";
import type { Display } from "./display.ts";
import { ANDROID_KEYS } from "./keys.ts";
import type { ScreenParts } from "./parts.ts";

/** In physical pixels at the density of one dot a CSS pixel. */
const TAP_SLOP = 10;
const LONG_PRESS_MS = 450;
const MIN_SWIPE_MS = 50;
const MAX_SWIPE_MS = 5_000;
const WHEEL_MS = 120;
/** `input` starts a virtual machine of its own each time. */
const TIMEOUT_MS = 15_000;
const PLAIN = /^[\x20-\x7e\n]+$/;
/** Keys pressed together: Android 13. */
const COMBINATION_SDK = 33;
const CTRL_LEFT = 113;
const MOST_TEXT = 500;

export function createShellHands(
  { device, clock }: ScreenParts,
  display: Display,
): (input: PhoneInput) => Promise<void> {
  let touch: { readonly id: number; readonly x: number; readonly y: number; readonly atMs: number } | undefined;

  async function run(...args: string[]): Promise<void> {
    const { exitCode } = await device.run(["input", ...args], { timeoutMs: TIMEOUT_MS });
    if (exitCode !== 0) throw new PerchError("phone_unavailable", "The phone did not take the input. Try again.");
  }
  function pixels(x: number, y: number): [number, number] {
    const { width, height } = display.pixels();
    const inside = (part: number, side: number) => Math.max(0, Math.min(side - 1, Math.round(part * side)));
    return [inside(x, width), inside(y, height)];
  }
  async function swipe(from: [number, number], to: [number, number], ms: number): Promise<void> {
    await run("swipe", ...[...from, ...to, Math.round(Math.max(MIN_SWIPE_MS, Math.min(MAX_SWIPE_MS, ms)))].map(String));
  }

  async function finish(x: number, y: number): Promise<void> {
    if (touch === undefined) return;
    const [from, to] = [pixels(touch.x, touch.y), pixels(x, y)];
    const lasted = clock.now() - touch.atMs;
    touch = undefined;
    const moved = Math.hypot(to[0] - from[0], to[1] - from[1]) > (TAP_SLOP * device.facts.density) / 160;
    if (moved) await swipe(from, to, lasted);
    else if (lasted >= LONG_PRESS_MS) await swipe(from, from, Math.max(lasted, LONG_PRESS_MS * 2));
    else await run("tap", String(from[0]), String(from[1]));
  }

  async function type(value: string): Promise<void> {
    if (!PLAIN.test(value) || value.length > MOST_TEXT) {
      throw new PerchError(
        "capability_missing",
        "Without scrcpy this phone takes only short plain text: no accents, emoji or other scripts. Set scrcpy up on the server.",
      );
    }
    for (const [index, line] of value.split("\n").entries()) {
      if (index > 0) await run("keyevent", String(ANDROID_KEYS.Enter.code));
      for (const piece of withoutEscapes(line)) await run("text", piece);
    }
  }

  return async (input) => {
    switch (input.type) {
      case "touch":
        if (input.phase === "start") touch ??= { id: input.id, x: input.x, y: input.y, atMs: clock.now() };
        else if (input.id !== touch?.id || input.phase === "move") return;
        else if (input.phase === "cancel") touch = undefined;
        else await finish(input.x, input.y);
        return;
      case "wheel": {
        const from = pixels(input.x, input.y);
        await swipe(from, pixels(input.x - input.dx, input.y - input.dy), WHEEL_MS);
        return;
      }
      case "text":
        await type(input.value);
        return;
      case "compose":
        return;
      case "key": {
        const { code, meta } = ANDROID_KEYS[input.name];
        if (meta === 0) await run("keyevent", String(code));
        else if (device.facts.sdk >= COMBINATION_SDK) await run("keycombination", String(CTRL_LEFT), String(code));
        else
          throw new PerchError(
            "capability_missing",
            "This key takes scrcpy or Android 13. Set scrcpy up on the server.",
          );
      }
    }
  };
}

/** `input text` makes a space of `%s`, so the two characters are typed apart. Nothing for an empty line. */
export function withoutEscapes(text: string): string[] {
  return text.split(/(?<=%)(?=s)/).filter((piece) => piece !== "");
}
