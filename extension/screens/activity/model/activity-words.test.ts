import { describe, expect, it } from "vitest";
import type { ActivityEntry } from "../../../../shared/activity.ts";
import { byDay, entryWords } from "./activity-words.ts";

const NOW = new Date(2026, 10, 26, 9).getTime();
const entry = (seq: number, at: Date): ActivityEntry => ({
  seq,
  at: at.toISOString(),
  group: "phones",
  action: "phone.launched",
  words: "launched a phone",
  actor: { name: "Ben", isMe: seq === 1 },
});

describe("the log in words", () => {
  it("groups by the day where the person is", () => {
    const all = [
      entry(4, new Date(2026, 10, 26, 0, 1)),
      entry(3, new Date(2026, 10, 25, 23, 59)),
      entry(2, new Date(2026, 10, 25, 0, 1)),
      entry(1, new Date(2026, 10, 24, 12)),
    ];
    expect(byDay(all, NOW).map(({ title, entries }) => [title, entries.map(({ seq }) => seq)])).toEqual([
      ["Today", [4]],
      ["Yesterday", [3, 2]],
      [expect.stringMatching(/24/), [1]],
    ]);
  });
  it("says you to oneself", () => {
    const at = new Date(NOW);
    expect([entryWords(entry(1, at)), entryWords(entry(2, at))]).toEqual([
      "You launched a phone",
      "Ben launched a phone",
    ]);
  });
});
