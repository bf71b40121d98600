import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { UiTree } from "../../shared/ui-tree.ts";
import type { ScreenFrame } from "../phones/driver.ts";
import { systemPace } from "./engine/pace.ts";
import { openRecordings } from "./run-recording.ts";
import { type OpenRuns, openRuns, runFlow, startFlow } from "./testing/harness.ts";

describe("recording a run", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
    at.driver.onEffect = async (what) => {
      at.clock.advance(1_000);
      at.driver.show(Buffer.from(what));
    };
  });
  afterEach(() => at.dispose());
  const videos = async (run: Awaited<ReturnType<typeof runFlow>>) =>
    Promise.all(
      run.artifacts
        .filter(({ kind }) => kind === "recording")
        .map(async ({ name, mimeType, step }) => {
          const { bytes } = await at.runs.artifact(at.scope, run.id, name);
          return [name, mimeType, step, bytes.toString()];
        }),
    );

  it("makes a video from start to stop, and one of what was still recorded at the end", async () => {
    const run = await runFlow(
      at,
      "- startRecording: first\n- inputText: a\n- inputText: b\n- stopRecording\n- back\n- startRecording: x/second\n- inputText: c",
    );
    expect(run.state).toBe("passed");
    expect(await videos(run)).toEqual([
      ["first.webm", "video/webm", 1, "0:type a|2000:type b|2000"],
      ["x-second.webm", "video/webm", 6, "0:type c|1000"],
    ]);
    expect(at.driver.watchers.size).toBe(0);
    const { body } = await at.runs.report(at.scope, run.id, "report.html");
    expect(body.match(/<video controls src="data:video\/webm;base64,/g)).toHaveLength(2);
  });

  it("is stored of a run that fails too", async () => {
    const run = await runFlow(at, "- startRecording: all\n- inputText: a\n- assertTrue: false");
    expect([run.state, (await videos(run)).length]).toEqual(["failed", 1]);
  });

  it("is stored of a run whose phone was lost", async () => {
    const { runId } = await startFlow(at, "- startRecording: all\n- inputText: a\n- evalScript: hang");
    await vi.waitFor(async () => expect((await at.runs.get(at.scope, runId)).steps).toHaveLength(3));
    // Until the picture was known to show no password.
    const { looks } = at.driver;
    await vi.waitFor(() => expect(at.driver.looks).toBeGreaterThan(looks));
    at.driver.end(at.phoneId, "out_of_memory");
    await at.runner.idle();
    const run = await at.runs.get(at.scope, runId);
    expect(run.error?.code).toBe("phone_lost");
    expect(await videos(run)).toEqual([["all.webm", "video/webm", 1, "0:type a|1000"]]);
  });

  it("records one at a time, and stops nothing with a remark", async () => {
    const twice = await runFlow(at, "- startRecording: a\n- startRecording: b");
    expect(twice.error?.message).toBe("a is being recorded already. Stop that first.");
    const none = await runFlow(at, "- stopRecording");
    expect([none.state, none.steps[0]?.message]).toEqual(["passed", "Nothing was being recorded."]);
    const { encodeVideo } = at.driver;
    Object.assign(at.driver, { encodeVideo: undefined });
    expect((await runFlow(at, "- startRecording: a")).error).toMatchObject({ code: "phone_cannot" });
    Object.assign(at.driver, { encodeVideo });
  });

  it("records until it is told to stop, however long the one before takes to be stored", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { encodeVideo } = at.driver;
    at.driver.encodeVideo = async (...video) => {
      await promise;
      return encodeVideo.call(at.driver, ...video);
    };
    const run = runFlow(
      at,
      "- startRecording: a\n- inputText: a\n- stopRecording\n- startRecording: b\n- inputText: b\n- stopRecording\n- inputText: c",
    );
    await vi.waitFor(() => expect(at.driver.effects).toContain("type c"));
    resolve();
    expect((await videos(await run)).map(([name, , , text]) => [name, text])).toEqual([
      ["a.webm", "0:type a|1000"],
      ["b.webm", "0:type b|1000"],
    ]);
    const many = await runFlow(at, "- repeat:\n    times: 30\n    commands: [startRecording: a, stopRecording]");
    expect(many.error).toMatchObject({ code: "limit", message: "A run makes at most 20 recordings." });
  });

  it("does not hold up a cancel, and leaves nothing behind then", async () => {
    const slow = await openRuns({ pace: systemPace });
    slow.driver.onEffect = async () => slow.driver.show(Buffer.from("frame"));
    slow.driver.encodeVideo = () => new Promise(() => {});
    const { runId } = await startFlow(slow, "- startRecording: a\n- back\n- stopRecording\n- tapOn: Never");
    await vi.waitFor(async () => {
      const { steps } = await slow.runs.get(slow.scope, runId);
      expect(steps.at(-1)).toMatchObject({ command: "tapOn", state: "started" });
    });
    const asked = performance.now();
    await slow.runs.cancel(slow.scope, runId);
    await slow.runner.idle();
    expect(performance.now() - asked).toBeLessThan(1_000);
    const run = await slow.runs.get(slow.scope, runId);
    expect([run.state, run.artifacts.filter(({ kind }) => kind === "recording")]).toEqual(["cancelled", []]);
    await vi.waitFor(() => expect(slow.driver.watchers.size).toBe(0));
    await slow.dispose();
  });
});

describe("what is recorded", () => {
  let now = 0;
  let tree: UiTree;
  /** What the next look waits for. */
  let looked: Promise<UiTree> | undefined;
  let show: ((frame: ScreenFrame) => void) | undefined;
  let stored: string[];
  let logs: string[];
  const root = {
    ...{ ref: "0", role: "screen", text: "", hint: "", accessibilityText: "", id: "", enabled: true, selected: false },
    ...{ checked: false, focused: false, clickable: false, password: false, children: [] },
    bounds: { x: 0, y: 0, width: 1, height: 1 },
  };
  const EMPTY: UiTree = { root, width: 360, height: 800 };
  const PASSWORD: UiTree = { ...EMPTY, root: { ...root, password: true } };
  const frame = (bytes: string | Uint8Array) =>
    show?.({ format: "jpeg", kind: "image", crisp: false, capturedAtMs: 0, bytes: Buffer.from(bytes) });
  const pass = async (ms: number) => {
    now += ms;
    await vi.advanceTimersByTimeAsync(ms);
  };
  const open = () =>
    openRecordings({
      hands: {
        tree: async () => looked ?? tree,
        film(listener) {
          show = listener;
          frame("first");
          return () => {
            show = undefined;
          };
        },
        encodeVideo: async (pictures, durationMs) =>
          Buffer.from(
            [...pictures.map(({ jpeg, atMs }) => `${atMs} ${Buffer.from(jpeg).subarray(0, 9)}`), durationMs].join("|"),
          ),
        packVideo: async (units, durationMs) =>
          Buffer.from(
            ["video", ...units.map(({ bytes, atMs }) => `${atMs} ${Buffer.from(bytes)}`), durationMs].join("|"),
          ),
      },
      keep: async (_name, video) => void stored.push(Buffer.from(video).toString()),
      log: async (line) => void logs.push(line),
      now: () => now,
    });
  beforeEach(() => {
    vi.useFakeTimers();
    [now, tree, looked, show, stored, logs] = [0, EMPTY, undefined, undefined, [], []];
  });
  afterEach(() => vi.useRealTimers());

  it("is the newest frame of each tenth of a second", async () => {
    const recordings = open();
    recordings.start("a", 1);
    await pass(0);
    for (let n = 1; n <= 30; n += 1) {
      await pass(20);
      frame(`f${n}`);
    }
    await recordings.close("keep");
    const times =
      stored[0]
        ?.split("|")
        .slice(0, -1)
        .map((one) => Number(one.split(" ")[0])) ?? [];
    expect(times.length).toBeLessThanOrEqual(7);
    expect(stored[0]).toMatch(/f30\|600$/);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("has no frame of a time in which a password could be there, and goes on after it", async () => {
    const recordings = open();
    recordings.start("a", 1);
    await pass(300);
    frame("before");
    await pass(300);
    tree = PASSWORD;
    frame("secret 1");
    await pass(300);
    frame("secret 2");
    await pass(300);
    // Gone when the next look comes; what was seen before it stays out.
    frame("secret 3");
    tree = EMPTY;
    await pass(300);
    await pass(300);
    frame("after");
    await pass(300);
    await recordings.close("keep");
    expect(stored[0]).toBe("0 first|300 before|1500 first|1800 after|2100");
  });

  it("has no frame that came while the screen was being looked at for the first time without a password", async () => {
    const recordings = open();
    recordings.start("a", 1);
    await pass(300);
    tree = PASSWORD;
    frame("x");
    await pass(300);
    const { promise, resolve } = Promise.withResolvers<UiTree>();
    looked = promise;
    frame("y");
    await pass(300);
    // Nobody knows whether this is from before the field went.
    now += 1;
    frame("secret");
    now += 150;
    looked = undefined;
    tree = EMPTY;
    resolve(EMPTY);
    await pass(0);
    await pass(300);
    await recordings.close("keep");
    expect(stored[0]).toBe("0 first|1051 first|1351");
  });

  it("is the phone's own video, which goes on with a key frame after a time in which a password could be there", async () => {
    const video = (kind: "codecConfig" | "keyFrame" | "delta", bytes: string) =>
      show?.({ format: "h264", kind, crisp: false, capturedAtMs: 0, bytes: Buffer.from(bytes) });
    const recordings = open();
    recordings.start("a", 1);
    await pass(0);
    video("codecConfig", "[sets]");
    video("keyFrame", "key");
    await pass(20);
    video("delta", "d1");
    await pass(20);
    video("delta", "d2");
    await pass(300);
    tree = PASSWORD;
    video("delta", "secret");
    await pass(300);
    video("keyFrame", "secret key");
    tree = EMPTY;
    await pass(300);
    await pass(300);
    video("delta", "of the secret");
    await pass(300);
    video("keyFrame", "after");
    video("delta", "d3");
    await pass(300);
    await recordings.close("keep");
    expect(stored).toEqual(["video|0 [sets]key|20 d1|40 d2|1540 [sets]after|1540 d3|1840"]);
  });

  it("ends after five minutes, and with too many bytes, and says so", async () => {
    const long = open();
    long.start("long", 1);
    await pass(0);
    await pass(6 * 60_000);
    expect([long.name, logs]).toEqual([undefined, ["The recording long ended after 300 seconds, which is the most."]]);
    await long.close("keep");
    expect(stored[0]).toMatch(/\|300000$/);

    const large = open();
    large.start("large", 1);
    await pass(0);
    for (let n = 0; n < 6 && large.name !== undefined; n += 1) {
      frame(Buffer.alloc(10 * 1024 * 1024 + 1));
      await pass(300);
    }
    expect(logs.at(-1)).toBe("The recording large ended after 50 MB, which is the most.");
    await large.close("keep");
    expect(stored).toHaveLength(2);
  });

  it("says when no video could be made", async () => {
    const recordings = open();
    tree = PASSWORD;
    recordings.start("a", 1);
    await pass(1_000);
    recordings.stop();
    await recordings.close("keep");
    expect([stored, logs]).toEqual([[], ["The recording a is empty: nothing could be shown."]]);
  });
});
