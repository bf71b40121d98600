import { describe, expect, it } from "vitest";
import type { HeldCategory, PrivacyOverview } from "../../../../shared/privacy.ts";
import {
  ageWords,
  byNearness,
  heldLine,
  itemWords,
  listed,
  nextWords,
  serverAddress,
  statusOf,
} from "./privacy-words.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const inDays = (days: number) => new Date(NOW + days * 86_400_000).toISOString();
const email: HeldCategory = {
  category: "user.contact.email",
  label: "E-mail address",
  purpose: "To sign you in.",
  items: 1,
  leaves: "With your account.",
  place: "On this server",
  clauses: ["P1.2"],
  rectify: "support",
};
const overview: PrivacyOverview = {
  categories: [email, { ...email, label: "Name", items: 0 }],
  processors: [],
  policy: { version: 1, effectiveAt: "2026-01-01", url: "/privacy" },
  preferences: { restricted: false, metrics: true },
  incidents: [],
  staffLooks: 0,
  openRequests: 0,
  supportUrl: "/support",
  trustUrl: "/trust",
};
const stripe = { id: "stripe", name: "Stripe", purpose: "Payments", region: "EU", retentionDays: 14, agreement: true };

describe("the status line", () => {
  it("says all clear, counts only what is there, and that nobody else has it", () => {
    expect(statusOf(overview, undefined, NOW)).toEqual({
      title: "All clear",
      detail: "1 kind of data, and nobody else has any.",
      tone: "clear",
    });
    expect(statusOf({ ...overview, categories: [] }, undefined, NOW).detail).toBe("Nothing is held about you.");
  });
  it("names who else has some of it", () => {
    expect(statusOf({ ...overview, processors: [stripe] }, undefined, NOW).detail).toContain("Stripe has some.");
    const two = [stripe, { ...stripe, id: "s3", name: "Storage" }];
    expect(statusOf({ ...overview, processors: two }, undefined, NOW).detail).toContain(
      "Stripe and Storage have some.",
    );
  });
  it("is never all clear while use is restricted or a clock runs", () => {
    const restricted = { ...overview, preferences: { restricted: true, metrics: true } };
    expect(statusOf(restricted, undefined, NOW)).toMatchObject({
      tone: "due",
      title: "Use of your data is restricted",
    });
    const clock = { kind: "deletion", at: inDays(5.5), urgent: true } as const;
    expect(statusOf(overview, clock, NOW)).toMatchObject({ title: "Deletion in 5 d", tone: "due" });
    expect(statusOf(overview, { ...clock, kind: "incident" }, NOW)).toMatchObject({ tone: "bad" });
    expect(statusOf(overview, { ...clock, kind: "export", urgent: false }, NOW)).toMatchObject({ tone: "news" });
  });
});

describe("what is held", () => {
  it("says how old it is and what goes next, or when it goes at all", () => {
    const next = { items: 12, at: inDays(1.5) };
    expect(heldLine({ ...email, oldestAt: inDays(-88), next }, NOW)).toBe("oldest 88 d · 12 go in 2 d");
    expect(heldLine({ ...email, oldestAt: inDays(-3) }, NOW)).toBe("oldest 3 d · goes with your account");
    expect(heldLine({ ...email, items: 0 }, NOW)).toBe("Nothing right now");
    expect([0.5, 1, -1].map((days) => nextWords({ items: 1, at: inDays(days) }, NOW))).toEqual([
      "1 goes tomorrow",
      "1 goes tomorrow",
      "1 goes today",
    ]);
  });
  it("comes in the order in which it goes, and what there is none of comes last", () => {
    const named = (label: string, over: Partial<HeldCategory>) => ({ ...email, label, category: label, ...over });
    const sorted = byNearness([
      named("none", { items: 0 }),
      named("few", { items: 2 }),
      named("later", { next: { items: 1, at: inDays(9) } }),
      named("many", { items: 900 }),
      named("soon", { next: { items: 1, at: inDays(1) } }),
    ]);
    expect(sorted.map(({ label }) => label)).toEqual(["soon", "later", "many", "few", "none"]);
  });
});

describe("words and addresses", () => {
  it("counts in words", () => {
    expect([0, 1, 12].map(itemWords)).toEqual(["none", "1 item", "12 items"]);
    expect([["a"], ["a", "b"], ["a", "b", "c"], []].map(listed)).toEqual(["a", "a and b", "a, b and c", ""]);
  });
  it("says how old something is", () => {
    expect([0, 1, 99, 200, 800].map((days) => ageWords(inDays(-days), NOW))).toEqual([
      "today",
      "1 d",
      "99 d",
      "6 months",
      "2 years",
    ]);
  });
  it("resolves paths against the server and refuses anything but the web", () => {
    expect(serverAddress("/privacy", "http://localhost:8787")).toBe("http://localhost:8787/privacy");
    expect(serverAddress("https://perch.example/support", undefined)).toBe("https://perch.example/support");
    expect(serverAddress("javascript:alert(1)", "http://localhost:8787")).toBeUndefined();
    expect(serverAddress("/privacy", undefined)).toBeUndefined();
  });
});
