/** What a person's account holds in panel tests: realistic, so that screenshots show real lengths. */
import type { SessionView } from "../../shared/accounts.ts";
import { newId, type SessionId } from "../../shared/ids.ts";
import type { PrivacyOverview } from "../../shared/privacy.ts";

const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
const ahead = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

export function stubSessions(current: SessionId): SessionView[] {
  return [
    {
      id: current,
      kind: "extension",
      method: "password",
      current: true,
      browser: "Chrome 148",
      system: "macOS",
      timeZone: "Europe/Berlin",
      ip: "192.0.2.14",
      createdAt: ago(12),
      lastSeenAt: ago(0),
      expiresAt: ahead(48),
    },
    {
      id: newId("session"),
      kind: "web",
      method: "password",
      current: false,
      browser: "Firefox 153",
      system: "Linux",
      timeZone: "Europe/Berlin",
      ip: "192.0.2.14",
      createdAt: ago(3),
      lastSeenAt: ago(1),
      expiresAt: ahead(57),
    },
    {
      id: newId("session"),
      kind: "api",
      method: "password",
      current: false,
      browser: "Nightly checks",
      system: "API token",
      createdAt: ago(40),
      lastSeenAt: ago(2),
      expiresAt: ahead(20),
    },
  ];
}

export function stubPrivacy(): PrivacyOverview {
  return {
    categories: [
      {
        category: "user.contact.email",
        label: "E-mail address",
        purpose: "To sign you in and to write to you about your account.",
        items: 1,
        oldestAt: ago(40),
        leaves: "When you delete your account.",
        place: "On this server",
        clauses: ["P1.2"],
        rectify: "support",
      },
      {
        category: "user.name",
        label: "Name",
        purpose: "To show your team who you are.",
        items: 1,
        oldestAt: ago(40),
        leaves: "When you delete your account.",
        place: "On this server",
        clauses: ["P1.2"],
        rectify: "support",
      },
      {
        category: "user.device",
        label: "Sessions and devices",
        purpose: "To keep you signed in and let you see where.",
        items: 3,
        oldestAt: ago(40),
        leaves: "14 days after the last use, 60 days at the latest.",
        place: "On this server",
        clauses: ["P1.2"],
        rectify: "support",
      },
      {
        category: "user.content",
        label: "Phones and what is on them",
        purpose: "To give you your phones back as you left them.",
        items: 2,
        oldestAt: ago(12),
        leaves: "When you remove the phone.",
        place: "On this server, encrypted",
        clauses: ["P1.2"],
        rectify: "support",
      },
      {
        category: "user.behavior",
        label: "Record of sign-ins and changes",
        purpose: "To prove who did what, for you and for us.",
        items: 0,
        leaves: "After 400 days.",
        place: "On this server",
        clauses: ["P1.2"],
        rectify: "support",
      },
    ],
    processors: [],
    policy: { version: 1, effectiveAt: "2026-01-01T00:00:00.000Z", url: "http://localhost:8787/privacy" },
    preferences: { restricted: false, metrics: true },
    incidents: [],
    staffLooks: 0,
    openRequests: 0,
    supportUrl: "http://localhost:8787/support",
    trustUrl: "http://localhost:8787/trust",
  };
}
