import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ViewerMessage } from "../../../../shared/screen-protocol.ts";
import { viewerMessage } from "../../../../shared/screen-protocol.ts";
import { createTouches, toFraction, wheelFractions } from "./touches.ts";

const PHONE = { width: 360, height: 800 };

function setup() {
  const sent: ViewerMessage[] = [];
  let seq = 1;
  const touches = createTouches({ send: (message) => sent.push(message), seq: () => seq++ });
  const phases = () =>
    sent.map((message) => (message.type === "touch" ? `${message.phase} ${message.id}` : message.type));
  return { sent, touches, phases };
}

describe("places", () => {
  it("maps the corners of a picture that fits exactly", () => {
    const box = { left: 10, top: 20, width: 180, height: 400 };
    expect(toFraction({ clientX: 10, clientY: 20 }, box, PHONE)).toEqual({ x: 0, y: 0, inside: true });
    expect(toFraction({ clientX: 190, clientY: 420 }, box, PHONE)).toEqual({ x: 1, y: 1, inside: true });
  });
  it("leaves the bars beside a picture out", () => {
    const box = { left: 0, top: 0, width: 400, height: 400 };
    expect(toFraction({ clientX: 200, clientY: 100 }, box, PHONE)).toEqual({ x: 0.5, y: 0.25, inside: true });
    expect(toFraction({ clientX: 109, clientY: 100 }, box, PHONE)).toEqual({ x: 0, y: 0.25, inside: false });
    expect(toFraction({ clientX: 111, clientY: 100 }, box, PHONE).inside).toBe(true);
    const turned = { width: 800, height: 360 };
    expect(toFraction({ clientX: 200, clientY: 109 }, box, turned)).toEqual({ x: 0.5, y: 0, inside: false });
  });
  it("is always a place on the screen", () => {
    const size = fc.integer({ min: 1, max: 4_000 });
    const point = fc.integer({ min: -10_000, max: 10_000 });
    fc.assert(
      fc.property(
        point,
        point,
        size,
        size,
        size,
        size,
        (clientX, clientY, width, height, screenWidth, screenHeight) => {
          const box = { left: 3, top: 5, width, height };
          const place = toFraction({ clientX, clientY }, box, { width: screenWidth, height: screenHeight });
          expect(place.x).toBeGreaterThanOrEqual(0);
          expect(place.x).toBeLessThanOrEqual(1);
          expect(place.y).toBeGreaterThanOrEqual(0);
          expect(place.y).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
  it("reads wheels that count pixels, lines and pages", () => {
    const box = { left: 0, top: 0, width: 200, height: 400 };
    expect(wheelFractions({ deltaX: 20, deltaY: 100, deltaMode: 0 }, box)).toEqual({ dx: 0.1, dy: 0.25 });
    expect(wheelFractions({ deltaX: 0, deltaY: 3, deltaMode: 1 }, box)).toEqual({ dx: 0, dy: 0.12 });
    expect(wheelFractions({ deltaX: 0, deltaY: -1, deltaMode: 2 }, box)).toEqual({ dx: 0, dy: -1 });
  });
});

describe("touches", () => {
  it("sends one move per frame, the newest, and the last one before the end", () => {
    const { sent, touches } = setup();
    touches.down(42, { x: 0.1, y: 0.1 });
    touches.move(42, { x: 0.2, y: 0.2 });
    touches.move(42, { x: 0.3, y: 0.3 });
    touches.flush();
    touches.flush();
    touches.move(42, { x: 0.4, y: 0.4 });
    touches.up(42, { x: 0.5, y: 0.5 });
    touches.flush();
    expect(sent).toEqual([
      { type: "touch", phase: "start", id: 0, x: 0.1, y: 0.1, seq: 1 },
      { type: "touch", phase: "move", id: 0, x: 0.3, y: 0.3, seq: 2 },
      { type: "touch", phase: "move", id: 0, x: 0.4, y: 0.4, seq: 3 },
      { type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5, seq: 4 },
    ]);
  });
  it("numbers fingers from 0 and reuses numbers that are free", () => {
    const { touches, phases } = setup();
    touches.down(7, { x: 0, y: 0 });
    touches.down(8, { x: 0, y: 0 });
    touches.up(7, { x: 0, y: 0 });
    touches.down(9, { x: 0, y: 0 });
    touches.cancelAll();
    expect(phases()).toEqual(["start 0", "start 1", "end 0", "start 0", "cancel 1", "cancel 0"]);
    expect(touches.places()).toEqual([]);
  });
  it("knows nothing of a mouse that only passes over", () => {
    const { sent, touches } = setup();
    expect(touches.move(1, { x: 0.5, y: 0.5 })).toBe(false);
    touches.up(1, { x: 0.5, y: 0.5 });
    touches.cancel(1);
    touches.flush();
    expect(sent).toEqual([]);
  });
  it("adds up the wheel's turns of one frame", () => {
    const { sent, touches } = setup();
    touches.wheel({ x: 0.5, y: 0.5 }, { dx: 0, dy: 3 });
    touches.wheel({ x: 0.5, y: 0.6 }, { dx: 0.5, dy: 3 });
    touches.flush();
    expect(sent).toEqual([{ type: "wheel", x: 0.5, y: 0.6, dx: 0.5, dy: 4, seq: 1 }]);
  });
  it("sends only valid messages in whole sequences, whatever the fingers do", () => {
    const place = fc.record({
      x: fc.double({ min: 0, max: 1, noNaN: true }),
      y: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const act = fc.record({
      what: fc.constantFrom("down", "move", "up", "cancel", "wheel", "flush"),
      pointer: fc.nat(14),
      at: place,
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (script) => {
        const { sent, touches } = setup();
        for (const { what, pointer, at } of script) {
          if (what === "down") touches.down(pointer, at);
          else if (what === "move") touches.move(pointer, at);
          else if (what === "up") touches.up(pointer, at);
          else if (what === "cancel") touches.cancel(pointer);
          else if (what === "wheel") touches.wheel(at, { dx: at.x * 9, dy: -at.y * 9 });
          else touches.flush();
        }
        touches.cancelAll();
        const down = new Set<number>();
        for (const message of sent) {
          expect(viewerMessage.safeParse(message).success).toBe(true);
          if (message.type !== "touch") continue;
          expect(down.has(message.id)).toBe(message.phase !== "start");
          if (message.phase === "start") down.add(message.id);
          else if (message.phase !== "move") down.delete(message.id);
        }
        expect(down.size).toBe(0);
      }),
    );
  });
});
