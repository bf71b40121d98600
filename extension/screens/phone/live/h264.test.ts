import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecOf, withConfig } from "./h264.ts";

/** What ffmpeg's libx264 sends for a baseline picture: SPS and PPS. */
const CONFIG = Uint8Array.from(
  [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0, 0xa0, 0x3d, 0xa1].concat([0, 0, 0, 1, 0x68, 0xcb, 0x83, 0xcb, 0x20]),
);

describe("the head of an H.264 stream", () => {
  it("names the codec by its first sequence parameter set, whatever comes before it", () => {
    expect(codecOf(CONFIG)).toBe("avc1.42c01e");
    const delimiter = Uint8Array.from([0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xac]);
    expect(codecOf(delimiter)).toBe("avc1.640028");
  });
  it("names none for what is cut off, empty or something else, and reads no further than a few kilobytes", () => {
    for (const bytes of [[], [0, 0, 1], [0, 0, 1, 0x67, 0x42, 0xc0], [0, 0, 1, 0x67, 0, 0, 0, 0]]) {
      expect(codecOf(Uint8Array.from(bytes))).toBeUndefined();
    }
    const late = new Uint8Array(8_000_000).fill(7);
    late.set(CONFIG, 7_000_000);
    expect(codecOf(late)).toBeUndefined();
  });
  it("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(codecOf(bytes) ?? "avc1.000000").toMatch(/^avc1\.[0-9a-f]{6}$/);
      }),
    );
  });
  it("puts parameter sets before a key frame that has none of its own", () => {
    const key = Uint8Array.from([0, 0, 0, 1, 0x65, 1, 2, 3]);
    expect([...withConfig(CONFIG, key)]).toEqual([...CONFIG, ...key]);
    const whole = withConfig(CONFIG, key);
    expect(withConfig(CONFIG, whole)).toBe(whole);
  });
});
