import { rmSync } from "node:fs";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { BillingSummary, CheckoutView } from "../../shared/billing/billing.ts";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { dataFolder } from "../db/testing-run.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { runAdmin } from "./commands.ts";

/** A running server looks for what it is told every second or so. */
const HEARD = { timeout: 15_000 };
const DAY_MS = 24 * 3_600_000;
const WHY = ["--reason", "ticket 7"] as const;
let folder: string;
let server: TestServer;
let owner: TestPerson;

/** The command in this process, on the running server's files. */
async function admin(args: readonly string[], billing = "sandbox"): Promise<string> {
  const out: string[] = [];
  await runAdmin(args, {
    config: () => parseConfig({ DATA_DIR: join(folder, "data"), BILLING: billing }),
    clock: server.clock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  return out.join("\n");
}
async function ask<T>(type: "query" | "mutation", path: string, input?: unknown): Promise<T> {
  server.clock.advance(1_000);
  const answer = await call(server, type, path, input, owner.token);
  if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
  return answer.data as T;
}
const balance = async () => (await ask<BillingSummary>("query", "billing.summary")).wallet.balance;
/** What the owner reads of an action. */
const told = async (action: string) => {
  const { auditLog } = server.db.t;
  const rows = await server.db.read
    .select()
    .from(auditLog)
    .where(and(eq(auditLog.chain, "server"), eq(auditLog.object, owner.userId)));
  return rows.flatMap((row) => (row.action === action ? [row.detail] : []));
};
const controls = () => {
  const { sandbox } = server.billing;
  if (sandbox === undefined) throw new Error("no sandbox");
  return sandbox.controls;
};

beforeAll(async () => {
  folder = dataFolder("perch-billing-");
  server = await startTestServer(
    { BILLING: "sandbox" },
    { folder, driver: new FakeDriver(), clock: new ManualClock() },
  );
  owner = await signIn(server);
  const buy = { buy: { kind: "top_up", topUp: "topup_1000" }, shown: { amount: 1_000, currency: "usd" } };
  const { id, url } = await ask<CheckoutView>("mutation", "billing.checkout", {
    ...buy,
    idempotencyKey: "top-up-once",
  });
  await controls().pay(url.split("/").at(-1) ?? "", "pays");
  await ask("mutation", "billing.checkoutState", { checkoutId: id });
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe("what an operator does about billing beside a running server", () => {
  it("lists who pays, and the owners see who looked and why", async () => {
    expect(await admin(["billing", "customers", ...WHY])).toMatch(
      new RegExp(`^${owner.teamId}\tTeam\tfree\tno subscription, good\t\\$10\\.00\t–\tcus_`),
    );
    expect(await told("admin.billing_read")).toMatchObject([{ reason: "ticket 7", what: "customers" }]);
  });

  it("credits money and minutes with a reason, and takes an entry back once", async () => {
    await admin(["billing", "credit", "--team", owner.teamId, "--amount", "2.50", ...WHY]);
    expect(await balance()).toBe(1_250);
    await admin(["billing", "credit", "--team", owner.teamId, "--minutes", "90", "--days", "7", ...WHY]);
    const { grants } = await ask<BillingSummary>("query", "billing.summary");
    expect(grants).toContainEqual(expect.objectContaining({ kind: "promo", totalMs: 90 * 60_000 }));
    expect(await told("admin.billing_credited")).toHaveLength(2);

    const lines = (await admin(["billing", "ledger", "--team", owner.teamId, ...WHY])).split("\n");
    const credited = lines.find((line) => line.includes("\toperator\t") && line.includes("$2.50"));
    const [entry = ""] = credited?.split("\t") ?? [];
    expect(credited).toContain("ticket 7");
    const correct = ["billing", "correct", "--entry", entry, ...WHY];
    expect(await admin(correct)).toMatch(/^entry_/);
    expect(await balance()).toBe(1_000);
    await expect(admin(correct)).rejects.toMatchObject({ code: "conflict" });
    expect(await admin(["billing", "ledger", "--entry", entry, ...WHY])).toContain(`takes back ${entry}`);
    expect(await told("admin.billing_corrected")).toMatchObject([{ reason: "ticket 7", entry }]);
  });

  it("sends unused balance back, as the running server does it, and not more than is there", async () => {
    const refund = (amount: string) => admin(["billing", "refund", "--team", owner.teamId, "--amount", amount, ...WHY]);
    await expect(refund("20")).rejects.toMatchObject({ code: "conflict" });
    expect(await refund("4.00")).toContain("$4.00");
    await vi.waitFor(async () => expect(await balance()).toBe(600), { timeout: 5_000 });
    expect(await told("admin.billing_refunded")).toMatchObject([{ reason: "ticket 7" }]);
  });

  it("has the server compare the books, and shows what it found: nothing", async () => {
    expect(await admin(["billing", "reconcile", "--full", ...WHY])).toContain("compares now");
    const { reconcileRuns } = server.db.t;
    await vi.waitFor(
      async () => {
        const runs = await server.db.read.select().from(reconcileRuns).where(eq(reconcileRuns.kind, "full"));
        expect(runs.some(({ finishedAt }) => finishedAt !== null)).toBe(true);
      },
      { timeout: 5_000 },
    );
    expect(await admin(["billing", "findings", ...WHY])).toBe("");
  });

  it("freezes a balance and frees it, and notes what was put right", async () => {
    const frozen = async () => (await ask<BillingSummary>("query", "billing.summary")).wallet.frozen;
    const team = ["--team", owner.teamId, ...WHY];
    await admin(["billing", "freeze", ...team]);
    expect(await frozen()).toBe(true);
    await expect(admin(["billing", "freeze", ...team])).rejects.toMatchObject({ code: "conflict" });
    await admin(["billing", "free", ...team]);
    expect(await frozen()).toBe(false);
    await expect(admin(["billing", "free", ...team])).rejects.toMatchObject({ code: "conflict" });

    const { reconcileFindings } = server.db.t;
    const at = new Date(server.clock.now());
    await server.db.tx((tx) =>
      tx.insert(reconcileFindings).values({
        ...{ id: "amount_differs:cs_1", runId: newId("reconcileRun"), teamId: owner.teamId, kind: "amount_differs" },
        ...{ objectId: "cs_1", words: "300 was paid, 500 was asked for.", resolvedAt: null, createdAt: at },
      }),
    );
    const [id = ""] = (await admin(["billing", "findings", ...WHY])).split("\t");
    await admin(["billing", "resolve", "--finding", id, ...WHY]);
    expect(await admin(["billing", "findings", ...WHY])).toBe("");
    await expect(admin(["billing", "resolve", "--finding", id, ...WHY])).rejects.toMatchObject({ code: "not_found" });
    expect(await told("admin.billing_reconciled")).toMatchObject([{ reason: "ticket 7", finding: id }]);
  });

  it("says what a sync would change: nothing, after the server has done it", async () => {
    expect(await admin(["billing", "sync", "--dry-run", ...WHY])).toMatch(/^0 changes/);
  });

  it("tells the sandbox how time passes and what goes wrong", async () => {
    const before = await controls().now();
    await admin(["sandbox", "clock", "--days", "3", ...WHY]);
    await vi.waitFor(async () => expect(await controls().now()).toBeGreaterThanOrEqual(before + 3 * DAY_MS), HEARD);
    await admin(["sandbox", "faults", "--drops", "0.5", "--reorder", ...WHY]);
    await vi.waitFor(
      () =>
        expect(controls().faults.settings).toMatchObject({ dropWebhooks: 0.5, reorderWebhooks: true, failCalls: 0 }),
      HEARD,
    );
    await admin(["sandbox", "faults", ...WHY]);
    await vi.waitFor(() => expect(controls().faults.settings).toMatchObject({ dropWebhooks: 0 }), HEARD);
  });

  it.each([
    [["billing", "credit", "--team", newId("team"), "--amount", "5"], "not_found"],
    [["billing", "credit", "--team", "nobody", "--amount", "5"], "bad_input"],
    [["billing", "credit", "--team", newId("team"), "--amount=-5"], "bad_input"],
    [["billing", "credit", "--team", newId("team"), "--amount", "5.001"], "bad_input"],
    [["billing", "credit", "--team", newId("team")], "bad_input"],
    [["billing", "ledger"], "bad_input"],
    [["billing", "ledger", "--entry", newId("ledgerEntry")], "not_found"],
    [["billing", "correct", "--entry", newId("ledgerEntry")], "not_found"],
    [["sandbox", "faults", "--drops", "2"], "bad_input"],
  ])("refuses %j", async (args, code) => {
    await expect(admin([...args, ...WHY])).rejects.toMatchObject({ code });
  });

  it.each([[["billing", "refund", "--team", newId("team"), "--amount", "5"]], [["sandbox", "clock", "--days", "1"]]])(
    "does nothing of %j where no bills are sent",
    async (args) => {
      await expect(admin([...args, ...WHY], "off")).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
