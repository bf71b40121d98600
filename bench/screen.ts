/** Slow links: how old the picture of a moving phone is for a viewer at 400 and 120 KB/s, 20 ms each way. */
import type { ScreenSource } from "../server/phones/driver.ts";
import { measureSlowLink, type SlowLinkResult } from "../server/screen/testing/slow-link.ts";

const KILOBYTE = 1_000;
export const SLOW_LINKS = [400, 120] as const;

export interface SlowLinkFigure extends SlowLinkResult {
  readonly kilobytesPerSecond: (typeof SLOW_LINKS)[number];
}

/** @param source the screen of a running phone that shows an animated page. */
export async function benchSlowLinks(source: ScreenSource): Promise<readonly SlowLinkFigure[]> {
  const figures: SlowLinkFigure[] = [];
  for (const kilobytesPerSecond of SLOW_LINKS) {
    const link = { bytesPerSecond: kilobytesPerSecond * KILOBYTE, delayMs: 20 };
    const result = await measureSlowLink({ source, link, settleMs: 6_000, measureMs: 10_000 });
    figures.push({ kilobytesPerSecond, ...result });
  }
  return figures;
}
