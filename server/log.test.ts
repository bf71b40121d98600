import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newSecret } from "./accounts/secrets.ts";
import { ManualClock } from "./clock.ts";
import { createLog, errorFields, errorText, type LogFields, redact } from "./log.ts";

function written(message: string, fields?: LogFields): string {
  const lines: string[] = [];
  createLog({ clock: new ManualClock(), write: (line) => lines.push(line) }).error(message, fields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

describe("the log", () => {
  it("writes one JSON object a line and drops fields it does not know", () => {
    const line = written("A call failed", {
      requestId: "r",
      durationMs: 3,
      email: "a@b.example",
      ip: "192.0.2.1",
      url: "x",
    });
    expect(JSON.parse(line)).toEqual({
      time: "2026-01-01T00:00:00.000Z",
      level: "error",
      message: "A call failed",
      requestId: "r",
      durationMs: 3,
    });
  });

  it.each([
    ["a session token", newSecret("cp_")],
    ["an API token", newSecret("pt_")],
    ["a ticket or link", newSecret()],
    ["a ticket in its protocol", `ticket.${newSecret()}`],
    ["a key", randomBytes(32).toString("hex")],
    ["a password hash", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"],
    ["a Stripe key", "sk_live_abc123"],
    ["a webhook secret", "whsec_abc123"],
    ["an address", "first.last+tag@mail.example.org"],
    ["an address without a dot", "root@localhost"],
    ["an address in other letters", "юзер@пример.рф"],
    ["a page address", "https://private.example/path?q=secret#frag"],
  ])("hides %s wherever it stands", (_what, secret) => {
    for (const text of [secret, `before ${secret} after`, `x=${secret}`, `<${secret}>`, `"${secret}"`, `(${secret})`]) {
      for (const line of [written(text), written("m", { error: text }), written("m", errorFields(new Error(text)))]) {
        expect(line).not.toContain(secret);
        expect(line).toContain("[redacted]");
      }
    }
  });

  it("lets ids, paths and frames of packages through", () => {
    const text = "at run (file:///app/node_modules/@trpc/server/dist/index.js:1:2) ph_abcdefghijklmnopqrstuv";
    expect(redact(text)).toBe(text);
  });

  it("cannot be made to write a second line, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const line = written(`${text}\r\n{"level":"info"}\u2028\u0085`, { reason: text });
        expect(line.slice(0, -1)).not.toMatch(/[\n\r\u2028\u2029\u0085]/);
        expect(JSON.parse(line).level).toBe("error");
      }),
    );
  });

  it("stays quick on long text", () => {
    const started = performance.now();
    redact("a".repeat(1_000_000));
    redact("a@".repeat(500_000));
    redact("a.b-".repeat(250_000));
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("keeps the values of a failed query out, in the text and in the frames", () => {
    const error = new Error(
      "Failed query: insert into users values ($1)\nparams: Anna Secret,\n    at Anna (secret.ts)",
      {
        cause: new Error("duplicate key value"),
      },
    );
    const fields = errorFields(error);
    expect(JSON.stringify(fields)).not.toContain("Anna");
    expect(fields.error).toBe("Error: Failed query (duplicate key value)");
    expect(fields.stack).toMatch(/^at /);
    expect(errorText("plain")).toBe("plain");
  });
});
