/** The register of nodes on every engine: who lives, who may come, who is forgotten. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { newId } from "../../shared/ids.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { silentLog } from "../log.ts";
import { createPhoneCopiesRepo } from "../phones/phone-copies.repo.ts";
import { fenceAt, isLiving, LEASE } from "./lease.ts";
import { createMembership, type MembershipListener } from "./membership.ts";
import { createNodesRepo, type NodesRepo } from "./nodes.repo.ts";
import { createNodesDesk } from "./nodes.service.ts";

const TIMES = { beatMs: 40, leaseMs: 900, marginMs: 100 };
const NOTHING: MembershipListener = {
  fenced: async () => {},
  rejoined: async () => {},
  beaten: async () => {},
  draining() {},
};

describe("a lease", () => {
  const times = fc.record({
    beatMs: fc.integer({ min: 1, max: 10_000 }),
    leaseMs: fc.integer({ min: 1, max: 60_000 }),
    marginMs: fc.integer({ min: 0, max: 10_000 }),
  });
  it("ends for the node itself before it ends for anybody else, however long the heartbeat was on its way", () => {
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 0, max: 1e12 }),
        fc.nat({ max: 60_000 }),
        fc.nat({ max: 120_000 }),
        (lease, asked, way, later) => {
          // One clock for both here: the database writes the heartbeat some time after the node asked.
          const row = { heartbeatAt: new Date(asked + way), endedAt: null };
          const now = asked + later;
          const nodeStopped = now >= fenceAt(asked, lease);
          return isLiving(row, new Date(now), lease) || nodeStopped;
        },
      ),
    );
  });
  it("is over at once when it was given back", () => {
    const at = new Date(1_000);
    expect(isLiving({ heartbeatAt: at, endedAt: at }, at, LEASE)).toBe(false);
    expect(isLiving({ heartbeatAt: at, endedAt: null }, new Date(15_999), LEASE)).toBe(true);
    expect(isLiving({ heartbeatAt: at, endedAt: null }, new Date(16_000), LEASE)).toBe(false);
  });
});

describe.each(TEST_ENGINES)("nodes on $name", (engine) => {
  let test: TestDatabase;
  let repo: NodesRepo;
  const isAlone = engine.name === "SQLite";
  const clock = new ManualClock(Date.now());
  beforeAll(async () => {
    test = await engine.open();
    repo = createNodesRepo(test.db, clock);
  });
  afterAll(() => test.dispose());

  const aNode = (name: string, id = newId("node")) => ({
    ...({ id, name, boot: newId("job"), role: "all", address: null, certificate: null } as const),
    ...{ region: "local", version: "1", capacity: 4 },
  });
  const join = (node: ReturnType<typeof aNode>, monotonic = { now: () => performance.now() }) =>
    createMembership({ db: test.db, repo, monotonic, log: silentLog, node, times: LEASE });

  it("register, are seen living, and give their lease back when they stop", async () => {
    const membership = join(aNode("first"));
    await membership.register();
    expect(await repo.seen(test.db.read, LEASE)).toMatchObject([{ name: "first", living: true, taken: 0 }]);
    expect(membership.mayAct()).toBe(true);
    await membership.stop();
    expect(await repo.seen(test.db.read, LEASE)).toMatchObject([{ name: "first", living: false }]);
    expect(membership.mayAct()).toBe(membership.alone);
  });

  function deskOf() {
    const audit = createAudit(test.db, clock, Buffer.alloc(32, 1));
    return createNodesDesk({ db: test.db, repo, copies: createPhoneCopiesRepo(test.db), audit, clock });
  }

  it.runIf(isAlone)("act for good where there is nobody else", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let now = 0;
    const membership = join(aNode("alone"), { now: () => now });
    const fenced = vi.fn(async () => {});
    membership.listen({ ...NOTHING, fenced });
    await membership.register();
    now += 2 * LEASE.leaseMs;
    vi.advanceTimersByTime(2 * LEASE.leaseMs);
    expect([membership.mayAct(), fenced.mock.calls.length]).toEqual([true, 0]);
    // Nobody renews what stands in the register either.
    clock.advance(2 * LEASE.leaseMs);
    const desk = deskOf();
    expect((await desk.list()).find(({ name }) => name === "alone")?.living).toBe(true);
    await expect(desk.forget("alone", "by mistake", false)).rejects.toThrow("is running");
    // A crash, and another folder: the one that runs is the only one.
    const other = join(aNode("moved"));
    await other.register();
    const living = (await desk.list()).filter((one) => one.living).map(({ name }) => name);
    expect(living).toEqual(["moved"]);
    await other.stop();
    await membership.stop();
  });

  it("are drained, opened again and forgotten by the operator, whose reason is kept", async () => {
    const node = aNode("to-drain");
    const membership = join(node);
    await membership.register();
    const desk = deskOf();
    await desk.drain("to-drain", "rack 4");
    await desk.drain("to-drain", "rack 4");
    expect((await desk.list()).find(({ name }) => name === "to-drain")?.draining).toBe("operator");
    await expect(desk.forget("to-drain", "gone", false)).rejects.toThrow("is running");
    await desk.undrain("to-drain", "rack 4");
    await membership.stop();
    await expect(desk.forget("nobody", "gone", false)).rejects.toThrow("There is no node");
    expect(await desk.forget("to-drain", "gone", false)).toBe(0);
    expect((await desk.list()).map(({ name }) => name)).not.toContain("to-drain");
    const { auditLog } = test.db.t;
    const actions = (await test.db.read.select({ action: auditLog.action }).from(auditLog).orderBy(auditLog.seq)).map(
      ({ action }) => action,
    );
    expect(actions.filter((action) => action.startsWith("admin.node_"))).toEqual([
      "admin.node_changed",
      "admin.node_changed",
      "admin.node_forgotten",
    ]);
  });

  it("keep an operator's drain over a restart, and none of their own", async () => {
    const node = aNode("restarted");
    const first = join(node);
    await first.register();
    await first.drain();
    await first.stop();
    const second = join({ ...node, boot: newId("job") });
    await second.register();
    expect(second.isDraining()).toBe(false);
    await test.db.tx((tx) => repo.change(tx, node.id, { draining: "operator" }));
    await second.stop();
    const third = join({ ...node, boot: newId("job") });
    await third.register();
    expect(third.isDraining()).toBe(true);
    await third.stop();
  });

  /** A clock of the process that a test holds still or moves. */
  const handClock = () => {
    let at = 0;
    const move = (ms: number) => {
      at += ms;
    };
    return { now: () => at, move };
  };
  const joinQuick = (node: ReturnType<typeof aNode>, monotonic = { now: () => performance.now() }) =>
    createMembership({ db: test.db, repo, monotonic, log: silentLog, node, times: TIMES });

  it.skipIf(isAlone)(
    "refuse a second process on one data folder while the first lives, and take over when its lease is over",
    async () => {
      const id = newId("node");
      const first = joinQuick(aNode("one", id));
      await first.register();
      await expect(joinQuick(aNode("one", id)).register()).rejects.toThrow("Another process runs on this DATA_DIR");
      // It dies: nobody beats for it any more.
      await test.db.tx((tx) => tx.update(test.db.t.nodes).set({ boot: "dead" }));
      await first.stop();
      const second = joinQuick(aNode("one", id));
      await second.register();
      await expect(test.db.tx((tx) => first.demandBoot(tx))).rejects.toThrow("lost its connection");
      await test.db.tx((tx) => second.demandBoot(tx));
      await second.stop();
    },
  );

  it.skipIf(isAlone)("refuse a name that another node has", async () => {
    const one = joinQuick(aNode("two"));
    await one.register();
    await expect(joinQuick(aNode("two")).register()).rejects.toThrow("Another node is called “two”");
    await one.stop();
  });

  it.skipIf(isAlone)("stop by themselves when they cannot beat, and come back under the same boot", async () => {
    const monotonic = handClock();
    const told: string[] = [];
    const node = joinQuick(aNode("three"), monotonic);
    await node.register();
    node.listen({
      ...NOTHING,
      fenced: async () => void told.push("fenced"),
      rejoined: async () => void told.push("rejoined"),
    });
    await node.beat();
    expect(node.mayAct()).toBe(true);
    monotonic.move(TIMES.leaseMs - TIMES.marginMs);
    expect(node.mayAct()).toBe(false);
    await expect(test.db.tx((tx) => node.demandBoot(tx))).rejects.toThrow("lost its connection");
    await node.beat();
    expect(told).toEqual([]);
    expect(node.mayAct()).toBe(true);
    // Nobody heard of it for a whole lease: what it had may be another's now.
    const { nodes } = test.db.t;
    await test.db.tx((tx) => tx.update(nodes).set({ heartbeatAt: new Date(0) }));
    // A heartbeat that is under way was asked for before.
    await vi.waitFor(async () => {
      await node.beat();
      expect(told).toEqual(["fenced", "rejoined"]);
    });
    expect(node.mayAct()).toBe(true);
    await node.stop();
  });

  it("hear of a drain with the next heartbeat", async () => {
    const told: boolean[] = [];
    const node = joinQuick(aNode("four"));
    await node.register();
    node.listen({ ...NOTHING, draining: (is) => void told.push(is) });
    await test.db.tx((tx) => repo.change(tx, node.id, { draining: "operator" }));
    await node.beat();
    await test.db.tx((tx) => repo.change(tx, node.id, { draining: null }));
    await node.beat();
    expect(told).toEqual([true, false]);
    await node.stop();
  });
});
