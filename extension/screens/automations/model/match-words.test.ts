import { describe, expect, it } from "vitest";
import { matchWords } from "./match-words.ts";

const bounds = { x: 0, y: 0, width: 1, height: 0.1 };
const step = { path: "0", line: 3, selects: true };
const match = (words: string) => ({ bounds, words });

describe("words about what a step means", () => {
  it("count, name what is taken, and warn of none and of several", () => {
    expect(matchWords({ step, count: 1, matches: [match("Buy")] }, "Pixel")).toEqual({
      words: "1 fits: “Buy”.",
      tone: "good",
    });
    expect(matchWords({ step, count: 3, matches: [match("Buy"), match("Buy")] }, "Pixel")).toEqual({
      words: "3 fit; the first is taken: “Buy”.",
      tone: "warn",
    });
    expect(matchWords({ step, count: 0, matches: [] }, "Pixel")).toEqual({
      words: "Nothing on Pixel fits now.",
      tone: "warn",
    });
  });
  it("say why nothing is counted, and are quiet where no element is meant", () => {
    expect(matchWords({ step, count: 0, matches: [], note: "Only in a run." }, "Pixel").words).toBe("Only in a run.");
    for (const quiet of [
      undefined,
      { count: 0, matches: [] },
      { step: { ...step, selects: false }, count: 0, matches: [] },
    ]) {
      expect(matchWords(quiet, "Pixel").tone).toBe("neutral");
    }
  });
});
