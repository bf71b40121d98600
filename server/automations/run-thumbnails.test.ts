import { setImmediate as later } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ScreenFrame } from "../phones/driver.ts";
import { openThumbnails } from "./run-thumbnails.ts";
import { type OpenRuns, openRuns, runFlow, startFlow } from "./testing/harness.ts";

/** Pictures of 50,000 bytes in 4 MiB. */
const FIT = 83;

describe("thumbnails of steps", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
  });
  afterEach(() => at.dispose());
  const jpeg = (text: string) => Buffer.from(`jpeg ${text}`);
  /** Each effect moves the picture. */
  const moving = (bytes: (what: string) => Buffer = jpeg) => {
    at.driver.onEffect = async (what) => at.driver.show(bytes(what));
  };
  const kept = (run: Awaited<ReturnType<typeof runFlow>>) => run.artifacts.filter(({ kind }) => kind === "thumbnail");

  it("are the newest frame at each step's end, small, and one file for the same picture", async () => {
    moving();
    const run = await runFlow(at, "- inputText: a\n- assertTrue: true\n- inputText: b\n- takeScreenshot: c");
    expect(kept(run).map(({ name, step, mimeType }) => [name, step, mimeType])).toEqual([
      ["step-1.jpg", 1, "image/jpeg"],
      ["step-2.jpg", 2, "image/jpeg"],
      ["step-3.jpg", 3, "image/jpeg"],
      ["step-4.jpg", 4, "image/jpeg"],
    ]);
    const read = async (name: string) => (await at.runs.artifact(at.scope, run.id, name)).bytes.toString();
    expect([await read("step-2.jpg"), await read("step-3.jpg")]).toEqual(["jpeg type a", "jpeg type b"]);
    const { runArtifacts } = at.test.db.t;
    const files = (await at.test.db.read.select().from(runArtifacts)).map(({ file }) => file);
    expect(new Set(files).size).toBe(3);
    // Only the least level was asked for, and nobody watches any more.
    expect(at.driver.watchers.size).toBe(0);
  });

  it("come from the pictures of a phone that sends video, as PNGs", async () => {
    const video = at.driver.screen.bind(at.driver);
    const png = (text: string) => Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47]), Buffer.from(text)]);
    let shows = "nothing";
    const refresh = () => at.driver.show(png(shows), { format: "png" });
    at.driver.screen = (id) => ({
      ...video(id),
      codec: "h264",
      listen: () => () => {},
      pictures: { ...video(id), refresh },
    });
    refresh();
    at.driver.onEffect = async (what) => {
      if (shows === "nothing") refresh();
      shows = what;
    };
    const run = await runFlow(at, "- inputText: a\n- inputText: b");
    expect(kept(run).map(({ name, mimeType }) => [name, mimeType])).toEqual([
      ["step-1.png", "image/png"],
      ["step-2.png", "image/png"],
    ]);
    const read = async (name: string) => (await at.runs.artifact(at.scope, run.id, name)).bytes.subarray(4).toString();
    // Asked for when the step was over: none of them is of before.
    expect([await read("step-1.png"), await read("step-2.png")]).toEqual(["type a", "type b"]);
  });

  it("ask for the least level, and leave stills and what is too large alone", async () => {
    let level: unknown;
    at.driver.onEffect = async (what) => {
      level = [...at.driver.watchers.values()];
      if (what === "type a") at.driver.show(jpeg("still"), { crisp: true });
      else at.driver.show(Buffer.alloc(100_000));
    };
    const run = await runFlow(at, "- inputText: a\n- inputText: b");
    expect([level, kept(run)]).toEqual([[0], []]);
  });

  it("are left out while a password field is there, before or after", async () => {
    moving();
    const field = { text: "", field: true, password: true };
    at.driver.items = [{ text: "Go", onTap: () => (at.driver.items = [field]) }];
    const run = await runFlow(at, "- inputText: first\n- tapOn: Go\n- inputText: hunter2\n- back");
    expect(run.state).toBe("passed");
    expect(kept(run).map(({ step }) => step)).toEqual([1]);
    // The field was there when the step began, and is gone by the time its picture would be stored.
    at.driver.items = [{ ...field, id: "password" }];
    at.driver.onEffect = async (what) => {
      at.driver.show(jpeg(what));
      at.driver.items = [];
    };
    expect(kept(await runFlow(at, "- tapOn: {id: password}"))).toEqual([]);
  });

  it("have a limit for one run", async () => {
    const tree = await at.driver.automation.elements(at.phoneId);
    let show: (frame: ScreenFrame) => void = () => {};
    const kept: number[] = [];
    const thumbnails = openThumbnails({
      hands: {
        tree: async () => tree,
        lastTree: () => undefined,
        askPicture: () => false,
        watch(listener) {
          show = listener;
          return () => {};
        },
      },
      async keep(_seq, bytes) {
        kept.push(bytes.length);
        return "file";
      },
    });
    for (let n = 0; n < 220; n += 1) {
      const bytes = Buffer.alloc(50_000, n);
      show({ format: "jpeg", kind: "image", crisp: false, capturedAtMs: 0, bytes });
      thumbnails.stepEnded(n);
      if (n % 10 === 0) await vi.waitFor(() => expect(kept.length).toBe(Math.min(n + 1, FIT)));
    }
    await thumbnails.close();
    expect(kept.length).toBe(FIT);
  });

  it("wait for no other step's look at the end of a run", async () => {
    const tree = await at.driver.automation.elements(at.phoneId);
    const kept: number[] = [];
    const thumbnails = openThumbnails({
      hands: {
        tree: (over) => new Promise((resolve) => over?.addEventListener("abort", () => resolve(tree))),
        lastTree: () => undefined,
        askPicture: () => false,
        watch(listener) {
          listener({ format: "jpeg", kind: "image", crisp: false, capturedAtMs: 0, bytes: jpeg("last") });
          return () => {};
        },
      },
      async keep(seq) {
        kept.push(seq);
        return "file";
      },
    });
    thumbnails.stepEnded(1);
    await later();
    await thumbnails.close();
    expect(kept).toEqual([1]);
  });

  it("never hold a step up, nor the end of a run that is cancelled", async () => {
    moving();
    const { elements } = at.driver.automation;
    at.driver.automation.elements = () => new Promise(() => {});
    const { runId } = await startFlow(at, "- back\n- back\n- evalScript: hang");
    await vi.waitFor(async () => {
      const { steps } = await at.runs.get(at.scope, runId);
      expect(steps.map(({ state }) => state)).toEqual(["passed", "passed", "started"]);
    });
    await at.runs.cancel(at.scope, runId);
    await at.runner.idle();
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "cancelled", artifacts: [] });
    at.driver.automation.elements = elements;
  });
});
