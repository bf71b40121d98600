import { describe, expect, it } from "vitest";
import type { HeldCategory, PrivacyOverview } from "../../../shared/privacy.ts";
import { itemWords, privacyStatus, serverAddress } from "./privacy-status.ts";

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

describe("the privacy status line", () => {
  it("counts only what is there and says nobody else has it", () => {
    expect(privacyStatus(overview)).toEqual({
      title: "One kind of data, all listed here",
      detail: "Nobody else: everything stays on this server.",
    });
    expect(privacyStatus({ ...overview, categories: [] }).title).toBe("Nothing is held about you");
  });
  it("names who else has some of it", () => {
    const shared = {
      ...overview,
      processors: [
        { id: "stripe", name: "Stripe", purpose: "Payments", region: "EU", retentionDays: 14, agreement: true },
      ],
    };
    expect(privacyStatus(shared).detail).toContain("Stripe");
  });
});

describe("words and addresses", () => {
  it("counts in words", () => {
    expect([0, 1, 12].map(itemWords)).toEqual(["none", "1 item", "12 items"]);
  });
  it("resolves paths against the server and refuses anything but the web", () => {
    expect(serverAddress("/privacy", "http://localhost:8787")).toBe("http://localhost:8787/privacy");
    expect(serverAddress("https://perch.example/support", undefined)).toBe("https://perch.example/support");
    expect(serverAddress("javascript:alert(1)", "http://localhost:8787")).toBeUndefined();
    expect(serverAddress("/privacy", undefined)).toBeUndefined();
  });
});
