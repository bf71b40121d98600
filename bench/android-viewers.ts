/** Viewers in a process of their own: they acknowledge at once and decode nothing. */
import { connect, TestViewer } from "../server/screen/testing/client.ts";

export interface WatchOrder {
  readonly port: number;
  readonly origin: string;
  readonly tickets: readonly string[];
  readonly settleMs: number;
  readonly measureMs: number;
}
/** Of one viewer, while it was measured. */
export interface WatchedStream {
  readonly frames: number;
  readonly bytes: number;
  /** From the server's having a frame to the viewer's, in ms. */
  readonly ages: readonly number[];
}

process.once("message", (order) => void watch(order as WatchOrder));

async function watch({ port, origin, tickets, settleMs, measureMs }: WatchOrder): Promise<void> {
  const viewers = await Promise.all(
    tickets.map(async (ticket) => {
      const viewer = await connect({ port, origin, ticket });
      if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
      return viewer;
    }),
  );
  for (const { frames } of viewers) {
    while (frames.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  process.send?.("begins");
  for (const viewer of viewers) viewer.frames.length = 0;
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const streams = viewers.map(({ frames }): WatchedStream => {
    const shown = frames.filter(({ header }) => header.kind === "keyFrame" || header.kind === "delta");
    return {
      frames: shown.length,
      bytes: frames.reduce((sum, one) => sum + one.bytes, 0),
      ages: shown.map(({ header, receivedAtMs }) => receivedAtMs - header.capturedAtMs),
    };
  });
  process.send?.(streams, () => process.exit(0));
}
