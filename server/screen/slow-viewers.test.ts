/** Slow and stalled viewers of a picture that moves all the time, in real time. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { heldBuffers } from "../testing-memory.ts";
import { until } from "./testing/client.ts";
import { FakeSource } from "./testing/fakes.ts";
import { startHarness } from "./testing/harness.ts";
import { measureSlowLink } from "./testing/slow-link.ts";

/** Bytes of a moving frame by level, 360×800, after what was measured of the web phone. */
const BYTES_BY_LEVEL = [7_000, 11_000, 17_000, 28_000, 38_000] as const;

/** Emits frames as large as the level asked for, until stopped. */
function keepMoving(source: FakeSource, everyMs: number, bytes?: number): () => void {
  const timer = setInterval(() => source.image(new Uint8Array(bytes ?? BYTES_BY_LEVEL[source.level ?? 4])), everyMs);
  return () => clearInterval(timer);
}

describe("slow viewers", () => {
  it("ABUSE-36 costs no memory when a viewer reads nothing of 60 kB frames at 60 fps", async () => {
    const source = new FakeSource(systemClock);
    const harness = await startHarness(source);
    const stalled = await harness.view();
    const fast = await harness.view();
    stalled.socket.pause();
    const stop = keepMoving(source, 16, 60_000);
    await until(() => fast.frames.length >= 30, "a warm-up");
    const before = heldBuffers();
    await until(() => fast.frames.length >= 150, "150 frames");
    stop();
    // 120 kept frames would be 7.2 MB. What is let go is freed a little later.
    await until(() => heldBuffers() - before < 4_000_000, "the frames to be let go", 20_000);
    await harness.close();
    expect(stalled.frames.length).toBeLessThanOrEqual(2);
    expect(harness.screen.counts().viewers).toBe(0);
  });
  it.each([400, 120])("stays fresh at %i KB/s", async (kilobytesPerSecond) => {
    const source = new FakeSource(systemClock);
    const stop = keepMoving(source, 33);
    const link = { bytesPerSecond: kilobytesPerSecond * 1_000, delayMs: 20 };
    const result = await measureSlowLink({ source, link, settleMs: 2_500, measureMs: 2_500 });
    stop();
    console.log(`${kilobytesPerSecond} KB/s`, JSON.stringify(result), `level ${source.level}`);
    expect(source.level).toBeLessThan(4);
    expect(result.fps).toBeGreaterThan(3);
    // Sending everything, this would be seconds and growing.
    expect(result.ageP95).toBeLessThan(1_000);
  });
});
