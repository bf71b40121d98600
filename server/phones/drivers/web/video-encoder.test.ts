import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TimedPicture } from "../../driver.ts";
import { type Bench, Hand, openBench, type Site, serveSite } from "./web.fixture.ts";

const PAGES = {
  "/moves": `<title>Moves</title><style>@keyframes go{to{transform:translateX(200px)}}div{animation:go .5s linear infinite;width:90px;height:90px;background:red}</style><div></div>`,
} as const;

let bench: Bench;
let site: Site;
beforeAll(async () => {
  site = await serveSite(PAGES);
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
  await site.close();
});

it("makes a WebM of a phone's frames at their times, in a browser that is gone afterwards", async () => {
  const hand = new Hand(bench.driver);
  await bench.driver.create(hand.spec);
  await bench.driver.start(hand.spec, `${site.base}/moves`);
  const stop = hand.watch();
  while (hand.frames.length < 8) await hand.nextFrame();
  stop();
  const pictures: TimedPicture[] = hand.frames.slice(0, 8).map(({ bytes }, at) => ({ jpeg: bytes, atMs: at * 700 }));
  const video = await bench.driver.encodeVideo?.(pictures, 9_000);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(video ?? new Uint8Array()) });
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new Error("There is no picture in it.");
  const times: number[] = [];
  const keys: number[] = [];
  for await (const { timestamp, type } of new EncodedPacketSink(track).packets()) {
    times.push(Math.round(timestamp * 1_000));
    if (type === "key") keys.push(Math.round(timestamp * 1_000));
  }
  expect(times).toEqual([0, 700, 1_400, 2_100, 2_800, 3_500, 4_200, 4_900, 9_000]);
  expect(keys[0]).toBe(0);
  expect(keys.length).toBeGreaterThan(2);
  expect(track.codec).toBe("vp8");
  expect(await track.computeDuration()).toBeCloseTo(9, 1);
  await expect(bench.driver.encodeVideo?.([], 100)).rejects.toThrow("no picture");
  await expect(bench.driver.encodeVideo?.([{ jpeg: Buffer.from("none"), atMs: 0 }], 100)).rejects.toThrow();
});
