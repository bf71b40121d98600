import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeFrame, FRAME_FLAGS } from "../../shared/screen-protocol.ts";
import { systemClock } from "../clock.ts";
import type { ScreenLevel } from "../phones/driver.ts";
import { createFrameHub, type HubFrame, REST_MS } from "./frame-hub.ts";
import { FakeSource } from "./testing/fakes.ts";

class FakeViewer {
  readonly frames: HubFrame[] = [];
  wanted: ScreenLevel = 4;
  offer(frame: HubFrame): void {
    this.frames.push(frame);
  }
  level(): ScreenLevel {
    return this.wanted;
  }
  texts(): string[] {
    return this.frames.map((frame) => Buffer.from(frame.message.subarray(16)).toString());
  }
}

describe("frame hub", () => {
  // Walks the clock and the timers together.
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function setup(codec: "jpeg" | "h264" = "jpeg") {
    const source = new FakeSource(systemClock, codec);
    const failures: unknown[] = [];
    const hub = createFrameHub({ source, clock: systemClock, onStillFailed: (error) => failures.push(error) });
    return { source, hub, failures };
  }

  it("listens only while somebody watches", () => {
    const { source, hub } = setup();
    expect(source.listening).toBe(false);
    const leaveA = hub.join(new FakeViewer());
    const leaveB = hub.join(new FakeViewer());
    expect(source.listening).toBe(true);
    leaveA();
    leaveA();
    expect(source.listening).toBe(true);
    leaveB();
    expect(source.listening).toBe(false);
  });
  it("numbers frames and gives all viewers the same bytes", () => {
    const { source, hub } = setup();
    const [a, b] = [new FakeViewer(), new FakeViewer()];
    hub.join(a);
    hub.join(b);
    source.image("one");
    source.image("two");
    expect(a.texts()).toEqual(["one", "two"]);
    expect(a.frames[1]?.message).toBe(b.frames[1]?.message);
    const message = new Uint8Array(a.frames[1]?.message ?? []);
    expect(decodeFrame(message.buffer)?.header).toEqual({
      kind: "image",
      format: "jpeg",
      flags: 0,
      seq: 2,
      capturedAtMs: systemClock.now(),
    });
  });
  it("sends one crisp still when the picture rests, and ignores the echo it causes", () => {
    const { source, hub } = setup();
    const viewer = new FakeViewer();
    hub.join(viewer);
    source.image("a");
    vi.advanceTimersByTime(REST_MS - 50);
    source.image("b");
    vi.advanceTimersByTime(REST_MS - 1);
    expect(source.stills).toBe(0);
    vi.advanceTimersByTime(1);
    expect(source.stills).toBe(1);
    source.image("b");
    source.crisp("B");
    source.image("b");
    expect(viewer.texts()).toEqual(["a", "b", "B"]);
    const still = new Uint8Array(viewer.frames[2]?.message ?? []);
    expect(decodeFrame(still.buffer)?.header.flags).toBe(FRAME_FLAGS.crisp);
    vi.advanceTimersByTime(60_000);
    expect(source.stills).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
  it("drops a still that movement has overtaken, and takes another at the next rest", () => {
    const { source, hub } = setup();
    const viewer = new FakeViewer();
    hub.join(viewer);
    source.image("a");
    vi.advanceTimersByTime(REST_MS);
    source.image("b");
    source.crisp("A");
    expect(viewer.texts()).toEqual(["a", "b"]);
    vi.advanceTimersByTime(2 * REST_MS);
    source.crisp("B");
    expect(viewer.texts()).toEqual(["a", "b", "B"]);
  });
  it("takes fewer stills of a picture that only hesitates, and is quick again after a real rest", () => {
    const { source, hub } = setup();
    hub.join(new FakeViewer());
    // A caret that blinks every half second.
    for (let i = 0; i < 20; i += 1) {
      source.image(`blink ${i}`);
      vi.advanceTimersByTime(500);
    }
    expect(source.stills).toBeLessThanOrEqual(3);
    vi.advanceTimersByTime(5_000);
    const before = source.stills;
    source.image("again");
    vi.advanceTimersByTime(REST_MS);
    expect(source.stills).toBe(before + 1);
  });
  it("gives a joiner the resting picture at once and asks for nothing more", () => {
    const { source, hub } = setup();
    hub.join(new FakeViewer());
    source.image("a");
    vi.advanceTimersByTime(REST_MS);
    source.crisp("A");
    const joiner = new FakeViewer();
    hub.join(joiner);
    expect(joiner.texts()).toEqual(["A"]);
    expect(source.refreshes).toBe(0);
  });
  it("gives a joiner the newest frame of a moving picture and asks for a fresh one", () => {
    const { source, hub } = setup();
    hub.join(new FakeViewer());
    source.image("a");
    const joiner = new FakeViewer();
    hub.join(joiner);
    expect(joiner.texts()).toEqual(["a"]);
    expect(source.refreshes).toBe(1);
  });
  it("shows nobody a picture from before a pause", () => {
    const { source, hub } = setup();
    const leave = hub.join(new FakeViewer());
    source.image("secret");
    leave();
    const later = new FakeViewer();
    hub.join(later);
    expect(later.texts()).toEqual([]);
  });
  it("gives a joiner of a video its configuration and asks for a key frame, unless all since the last one is at hand", () => {
    const { source, hub } = setup("h264");
    hub.join(new FakeViewer());
    source.video("codecConfig", "c");
    source.video("keyFrame", "k");
    source.video("delta", "d");
    const early = new FakeViewer();
    hub.join(early);
    expect(early.texts()).toEqual(["c", "k", "d"]);
    expect(source.refreshes).toBe(0);
    for (let i = 0; i < 30; i += 1) source.video("delta", `${i}`);
    const late = new FakeViewer();
    hub.join(late);
    expect(late.texts()).toEqual(["c"]);
    expect(source.refreshes).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(source.stills).toBe(0);
  });
  it("gives a joiner the picture that stands in for video that broke, and no configuration", () => {
    const { source, hub } = setup("h264");
    hub.join(new FakeViewer());
    source.video("codecConfig", "c");
    source.video("keyFrame", "k");
    source.image("picture");
    const joiner = new FakeViewer();
    hub.join(joiner);
    expect(joiner.texts()).toEqual(["picture"]);
    vi.advanceTimersByTime(60_000);
    expect(source.stills).toBe(0);
  });
  it("goes on with another source at the level asked for, and shows nothing of the old one", () => {
    const { source, hub } = setup("h264");
    const viewer = new FakeViewer();
    viewer.wanted = 2;
    hub.join(viewer);
    source.video("codecConfig", "c");
    source.video("keyFrame", "k");
    const next = new FakeSource(systemClock, "h264");
    hub.replace(next);
    expect([source.listening, next.listening, next.level]).toEqual([false, true, 2]);
    const joiner = new FakeViewer();
    hub.join(joiner);
    expect(joiner.texts()).toEqual([]);
    next.video("codecConfig", "C");
    next.video("keyFrame", "K");
    expect(viewer.texts()).toEqual(["c", "k", "C", "K"]);
  });
  it("asks the driver for the best level anyone can take, only when it changes", () => {
    const { source, hub } = setup();
    const [a, b] = [new FakeViewer(), new FakeViewer()];
    a.wanted = 2;
    hub.join(a);
    const leaveB = hub.join(b);
    expect(source.levels).toEqual([2, 4]);
    a.wanted = 1;
    hub.levelChanged();
    expect(source.levels).toEqual([2, 4]);
    leaveB();
    expect(source.levels).toEqual([2, 4, 1]);
  });
  it("reports a still the driver could not take", async () => {
    const { source, hub, failures } = setup();
    source.still = () => Promise.reject(new Error("no"));
    hub.join(new FakeViewer());
    source.image("a");
    await vi.advanceTimersByTimeAsync(REST_MS);
    expect(failures).toHaveLength(1);
  });
});
