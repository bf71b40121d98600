import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { createAccountServices } from "../accounts/compose.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import type { Database } from "../db/database.ts";
import { dataFolder } from "../db/testing-run.ts";
import { requestInfo } from "../http/pages/testing.ts";
import { deriveKey } from "../keys.ts";
import { openDatabase } from "../open-database.ts";

const PASSWORD = "blaue gurken tanzen";
let folder: string;
let env: Record<string, string>;
let db: Database;
let services: ReturnType<typeof createAccountServices>;

/** The command as an operator runs it, in a process of its own. */
async function admin(args: string[], input = ""): Promise<{ status: number | null; out: string; error: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    cwd: folder,
  });
  // A command that reads nothing may be over before.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, error, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { status, out, error };
}

describe("admin commands beside an open database", () => {
  beforeAll(async () => {
    folder = dataFolder("perch-admin-");
    env = { DATA_DIR: join(folder, "data") };
    const config = parseConfig(env);
    const opened = await openDatabase(config);
    db = opened.db;
    services = createAccountServices({
      db,
      audit: createAudit(db, systemClock, deriveKey(opened.master, "audit heads")),
      limiter: { take: async () => {}, takeOfNetwork() {} },
      jobs: { enqueue: async () => true, wake() {} },
      clock: systemClock,
      config,
      publicUrl: config.publicUrl,
      key: deriveKey(opened.master, "mail"),
      abuseKey: deriveKey(opened.master, "abuse signals"),
      factorsKey: deriveKey(opened.master, "second factors"),
      uninstallKey: deriveKey(opened.master, "uninstall links"),
    });
  });
  afterAll(async () => {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("makes an account that can sign in at once, lists it, and makes a token for it", async () => {
    const made = await admin(
      ["user", "create", "--email", "Ada@x.example", "--password-stdin", "--name", "Ada"],
      `${PASSWORD}\n`,
    );
    expect(made).toMatchObject({ status: 0, error: "" });
    expect(made.out).toMatch(/^usr_[\w-]{22} Ada@x\.example\n$/);
    await services.accounts.signIn({ email: "ada@x.example", password: PASSWORD }, requestInfo());

    const listed = await admin(["user", "list", "--reason", "ticket 7"]);
    expect(listed.out).toMatch(/^usr_[\w-]{22}\t\S+\tAda@x\.example\tAda\n$/);
    const { auditLog } = db.t;
    const [looked] = (await db.read.select().from(auditLog)).filter(({ action }) => action === "admin.users_listed");
    expect(looked).toMatchObject({ chain: "server", actor: "operator", detail: { reason: "ticket 7" } });

    const token = await admin([
      "token",
      "create",
      "--email",
      "ada@x.example",
      "--name",
      "ci",
      "--scopes",
      "phones:view,account",
      "--days",
      "30",
    ]);
    expect(token).toMatchObject({ status: 0, error: "" });
    expect(token.out).toMatch(/^pt_[\w-]{43}\n$/);
    expect(await services.sessions.find(token.out.trim(), requestInfo())).toMatchObject({
      scopes: ["phones:view", "account"],
      role: "owner",
    });
    const [stored] = await db.read.select().from(db.t.apiTokens);
    expect(stored && stored.expiresAt.getTime() - stored.createdAt.getTime()).toBe(30 * 86_400_000);
    const [told] = (await services.mail.preview()).filter(({ subject }) => subject === "A new API token for Perch");
    expect(told?.recipient).toBe("Ada@x.example");
  });

  it("lists what waits for a person, and lifts it with a reason the person is told", async () => {
    const someone = await services.accounts.create({ email: "held@x.example", password: PASSWORD }, "operator");
    const id = newId("decision");
    const words = "I am\u001b[2J one\nperson";
    await db.tx(async (tx) => {
      const { decisions } = db.t;
      const said = await db.keys.row(tx, decisions, { userId: someone.id, contest: words });
      await tx.insert(decisions).values({
        ...{ id, ...said, kind: "sign_up", action: "hold", state: "contested", score: 85 },
        ...{ signals: [{ signal: "disposable_address", weight: 40 }], createdAt: new Date() },
      });
    });
    const listed = await admin(["decision", "list", "--reason", "queue"]);
    expect(listed.error).toBe("");
    expect(listed.out).toMatch(new RegExp(`^${id}\\t\\S+\\theld@x\\.example\\tsign_up\\thold\\tcontested\\t85\n`));
    expect(listed.out).toContain("They say: I am [2J one person\n");
    const lifted = await admin(["decision", "lift", "--id", id, "--reason", "A class of a school."]);
    expect(lifted).toEqual({ status: 0, error: "", out: `${id} lifted\n` });
    expect(await services.standing.list(someone.id)).toMatchObject([{ id, state: "lifted" }]);
    const mails = (await db.read.select().from(db.t.mailOutbox)).filter(({ userId }) => userId === someone.id);
    expect(mails).toMatchObject([{ kind: "review_done", recipient: "held@x.example" }]);
    const again = await admin(["decision", "uphold", "--id", id, "--reason", "x"]);
    expect(again).toMatchObject({ status: 1, error: expect.stringContaining("lifted already") });
  });

  it("enters a request to delete an account: the person is told, and the running server does it", async () => {
    const leaver = await services.accounts.create({ email: "Leaver@x.example", password: PASSWORD }, "operator");
    const asked = ["user", "erase", "--email", "leaver@x.example", "--reason", "A letter of 2 May."];
    const entered = await admin(asked);
    expect(entered).toMatchObject({ status: 0, error: "" });
    expect(entered.out).toMatch(/^The running server deletes the account at \S+Z\. Until then/);
    const { erasures, jobs, dataRequests, auditLog, mailOutbox } = db.t;
    const [row] = await db.read.select().from(erasures);
    expect(row).toMatchObject({ userId: leaver.id, state: "grace" });
    expect(row && row.purgeAt.getTime() - row.askedAt.getTime()).toBe(7 * 86_400_000);
    expect(await db.read.select().from(dataRequests)).toMatchObject([{ id: row?.requestId, kind: "delete" }]);
    const waiting = (await db.read.select().from(jobs)).map(({ kind }) => kind);
    expect(waiting).toEqual(expect.arrayContaining(["privacy.stop_work", "erasure.purge"]));
    const told = (await db.read.select().from(mailOutbox)).filter(({ userId }) => userId === leaver.id);
    expect(told.map(({ kind }) => kind)).toContain("account_deletion");
    const entries = (await db.read.select().from(auditLog)).filter(({ action }) => action === "admin.erasure_asked");
    expect(entries).toMatchObject([{ actor: "operator", object: leaver.id, detail: { reason: "A letter of 2 May." } }]);
    expect(await admin(asked)).toMatchObject({ status: 1, error: expect.stringContaining("being deleted already") });
  });

  it.each<[string, string[], string, number, RegExp]>([
    [
      "an address that is taken",
      ["user", "create", "--email", "ada@x.example", "--password-stdin"],
      PASSWORD,
      1,
      /has an account already/,
    ],
    [
      "a weak password",
      ["user", "create", "--email", "b@x.example", "--password-stdin"],
      "passwordpassword",
      1,
      /tried first/,
    ],
    [
      "no such time",
      ["token", "create", "--email", "ada@x.example", "--name", "n", "--days", "9"],
      "",
      1,
      /--days: Choose from: 7, 30, 90, 365/,
    ],
    [
      "no such scope",
      ["token", "create", "--email", "ada@x.example", "--name", "n", "--scopes", "all"],
      "",
      1,
      /no scope “all”/,
    ],
    [
      "an unknown person",
      ["token", "create", "--email", "nobody@x.example", "--name", "n"],
      "",
      1,
      /No account has this address/,
    ],
    ["no reason", ["user", "list"], "", 2, /--reason is missing/],
    ["no decision", ["decision", "lift", "--id", "dec_1", "--reason", "x"], "", 1, /not a decision id/],
    ["an unknown option", ["user", "list", "--why", "x"], "", 2, /--why/],
    ["an unknown command", ["user", "fetch"], "", 2, /There is no command “user fetch”/],
  ])("refuses %s with a sentence and a status", async (_, args, input, status, words) => {
    const refused = await admin(args, input);
    expect(refused.error).toMatch(words);
    expect(refused).toMatchObject({ status, out: "" });
  });
});
