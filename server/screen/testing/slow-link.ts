/** Measures what a viewer behind a slow link sees of a moving picture. */
import type { ScreenSource } from "../../phones/driver.ts";
import { until } from "./client.ts";
import { startHarness } from "./harness.ts";
import { type Link, startThrottle } from "./throttle.ts";

export interface SlowLinkResult {
  readonly fps: number;
  /** Age of a frame when it arrived, in ms. */
  readonly ageP50: number;
  readonly ageP95: number;
  /** Age of what is on the screen at any moment, in ms. */
  readonly staleP50: number;
  readonly staleP95: number;
  readonly bytesPerSecond: number;
}

export interface SlowLinkOptions {
  /** A picture that keeps moving. */
  readonly source: ScreenSource;
  readonly link: Link;
  /** Until the ladder has found its level; not counted. */
  readonly settleMs: number;
  readonly measureMs: number;
}

export async function measureSlowLink({ source, link, settleMs, measureMs }: SlowLinkOptions): Promise<SlowLinkResult> {
  const harness = await startHarness(source);
  const throttle = await startThrottle(harness.port, link);
  try {
    const host = `127.0.0.1:${harness.port}`;
    const viewer = await harness.view({}, { port: throttle.port, host });
    const start = Date.now() + settleMs;
    await until(() => Date.now() >= start, "settling", settleMs + 1_000);
    const stale: number[] = [];
    const sampling = setInterval(() => {
      const shown = viewer.frames.at(-1);
      if (shown !== undefined) stale.push(Date.now() - shown.header.capturedAtMs);
    }, 10);
    await until(() => Date.now() >= start + measureMs, "measuring", measureMs + 1_000);
    clearInterval(sampling);
    const frames = viewer.frames.filter((frame) => frame.receivedAtMs >= start);
    const ages = frames.map((frame) => frame.receivedAtMs - frame.header.capturedAtMs);
    const seconds = measureMs / 1_000;
    return {
      fps: frames.length / seconds,
      ageP50: percentile(ages, 0.5),
      ageP95: percentile(ages, 0.95),
      staleP50: percentile(stale, 0.5),
      staleP95: percentile(stale, 0.95),
      bytesPerSecond: frames.reduce((sum, frame) => sum + frame.bytes, 0) / seconds,
    };
  } finally {
    await throttle.close();
    await harness.close();
  }
}

/** Nearest-rank percentile; NaN of nothing. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
