import { describe, expect, it } from "vitest";
import { best, createLadder } from "./ladder.ts";

/** Acknowledges one frame every `everyMs` for `forMs`, each after `ackMs`; returns the time afterwards. */
function run(ladder: ReturnType<typeof createLadder>, from: number, forMs: number, ackMs: number, baseMs = 0): number {
  let now = from;
  for (; now < from + forMs; now += 33) ladder.sample(now, ackMs, baseMs);
  return now;
}

describe("ladder", () => {
  it("stays at the top while frames arrive in time", () => {
    const ladder = createLadder(0);
    run(ladder, 0, 10_000, 50);
    expect(ladder.level()).toBe(4);
  });
  it("steps down when frames take longer than 110 ms, no faster than every 700 ms", () => {
    const ladder = createLadder(0);
    const now = run(ladder, 0, 600, 130);
    expect(ladder.level()).toBe(3);
    run(ladder, now, 700, 130);
    expect(ladder.level()).toBe(2);
  });
  it("takes two steps when frames take more than twice the limit", () => {
    const ladder = createLadder(0);
    run(ladder, 0, 200, 320);
    expect(ladder.level()).toBe(2);
  });
  it("does not step between the limits", () => {
    const ladder = createLadder(0);
    const now = run(ladder, 0, 200, 130);
    run(ladder, now, 20_000, 85);
    expect(ladder.level()).toBe(3);
  });
  it("steps up after two good seconds, and waits longer after a step up that had to be taken back", () => {
    const ladder = createLadder(0);
    let now = run(ladder, 0, 200, 130);
    expect(ladder.level()).toBe(3);
    now = run(ladder, now, 1_900, 20);
    expect(ladder.level()).toBe(3);
    now = run(ladder, now, 300, 20);
    expect(ladder.level()).toBe(4);
    now = run(ladder, now, 1_000, 150);
    expect(ladder.level()).toBe(3);
    now = run(ladder, now, 3_500, 20);
    expect(ladder.level()).toBe(3);
    run(ladder, now, 1_500, 20);
    expect(ladder.level()).toBe(4);
  });
  it("climbs quickly again once a step up has lasted, however often one was taken back before", () => {
    const ladder = createLadder(0);
    let now = run(ladder, 0, 3_000, 150);
    expect(ladder.level()).toBe(0);
    for (let tries = 0; tries < 6; tries += 1) {
      while (ladder.level() === 0) now = run(ladder, now, 100, 20);
      while (ladder.level() > 0) now = run(ladder, now, 100, 150);
    }
    while (ladder.level() < 1) now = run(ladder, now, 100, 20);
    run(ladder, now, 11_000, 20);
    expect(ladder.level()).toBe(4);
  });
  it("does not take a long way for a busy link", () => {
    const ladder = createLadder(0);
    run(ladder, 0, 10_000, 190, 150);
    expect(ladder.level()).toBe(4);
  });
  it("never exceeds the viewer's limit and tries a raised limit at once", () => {
    const ladder = createLadder(0);
    expect(ladder.limit(0, 1)).toBe(true);
    run(ladder, 0, 10_000, 10);
    expect(ladder.level()).toBe(1);
    expect(ladder.limit(10_000, 4)).toBe(true);
    expect(ladder.level()).toBe(4);
  });
  it("asks for the best any viewer can take", () => {
    expect(best([1, 3, 2])).toBe(3);
    expect(best([])).toBe(0);
  });
});
