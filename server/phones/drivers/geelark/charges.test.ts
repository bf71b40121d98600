/** What the partner charges, kept while it still says so and held beside what we counted. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newId, type PhoneId, type TeamId } from "../../../../shared/ids.ts";
import { TEST_ENGINES } from "../../../db/testing.ts";
import { checkCharges, createChargesPuller } from "./charges.ts";
import { noFaults } from "./emulator/faults.ts";
import { type PartnerWorld, startPartnerWorld } from "./geelark.fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const never = new AbortController().signal;

describe.each(TEST_ENGINES)("charges of the partner on $name", (engine) => {
  let world: PartnerWorld;
  beforeAll(async () => {
    world = await startPartnerWorld(engine);
  });
  afterAll(() => world.dispose());
  afterEach(() => {
    Object.assign(world.emulator.faults, noFaults());
    world.clock.advance(4 * DAY_MS);
  });
  const puller = () => {
    const { api, repo, clock } = world;
    return createChargesPuller({ api, repo, db: world.test.db, clock, log: { info() {}, warn() {}, error() {} } });
  };
  const pull = (progress?: unknown, saveProgress: (progress: unknown) => Promise<void> = async () => {}) =>
    puller().pull({ progress, saveProgress, signal: never });
  const kept = async () => (await world.test.db.read.select().from(world.test.db.t.partnerCharges)).length;
  /** Charged by the partner, some minutes each, ending now and backwards. */
  function charge(vendorId: string, count: number, usedTime = 1): void {
    const now = Math.floor(world.clock.now() / 1_000);
    for (let n = 0; n < count; n += 1) {
      world.emulator.world.charges.push({
        ...{ id: `${vendorId}${String(now)}${n}`, envId: vendorId, type: 1, chargeType: 2 },
        ...{ amount: 0.07, usedTime, createdTime: now - n },
      });
    }
  }
  async function phone(): Promise<{ id: PhoneId; vendorId: string }> {
    const spec = await world.phone();
    await world.source.create(spec);
    const vendorId = (await world.repo.find(spec.id))?.vendorId ?? "";
    return { id: spec.id, vendorId };
  }
  async function used(phoneId: PhoneId, minutes: number, endedAgoMs = 0): Promise<void> {
    const { db } = world.test;
    const [team] = await db.read.select().from(db.t.teams);
    const endedAt = new Date(world.clock.now() - endedAgoMs);
    const startedAt = new Date(endedAt.getTime() - minutes * MINUTE_MS);
    await db.tx((tx) =>
      tx.insert(db.t.usageIntervals).values({
        ...{ id: newId("usageInterval"), teamId: team?.id as TeamId, phoneId, startedBy: null, startedAt, endedAt },
        ...{ lastSeenAt: endedAt, ratedAt: endedAt, endReason: "parked", node: "n", boot: "b" },
      }),
    );
  }
  const check = (days = 1) =>
    checkCharges(world.repo, new Date(world.clock.now() - days * DAY_MS), new Date(world.clock.now() + 1));

  it("are taken once, page by page, and stay when the partner forgets them", async () => {
    const before = await kept();
    charge("900", 2_500);
    expect(await pull()).toBe(2_500);
    expect(await pull()).toBe(0);
    charge("901", 1);
    expect(await pull()).toBe(1);
    world.clock.advance(4 * DAY_MS);
    expect(await pull()).toBe(0);
    expect((await kept()) - before).toBe(2_501);
  });

  it("go on where an attempt was cut off, and begin anew where that is too long ago", async () => {
    charge("910", 2_100);
    const saved: unknown[] = [];
    const cut = pull(undefined, async (progress) => {
      saved.push(progress);
      world.emulator.faults.isDown = true;
    });
    await expect(cut).rejects.toThrow("does not answer");
    world.emulator.faults.isDown = false;
    expect(saved).toHaveLength(1);
    world.emulator.calls.length = 0;
    expect(await pull(saved[0])).toBe(1_100);
    expect(world.emulator.calls).toHaveLength(2);
    world.clock.advance(DAY_MS);
    charge("911", 3);
    // The page to go on from is out of the partner's reach now, so everything is asked for again.
    world.clock.advance(2 * DAY_MS);
    charge("912", 2);
    expect(await pull(saved[0])).toBe(5);
  });

  it("that make no sense are left out, and the rest is taken", async () => {
    const now = Math.floor(world.clock.now() / 1_000);
    const good = { id: "g1", envId: "920", type: 1, chargeType: 2, amount: "0.1", usedTime: 3, createdTime: now };
    const list = [
      good,
      { ...good, id: null },
      { ...good, id: "g2", usedTime: -1 },
      7,
      { ...good, id: "g3", envId: {} },
    ];
    world.emulator.faults.answer = JSON.stringify({ code: 0, data: { list, lastFlowId: 12 } });
    expect(await pull()).toBe(1);
  });

  it("fit what we counted, but for begun minutes and the way up", async () => {
    const one = await phone();
    await used(one.id, 58, 2 * HOUR_MS);
    await used(one.id, 30);
    charge(one.vendorId, 1, 60);
    charge(`${one.vendorId}`, 0);
    world.clock.advance(1_000);
    charge(one.vendorId, 1, 33);
    await pull();
    expect(await check()).toMatchObject({ charges: 2, partnerMinutes: 93, ourMinutes: 88, differences: [] });
  });

  it("are told in words where they do not: more, less, and for a phone nobody here had", async () => {
    const [more, less, removed] = [await phone(), await phone(), await phone()];
    await used(more.id, 10);
    charge(more.vendorId, 1, 300);
    await used(less.id, 300);
    await used(removed.id, 20);
    charge(removed.vendorId, 1, 21);
    await world.source.remove(removed.id, undefined);
    await world.forget(removed.id);
    charge("555000555", 1, 12);
    await pull();
    const { differences } = await check();
    const words = differences.map((one) => one.words).sort();
    expect(words).toEqual(
      [
        `Phone ${more.id}: the partner charged 300 minutes, we counted 10 in 1 session. It may have run there while it was parked here.`,
        `Phone ${less.id}: the partner charged 0 minutes, we counted 300 in 1 session. Charges may come late, or the phone is paid for by the month.`,
        "The partner charged 12 minutes for its phone 555000555, which no phone here was: another server's, or made by hand.",
      ].sort(),
    );
  });

  it("come from what phones really did there", async () => {
    const one = await phone();
    const [there] = [...world.emulator.world.phones.values()].filter(({ id }) => id === one.vendorId);
    if (there === undefined) throw new Error("The partner has no such phone.");
    world.emulator.world.start(there, false);
    world.clock.advance(30_001);
    world.emulator.world.stop(there);
    world.emulator.world.start(there, true);
    world.clock.advance(5 * HOUR_MS);
    world.emulator.world.settle();
    await pull();
    // Half a minute is a whole one; the other went off by itself after half an hour and the second it took to come up.
    expect(await check()).toMatchObject({ partnerMinutes: 1 + 31 });
  });
});
