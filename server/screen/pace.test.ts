import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCredit } from "./credit.ts";
import { createFlow } from "./flow.ts";
import type { HubFrame } from "./frame-hub.ts";
import { createKeyFrames } from "./key-frames.ts";
import { createLadder, VIDEO_RULES } from "./ladder.ts";
import { createPace } from "./pace.ts";

function frame(seq: number, kind: HubFrame["kind"], bytes: number): HubFrame {
  return { seq, kind, crisp: false, message: Buffer.alloc(bytes) };
}

describe("video on its way", () => {
  it("is never more than the window's bytes, but for one frame that alone is larger", () => {
    const script = fc.array(
      fc.oneof(
        fc.record({
          do: fc.constant("offer" as const),
          kind: fc.constantFrom<HubFrame["kind"]>("delta", "delta", "keyFrame"),
          bytes: fc.integer({ min: 1, max: 300 }),
        }),
        fc.record({ do: fc.constant("ack" as const), pick: fc.nat(5) }),
        fc.record({
          do: fc.constant("window" as const),
          bytes: fc.integer({ min: 50, max: 500 }),
          frames: fc.integer({ min: 1, max: 8 }),
        }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(script, (steps) => {
        const credit = createCredit("h264", { frames: 4, bytes: 200 });
        let window = { frames: 4, bytes: 200 };
        let seq = 0;
        const inFlight: HubFrame[] = [];
        const make = (kind: HubFrame["kind"], bytes: number) => {
          seq += 1;
          return frame(seq, kind, bytes);
        };
        credit.offer(0, make("keyFrame", 10));
        for (const step of steps) {
          if (step.do === "offer") credit.offer(0, make(step.kind, step.bytes));
          else if (step.do === "window") {
            window = { frames: step.frames, bytes: step.bytes };
            credit.setWindow(window);
          } else {
            const picked = inFlight[step.pick];
            if (picked !== undefined) {
              inFlight.splice(0, step.pick + 1);
              expect(credit.acknowledge(1, picked.seq)?.frame).toBe(picked);
            }
          }
          for (let next = credit.take(0); next !== undefined; next = credit.take(0)) {
            inFlight.push(next);
            const bytes = inFlight.reduce((sum, { message }) => sum + message.length, 0);
            if (inFlight.length > 1) {
              expect(bytes).toBeLessThanOrEqual(window.bytes);
              expect(inFlight.length).toBeLessThanOrEqual(window.frames);
            }
          }
          expect(credit.inFlight()).toBe(inFlight.length);
        }
      }),
    );
  });
  it("is as much as the link carries in a round trip and a little more", () => {
    const pace = createPace();
    const first = pace.window(0).bytes;
    // 100 KB/s for a while.
    for (let at = 0; at < 1_000; at += 100) pace.delivered(at, 10_000, 100);
    expect(pace.window(50).bytes).toBe(24 * 1024);
    for (let at = 1_000; at < 2_000; at += 100) pace.delivered(at, 100_000, 100);
    expect(pace.window(50).bytes).toBe(200_000);
    // A rate from long ago says nothing.
    for (let at = 5_000; at < 8_000; at += 100) pace.delivered(at, 30_000, 100);
    expect(pace.window(50).bytes).toBe(60_000);
    expect(first).toBeGreaterThan(60_000);
  });
  it("fills a far link: 200 ms away, 30 frames a second go through without a gap", () => {
    const flow = createFlow("h264", 0);
    flow.roundTrip(200);
    const arrivals: { seq: number; at: number }[] = [];
    let gaps = 0;
    let level = 4;
    for (let now = 0; now < 6_000; now += 1) {
      for (let next = arrivals[0]; next !== undefined && next.at <= now; next = arrivals[0]) {
        arrivals.shift();
        flow.acknowledge(now, next.seq);
        for (let one = flow.take(now); one !== undefined; one = flow.take(now))
          arrivals.push({ seq: one.seq, at: now + 200 });
      }
      if (now % 33 === 0) {
        const seq = now / 33 + 1;
        if (flow.offer(now, frame(seq, seq === 1 ? "keyFrame" : "delta", seq === 1 ? 80_000 : 20_000))) gaps += 1;
        for (let one = flow.take(now); one !== undefined; one = flow.take(now))
          arrivals.push({ seq: one.seq, at: now + 200 });
      }
      level = Math.min(level, flow.level());
    }
    expect(gaps).toBe(0);
    expect(level).toBe(4);
  });
  it("keeps its level for a viewer whose decoder holds back the last frame before each rest", () => {
    const flow = createFlow("h264", 0);
    flow.roundTrip(5);
    flow.offer(0, frame(1, "keyFrame", 1_000));
    flow.take(0);
    flow.acknowledge(10, 1);
    for (let seq = 2; seq < 40; seq += 1) {
      flow.offer(seq * 700, frame(seq, "delta", 1_000));
      flow.take(seq * 700);
      flow.acknowledge(seq * 700 + 155, seq);
    }
    expect(flow.level()).toBe(4);
  });
  it("needs a key frame again only after it was given one", () => {
    const flow = createFlow("h264", 0);
    flow.offer(0, frame(1, "keyFrame", 10));
    flow.take(0);
    let asked = 0;
    for (let seq = 2; seq < 400; seq += 1) if (flow.offer(seq, frame(seq, "delta", 10_000))) asked += 1;
    expect(asked).toBe(1);
    expect(flow.level()).toBe(3);
    // Nothing is acknowledged: too slow, though nothing waits but the gap.
    expect(flow.tick(400 + 20_000)).toBe(true);
  });
});

describe("the level of video", () => {
  it("does not fall for one key frame that took long, falls for a link that is too slow, at most every three seconds", () => {
    const ladder = createLadder(0, VIDEO_RULES);
    for (let at = 0; at < 500; at += 33) ladder.sample(at, 400, 0);
    expect(ladder.level()).toBe(4);
    for (let at = 500; at < 2_000; at += 33) ladder.sample(at, 10, 0);
    expect(ladder.level()).toBe(4);
    const changes: number[] = [];
    for (let at = 2_000; at < 9_000; at += 33) if (ladder.sample(at, 150, 0)) changes.push(at);
    expect(changes.length).toBeGreaterThanOrEqual(2);
    for (const [index, at] of changes.entries())
      expect(at - (changes[index - 1] ?? -3_000)).toBeGreaterThanOrEqual(3_000);
    expect(ladder.strained(9_001)).toBe(false);
  });
});

describe("key frames for one viewer", () => {
  it("are asked for at once, then after 1, 2, 4 and 8 seconds, and at once again later", () => {
    const keys = createKeyFrames();
    const asked: number[] = [];
    for (let now = 0; now <= 25_000; now += 100) {
      keys.need();
      if (keys.ask(now)) asked.push(now);
    }
    expect(asked).toEqual([0, 1_000, 3_000, 7_000, 15_000, 23_000]);
    keys.need();
    expect(keys.ask(60_000)).toBe(true);
  });
  it("are not asked for when one came by itself", () => {
    const keys = createKeyFrames();
    keys.need();
    keys.came();
    expect(keys.ask(0)).toBe(false);
  });
});
