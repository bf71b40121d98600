/** Viewers of video, over real sockets: what they ask for, what they get, and what happens to the others. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock, systemClock } from "../clock.ts";
import { heldBuffers } from "../testing-memory.ts";
import type { TestViewer } from "./testing/client.ts";
import { until } from "./testing/client.ts";
import { FakeSource } from "./testing/fakes.ts";
import { type Harness, startHarness } from "./testing/harness.ts";
import { startThrottle } from "./testing/throttle.ts";

describe("a screen with video", () => {
  let source: FakeSource;
  let harness: Harness;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    source = new FakeSource(clock, "h264");
    harness = await startHarness(source, clock);
  });
  afterEach(() => harness.close());

  async function watching(): Promise<TestViewer> {
    const viewer = await harness.view();
    await until(() => viewer.last("state") !== undefined, "a viewer");
    return viewer;
  }
  function begin(key = "key"): void {
    source.video("codecConfig", "config");
    source.video("keyFrame", key);
  }

  it("says that it is video and can be heard, and sends whole runs", async () => {
    const viewer = await watching();
    expect(viewer.last("hello")).toMatchObject({ codec: "h264", audio: true });
    begin();
    source.video("delta", "one");
    await until(() => viewer.frames.length === 3, "frames");
    expect(viewer.frames.map(({ header: { kind, format } }) => `${format} ${kind}`)).toEqual([
      "h264 codecConfig",
      "h264 keyFrame",
      "h264 delta",
    ]);
  });
  it("asks the phone for a key frame when a viewer does, and not as often as the viewer does", async () => {
    const viewer = await watching();
    begin();
    await until(() => viewer.frames.length === 2, "frames");
    for (let i = 0; i < 20; i += 1) viewer.send({ type: "refresh" });
    await until(() => source.refreshes > 0, "a refresh");
    await roundTrip(viewer);
    expect(source.refreshes).toBe(1);
    // The one asked for last waits its time and is not forgotten.
    clock.advance(1_100);
    await until(() => source.refreshes === 2, "another");
    begin("fresh");
    await until(() => viewer.texts().includes("fresh"), "a key frame");
    clock.advance(60_000);
    viewer.send({ type: "refresh" });
    await until(() => source.refreshes === 3, "at once again");
  });
  it("gives pictures to who asks, and video to the others", async () => {
    const [old, modern] = [await watching(), await watching()];
    begin();
    await until(() => old.frames.length === 2, "video");
    old.send({ type: "pictures" });
    old.send({ type: "pictures" });
    await until(() => source.pictures?.listening === true, "pictures");
    source.pictures?.emit({ format: "png", kind: "image", bytes: Buffer.from("picture"), crisp: false });
    source.video("delta", "delta");
    await until(() => old.texts().includes("picture") && modern.texts().includes("delta"), "both");
    expect(old.texts()).not.toContain("delta");
    expect(modern.texts()).not.toContain("picture");
    // Numbers go on: an acknowledgement never means another frame.
    expect(old.frames.at(-1)?.header.seq).toBeGreaterThan(old.frames.at(-2)?.header.seq ?? 0);
    old.socket.close();
    await until(() => source.pictures?.listening === false, "no more pictures");
    expect(source.listening).toBe(true);
  });
  it("gives pictures to a viewer whose link video does not fit, and video again when it is good", async () => {
    const viewer = await watching();
    // More at once than may wait, again and again: each time a run is lost.
    for (let round = 0; round < 6; round += 1) {
      begin();
      for (let i = 0; i < 100; i += 1)
        source.emit({ format: "h264", kind: "delta", bytes: new Uint8Array(20_000), crisp: false });
      await roundTrip(viewer);
      clock.advance(3_100);
    }
    await until(() => source.pictures?.listening === true, "pictures");
    expect(source.listening).toBe(false);
    source.pictures?.image("one");
    await until(() => viewer.texts().includes("one"), "a picture");
    await roundTrip(viewer);
    clock.advance(20_500);
    source.pictures?.image("two");
    await until(() => source.listening, "video");
    expect(source.pictures?.listening).toBe(false);
    begin("again");
    await until(() => viewer.texts().includes("again"), "a key frame");
    expect(viewer.closed).toBeUndefined();
  });
  it("lets who asks hear the phone, from the configuration on, until nobody does", async () => {
    const [a, b, deaf] = [await watching(), await watching(), await watching()];
    a.send({ type: "audio", on: true });
    await until(() => source.audio?.listening === true, "sound");
    source.audio?.packet("config", "OpusHead");
    source.audio?.packet("packet", "one");
    b.send({ type: "audio", on: true });
    await until(() => b.texts().includes("OpusHead"), "the configuration");
    source.audio?.packet("packet", "two");
    await until(() => b.texts().includes("two"), "a packet");
    expect(a.texts()).toEqual(["OpusHead", "one", "two"]);
    expect(a.frames.map(({ header: { kind, format } }) => `${format} ${kind}`).slice(0, 2)).toEqual([
      "opus audioConfig",
      "opus audio",
    ]);
    expect(deaf.frames).toHaveLength(0);
    a.send({ type: "audio", on: false });
    b.socket.close();
    await until(() => source.audio?.listening === false, "silence");
  });
  it("leaves sound out for a viewer that reads nothing, and keeps none of it", async () => {
    const viewer = await watching();
    viewer.send({ type: "audio", on: true });
    await until(() => source.audio?.listening === true, "sound");
    viewer.socket.pause();
    for (let i = 0; i < 2_000; i += 1) {
      source.audio?.packet("packet", new Uint8Array(20_000));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    viewer.socket.resume();
    await roundTrip(viewer);
    // What fits into the buffers of two sockets, of 40 MB.
    expect(viewer.frames.length).toBeLessThan(800);
    source.audio?.packet("packet", "now");
    await until(() => viewer.texts().includes("now"), "sound of now");
  });
  it("keeps viewers of a phone that is lost, tells who comes, and goes on with the new picture when it is found", async () => {
    const viewer = await watching();
    begin();
    harness.screen.unreachable(harness.phoneId, "The phone is unplugged.");
    await until(() => viewer.last("unreachable") !== undefined, "the words");
    const late = await watching();
    expect(late.last("unreachable")?.message).toBe("The phone is unplugged.");
    viewer.send({ type: "audio", on: true });
    const next = new FakeSource(clock, "h264");
    harness.phones.sources.set(harness.phoneId, next);
    harness.screen.reachable(harness.phoneId);
    await until(() => late.last("reachable") !== undefined && next.listening, "found");
    expect(source.listening).toBe(false);
    next.video("codecConfig", "config");
    next.video("keyFrame", "after");
    await until(() => viewer.texts().includes("after") && late.texts().includes("after"), "the new picture");
    await until(() => next.audio?.listening === true, "the new sound");
    const after = await watching();
    expect(after.last("unreachable")).toBeUndefined();
    expect([viewer, late, after].map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);
  });
  it("greets viewers anew when the found phone has pictures instead of video", async () => {
    const viewer = await watching();
    begin();
    await until(() => viewer.frames.length === 2, "video");
    const next = new FakeSource(clock);
    harness.phones.sources.set(harness.phoneId, next);
    harness.screen.reachable(harness.phoneId);
    await until(() => viewer.last("hello")?.codec === "jpeg", "another hello");
    next.image("one");
    await until(() => viewer.texts().includes("one"), "a picture");
  });
  it("closes the socket of a revoked session within a second, in the middle of a stream", async () => {
    const credentialId = newId("session");
    const viewer = await harness.view({ credentialId });
    await until(() => source.listening, "a viewer");
    begin();
    const moving = setInterval(() => source.video("delta", "delta"), 5);
    await until(() => viewer.frames.length > 10, "a stream");
    const revokedAt = performance.now();
    harness.screen.closeSession(credentialId);
    await until(() => viewer.closed !== undefined, "the end", 1_000);
    expect(performance.now() - revokedAt).toBeLessThan(1_000);
    expect(viewer.last("ended")?.reason).toBe("signed_out");
    clearInterval(moving);
    await until(() => !source.listening, "an encoder at rest");
  });
});

describe.concurrent("a slow viewer of video", () => {
  const KEY_BYTES = 60_000;
  /** By level: what the encoder makes in a thirtieth of a second. */
  const DELTA_BYTES = [1_500, 4_000, 8_000, 16_000, 32_000] as const;

  /** A phone that moves all the time and makes a key frame when asked, at most every half second. */
  function encoder(source: FakeSource): () => void {
    let answered = -1;
    let keyAt = 0;
    const timer = setInterval(() => {
      if (!source.listening) return;
      if (source.refreshes !== answered && Date.now() - keyAt > 500) {
        answered = source.refreshes;
        keyAt = Date.now();
        source.video("codecConfig", "config");
        source.emit({ format: "h264", kind: "keyFrame", bytes: new Uint8Array(KEY_BYTES), crisp: false });
        return;
      }
      const bytes = new Uint8Array(DELTA_BYTES[source.level ?? 4]);
      source.emit({ format: "h264", kind: "delta", bytes, crisp: false });
    }, 33);
    return () => clearInterval(timer);
  }
  function gaps(viewer: TestViewer): number {
    let broken = 0;
    let before: number | undefined;
    for (const { header } of viewer.frames) {
      if (header.kind === "delta" && before !== undefined && header.seq !== before + 1) broken += 1;
      before = header.seq;
    }
    return broken;
  }

  it("alone gets a lower level and then an unbroken, fresh stream", async () => {
    const source = new FakeSource(systemClock, "h264");
    const harness = await startHarness(source);
    // 960 KB/s at the best level, 240 two below.
    const throttle = await startThrottle(harness.port, { bytesPerSecond: 300_000, delayMs: 20 });
    const stop = encoder(source);
    const viewer = await harness.view({}, { port: throttle.port, host: `127.0.0.1:${harness.port}` });
    await until(() => (source.level ?? 4) <= 2, "a lower level", 6_000);
    const from = viewer.frames.length;
    const at = Date.now();
    await until(() => Date.now() - at > 1_500, "a while");
    const late = viewer.frames.slice(from).slice(-20);
    stop();
    const age = Math.max(...late.map(({ header, receivedAtMs }) => receivedAtMs - header.capturedAtMs));
    await throttle.close();
    await harness.close();
    expect(late.length).toBeGreaterThan(10);
    expect(age).toBeLessThan(1_200);
    expect(gaps(viewer)).toBe(0);
  });
  it("beside a fast one neither holds it up nor has key frames made all the time", async () => {
    const source = new FakeSource(systemClock, "h264");
    const harness = await startHarness(source);
    const throttle = await startThrottle(harness.port, { bytesPerSecond: 100_000, delayMs: 20 });
    const stop = encoder(source);
    const fast = await harness.view();
    const slow = await harness.view({}, { port: throttle.port, host: `127.0.0.1:${harness.port}` });
    const at = Date.now();
    await until(() => Date.now() - at > 4_000, "a while");
    stop();
    const asked = source.refreshes;
    const seconds = (Date.now() - at) / 1_000;
    const ages = fast.frames.slice(30).map(({ header, receivedAtMs }) => receivedAtMs - header.capturedAtMs);
    await throttle.close();
    await harness.close();
    expect(asked).toBeLessThanOrEqual(4);
    expect(fast.frames.length / seconds).toBeGreaterThan(8);
    expect(ages.toSorted((a, b) => a - b)[Math.floor(ages.length / 2)]).toBeLessThan(100);
    // What reached the slow one made sense: each delta after the frame it builds on.
    expect(gaps(slow)).toBe(0);
    expect(slow.closed).toBeUndefined();
  });
  it("that reads nothing costs no more than its window", async () => {
    const source = new FakeSource(systemClock, "h264");
    const harness = await startHarness(source);
    const stalled = await harness.view();
    const fast = await harness.view();
    await until(() => fast.last("state") !== undefined && stalled.last("state") !== undefined, "viewers");
    stalled.socket.pause();
    source.video("codecConfig", "config");
    source.emit({ format: "h264", kind: "keyFrame", bytes: new Uint8Array(KEY_BYTES), crisp: false });
    const before = heldBuffers();
    for (let i = 1; i <= 600; i += 1) {
      source.emit({ format: "h264", kind: "delta", bytes: new Uint8Array(32_000), crisp: false });
      if (i % 20 === 0) await until(() => fast.frames.length === i + 2, "the fast one");
    }
    // 19 MB went by; a window and what waits stay. What is let go is freed a little later.
    await until(() => heldBuffers() - before < 8_000_000, "the rest to be let go", 20_000);
    await harness.close();
    expect(stalled.frames.length).toBeLessThan(60);
  });
});

/** When this returns the server has read everything the viewer sent before. */
async function roundTrip(viewer: TestViewer): Promise<void> {
  const answered = new Promise((resolve) => viewer.socket.once("pong", resolve));
  viewer.socket.ping();
  await answered;
}
