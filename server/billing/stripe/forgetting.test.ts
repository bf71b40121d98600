import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES } from "../../db/testing.ts";
import { call, signIn, startTestServer } from "../../testing.ts";
import { createPurchasesRepo } from "./purchases.repo.ts";
import { createStripeErasure, KEPT_WORDS } from "./stripe-erasure.ts";
import { type Buyer, openPurchasesWorld, type PurchasesWorld } from "./testing/purchases-world.ts";
import { insertAccount, rename } from "./testing/rows.repo.ts";

describe.each(TEST_ENGINES)("what Stripe has of people on $name", (engine) => {
  let world: PurchasesWorld;
  let anna: Buyer;
  beforeAll(async () => {
    world = await openPurchasesWorld(engine);
  });
  beforeEach(async () => {
    world.sandbox.controls.faults.clear();
    world.clock.advance(1_000);
    anna = await world.buyer();
  });
  afterAll(() => world.dispose());
  const customerId = async (buyer = anna) => (await world.account(buyer))?.customerId ?? "";
  const statusOf = async (id: string) => (await world.stripe.subscriptions.retrieve(id)).status;

  it("a corrected name and address reach it, those of who bought and of nobody else", async () => {
    await world.subscribes(anna);
    const bert = await world.buyer("billing", anna.teamId);
    await rename(world.db, bert.userId, "Bert Other");
    await world.db.tx((tx) => world.out.tell(tx, { userId: bert.userId, field: "fullName" }));
    await world.work();
    expect(await world.stripe.customers.retrieve(await customerId())).toMatchObject({ name: "Anna Buyer" });
    world.clock.advance(1_000);
    await rename(world.db, anna.userId, "Anna Corrected");
    await world.db.tx((tx) => world.out.tell(tx, { userId: anna.userId, field: "fullName" }));
    world.sandbox.controls.faults.next("lose", `POST /v1/customers/${await customerId()}`);
    await world.work();
    world.clock.advance(120_000);
    await world.work();
    expect(await world.stripe.customers.retrieve(await customerId())).toMatchObject({ name: "Anna Corrected" });
  });

  it("a team that closes ends its plan, its ways to pay and its customer, though its rows are gone", async () => {
    await world.subscribes(anna);
    const [customer, { id: subscription }] = [await customerId(), await world.subscription(anna)];
    await world.db.tx(async (tx) => {
      await world.out.closes(tx, anna.teamId);
      await tx.delete(world.db.t.subscriptions);
      await tx.delete(world.db.t.billingAccounts);
    });
    const [call] = (await world.callsOf("customer.close")).slice(-1);
    expect(call).toMatchObject({ teamId: null, input: { customerId: customer, subscriptionIds: [subscription] } });
    world.sandbox.controls.faults.next("lose", `DELETE /v1/subscriptions/${subscription}`);
    await world.work();
    world.clock.advance(120_000);
    await world.work();
    expect(await statusOf(subscription)).toBe("canceled");
    expect(await world.stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
    expect((await world.callsOf("customer.close")).slice(-1)).toMatchObject([{ state: "done" }]);
  });

  it("a team that never bought anything asks nothing of it", async () => {
    const before = (await world.callsOf("customer.close")).length;
    await world.db.tx((tx) => world.out.closes(tx, anna.teamId));
    expect(await world.callsOf("customer.close")).toHaveLength(before);
  });

  describe("a person who goes", () => {
    const erasure = () =>
      createStripeErasure({
        ...{ db: world.db, stripe: world.stripe, repo: createPurchasesRepo(world.db), clock: world.clock },
      });
    const goes = (buyer: Buyer, teams = [buyer.teamId]) => erasure().erase({ userId: buyer.userId, email: "", teams });

    it("takes the customers of their teams along, broken off and asked again, and is told what the law keeps", async () => {
      await world.subscribes(anna);
      const [customer, { id: subscription }] = [await customerId(), await world.subscription(anna)];
      for (const call of [`DELETE /v1/subscriptions/${subscription}`, `DELETE /v1/customers/${customer}`]) {
        world.sandbox.controls.faults.next("lose", call);
        await expect(goes(anna)).rejects.toThrow();
      }
      const answer = await goes(anna);
      expect(await statusOf(subscription)).toBe("canceled");
      expect(await world.stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
      expect(answer).toMatchObject({ state: "retained", reason: KEPT_WORDS });
      expect(await goes(anna)).toMatchObject({ state: "retained" });
    });

    it("who paid nothing leaves nothing", async () => {
      expect(await goes(anna)).toEqual({ state: "gone" });
      await world.checkout(anna, { kind: "payment_method" }, 0);
      const customer = await customerId();
      expect(await goes(anna)).toEqual({ state: "gone" });
      expect(await world.stripe.customers.retrieve(customer)).toMatchObject({ deleted: true });
    });

    it("leaves a team that goes on to another owner, in whose name the customer is then", async () => {
      await world.subscribes(anna);
      const bert = await world.buyer("owner", anna.teamId);
      await rename(world.db, bert.userId, "Bert Owner");
      expect(await goes(anna, [])).toEqual({ state: "gone" });
      const customer = await world.stripe.customers.retrieve(await customerId());
      expect(customer).toMatchObject({ name: "Bert Owner", email: `${bert.userId.toLowerCase()}@x.example` });
      expect(JSON.stringify(customer)).not.toContain(anna.userId);
      expect((await world.subscription(anna)).status).toBe("active");
    });
  });
});

describe("the outbox", () => {
  it("keeps what Stripe refused with its code, and nothing of what was sent", async () => {
    const [engine] = TEST_ENGINES;
    if (engine === undefined) throw new Error("There is no engine.");
    const world = await openPurchasesWorld(engine);
    const anna = await world.buyer();
    await world.subscribes(anna);
    const other = await world.stripe.customers.create({});
    await world.stripe.customers.del(other.id);
    await world.setCustomer(anna.teamId, other.id);
    await expect(world.checkout(anna, { kind: "pack", pack: "pack_1000" }, 180)).rejects.toMatchObject({
      code: "not_found",
    });
    const calls = await world.callsOf("checkout.create");
    expect(calls.at(-1)).toMatchObject({ state: "failed", error: "resource_missing", attempts: 1 });
    expect(world.lines.join()).toContain("Stripe refused a call");
    const text = JSON.stringify([calls, world.lines]);
    expect(text).not.toContain("Anna");
    expect(text).not.toContain("@x.example");
    await world.dispose();
  });
});

describe("closing a team through the server", () => {
  it("asks Stripe to end what the team pays for, in the transaction that closes it", async () => {
    const server = await startTestServer({ BILLING: "sandbox" });
    const anna = await signIn(server);
    const second = await signIn(server);
    await server.db.tx((tx) => server.accounts.memberships.addMember(tx, second.teamId, anna.userId, "owner"));
    const { teamId } = second;
    expect(await call(server, "mutation", "teams.switch", { teamId }, anna.token)).toMatchObject({ ok: true });
    await insertAccount(server.db, teamId, "cus_of_second");
    expect(await call(server, "mutation", "teams.close", {}, anna.token)).toMatchObject({ ok: true });
    const { stripeCalls } = server.db.t;
    const asked = { kind: "customer.close", teamId: null, input: { customerId: "cus_of_second", subscriptionIds: [] } };
    expect(await server.db.read.select().from(stripeCalls)).toMatchObject([asked]);
    await server.dispose();
  });
});
