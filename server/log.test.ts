import { randomBytes } from "node:crypto";
import type { Column } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ID_PREFIXES, type IdKind, newId } from "../shared/ids.ts";
import { newSecret } from "./accounts/secrets.ts";
import { ManualClock } from "./clock.ts";
import { columnPrivacy } from "./db/dialect.ts";
import { tablesFor } from "./db/tables.ts";
import { createLog, errorFields, errorText, type LogFields, redact, UNLOGGED_IDS } from "./log.ts";

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
    ["a person's id", newId("user")],
    ["a session's id", newId("session")],
    ["a network address", "192.0.2.17"],
    ["a network address of six", "2001:db8:0:1:2:3:4:5"],
    ["a network address in short", "2001:db8::17"],
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
    for (const text of [
      "at run (file:///app/node_modules/@trpc/server/dist/index.js:1:2) ph_abcdefghijklmnopqrstuv",
      "connect ECONNREFUSED 127.0.0.1:5432 after 12:34:56.789 with 13.2.0 on [::1]:80",
    ]) {
      expect(redact(text)).toBe(text);
    }
  });

  it("keeps out what the data map keeps out: ids of people, and no field that could hold anything else", () => {
    const t = tablesFor.sqlite;
    /** The column each kind of id is the key of; a viewer is nobody's row. */
    const keys = {
      ...{ user: t.users.id, team: t.teams.id, phone: t.phones.id, session: t.sessions.id, apiToken: t.apiTokens.id },
      ...{ job: t.jobs.id, flow: t.flows.id, run: t.runs.id, rule: t.rules.id, secret: t.secrets.id },
      ...{ recording: t.recordings.id, webhook: t.webhooks.id, suite: t.suites.id, invitation: t.teamInvitations.id },
      ...{ passkey: t.passkeys.id, decision: t.decisions.id, dataRequest: t.dataRequests.id },
      ...{ dataExport: t.dataExports.id, erasure: t.erasures.id, statement: t.statements.id },
      ...{ incident: t.incidents.id, billingRecord: t.billingRecords.id, viewer: undefined },
      ...{ usageInterval: t.usageIntervals.id, grant: t.grants.id, ledgerEntry: t.ledgerEntries.id },
      ...{ budget: t.budgets.id, checkout: t.checkouts.id, stripeCall: t.stripeCalls.id },
      ...{ reconcileRun: t.reconcileRuns.id, upload: t.uploads.id },
      ...{ androidDevice: t.androidDevices.id, phoneHost: t.phoneHosts.id, node: t.nodes.id },
      ...{ announcement: t.announcements.id },
    } as const satisfies Record<IdKind, Column | undefined>;
    const unlogged = (Object.keys(keys) as IdKind[]).filter((kind) => {
      const column = keys[kind];
      return column !== undefined && columnPrivacy(column).log === "never";
    });
    expect(UNLOGGED_IDS).toEqual(unlogged.map((kind) => ID_PREFIXES[kind]));
    const line = JSON.parse(written("m", { phoneId: newId("user"), reason: `by ${newId("session")}` }));
    expect(line).toMatchObject({ phoneId: "[redacted]", reason: "by [redacted]" });
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
