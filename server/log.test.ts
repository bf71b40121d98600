import { describe, expect, it } from "vitest";
import { newSecret } from "./accounts/secrets.ts";
import { ManualClock } from "./clock.ts";
import { createLog, errorFields } from "./log.ts";

function logged(work: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  work(createLog({ clock: new ManualClock(), write: (line) => lines.push(line) }));
  return lines;
}

describe("log", () => {
  it("writes one JSON object a line, whatever the text holds", () => {
    const lines = logged((log) => log.warn('two\r\nlines\u2028{"level":"error"}', { reason: "a\nb" }));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd().split(/[\r\n\u2028]/)).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", time: "2026-01-01T00:00:00.000Z" });
  });

  it.each([
    ["a session token", newSecret("cp_")],
    ["an API token", newSecret("pt_")],
    ["a ticket", newSecret()],
    ["an e-mail address", "ada.lovelace+perch@example.org"],
    ["an address somebody visited", "https://shop.example/blue-chair?q=secret"],
    ["a password hash", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"],
    ["a Stripe key", "sk_live_51H8abcdefgh"],
  ])("hides %s", (_what, secret) => {
    const [line] = logged((log) =>
      log.error(`failed with ${secret} here`, { error: secret, ...errorFields(new Error(secret)) }),
    );
    expect(line).not.toContain(secret);
    expect(line).toContain("[redacted]");
  });

  it("drops fields it does not know", () => {
    const [line] = logged((log) => log.info("x", { email: "plain", phoneId: "ph_1", url: "y" }));
    expect(JSON.parse(line ?? "")).toEqual({ time: expect.any(String), level: "info", message: "x", phoneId: "ph_1" });
  });
});
