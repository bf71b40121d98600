/** What a person's account holds in panel tests: realistic, so that screenshots show real lengths. */
import type { SessionView } from "../../shared/accounts.ts";
import { newId, type SessionId } from "../../shared/ids.ts";

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
