/** Fingers: touches synthesised in fractions of the screen. Whatever happens, the finger is lifted. */
import type { StepContext } from "./context.ts";

export interface Spot {
  readonly x: number;
  readonly y: number;
}
type Hand = Pick<StepContext, "phone" | "pace" | "signal">;

const FRAME_MS = 1000 / 60;
const FINGER = 0;

async function touch(at: Hand, from: Spot, meanwhile: () => Promise<Spot>): Promise<void> {
  await at.phone.input({ type: "touch", phase: "start", id: FINGER, x: from.x, y: from.y });
  let end: Spot;
  try {
    end = await meanwhile();
  } catch (error) {
    await at.phone.input({ type: "touch", phase: "cancel", id: FINGER, x: from.x, y: from.y }).catch(() => {});
    throw error;
  }
  await at.phone.input({ type: "touch", phase: "end", id: FINGER, x: end.x, y: end.y });
}

export function tap(at: Hand, spot: Spot): Promise<void> {
  return touch(at, spot, async () => spot);
}

export function press(at: Hand, spot: Spot, forMs: number): Promise<void> {
  return touch(at, spot, async () => {
    await at.pace.sleep(forMs, at.signal);
    return spot;
  });
}

/** A straight drag with a move a frame. `restMs`: the finger rests before it lifts, so that nothing is flung. */
export function drag(at: Hand, from: Spot, to: Spot, durationMs: number, restMs = 0): Promise<void> {
  const began = at.pace.now();
  return touch(at, from, async () => {
    // By the clock: a page that takes its time with a move gets fewer of them, not a slower finger.
    for (let part = 0; part < 1; ) {
      const next = began + part * durationMs + FRAME_MS;
      await at.pace.sleep(Math.max(0, next - at.pace.now()), at.signal);
      part = durationMs === 0 ? 1 : Math.min(1, (at.pace.now() - began) / durationMs);
      const x = from.x + (to.x - from.x) * part;
      const y = from.y + (to.y - from.y) * part;
      await at.phone.input({ type: "touch", phase: "move", id: FINGER, x, y });
    }
    if (restMs > 0) await at.pace.sleep(restMs, at.signal);
    return to;
  });
}
