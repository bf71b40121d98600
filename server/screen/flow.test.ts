import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCredit } from "./credit.ts";
import { createFlow, TOO_SLOW_MS } from "./flow.ts";
import type { HubFrame } from "./frame-hub.ts";

function frame(seq: number, kind: HubFrame["kind"] = "image", bytes = 1_000): HubFrame {
  return { seq, kind, crisp: false, message: Buffer.alloc(bytes) };
}
function still(seq: number, bytes: number): HubFrame {
  return { seq, kind: "image", crisp: true, message: Buffer.alloc(bytes) };
}

type Step =
  | { readonly do: "offer" }
  | { readonly do: "ack"; readonly pick: number }
  | { readonly do: "window"; frames: number };
const steps = fc.array(
  fc.oneof(
    fc.constant<Step>({ do: "offer" }),
    fc.nat(5).map((pick): Step => ({ do: "ack", pick })),
    fc.integer({ min: 1, max: 2 }).map((frames): Step => ({ do: "window", frames })),
  ),
  { maxLength: 200 },
);

describe("credit for pictures", () => {
  it("never has more in flight than the window, and always sends the newest frame", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const credit = createCredit("jpeg", { frames: 1, bytes: Number.POSITIVE_INFINITY });
        let window = 1;
        let newest = 0;
        let sentNewest = 0;
        const inFlight: number[] = [];
        script.forEach((step, now) => {
          if (step.do === "offer") {
            newest += 1;
            credit.offer(now, frame(newest));
          } else if (step.do === "ack") {
            const seq = inFlight[step.pick];
            if (seq !== undefined) inFlight.splice(0, step.pick + 1);
            expect(credit.acknowledge(now, seq ?? 1_000_000) === undefined).toBe(seq === undefined);
          } else {
            window = step.frames;
            credit.setWindow({ frames: window, bytes: Number.POSITIVE_INFINITY });
          }
          for (let next = credit.take(now); next !== undefined; next = credit.take(now)) {
            expect(next.seq).toBe(newest);
            expect(next.seq).toBeGreaterThan(sentNewest);
            sentNewest = next.seq;
            inFlight.push(next.seq);
            expect(inFlight.length).toBeLessThanOrEqual(window);
          }
          expect(credit.inFlight()).toBe(inFlight.length);
          // With credit left nothing may wait; without, the newest does.
          expect(credit.waiting()).toBe(newest > sentNewest);
          if (inFlight.length < window) expect(credit.waiting()).toBe(false);
        });
      }),
    );
  });
});

describe("credit for video", () => {
  const video = fc.array(fc.constantFrom("delta", "delta", "delta", "keyFrame", "codecConfig", "ack"), {
    maxLength: 300,
  });

  it("sends every delta only right after the frame it builds on", () => {
    fc.assert(
      fc.property(video, (script) => {
        const credit = createCredit("h264", { frames: 2, bytes: 1_000_000 });
        let seq = 0;
        let previous: HubFrame | undefined;
        const inFlight: number[] = [];
        for (const step of script) {
          if (step === "ack") {
            const acknowledged = inFlight.shift();
            if (acknowledged !== undefined) credit.acknowledge(0, acknowledged);
          } else {
            seq += 1;
            credit.offer(0, frame(seq, step as HubFrame["kind"]));
          }
          for (let next = credit.take(0); next !== undefined; next = credit.take(0)) {
            if (next.kind === "delta") expect(next.seq).toBe((previous?.seq ?? -1) + 1);
            if (next.kind === "delta") expect(previous?.kind).not.toBe("codecConfig");
            previous = next;
            inFlight.push(next.seq);
          }
        }
      }),
    );
  });
  it("asks for a key frame once when too much waits, and goes on with it", () => {
    const credit = createCredit("h264", { frames: 1, bytes: 1_000_000 });
    credit.offer(0, frame(1, "codecConfig"));
    credit.offer(0, frame(2, "keyFrame"));
    expect(credit.take(0)?.seq).toBe(1);
    let asked = 0;
    for (let seq = 3; seq < 100; seq += 1) if (credit.offer(0, frame(seq, "delta"))) asked += 1;
    expect(asked).toBe(1);
    credit.offer(0, frame(100, "keyFrame"));
    credit.offer(0, frame(101, "delta"));
    const sent: number[] = [];
    let last = 1;
    for (;;) {
      credit.acknowledge(0, last);
      const next = credit.take(0);
      if (next === undefined) break;
      last = next.seq;
      sent.push(last);
    }
    expect(sent).toEqual([100, 101]);
  });
});

describe("flow", () => {
  it("sends the newest frame after an acknowledgement and counts what it left out", () => {
    const flow = createFlow("jpeg", 0);
    for (let seq = 1; seq <= 5; seq += 1) flow.offer(seq, frame(seq));
    expect(flow.take(5)?.seq).toBe(5);
    for (let seq = 6; seq <= 9; seq += 1) flow.offer(seq, frame(seq));
    expect(flow.take(9)).toBeUndefined();
    expect(flow.acknowledge(40, 5)).toEqual({ levelChanged: false, ms: 35 });
    expect(flow.take(40)?.seq).toBe(9);
    expect(flow.dropped()).toBe(4 + 3);
  });
  it("is too slow after ten seconds without an answer while frames wait, not while nothing moves", () => {
    const flow = createFlow("jpeg", 0);
    flow.offer(0, frame(1));
    flow.take(0);
    expect(flow.tick(TOO_SLOW_MS * 3)).toBe(false);
    flow.offer(1, frame(2));
    expect(flow.tick(TOO_SLOW_MS - 1)).toBe(false);
    expect(flow.tick(TOO_SLOW_MS)).toBe(true);
  });
  it("puts two frames in flight on a far link that is not busy, one on a busy one", () => {
    const flow = createFlow("jpeg", 0);
    flow.roundTrip(120);
    let now = 0;
    let seq = 0;
    const oneRound = (ackMs: number) => {
      seq += 1;
      flow.offer(now, frame(seq));
      flow.take(now);
      now += ackMs;
      flow.acknowledge(now, seq);
    };
    for (let i = 0; i < 5; i += 1) oneRound(130);
    flow.offer(now, frame(100));
    expect(flow.take(now)?.seq).toBe(100);
    flow.offer(now, frame(101));
    expect(flow.take(now)?.seq).toBe(101);
    flow.offer(now, frame(102));
    expect(flow.take(now)).toBeUndefined();
    flow.acknowledge(now + 400, 101);
    for (let i = 0; i < 10; i += 1) oneRound(400);
    flow.take(now);
    flow.offer(now, frame(200));
    flow.take(now);
    expect(flow.inFlight()).toBe(1);
  });
  it("puts off a still that would hold up a slow line, and leaves it out when something moves before", () => {
    const flow = createFlow("jpeg", 0);
    // 10 kB in 100 ms: a still of 200 kB would take two seconds.
    flow.roundTrip(0);
    flow.offer(0, frame(1, "image", 10_000));
    flow.take(0);
    flow.acknowledge(100, 1);
    flow.offer(300, still(2, 200_000));
    expect(flow.take(300)).toBeUndefined();
    flow.offer(500, frame(3, "image", 10_000));
    expect(flow.take(500)?.seq).toBe(3);
    flow.acknowledge(600, 3);
    flow.tick(2_000);
    expect(flow.take(2_000)).toBeUndefined();
    flow.offer(2_100, still(4, 200_000));
    flow.tick(3_000);
    expect(flow.take(3_000)).toBeUndefined();
    flow.tick(3_100);
    expect(flow.take(3_100)?.seq).toBe(4);
  });
  it("does not judge the link by a still", () => {
    const flow = createFlow("jpeg", 0);
    for (let seq = 1; seq < 20; seq += 1) {
      flow.offer(seq * 1_000, still(seq, 1_000));
      flow.take(seq * 1_000);
      flow.acknowledge(seq * 1_000 + 400, seq);
    }
    expect(flow.level()).toBe(4);
  });
});
