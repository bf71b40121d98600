/** A node is lost, comes back, or is taken out of service: what becomes of its phones, their time and their runs. */
import { and, eq, isNull } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type PhoneId, phoneId, type RunId } from "../../shared/ids.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, type TestPerson } from "../testing.ts";
import { openCuttingProxy } from "./testing/chaos/cutting-proxy.ts";
import { type Cluster, openCluster, QUICK, type TestNode } from "./testing/cluster.ts";
import { memoryArchive } from "./testing/memory-archive.ts";

const url = process.env["TEST_DATABASE_URL"];
const WAITS =
  "url: https://a.example/\n---\n- openLink: https://b.example/\n- extendedWaitUntil:\n    visible: never there\n    timeout: 600000\n";

// SQLite is one process, and PGlite is one connection of it.
describe.skipIf(url === undefined)("a node that goes (needs a PostgreSQL server in TEST_DATABASE_URL)", () => {
  let cluster: Cluster;
  let person: TestPerson;
  let key = 0;
  beforeAll(async () => {
    cluster = await openCluster(url ?? "", QUICK);
  });
  afterEach(() => cluster.closeAll());
  afterAll(() => cluster.dispose());

  async function asked<T>(at: TestNode, type: "query" | "mutation", path: string, input: unknown): Promise<T> {
    const answer = await call(at, type, path, input, person.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data as T;
  }
  async function launch(at: TestNode, input: object = {}): Promise<PhoneId> {
    key += 1;
    const made = await asked<{ id: string }>(at, "mutation", "phones.launch", {
      ...input,
      idempotencyKey: `the-phone-${key}`,
    });
    return phoneId.parse(made.id);
  }
  async function eventually<T>(read: () => Promise<T>, good: (value: T) => boolean, what: string): Promise<T> {
    const deadline = performance.now() + 6_000;
    for (;;) {
      const value = await read();
      if (good(value)) return value;
      if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}; it is ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const rowOf = async (at: TestNode, id: PhoneId) => {
    const { phones } = at.db.t;
    const [row] = await at.db.read.select().from(phones).where(eq(phones.id, id));
    if (row === undefined) throw new Error("The phone is gone.");
    return row;
  };
  const intervalsOf = (at: TestNode, id: PhoneId) => {
    const { usageIntervals: t } = at.db.t;
    return at.db.read.select().from(t).where(eq(t.phoneId, id)).orderBy(t.startedAt);
  };
  /** Cuts a node from the database: it lives on, and nobody hears of it. */
  const cut = (node: TestNode) => node.db.close();

  it("has its web phones failed with a reason, their time closed at the last beat, their runs interrupted; and they start again when it is back", async () => {
    const a = await cluster.start("a1");
    person = await signIn(a);
    const id = await launch(a);
    const b = await cluster.start("b1");
    await a.membership.look();
    const input = { source: WAITS, phoneId: id, idempotencyKey: "the-only-run" };
    const { runId } = await asked<{ runId: RunId }>(b, "mutation", "runs.start", input);
    const run = () => asked<{ state: string; error?: { code: string } }>(b, "query", "runs.get", { runId });
    await eventually(run, ({ state }) => state === "running", "the run");
    await eventually(
      async () => a.phones.shows(id),
      (shown) => shown === "https://b.example/",
      "the run's first step",
    );

    await cut(a);
    expect(await call(b, "mutation", "phones.park", { phoneId: id }, person.token)).toMatchObject({ ok: false });
    const row = await eventually(
      () => rowOf(b, id),
      ({ state }) => state === "failed",
      "the phone's end",
    );
    expect(row).toMatchObject({ reason: "node_gone", nodeId: a.membership.id, startedAt: null });
    const [interval, ...more] = await intervalsOf(b, id);
    expect(more).toEqual([]);
    expect(interval?.endedAt).toEqual(interval?.lastSeenAt);
    expect(interval).toMatchObject({ endReason: "server_crash", node: a.membership.id });
    expect(await eventually(run, ({ state }) => state === "interrupted", "the run's end")).toMatchObject({
      error: { code: "server_stopped" },
    });
    // The cut node has stopped by itself, before anybody took anything.
    expect(a.membership.mayAct()).toBe(false);
    expect(a.phones.running.size).toBe(0);

    const gone = await call(b, "mutation", "phones.start", { phoneId: id }, person.token);
    expect(gone).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(await asked(b, "query", "phones.get", { phoneId: id })).toMatchObject({ reason: "node_gone" });
    const again = await cluster.start("a1", {}, new FakeDriver(a.phones.stored));
    await b.membership.look();
    expect(await asked(b, "mutation", "phones.start", { phoneId: id })).toMatchObject({ state: "running" });
    expect(again.phones.running.has(id)).toBe(true);
  });

  it("has its Androids go on at another node, counted without a gap or an overlap", async () => {
    const [stored, running] = [new Map(), new Set<PhoneId>()];
    const driver = () => {
      const made = new FakeDriver(stored, { kind: "adb", running });
      made.offers = [{ id: "pixel", label: "Pixel" } as never];
      return made;
    };
    const a = await cluster.start("a2", {}, driver());
    person = await signIn(a);
    const id = await launch(a, { driver: "adb" });
    const b = await cluster.start("b2", {}, driver());
    await cut(a);
    const { phones } = b.db.t;
    const row = await eventually(
      () => rowOf(b, id),
      ({ nodeId, unreachableSince }) => nodeId === b.membership.id && unreachableSince === null,
      "the move",
    );
    expect(row.state).toBe("running");
    const both = await eventually(
      () => intervalsOf(b, id),
      (all) => all.length === 2,
      "the second interval",
    );
    expect(both.map(({ node }) => node)).toEqual([a.membership.id, b.membership.id]);
    expect(both[0]?.endedAt).toEqual(both[0]?.lastSeenAt);
    expect(both[1]?.startedAt.getTime()).toBeGreaterThanOrEqual(both[0]?.endedAt?.getTime() ?? Infinity);
    expect(both[1]?.endedAt).toBeNull();
    // Back again, the old node leaves it where it is.
    const again = await cluster.start("a2", {}, driver());
    await again.lifecycle.tick();
    expect((await rowOf(b, id)).nodeId).toBe(b.membership.id);
    expect(await asked(again, "mutation", "phones.park", { phoneId: id })).toMatchObject({ state: "parked" });
    const open = await b.db.read
      .select()
      .from(phones)
      .where(and(eq(phones.id, id), isNull(phones.startedAt)));
    expect(open).toHaveLength(1);
  });

  it("hands over an Android whose new node did not hear of it: that takes it up with a heartbeat", async () => {
    const [stored, running] = [new Map(), new Set<PhoneId>()];
    const driver = () => {
      const made = new FakeDriver(stored, { kind: "adb", running });
      made.offers = [{ id: "pixel", label: "Pixel" } as never];
      return made;
    };
    const a = await cluster.start("a7", {}, driver());
    person = await signIn(a);
    const id = await launch(a, { driver: "adb" });
    const b = await cluster.start("b7", {}, driver());
    // And nobody tells b.
    await a.lifecycle.handOver(await rowOf(a, id), b.membership.id);
    const both = await eventually(
      () => intervalsOf(b, id),
      (all) => all.length === 2,
      "the second interval",
    );
    expect(both.map(({ node }) => node)).toEqual([a.membership.id, b.membership.id]);
    expect(b.lifecycle.runningDriver(id)).toBe(b.drivers.need("adb"));
    expect(await rowOf(b, id)).toMatchObject({ state: "running", unreachableSince: null });
  });

  it("is drained: its phones go on elsewhere with what is on them, and its process may end", async () => {
    const kept: FakeDriver["stored"] = new Map();
    const drivers = [new FakeDriver(), new FakeDriver()] as const;
    const a = await cluster.start("a3", {}, drivers[0], memoryArchive(drivers[0].stored, kept));
    person = await signIn(a);
    const id = await launch(a, { url: "https://kept.example/" });
    const b = await cluster.start("b3", {}, drivers[1], memoryArchive(drivers[1].stored, kept));
    await a.membership.look();
    const { nodes } = b.db.t;
    await b.db.tx((tx) => tx.update(nodes).set({ draining: "operator" }).where(eq(nodes.name, "a3")));
    expect(await a.drained).toEqual({ cut: 0, handedOver: 1, parked: 0 });
    expect((await rowOf(b, id)).nodeId).toBe(b.membership.id);
    expect(b.phones.shows(id)).toBe("https://kept.example/");
    expect(a.phones.running.size).toBe(0);
    await a.close();
    expect(await asked(b, "query", "phones.get", { phoneId: id })).toMatchObject({ state: "running" });
    // Nothing of it is left behind.
    expect(drivers[0].stored.has(id)).toBe(false);
    const again = await cluster.start("a3", {}, drivers[0], memoryArchive(drivers[0].stored, kept));
    expect(again.membership.isDraining()).toBe(true);
  });

  it("leaves nothing of phones that went on elsewhere while it was cut off, also when it lives on", async () => {
    const kept: FakeDriver["stored"] = new Map();
    const drivers = [new FakeDriver(), new FakeDriver()] as const;
    const direct = new URL(cluster.url);
    const proxy = await openCuttingProxy({ host: direct.hostname, port: Number(direct.port) });
    const through = new URL(direct);
    through.port = String(proxy.port);
    const env = { DATABASE_URL: through.href };
    const a = await cluster.start("a6", env, drivers[0], memoryArchive(drivers[0].stored, kept));
    person = await signIn(a);
    const [moved, stays] = [await launch(a), await launch(a)];
    const phone = a.phones.stored.get(moved);
    if (phone === undefined) throw new Error("The phone is not there.");
    kept.set(moved, phone);
    const b = await cluster.start("b6", {}, drivers[1], memoryArchive(drivers[1].stored, kept));
    proxy.become("cut");
    await eventually(
      () => rowOf(b, moved),
      ({ nodeId }) => nodeId === b.membership.id,
      "the move",
    );
    proxy.become("passing");
    await eventually(
      async () => a.phones.stored.has(moved),
      (is) => !is,
      "the leftovers",
    );
    expect(a.phones.stored.has(stays)).toBe(true);
    expect(b.phones.stored.has(moved)).toBe(true);
    proxy.close();
  });

  it("waits for runs while it is stopped with patience, and begins no others", async () => {
    const a = await cluster.start("a4");
    person = await signIn(a);
    const id = await launch(a);
    const input = { source: WAITS, phoneId: id, idempotencyKey: "a-long-run" };
    const { runId } = await asked<{ runId: RunId }>(a, "mutation", "runs.start", input);
    const run = () => asked<{ state: string }>(a, "query", "runs.get", { runId });
    await eventually(run, ({ state }) => state === "running", "the run");
    let over = false;
    const drained = a.drain(20_000).finally(() => {
      over = true;
    });
    const second = { ...input, idempotencyKey: "another-run" };
    const waiting = await asked<{ runId: RunId }>(a, "mutation", "runs.start", second);
    const refused = await call(a, "mutation", "phones.launch", { idempotencyKey: "late-phone" }, person.token);
    expect(refused).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(over).toBe(false);
    await asked(a, "mutation", "runs.cancel", { runId });
    expect(await drained).toEqual({ cut: 0, handedOver: 0, parked: 1 });
    expect(await asked(a, "query", "runs.get", { runId: waiting.runId })).toMatchObject({ state: "queued" });
    expect(await rowOf(a, id)).toMatchObject({ state: "parked", reason: "server_stopped" });
  });

  it("leaves an api node without phones of its own, and a host without callers", async () => {
    const host = await cluster.start("host", { ROLE: "host" });
    const api = await cluster.start("api", { ROLE: "api" });
    person = await signIn(api);
    const id = await launch(api);
    expect(host.phones.running.has(id)).toBe(true);
    const answer = await fetch(`${host.url}/trpc/phones.list`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    expect(answer.status).toBe(421);
    expect((await fetch(`${host.url}/healthz`)).status).toBe(200);
  });
});
