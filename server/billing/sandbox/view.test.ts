import { describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { createIds } from "./ids.ts";
import { kindOf, type Obj, PREFIX } from "./objects.ts";
import { createMemoryStore } from "./store.ts";
import { openSandbox } from "./testing/sandbox.ts";
import { View } from "./view.ts";

const method = (id: string, customer: string | null): Obj<"payment_method"> => ({
  id,
  object: "payment_method",
  billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
  created: 0,
  customer,
  customer_account: null,
  livemode: false,
  metadata: {},
  type: "card",
});

describe("what one request sees and changes", () => {
  it("is its own until it is committed, in lists too", async () => {
    const store = createMemoryStore();
    const open = () => new View({ store, id: createIds(() => 0), nowMs: 0 });
    const first = open();
    await first.put(method("pm_1", "cus_1"));
    await first.put(method("pm_2", "cus_1"));
    expect(await open().list("payment_method")).toEqual([]);
    await first.commit(0);
    const view = open();
    await view.remove("payment_method", "pm_1");
    await view.putInner("deleted", "pm_2", { id: "pm_2", deleted: true });
    const fork = view.fork();
    await fork.put(method("pm_3", "cus_1"));
    expect((await view.list("payment_method", "cus_1")).map(({ id }) => id)).toEqual([]);
    expect((await fork.list("payment_method", "cus_1")).map(({ id }) => id)).toEqual(["pm_3"]);
    view.adopt(fork);
    await view.commit(0);
    expect((await open().list("payment_method")).map(({ id }) => id)).toEqual(["pm_3"]);
  });

  it("does not bring back what was erased meanwhile", async () => {
    const store = createMemoryStore();
    const teamId = newId("team");
    const { stripe } = openSandbox({ store });
    const { id } = await stripe.customers.create({ metadata: { perch_team: teamId } });
    const row = await store.get(id);
    expect(row?.teamId).toBe(teamId);
    store.eraseTeam(teamId);
    await store.apply({ inserts: [], updates: row ? [row] : [], removals: [] });
    expect(await store.get(id)).toBeUndefined();
  });

  it("names things by ids that sort as they were made and tell what they are", () => {
    const id = createIds(() => 1_000);
    const made = Array.from({ length: 50 }, () => id("customer"));
    expect([...made].sort()).toEqual(made);
    for (const kind of Object.keys(PREFIX) as (keyof typeof PREFIX)[]) expect(kindOf(id(kind))).toBe(kind);
  });
});
