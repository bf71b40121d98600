import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import type { PrivacyOverview } from "../../shared/privacy.ts";
import { clocksOf } from "./privacy-clock.ts";
import { clockWords, timeLeftWords } from "./privacy-clock-words.ts";
import { isGone, markOf } from "./privacy-mark.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(NOW + days * DAY_MS).toISOString();
const calm: PrivacyOverview = {
  categories: [],
  processors: [],
  policy: { version: 1, effectiveAt: "2026-01-01", url: "/privacy" },
  preferences: { restricted: false, metrics: true },
  incidents: [],
  staffLooks: 0,
  openRequests: 0,
  supportUrl: "/support",
  trustUrl: "/trust",
};
const copy = {
  id: newId("dataExport"),
  state: "ready",
  askedAt: inDays(-1),
  expiresAt: inDays(6.5),
  rows: 1,
  rowsExpected: 1,
  downloads: 0,
} as const;
const deletion = {
  id: newId("erasure"),
  state: "grace",
  askedAt: inDays(-2),
  purgeAt: inDays(5.5),
  goneBy: inDays(35),
  steps: [],
} as const;
const nextPolicy = {
  version: 2,
  effectiveAt: inDays(11),
  summary: "A new processor.",
  url: "/privacy",
  acknowledged: false,
  objected: false,
};
const incident = { id: newId("incident"), at: inDays(-1), what: "x", todo: "y", categories: [] };
const kinds = (overview: Partial<PrivacyOverview>, read: string[] = []) =>
  clocksOf({ ...calm, ...overview }, read, NOW).map(({ kind }) => kind);

describe("clocks", () => {
  it("are none when nothing runs out, and what was answered runs no more", () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ nextPolicy: { ...nextPolicy, acknowledged: true } })).toEqual([]);
    expect(kinds({ nextPolicy: { ...nextPolicy, objected: true } })).toEqual([]);
    expect(kinds({ incidents: [incident] }, [incident.id])).toEqual([]);
    expect(kinds({ export: { ...copy, state: "running" } })).toEqual([]);
    expect(kinds({ export: { ...copy, expiresAt: inDays(-0.1) } })).toEqual([]);
    expect(kinds({ deletion: { ...deletion, state: "done" } })).toEqual([]);
  });

  it("come nearest first; a deletion at work and an incident come before all", () => {
    const all = { deletion, export: copy, nextPolicy, inactiveDeletionAt: inDays(30) };
    expect(kinds({ ...all, incidents: [incident] })).toEqual([
      "incident",
      "deletion",
      "export",
      "policy",
      "inactivity",
    ]);
    const late = { ...deletion, purgeAt: inDays(7) };
    expect(kinds({ ...all, deletion: late })).toEqual(["export", "deletion", "policy", "inactivity"]);
    expect(kinds({ ...all, deletion: { ...deletion, state: "purging" } })[0]).toBe("purging");
  });

  it("need the person only where waiting decides something", () => {
    const urgent = (overview: Partial<PrivacyOverview>) => clocksOf({ ...calm, ...overview }, [], NOW)[0]?.urgent;
    expect(urgent({ deletion })).toBe(true);
    expect(urgent({ nextPolicy })).toBe(true);
    expect(urgent({ incidents: [incident] })).toBe(true);
    expect(urgent({ export: copy })).toBe(false);
    expect(urgent({ export: { ...copy, expiresAt: inDays(1) } })).toBe(true);
    expect(urgent({ export: { ...copy, expiresAt: inDays(1), downloads: 1 } })).toBe(false);
    expect(urgent({ inactiveDeletionAt: inDays(3) })).toBe(false);
    expect(urgent({ deletion: { ...deletion, state: "purging" } })).toBe(false);
  });

  it("say it in few words", () => {
    const words = (overview: Partial<PrivacyOverview>) => {
      const [clock] = clocksOf({ ...calm, ...overview }, [], NOW);
      return clock && clockWords(clock, NOW);
    };
    expect(words({ deletion })).toBe("Deletion in 5 d");
    expect(words({ deletion: { ...deletion, purgeAt: inDays(0) } })).toBe("Deletion starts now");
    expect(words({ export: copy })).toBe("Your copy is ready, 6 d left");
    expect(words({ nextPolicy })).toMatch(/^Policy v2 from /);
  });

  it("never promise more time than there is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 * DAY_MS }), (left) => {
        const words = timeLeftWords(new Date(NOW + left).toISOString(), NOW);
        const [count = "", unit = ""] = words.split(" ");
        const ms = Number(count) * ({ min: 60_000, h: 3_600_000, d: DAY_MS }[unit] ?? Number.NaN);
        expect(ms).toBeLessThanOrEqual(left);
        expect(left - ms).toBeLessThan({ min: 60_000, h: 3_600_000, d: DAY_MS }[unit] ?? 0);
      }),
    );
    expect(timeLeftWords(inDays(-1), NOW)).toBe("0 min");
  });
});

describe("the mark kept in this browser", () => {
  const server = "https://a.example";
  it("holds the nearest clock and why the account rests, and no more", () => {
    expect(markOf(server, { ...calm, preferences: { restricted: true, metrics: true } }, undefined, NOW)).toEqual({
      server,
      read: [],
      clock: undefined,
      hold: "restricted",
      purgeAt: undefined,
    });
    expect(markOf(server, { ...calm, deletion }, undefined, NOW)).toMatchObject({
      hold: "closing",
      purgeAt: deletion.purgeAt,
      clock: { kind: "deletion" },
    });
  });
  it("keeps what was read, and nothing of another server", () => {
    const before = { server, read: [incident.id] };
    expect(markOf(server, { ...calm, incidents: [incident] }, before, NOW).clock).toBeUndefined();
    expect(markOf("https://b.example", { ...calm, incidents: [incident] }, before, NOW).clock?.kind).toBe("incident");
  });
  it("takes the end of a session for the end of the account only after the days of grace", () => {
    const mark = markOf(server, { ...calm, deletion }, undefined, NOW);
    expect(isGone(mark, server, NOW)).toBe(false);
    expect(isGone(mark, server, Date.parse(deletion.purgeAt))).toBe(true);
    expect(isGone(mark, "https://b.example", Date.parse(deletion.purgeAt))).toBe(false);
    expect(isGone(markOf(server, calm, undefined, NOW), server, NOW + 99 * DAY_MS)).toBe(false);
    expect(isGone(undefined, server, NOW)).toBe(false);
  });
  it("takes what was to go now for gone, though the server's clock is ahead of this computer's", () => {
    const now = { ...deletion, askedAt: inDays(0.01), purgeAt: inDays(0.01) };
    expect(isGone(markOf(server, { ...calm, deletion: now }, undefined, NOW), server, NOW)).toBe(true);
  });
});
