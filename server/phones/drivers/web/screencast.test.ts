import { setImmediate as later } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../clock.ts";
import type { ScreenFrame } from "../../driver.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { Gestures } from "./gestures.ts";
import { Screencast } from "./screencast.ts";

/** A page that answers every call and shows one frame a screencast. Only what a screencast uses of a session is there. */
function page(started: number[], refusals = 0): CdpSession {
  let refuse = refusals;
  let show: ((event: unknown) => void) | undefined;
  const session = {
    async send(method: string, params: { quality?: number }) {
      if (method === "Page.captureScreenshot") {
        refuse -= 1;
        if (refuse >= 0) throw new CdpError("refused", "Not attached to an active page");
        return { data: "c3RpbGw=" };
      }
      if (method !== "Page.startScreencast") return {};
      started.push(params.quality ?? 0);
      show?.({ sessionId: 1, data: "", metadata: {} });
      return {};
    },
    tell: () => {},
    on(_event: string, listener: (event: unknown) => void) {
      show = listener;
      return () => {};
    },
  };
  return session as unknown as CdpSession;
}

describe("levels of a screencast", () => {
  const size = () => ({ width: 360, height: 800 });
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await later();
  };

  it("are the best anyone needs, and fall when they are gone", async () => {
    const started: number[] = [];
    const screen = new Screencast(new ManualClock(), new Gestures(), size);
    screen.follow(page(started));
    const stop = screen.listen(() => {}, 0);
    await settle();
    expect(started.at(-1)).toBe(20);
    // A viewer: its level counts from here on, also when it changes.
    screen.setLevel(3);
    await settle();
    expect(started.at(-1)).toBe(20);
    const leave = screen.listen(() => {});
    await settle();
    expect(started.at(-1)).toBe(40);
    screen.setLevel(4);
    await settle();
    expect(started.at(-1)).toBe(60);
    leave();
    await settle();
    expect(started.at(-1)).toBe(20);
    stop();
  });

  it("of a viewer stay as they are when someone with a need of its own comes and goes", async () => {
    const started: number[] = [];
    const screen = new Screencast(new ManualClock(), new Gestures(), size);
    screen.follow(page(started));
    screen.setLevel(2);
    const leave = screen.listen(() => {});
    await settle();
    const stop = screen.listen(() => {}, 0);
    await settle();
    stop();
    stop();
    await settle();
    expect(new Set(started)).toEqual(new Set([35]));
    leave();
  });
});

describe("the still of a resting picture", () => {
  it.each([
    [3, 1],
    [100, 0],
  ])("of a page that refuses %i times comes %i times", async (refusals, stills) => {
    const screen = new Screencast(new ManualClock(), new Gestures(), () => ({ width: 360, height: 800 }));
    const frames: ScreenFrame[] = [];
    screen.follow(page([], refusals));
    screen.listen((frame) => frames.push(frame));
    await screen.still();
    expect(frames.filter(({ crisp }) => crisp).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
      Array.from({ length: stills }, () => "still"),
    );
    screen.close();
  });
});
