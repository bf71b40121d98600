/** What a phone left on nodes that had it before: an erasure is not done while any of it may be there. */
import { eq, sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newId, type PhoneId, phoneId } from "../../shared/ids.ts";
import type { DeletionView } from "../../shared/privacy.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { createPhoneCopiesRepo } from "../phones/phone-copies.repo.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, type TestPerson } from "../testing.ts";
import { createNodesRepo } from "./nodes.repo.ts";
import { createNodesDesk } from "./nodes.service.ts";
import { type Cluster, openCluster, QUICK, type TestNode } from "./testing/cluster.ts";
import { memoryArchive } from "./testing/memory-archive.ts";

const url = process.env["TEST_DATABASE_URL"];

describe.skipIf(url === undefined)("what a phone left behind (needs a PostgreSQL server in TEST_DATABASE_URL)", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster(url ?? "", QUICK);
  });
  afterEach(() => cluster.closeAll());
  afterAll(() => cluster.dispose());

  async function eventually<T>(read: () => Promise<T>, good: (value: T) => boolean, what: string): Promise<T> {
    const deadline = performance.now() + 8_000;
    for (;;) {
      const value = await read();
      if (good(value)) return value;
      if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}; it is ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  async function launch(at: TestNode, person: TestPerson): Promise<PhoneId> {
    const made = await call(at, "mutation", "phones.launch", { idempotencyKey: newId("job") }, person.token);
    if (!made.ok) throw new Error(made.error.message);
    return phoneId.parse((made.data as { id: string }).id);
  }
  const copiesOf = (at: TestNode, id: PhoneId) => createPhoneCopiesRepo(at.db).ofPhone(id);

  /** A phone that went on at `b` when `a` was cut off, and is still on the disk of `a`. */
  async function leftBehind(names: readonly [string, string]) {
    const kept: FakeDriver["stored"] = new Map();
    const drivers = [new FakeDriver(), new FakeDriver()] as const;
    const a = await cluster.start(names[0], {}, drivers[0], memoryArchive(drivers[0].stored, kept));
    const person = await signIn(a);
    const id = await launch(a, person);
    const phone = a.phones.stored.get(id);
    if (phone === undefined) throw new Error("The phone is not there.");
    kept.set(id, phone);
    const b = await cluster.start(names[1], {}, drivers[1], memoryArchive(drivers[1].stored, kept));
    await a.db.close();
    await eventually(
      async () => b.phones.running.has(id),
      (is) => is,
      "the phone at the other node",
    );
    expect(a.phones.stored.has(id)).toBe(true);
    expect(await copiesOf(b, id)).toMatchObject([{ nodeId: a.membership.id, forgottenAt: null }]);
    return { a, b, person, id, kept };
  }
  async function erase(at: TestNode, { userId, token }: TestPerson): Promise<DeletionView["id"]> {
    const confirmation = `${userId.toLowerCase()}@x.example`;
    const asked = { idempotencyKey: "delete-account", confirmation, now: true };
    const answer = await call(at, "mutation", "privacy.delete", asked, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return (answer.data as DeletionView).id;
  }
  const erasure = async (at: TestNode, id: DeletionView["id"]) => {
    const { erasures, jobs } = at.db.t;
    // Nobody waits for the pause before the next try.
    await at.db.tx((tx) => tx.update(jobs).set({ runAt: sql`now()` }).where(eq(jobs.state, "ready")));
    const [row] = await at.db.read.select().from(erasures).where(eq(erasures.id, id));
    return row;
  };
  const tries = async (at: TestNode, id: DeletionView["id"], store: string) => {
    const { erasureSteps: t } = at.db.t;
    await erasure(at, id);
    const steps = await at.db.read.select().from(t).where(eq(t.erasureId, id));
    return steps.find((step) => step.store === store)?.attempts ?? 0;
  };
  const finished = (at: TestNode, id: DeletionView["id"]) =>
    eventually(
      () => erasure(at, id),
      (row) => row?.state === "done",
      "the end of the erasure",
    );

  it("keeps an erasure open until that node is back and has wiped it", async () => {
    const { a, b, person, id } = await leftBehind(["a1", "b1"]);
    const asked = await erase(b, person);
    await eventually(
      () => tries(b, asked, "phone-copies"),
      (count) => count >= 2,
      "tries",
    );
    expect(await erasure(b, asked)).toMatchObject({ state: "purging", certificate: null });
    expect(b.phones.stored.has(id)).toBe(false);
    const again = await cluster.start("a1", {}, new FakeDriver(a.phones.stored));
    const done = await finished(b, asked);
    expect(again.phones.stored.size).toBe(0);
    const stores = JSON.stringify(done?.certificate?.statement["stores"]);
    expect(stores).toContain("Copies of phones on machines that had them before");
    expect(stores).not.toContain("destroyed");
  });

  it("keeps an erasure open until the operator forgets that node, and the certificate says so", async () => {
    const { a, b, person } = await leftBehind(["a2", "b2"]);
    const asked = await erase(b, person);
    await eventually(
      () => tries(b, asked, "phone-copies"),
      (count) => count >= 1,
      "a try",
    );
    const audit = createAudit(b.db, b.clock, Buffer.alloc(32, 1));
    const parts = { repo: createNodesRepo(b.db, b.clock), copies: createPhoneCopiesRepo(b.db) };
    // The desk knows the lease of a real server alone.
    const { nodes } = b.db.t;
    await b.db.tx((tx) => tx.update(nodes).set({ endedAt: sql`now()` }).where(eq(nodes.name, a.name)));
    const desk = createNodesDesk({ db: b.db, ...parts, audit, clock: b.clock });
    await expect(desk.forget(a.name, "burnt", false)).rejects.toThrow("something of 1 that are gone or elsewhere");
    await desk.forget(a.name, "burnt", true);
    const done = await finished(b, asked);
    expect(done?.certificate?.statement["stores"]).toContainEqual(
      expect.objectContaining({ store: expect.stringContaining("nobody could look there"), before: 1 }),
    );
  });

  it("goes at once from a node that lives when its owner removes the phone", async () => {
    const a = await cluster.start("a3");
    const b = await cluster.start("b3");
    await a.membership.look();
    const person = await signIn(a);
    const id = await launch(a, person);
    const [owner, other] = a.phones.stored.has(id) ? [a, b] : [b, a];
    const phone = owner.phones.stored.get(id);
    if (phone === undefined) throw new Error("The phone is not there.");
    other.phones.stored.set(id, phone);
    const repo = createPhoneCopiesRepo(a.db);
    await a.db.tx((tx) => repo.add(tx, { id, teamId: person.teamId }, other.membership.id, new Date()));
    const input = { phoneId: id, idempotencyKey: "remove-phone" };
    expect(await call(other, "mutation", "phones.remove", input, person.token)).toMatchObject({ ok: true });
    await eventually(
      () => copiesOf(a, id),
      (left) => left.length === 0,
      "the look",
    );
    expect([a.phones.stored.has(id), b.phones.stored.has(id)]).toEqual([false, false]);
  });

  it("never takes what a node has that is the phone's own", async () => {
    const a = await cluster.start("a4");
    const person = await signIn(a);
    const id = await launch(a, person);
    await a.lifecycle.leave([id]);
    expect(a.phones.running.has(id)).toBe(true);
  });
});
