import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type {
  BillingSummary,
  BurnView,
  CheckoutState,
  CheckoutView,
  StartPreview,
} from "../../shared/billing/billing.ts";
import { newId } from "../../shared/ids.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

describe("a server with the billing sandbox", () => {
  let server: TestServer;
  let owner: TestPerson;
  beforeAll(async () => {
    server = await startTestServer({ BILLING: "sandbox" });
    owner = await signIn(server);
  });
  afterAll(() => server.dispose());

  async function ask<T>(type: "query" | "mutation", path: string, input?: unknown, person = owner): Promise<T> {
    server.clock.advance(1_000);
    const answer = await call(server, type, path, input, person.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data as T;
  }
  const controls = () => {
    const { sandbox } = server.billing;
    if (sandbox === undefined) throw new Error("no sandbox");
    return sandbox.controls;
  };

  it("says what there is, and what a phone would cost", async () => {
    const summary = await ask<BillingSummary>("query", "billing.summary");
    expect(summary).toMatchObject({ mode: "sandbox", plan: { id: "free" }, wallet: { balance: 0 }, problems: [] });
    expect(summary.minutesLeftMs).toBeGreaterThan(0);
    const preview = await ask<StartPreview>("query", "billing.previewStart", {});
    expect(preview).toMatchObject({ covered: true, perHour: 0 });
    expect(preview.words).toMatch(/^Uses plan minutes/);
  });

  it("sells: opens a checkout, gives what was paid for once, though the person and the webhook both say so", async () => {
    const buy = { buy: { kind: "top_up", topUp: "topup_500" }, shown: { amount: 500, currency: "usd" } };
    const opened = await ask<CheckoutView>("mutation", "billing.checkout", { ...buy, idempotencyKey: "top-up-once" });
    expect(new URL(opened.url).pathname).toMatch(/^\/sandbox\//);
    expect(await ask<CheckoutState>("mutation", "billing.checkoutState", { checkoutId: opened.id })).toMatchObject({
      state: "open",
    });
    expect(await (await fetch(opened.url)).text()).toMatch(/no money moves/i);
    const session = opened.url.split("/").at(-1) ?? "";
    await controls().pay(session, "pays");
    const came = ask<CheckoutState>("mutation", "billing.checkoutState", { checkoutId: opened.id });
    await server.billing.sandbox?.tick();
    expect(await came).toMatchObject({ state: "paid" });
    await vi.waitFor(async () => {
      const summary = await ask<BillingSummary>("query", "billing.summary");
      expect(summary.wallet).toEqual({ balance: 500, frozen: false, refundable: 500 });
    });
    const stranger = await signIn(server);
    const theirs = await call(server, "mutation", "billing.checkoutState", { checkoutId: opened.id }, stranger.token);
    expect(theirs).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  it("counts a phone that runs, and shows it to whoever may see phones, without money", async () => {
    await ask("mutation", "phones.launch", { idempotencyKey: "a-phone-that-runs" });
    const burn = await ask<BurnView>("query", "billing.burn");
    expect(burn).toMatchObject({ mode: "sandbox", perHour: 0, words: "1 phone running, $0.00/h" });
    const viewer = await signIn(server, "viewer", owner.teamId);
    const seen = await ask<BurnView>("query", "billing.burn", undefined, viewer);
    expect(seen.running).toHaveLength(1);
    expect(JSON.stringify(seen)).not.toMatch(/perHour|\$/);
    expect(await ask("mutation", "billing.stopAll")).toEqual({ parked: 1 });
    expect(await ask<BurnView>("query", "billing.burn")).toMatchObject({ running: [], words: "No phone runs" });
  });

  it("has room for as many people as the plan has seats, also for those who were invited before", async () => {
    const invite = (name: string) =>
      call(server, "mutation", "teams.invite", { email: `${name}@x.example`, role: "viewer", days: 7 }, owner.token);
    const { seats } = await ask<BillingSummary>("query", "billing.summary");
    const free = seats.allowed - seats.used;
    for (let index = 0; index < free; index += 1) expect(await invite(`guest${index}`)).toMatchObject({ ok: true });
    const refused = { ok: false, error: { code: "limit_reached", message: expect.stringContaining("Add a seat") } };
    expect(await invite("late")).toMatchObject(refused);

    const { teamInvitations } = server.db.t;
    const guest = await signIn(server);
    const email = `${guest.userId.toLowerCase()}@x.example`;
    const [open] = await server.db.read.select().from(teamInvitations);
    const id = open?.id ?? newId("invitation");
    await server.db.tx((tx) =>
      tx.update(teamInvitations).set({ email, emailIndex: email, emailShown: email }).where(eq(teamInvitations.id, id)),
    );
    for (let index = 0; index < free; index += 1) await signIn(server, "viewer", owner.teamId);
    const joined = await call(server, "mutation", "teams.acceptInvitation", { invitationId: id }, guest.token);
    expect(joined).toMatchObject({ ok: false, error: { code: "limit_reached" } });
  });

  it("forgets who bought and is erased, in a team that goes on with others", async () => {
    const stays = await signIn(server, "owner", owner.teamId);
    const held = async () => JSON.stringify(await server.db.read.select().from(server.db.t.sandboxObjects));
    const email = `${owner.userId.toLowerCase()}@x.example`;
    expect(await held()).toContain(email);
    const input = { idempotencyKey: "delete-account", confirmation: email, now: true };
    const { id } = await ask<{ id: string }>("mutation", "privacy.delete", input);
    const { erasures } = server.db.t;
    await vi.waitFor(
      async () => {
        server.clock.advance(100);
        const [row] = (await server.db.read.select().from(erasures)).filter((one) => one.id === id);
        expect(row?.state).toBe("done");
      },
      { timeout: 10_000 },
    );
    for (const trace of [email, owner.userId]) expect(await held()).not.toContain(trace);
    expect(await held()).toContain(owner.teamId);
    expect((await ask<BillingSummary>("query", "billing.summary", undefined, stays)).wallet.balance).toBe(500);
  });
});

describe("a server that sends no bills", () => {
  it("counts all the same, and sells nothing", async () => {
    const server = await startTestServer();
    const owner = await signIn(server);
    const ask = (type: "query" | "mutation", path: string, input?: unknown) =>
      call(server, type, path, input, owner.token);
    expect(await ask("query", "billing.summary")).toMatchObject({ data: { mode: "off", problems: [] } });
    expect(await ask("mutation", "phones.launch", { idempotencyKey: "a-free-phone" })).toMatchObject({ ok: true });
    expect(await ask("query", "billing.burn")).toMatchObject({ data: { words: "1 phone running" } });
    expect(await ask("mutation", "billing.portal")).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(await (await fetch(`${server.url}/webhooks/stripe`, { method: "POST", body: "{}" })).json()).toMatchObject({
      error: { code: "not_found" },
    });
    await server.dispose();
  });
});
