import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createCrowding } from "./crowding.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Those who asked for a place, by name; `inside` names who was let in, in order. */
function crowd(most: number) {
  const crowding = createCrowding(most);
  const inside: string[] = [];
  const leaves = new Map<string, (outcome: "done" | "lost") => void>();
  return {
    inside,
    async comes(name: string, attempt = 1) {
      void crowding.enter(attempt).then((leave) => {
        inside.push(name);
        leaves.set(name, leave);
      });
      await vi.advanceTimersByTimeAsync(0);
    },
    async goes(name: string, outcome: "done" | "lost" = "done") {
      leaves.get(name)?.(outcome);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

describe("crowding", () => {
  it("lets in so many at once, in order of arrival", async () => {
    const { comes, goes, inside } = crowd(2);
    for (const name of ["a", "b", "c", "d"]) await comes(name);
    expect(inside).toEqual(["a", "b"]);
    await goes("b");
    await goes("a");
    expect(inside).toEqual(["a", "b", "c", "d"]);
  });

  it("lets in fewer after losses, and more again after successes", async () => {
    const { comes, goes, inside } = crowd(4);
    for (const name of ["a", "b"]) await comes(name);
    await goes("a", "lost");
    await goes("b", "lost");
    for (const name of ["c", "d"]) await comes(name);
    expect(inside).toEqual(["a", "b", "c"]);
    await goes("c");
    for (let n = 0; n < 10; n += 1) {
      await comes(`${n}`);
      await goes(n === 0 ? "d" : `${n - 1}`);
    }
    await goes("9");
    for (const name of ["x", "y", "z"]) await comes(name);
    expect(inside.slice(-2)).toEqual(["x", "y"]);
  });

  it("lets in first who lost most often, and alone from the fourth try on", async () => {
    const { comes, goes, inside } = crowd(2);
    await comes("a");
    await comes("b");
    await comes("c");
    await comes("second", 2);
    await comes("fourth", 4);
    await goes("a");
    expect(inside).toEqual(["a", "b"]);
    await goes("b");
    expect(inside).toEqual(["a", "b", "fourth"]);
    await goes("fourth");
    expect(inside).toEqual(["a", "b", "fourth", "second", "c"]);
  });

  it("waits for none that takes long, not even one that is alone", async () => {
    const { comes, goes, inside } = crowd(1);
    await comes("long");
    await comes("alone", 4);
    await comes("b");
    await vi.advanceTimersByTimeAsync(99);
    expect(inside).toEqual(["long"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(inside).toEqual(["long", "alone"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(inside).toEqual(["long", "alone", "b"]);
    await goes("long");
    await comes("c");
    expect(inside).toEqual(["long", "alone", "b"]);
  });
});
