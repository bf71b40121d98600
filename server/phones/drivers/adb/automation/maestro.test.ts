/** Each command of the language on the simulated phone, through the whole runner: what the phone did counts. */
import { spawn } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../../../../../shared/flows/commands.ts";
import { COUNTER_COLOURS, InstalledApp } from "../simulator/apps/small.ts";
import { type AndroidBench, openAndroidBench } from "./android-bench.fixture.ts";
import { type AndroidCase, APPS, CHECKING, MOVING, SETTINGS, TOUCHING, TYPING } from "./maestro.cases.ts";

let bench: AndroidBench;
beforeAll(async () => {
  bench = await openAndroidBench();
  bench.simulator.phone.packages.add(new InstalledApp("com.other.app", "Other"));
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

/** Long enough for a busy machine, by the bench's fast time; what is to fail says less. */
const LIMITS = "limits: {lookup: 30s, optional: 900ms}";
const sourceOf = ({ header = "appId: com.example.form", steps }: AndroidCase) =>
  `${header}\n${header.includes("limits:") ? "" : `${LIMITS}\n`}---\n${steps}\n`;

describe.each([
  ["apps and links", APPS],
  ["touching", TOUCHING],
  ["typing", TYPING],
  ["moving", MOVING],
  ["checking", CHECKING],
  ["settings", SETTINGS],
] as const)("a flow on an Android: %s", (_group, cases: readonly AndroidCase[]) => {
  it.each(cases)("$name", async (one) => {
    if (one.ends === "refused") {
      await expect(bench.run(sourceOf(one))).rejects.toThrow(one.words ?? /./);
      expect(bench.simulator.phone.tasks).toEqual([]);
      return;
    }
    const { state, error, steps } = await bench.run(sourceOf(one));
    expect(error === undefined ? state : `${state}: ${error.message}`).toMatch(
      one.ends === "failed" ? /^failed/ : new RegExp(`^${one.ends ?? "passed"}$`),
    );
    if (one.words !== undefined) {
      expect([error?.message, ...steps.map(({ message }) => message)].join("\n")).toMatch(one.words);
    }
    if (one.shows !== undefined)
      await expect.poll(() => one.shows?.(bench.simulator), { timeout: 5_000 }).toEqual(one.expect);
  });
});

it("startRecording and stopRecording keep the phone's own video, which plays", async () => {
  const { counter } = bench.simulator.apps;
  counter.clear();
  const run = await bench.run(
    `appId: com.example.counter\n${LIMITS}\n---\n- launchApp\n- startRecording: shop/film\n- assertVisible: Count up\n- waitForAnimationToEnd\n- tapOn: Count up\n- waitForAnimationToEnd\n- stopRecording\n- tapOn: Count up`,
  );
  expect(run.error?.message ?? run.state).toBe("passed");
  const film = run.artifacts.filter(({ kind }) => kind === "recording");
  expect(film).toMatchObject([{ name: "shop-film.mp4", mimeType: "video/mp4", step: 2 }]);
  const { bytes } = await bench.runs.artifact(bench.scope, run.id, "shop-film.mp4");
  expect(await streamOf(bytes)).toEqual({ codec_name: "h264", width: 360, height: 640 });
  const colours = await coloursOf(bytes);
  expect(colours.at(0)).toSatisfy(near(COUNTER_COLOURS[0]));
  expect(colours.at(-1)).toSatisfy(near(COUNTER_COLOURS[1]));
});

async function streamOf(video: Uint8Array): Promise<unknown> {
  const asked = ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "json", "pipe:0"];
  return JSON.parse((await piped("ffprobe", asked, video)).toString()).streams[0];
}

/** Of each picture at a place that the counter fills. */
async function coloursOf(video: Uint8Array): Promise<readonly number[]> {
  const place = "crop=2:2:150:300,scale=1:1";
  const decoded = ["-v", "error", "-i", "pipe:0", "-fps_mode", "passthrough", "-vf", place];
  const raw = await piped("ffmpeg", [...decoded, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], video);
  return Array.from({ length: raw.length / 3 }, (_, at) => raw.readUIntBE(at * 3, 3));
}

const near = (colour: number) => (found: number | undefined) =>
  found !== undefined && [16, 8, 0].every((at) => Math.abs(((colour >> at) & 255) - ((found >> at) & 255)) < 12);

async function piped(program: string, args: readonly string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  // ffprobe closes it when it has seen enough; what it said is looked at.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return buffer(child.stdout);
}

/** Shown elsewhere, or not to be shown here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  runScript: "needs a file beside the flow, and nothing of the phone",
  addMedia: "in media.test.ts",
  assertScreenshot: "needs a picture beside the flow, and only takes one of the phone",
  startRecording: "below",
  stopRecording: "below",
  assertNoDefectsWithAI: "needs Maestro's own cloud",
  extractTextWithAI: "needs Maestro's own cloud",
};

it("the cases show every command of the language", () => {
  const all = [...APPS, ...TOUCHING, ...TYPING, ...MOVING, ...CHECKING, ...SETTINGS].map(sourceOf).join("\n");
  const missing = COMMAND_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
  expect(missing.toSorted()).toEqual(
    Object.keys(ELSEWHERE)
      .filter((name) => missing.includes(name))
      .toSorted(),
  );
});
