import { rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { dataFolder } from "../db/testing-run.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { runAdmin } from "./commands.ts";

/** Of a command that does not say as what it is run. */
const BY_ME = { role: "operator", by: userInfo().username };
let folder: string;
let server: TestServer;
let person: TestPerson;
let other: TestPerson;

/** The command in this process, on the running server's files. */
async function admin(...args: string[]): Promise<{ status: number; out: string[] }> {
  const out: string[] = [];
  const status = await runAdmin(args, {
    config: () => parseConfig({ DATA_DIR: join(folder, "data") }),
    clock: server.clock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  return { status, out };
}
const emailOf = ({ userId }: TestPerson) => `${userId.toLowerCase()}@x.example`;
const aboutPerson = async (action: string, { userId }: TestPerson) => {
  const { auditLog } = server.db.t;
  const rows = await server.db.read
    .select()
    .from(auditLog)
    .where(and(eq(auditLog.chain, "server"), eq(auditLog.object, userId)));
  return rows.filter((row) => row.action === action).map(({ actor, detail }) => ({ actor, detail }));
};

beforeAll(async () => {
  folder = dataFolder("perch-operator-");
  server = await startTestServer({}, { folder, driver: new FakeDriver(), clock: new ManualClock() });
  [person, other] = [await signIn(server), await signIn(server)];
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe("what an operator does beside a running server", () => {
  it("shows what is held about a person, without a secret, and the person sees who looked and why", async () => {
    const token = await apiToken(server, person, ["account"]);
    const { out } = await admin("user", "show", "--email", emailOf(person), "--reason", "ticket 12");
    const shown = out.join("\n");
    expect(out[0]).toMatch(new RegExp(`^account\t${person.userId}\t${emailOf(person)}\t–\t2026-`));
    expect(shown).toMatch(new RegExp(`^team\t${person.teamId}\tTeam\towner$`, "m"));
    expect(shown).toMatch(new RegExp(`^session\t${person.sessionId}\textension\tpassword\t`, "m"));
    expect(shown).toMatch(/^token\ttok_\S+\ttest\tpt_.{5}…\taccount\t/m);
    for (const secret of [person.token, token, "127.0.0.1"]) expect(shown).not.toContain(secret);
    expect(await aboutPerson("admin.account_read", person)).toEqual([
      { actor: "operator", detail: { reason: "ticket 12", ...BY_ME } },
    ]);
    expect(await aboutPerson("admin.account_read", other)).toEqual([]);
  });

  it("lists accounts, and everybody listed sees it", async () => {
    const { out } = await admin("user", "list", "--reason", "yearly review");
    expect(out).toHaveLength(2);
    for (const one of [person, other]) {
      expect(await aboutPerson("admin.users_listed", one)).toEqual([
        { actor: "operator", detail: { reason: "yearly review", ...BY_ME } },
      ]);
    }
  });

  it("signs a person out: their streams end within seconds, nobody else's", async () => {
    const stream = (who: TestPerson) =>
      fetch(`${server.url}/trpc/phones.events`, {
        headers: { authorization: `Bearer ${who.token}`, accept: "text/event-stream" },
      });
    const [mine, theirs] = await Promise.all([stream(person), stream(other)]);
    expect([mine.status, theirs.status]).toEqual([200, 200]);
    const ended = mine.text().catch(() => "cut");
    const startedAt = performance.now();
    const { out } = await admin("user", "sign-out", "--email", emailOf(person), "--reason", "laptop stolen");
    expect(out).toEqual(["Sessions ended: 1. API tokens that still work: 1."]);
    await ended;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await call(server, "query", "account.me", undefined, person.token)).toMatchObject({ status: 401 });
    expect(await call(server, "query", "account.me", undefined, other.token)).toMatchObject({ ok: true });
    await theirs.body?.cancel();
    expect(await aboutPerson("session.revoked", person)).toEqual([
      { actor: "operator", detail: { reason: "laptop stolen", count: 1, ...BY_ME } },
    ]);
    const again = await admin("user", "sign-out", "--email", emailOf(person), "--reason", "once more");
    expect(again.out).toEqual(["Sessions ended: 0. API tokens that still work: 1."]);
  });

  it("lists mail that will never arrive, on one line each, whatever the address holds", async () => {
    const { mailOutbox } = server.db.t;
    const createdAt = new Date(server.clock.now());
    await server.db.tx((tx) =>
      tx.insert(mailOutbox).values({
        ...{ id: newId("job"), userId: person.userId, kind: "reset" },
        ...{ recipient: "a\u001b[2J\n@x.example", recipientIndex: null },
        ...{ state: "failed", failure: "550", createdAt },
      }),
    );
    const { out } = await admin("mail", "failed", "--reason", "a call");
    expect(out).toEqual([expect.stringMatching(/^\S+\t2026-\S+\treset\ta \[2J @x\.example\t550$/)]);
    expect(await aboutPerson("admin.mail_read", person)).toEqual([
      { actor: "operator", detail: { reason: "a call", count: 1, ...BY_ME } },
    ]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain("perch_mail_failed 1\n");
    expect(metrics).toContain("perch_billing_findings 0\n");
    expect(metrics).toContain("perch_mail_waiting 0\n");
  });

  it("does not change the key while the server runs", async () => {
    await expect(admin("key", "rotate", "--reason", "test")).rejects.toThrow("Stop the server");
    expect(await call(server, "query", "account.me", undefined, other.token)).toMatchObject({ ok: true });
  });

  it.each([
    ["user", "show", "--email", "nobody@x.example", "--reason", "x"],
    ["user", "sign-out", "--email", "nobody@x.example", "--reason", "x"],
  ])("says when nobody has the address: %s %s", async (...args) => {
    await expect(admin(...args)).rejects.toThrow("No account has this address");
  });

  it.each([
    ["user", "show", "--email", "a@x.example"],
    ["user", "sign-out", "--email", "a@x.example"],
    ["mail", "failed"],
    ["key", "rotate"],
  ])("asks why: %s %s", async (...args) => {
    const { status, out } = await admin(...args);
    expect([status, out[0]]).toEqual([2, expect.stringContaining("--reason is missing")]);
  });

  it("ABUSE-40 an edited row of the audit log is named, in one chain or all of them", async () => {
    expect((await admin("audit", "verify")).out).toContainEqual(expect.stringMatching(/^server\t\d+ entries\tintact$/));
    const { auditLog } = server.db.t;
    await server.db.tx((tx) =>
      tx
        .update(auditLog)
        .set({ object: "nobody" })
        .where(and(eq(auditLog.chain, "server"), eq(auditLog.seq, 2))),
    );
    const lines: string[] = [];
    const verify = (...args: string[]) =>
      runAdmin(["audit", "verify", ...args], {
        config: () => parseConfig({ DATA_DIR: join(folder, "data") }),
        clock: server.clock,
        readStdin: async () => "",
        out: (line) => lines.push(line),
        error: (line) => lines.push(line),
      });
    await expect(verify("--chain", "server")).rejects.toThrow("changed after the fact");
    expect(lines).toEqual([expect.stringMatching(/^server\t1 entries\tchanged at entry 2$/)]);
    expect(await verify("--chain", person.teamId)).toBe(0);
    await expect(verify("--chain", "none")).rejects.toThrow("no audit chain");
  });
});
