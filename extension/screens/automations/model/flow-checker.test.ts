import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CHECK_PAUSE_MS, flowChecker } from "./flow-checker.ts";

describe("checking while typing", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  /** Answers come when the test says so, in any order. */
  function held() {
    const asked: { source: string; answer: () => void }[] = [];
    const answers: string[] = [];
    const checker = flowChecker(
      (source) => new Promise<string>((resolve) => asked.push({ source, answer: () => resolve(source) })),
      (answer) => answers.push(answer),
    );
    return { checker, asked, answers };
  }

  it("asks once for quick typing, about the newest text", () => {
    const { checker, asked } = held();
    checker.check("a");
    vi.advanceTimersByTime(CHECK_PAUSE_MS - 1);
    checker.check("ab");
    vi.advanceTimersByTime(CHECK_PAUSE_MS);
    expect(asked.map(({ source }) => source)).toEqual(["ab"]);
  });

  it("drops an answer that a newer text has overtaken, in whatever order they come", async () => {
    const { checker, asked, answers } = held();
    checker.check("old");
    vi.advanceTimersByTime(CHECK_PAUSE_MS);
    checker.check("new");
    vi.advanceTimersByTime(CHECK_PAUSE_MS);
    asked[1]?.answer();
    asked[0]?.answer();
    await vi.runAllTimersAsync();
    expect(answers).toEqual(["new"]);
  });

  it("says nothing after it was stopped", async () => {
    const { checker, asked, answers } = held();
    checker.check("a");
    vi.advanceTimersByTime(CHECK_PAUSE_MS);
    checker.stop();
    asked[0]?.answer();
    await vi.runAllTimersAsync();
    expect(answers).toEqual([]);
  });
});
