/** What is true at the partner and what is here, brought together again after whatever happened there. */
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../clock.ts";
import { TEST_ENGINES } from "../../../db/testing.ts";
import { HTTP_STATUS, PerchError } from "../../../errors.ts";
import { signedHeaders } from "./access.ts";
import { noFaults } from "./emulator/faults.ts";
import { ACCESS, listenOnLoopback, type PartnerWorld, startPartnerWorld } from "./geelark.fixture.ts";
import { STRAY_GRACE_MS } from "./reconciler.ts";
import { PATHS } from "./troubles.ts";
import { MAX_HINT_BYTES } from "./webhook.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

describe.each(TEST_ENGINES)("the partner, looked at, on $name", (engine) => {
  let world: PartnerWorld;
  beforeAll(async () => {
    world = await startPartnerWorld(engine);
  });
  afterAll(() => world.dispose());
  afterEach(async () => {
    Object.assign(world.emulator.faults, noFaults());
    for (const { phoneId } of await world.repo.known()) {
      await world.test.db.tx((tx) => world.repo.set(tx, phoneId, { removedAt: new Date(world.clock.now()) }));
    }
    world.emulator.world.phones.clear();
    world.events.length = 0;
  });
  const there = () => [...world.emulator.world.phones.values()];
  const row = async (id: Parameters<PartnerWorld["repo"]["find"]>[0]) => world.repo.find(id);
  /** A phone that runs, here and there. */
  async function running() {
    const spec = await world.phone();
    await world.source.create(spec);
    await world.source.start(spec, never);
    await world.setState(spec.id, "running");
    const phone = there().find(({ remark }) => remark.endsWith(spec.id));
    if (phone === undefined) throw new Error("The partner has no such phone.");
    return { id: spec.id, spec, phone };
  }

  it("leaves what is right alone, and keeps the partner's own word for it", async () => {
    const { id, phone } = await running();
    await world.reconciler.look();
    await world.reconciler.look();
    expect(world.events.filter(({ type }) => type === "ended")).toEqual([]);
    expect(world.emulator.world.status(phone)).toBe(0);
    expect(await row(id)).toMatchObject({ vendorState: "started", vendorId: phone.id });
  });

  it("turns off what runs there and is parked, failed or removed here", async () => {
    for (const state of ["parked", "failed", "removed"] as const) {
      const { id, phone } = await running();
      await world.setState(id, state);
      await world.reconciler.look();
      expect([state, world.emulator.world.status(phone)]).toEqual([state, 2]);
    }
    const { phone, id } = await running();
    await world.forget(id);
    await world.reconciler.look();
    expect(world.emulator.world.status(phone)).toBe(2);
  });

  it("does not turn off what is just being started, also when that began while it looked", async () => {
    const { id, spec, phone } = await running();
    await world.setState(id, "starting");
    await world.reconciler.look();
    expect(world.emulator.world.status(phone)).toBe(0);

    await world.setState(id, "parked");
    world.emulator.calls.length = 0;
    world.emulator.faults.slowMs = 100;
    const looking = world.reconciler.look();
    await vi.waitFor(() => expect(world.emulator.calls).toEqual([PATHS.status]));
    await world.setState(id, "starting");
    await looking;
    expect(world.emulator.world.status(phone)).toBe(0);

    // The row may still say otherwise while the start has begun.
    await world.setState(id, "parked");
    world.emulator.faults.slowMs = 20;
    const starting = world.source.start(spec, never);
    await world.reconciler.look();
    await starting;
    expect(world.emulator.calls).not.toContain(PATHS.stop);
    expect(world.emulator.world.status(phone)).toBe(0);
  });

  it("tells what went off, what is over and what is gone there, with the reason", async () => {
    const [off, over, gone] = [await running(), await running(), await running()];
    world.emulator.world.stop(off.phone);
    world.emulator.world.stop(over.phone);
    over.phone.isExpired = true;
    world.emulator.world.phones.delete(gone.phone.id);
    await world.reconciler.look();
    const ended = new Map(world.events.map((event) => [event.phoneId, event]));
    expect(ended.get(off.id)).toEqual({ type: "ended", phoneId: off.id, reason: "partner_stopped" });
    expect(ended.get(over.id)).toEqual({ type: "ended", phoneId: over.id, reason: "partner_ended" });
    expect(ended.get(gone.id)).toEqual({ type: "ended", phoneId: gone.id, reason: "partner_ended" });
    expect(await world.source.state(gone.id)).toBe("absent");
    await expect(world.source.start(over.spec, never)).rejects.toThrow("ended this phone's term");
  });

  it("takes no state it does not know for a failure", async () => {
    const { id } = await running();
    world.emulator.faults.status = 7;
    await world.reconciler.look();
    expect(await world.source.state(id)).toBe("unknown");
    expect(world.events).toEqual([]);
    expect(await row(id)).toMatchObject({ vendorState: "unknown" });
  });

  it("knows nothing while the partner is down for a day, and finds its phones again when it is back", async () => {
    const [on, parked] = [await running(), await running()];
    await world.source.park(parked.id);
    await world.setState(parked.id, "parked");
    await world.reconciler.look();
    world.events.length = 0;
    world.lines.length = 0;
    world.emulator.faults.isDown = true;
    for (let hour = 0; hour < 24; hour += 1) {
      world.clock.advance(HOUR_MS);
      await world.reconciler.look();
      await world.reconciler.sweep();
    }
    expect(await world.source.state(on.id)).toBe("unknown");
    expect(await world.source.state(parked.id)).toBe("unknown");
    expect((await world.source.recover()).map(({ state }) => state)).toEqual(["unknown", "unknown"]);
    expect(world.events).toEqual([]);
    expect(world.lines.filter((line) => line.includes("cannot be looked at"))).toHaveLength(1);

    // Meanwhile somebody turned the parked one on.
    world.emulator.world.start(parked.phone, false);
    world.emulator.faults.isDown = false;
    await world.reconciler.look();
    expect(world.events).toEqual([{ type: "hint", phoneId: on.id }]);
    expect(await world.source.state(on.id)).toBe("running");
    expect(world.emulator.world.status(parked.phone)).toBe(2);
    expect(world.lines.filter((line) => line.includes("answers again"))).toHaveLength(1);
    await world.reconciler.look();
    expect(world.events).toHaveLength(1);
  });

  it("goes on with the others when one of them makes trouble", async () => {
    const [first, second] = [await running(), await running()];
    for (const { id } of [first, second]) await world.setState(id, "parked");
    world.emulator.faults.stopsBusy = 1;
    await world.reconciler.look();
    const on = [first, second].map(({ phone }) => world.emulator.world.status(phone));
    expect(on.sort()).toEqual([0, 2]);
    await world.reconciler.look();
    expect([first, second].map(({ phone }) => world.emulator.world.status(phone))).toEqual([2, 2]);
  });

  it("looks at a hundred with one call", async () => {
    for (let n = 0; n < 103; n += 1) {
      const { id } = await world.phone("parked");
      const phone = world.emulator.world.add({
        serialName: id,
        remark: `perch a1b2c3 ${id}`,
        mobileType: "Android 14",
      });
      await world.test.db.tx(async (tx) => {
        await world.repo.begin(tx, id, new Date(world.clock.now()));
        await world.repo.set(tx, id, { vendorId: phone.id, vendorState: "stopped" });
      });
    }
    world.emulator.calls.length = 0;
    await world.reconciler.look();
    expect(world.emulator.calls).toEqual([PATHS.status, PATHS.status]);
    world.emulator.calls.length = 0;
    await world.reconciler.sweep();
    expect(world.emulator.calls).toEqual([PATHS.list, PATHS.list]);
    expect(there()).toHaveLength(103);
  });

  it("finds the number of a phone whose making was cut off", async () => {
    const spec = await world.phone();
    await world.source.create(spec);
    await world.test.db.tx((tx) => world.repo.set(tx, spec.id, { vendorId: null }));
    expect(await world.source.state(spec.id)).toBe("unknown");
    await world.reconciler.sweep();
    expect(await row(spec.id)).toMatchObject({ vendorId: there()[0]?.id });
  });

  it("turns off at once what nobody here has, and deletes it after a day; others' phones stay", async () => {
    const { id, phone } = await running();
    const about = { serialName: "x", mobileType: "Android 14" };
    const twin = world.emulator.world.add({ ...about, remark: phone.remark });
    const orphan = world.emulator.world.add({ ...about, remark: `perch a1b2c3 ${(await world.phone()).id}` });
    const others = ["by hand", `perch ffffff ${id}`, `${phone.remark} copy`].map((remark) =>
      world.emulator.world.add({ ...about, remark }),
    );
    for (const one of [twin, orphan, ...others]) world.emulator.world.start(one, false);
    await world.reconciler.sweep();
    const isOn = [phone, twin, orphan, ...others].map((one) => world.emulator.world.status(one) < 2);
    expect(isOn).toEqual([true, false, false, true, true, true]);
    world.clock.advance(STRAY_GRACE_MS - 10 * 60_000);
    await world.again().reconciler.sweep();
    expect(there()).toHaveLength(6);
    world.clock.advance(11 * 60_000);
    await world.reconciler.sweep();
    expect(there()).toEqual([phone, ...others]);
    expect(await row(id)).toMatchObject({ vendorId: phone.id, removedAt: null });
    // Forgotten with it: one that is seen later has its own day.
    expect((await world.test.db.read.select().from(world.test.db.t.partnerStrays)).length).toBeLessThanOrEqual(2);
    await world.reconciler.sweep();
    expect(await world.test.db.read.select().from(world.test.db.t.partnerStrays)).toEqual([]);
  });

  it("remembers the number of a phone that was removed, for its charges", async () => {
    const { id, phone } = await running();
    await world.source.remove(id, undefined);
    await world.forget(id);
    expect(await world.repo.phonesOf([phone.id])).toEqual(new Map([[phone.id, id]]));
    const known = await world.repo.known();
    expect(known.filter(({ phoneId }) => phoneId === id)).toEqual([]);
  });
});

describe.each(TEST_ENGINES)("messages of the partner on $name", (engine) => {
  let world: PartnerWorld;
  beforeAll(async () => {
    world = await startPartnerWorld(engine);
  });
  afterAll(() => world.dispose());
  afterEach(() => {
    world.asked.length = 0;
    Object.assign(world.emulator.faults, noFaults());
  });
  const hashes = async () => (await world.test.db.read.select().from(world.test.db.t.partnerHints)).length;
  const deliver = (message: unknown, headers = signedHeaders({ base: "", ...ACCESS }, world.clock.now())) =>
    world.webhook.receive({
      body: new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message)),
      header: (name) => headers[name],
    });
  const stopped = { type: 8, id: "528086321789535232", username: "canary-u", ip: "62.141.247.218", useMin: 1 };

  it("make the phones be looked at once, however often they come", async () => {
    const before = await hashes();
    for (let time = 0; time < 3; time += 1) await deliver({ ...stopped, eventTime: 1 });
    expect(world.asked).toEqual(["geelark.look"]);
    await deliver({ ...stopped, eventTime: 2 });
    await deliver({ ...stopped, type: 1, result: true, eventTime: 2 });
    await deliver({ type: 10, items: [{ id: "1", recycle: false }, { id: "2" }] });
    await deliver({ type: 10, items: [{ id: "2" }] });
    expect(world.asked).toHaveLength(4);
    expect((await hashes()) - before).toBe(5);
  });

  it("of other types are taken and forgotten", async () => {
    const before = await hashes();
    for (const message of [
      { type: 4, id: "1", taskId: "2", result: true },
      { type: 5, id: "1", downloadLink: "https://www.abc.example/a.jpg" },
      { type: 9, items: [{ id: "1", name: "newName" }] },
      { type: 99, anything: [] },
    ])
      await deliver(message);
    expect(world.asked).toEqual([]);
    expect(await hashes()).toBe(before);
  });

  it("are refused unsigned, too large or without sense, and nothing of them is repeated", async () => {
    const before = await hashes();
    const codes: string[] = [];
    const refused = async (work: Promise<void>) => {
      const error = await work.then(
        () => undefined,
        (failure: unknown) => failure,
      );
      if (!(error instanceof PerchError)) throw new Error("It was taken.");
      expect(error.message).not.toMatch(/canary|528086321789535232/);
      codes.push(error.code);
    };
    await refused(deliver(stopped, {}));
    await refused(deliver(stopped, signedHeaders({ base: "", key: undefined, token: "another" }, world.clock.now())));
    await refused(deliver(stopped, signedHeaders({ base: "", ...ACCESS }, new ManualClock(0).now())));
    await refused(deliver({ ...stopped, eventTime: 9, more: "x".repeat(MAX_HINT_BYTES) }));
    for (const text of ["", "{", "[]", "7", '{"type":"8"}', '{"type":8}', '{"type":8,"id":"../x"}', '{"type":10}']) {
      await refused(deliver(text));
    }
    expect(codes).toEqual([...Array(3).fill("unauthenticated"), ...Array(9).fill("bad_input")]);
    expect(await hashes()).toBe(before);
    expect(world.asked).toEqual([]);
  });

  it("leave neither who did it nor from where", async () => {
    await deliver({ ...stopped, eventTime: 77 });
    const { db } = world.test;
    const kept = JSON.stringify([
      await db.read.select().from(db.t.partnerHints),
      await db.read.select().from(db.t.jobs),
      world.lines,
    ]);
    expect(kept).not.toMatch(/canary|62\.141|528086321789535232/);
  });

  it("come over HTTP, signed by either scheme, twice or never, and the end is the same", async () => {
    const answers: number[] = [];
    const app = new Hono().post("/webhooks/geelark", async (c) => {
      const body = new Uint8Array(await c.req.arrayBuffer());
      try {
        await world.webhook.receive({ body, header: (name) => c.req.header(name) });
        answers.push(200);
      } catch (error) {
        answers.push(error instanceof PerchError ? HTTP_STATUS[error.code] : 500);
      }
      return c.body(null);
    });
    const door = await listenOnLoopback(app.fetch);
    world.emulator.callback.url = `${door.url}/webhooks/geelark`;
    for (const webhooks of ["once", "twice", "lost"] as const) {
      const spec = await world.phone();
      world.emulator.faults.webhooks = webhooks;
      await world.source.create(spec);
      await world.source.start(spec, never);
      await world.setState(spec.id, "running");
      await world.emulator.tick();
      const phone = [...world.emulator.world.phones.values()].find(({ remark }) => remark.endsWith(spec.id));
      if (phone === undefined) throw new Error("The partner has no such phone.");
      world.clock.advance(60_000);
      world.emulator.world.stop(phone);
      world.events.length = 0;
      await world.emulator.tick();
      await world.reconciler.look();
      expect(world.events).toEqual([{ type: "ended", phoneId: spec.id, reason: "partner_stopped" }]);
      await world.setState(spec.id, "failed");
    }
    // Started and stopped: two messages, four, none.
    expect(answers).toEqual(Array(6).fill(200));
    expect(world.asked).toHaveLength(4);
    await door.close();
  });
});
