/** scroll, swipe, scrollUntilVisible. A direction is where the finger goes; scrolling goes the other way. */
import type { Direction } from "../../../../shared/flows/model.ts";
import type { UiBounds } from "../../../../shared/ui-tree.ts";
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { drag, type Spot } from "../gestures.ts";
import { looking, missed, screenPoint, seconds, touchPlace } from "../lookup.ts";
import { selectorWords, wholeNumber } from "../words.ts";

const SCROLL_MS = 300;
/** A finger that rests before it lifts does not fling the page past what was looked for. */
const REST_MS = 120;
const SETTLE_MS = 500;
const CENTER_TRIES = 4;
const EDGE = 0.02;
const BARELY = 0.01;

/** Swipes over the whole screen, as Maestro has them. */
const WHOLE: Readonly<Record<Direction, readonly [Spot, Spot]>> = {
  UP: [
    { x: 0.5, y: 0.5 },
    { x: 0.5, y: 0.1 },
  ],
  DOWN: [
    { x: 0.5, y: 0.2 },
    { x: 0.5, y: 0.9 },
  ],
  LEFT: [
    { x: 0.9, y: 0.5 },
    { x: 0.1, y: 0.5 },
  ],
  RIGHT: [
    { x: 0.1, y: 0.5 },
    { x: 0.9, y: 0.5 },
  ],
};

/** From a spot to the edge it points at. */
function toEdge(from: Spot, direction: Direction): Spot {
  if (direction === "UP") return { x: from.x, y: EDGE };
  if (direction === "DOWN") return { x: from.x, y: 1 - EDGE };
  return direction === "LEFT" ? { x: EDGE, y: from.y } : { x: 1 - EDGE, y: from.y };
}

/** Drags so that what lies towards `direction` comes into view. */
function reveal(step: StepContext, direction: Direction, by: number): Promise<void> {
  const half = by / 2;
  const spots: Readonly<Record<Direction, readonly [Spot, Spot]>> = {
    DOWN: [
      { x: 0.5, y: 0.5 + half },
      { x: 0.5, y: 0.5 - half },
    ],
    UP: [
      { x: 0.5, y: 0.5 - half },
      { x: 0.5, y: 0.5 + half },
    ],
    RIGHT: [
      { x: 0.5 + half, y: 0.5 },
      { x: 0.5 - half, y: 0.5 },
    ],
    LEFT: [
      { x: 0.5 - half, y: 0.5 },
      { x: 0.5 + half, y: 0.5 },
    ],
  };
  const [from, to] = spots[direction];
  return drag(step, from, to, SCROLL_MS, REST_MS);
}

/** Which part of an element is on the screen, as far as its cut-off bounds show it: at an edge it may go on. */
function touchesEdge(bounds: UiBounds, direction: Direction): boolean {
  if (direction === "DOWN") return bounds.y + bounds.height >= 1 - BARELY;
  if (direction === "UP") return bounds.y <= BARELY;
  if (direction === "RIGHT") return bounds.x + bounds.width >= 1 - BARELY;
  return bounds.x <= BARELY;
}

export const moving: Handlers<"scroll" | "swipe" | "scrollUntilVisible"> = {
  async scroll(step) {
    await reveal(step, "DOWN", 0.5);
    return undefined;
  },
  async swipe(step, command) {
    const size = step.phone.size();
    const { direction, start, end, from, durationMs } = command;
    if (from !== undefined) {
      const spot = await touchPlace(step, from, command.waitToSettleTimeoutMs);
      const to = end === undefined ? toEdge(spot, direction ?? "UP") : screenPoint(await step.expand(end), size);
      await drag(step, spot, to, durationMs);
    } else if (start !== undefined && end !== undefined) {
      const [a, b] = [await step.expand(start), await step.expand(end)];
      await drag(step, screenPoint(a, size), screenPoint(b, size), durationMs);
    } else if (direction !== undefined) {
      await drag(step, ...WHOLE[direction], durationMs);
    } else {
      throw new StepFailure("phone_cannot", "A swipe needs a direction, or a start and an end.");
    }
    if (command.waitToSettleTimeoutMs !== undefined) await step.phone.still(command.waitToSettleTimeoutMs);
    return undefined;
  },
  async scrollUntilVisible(step, command) {
    const timeoutMs = wholeNumber(await step.expand(command.timeoutMs), "The timeout");
    const speed = Math.min(Math.max(wholeNumber(await step.expand(command.speed), "The speed"), 1), 100);
    const by = 0.3 + 0.5 * (speed / 100);
    const until = step.pace.now() + timeoutMs;
    let tries = 0;
    let before: string | undefined;
    const look = looking(step, command.element, timeoutMs);
    for (;;) {
      step.signal.throwIfAborted();
      const found = await look();
      const cut =
        found !== undefined &&
        command.visibilityPercentage >= 100 &&
        touchesEdge(found.element.bounds, command.direction);
      const here = JSON.stringify(found?.element.bounds);
      // At the end of the page it touches the edge for good.
      if (found !== undefined && (!cut || here === before)) {
        if (!command.centerElement || tries >= CENTER_TRIES || centered(found.element.bounds)) {
          await step.phone.still(command.waitToSettleTimeoutMs ?? SETTLE_MS);
          return undefined;
        }
        tries += 1;
        await center(step, found.element.bounds);
      } else {
        if (step.pace.now() >= until) {
          const words = `${selectorWords(command.element)} did not come into view in ${seconds(timeoutMs)} of scrolling.`;
          throw await missed(step, command.element, "element_not_found", words);
        }
        before = here;
        await reveal(step, command.direction, by);
      }
    }
  },
};

const middle = ({ y, height }: UiBounds) => y + height / 2;

function centered(bounds: UiBounds): boolean {
  return Math.abs(middle(bounds) - 0.5) < 0.15;
}

async function center(step: StepContext, bounds: UiBounds): Promise<void> {
  const by = Math.min(Math.max(middle(bounds) - 0.5, -0.4), 0.4);
  await drag(step, { x: 0.5, y: 0.5 + by / 2 }, { x: 0.5, y: 0.5 - by / 2 }, SCROLL_MS, REST_MS);
}
