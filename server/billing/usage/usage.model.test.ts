/**
 * Whatever happens to phones, servers and clocks: what is counted is what a plain account of it counts, never more than
 * passed, never a moment twice, and all of it is in the ledger once.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PhoneId } from "../../../shared/ids.ts";
import { PROVE_TIMES } from "../../../shared/testing/prove.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { newTeam } from "../../phones/testing/harness.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import { type Booted, entriesOf, forgetPhones, intervalsOf, Machine } from "./testing/harness.ts";

const BEAT = 5_000;
const PHONES = 3;
const which = fc.integer({ min: 0, max: PHONES - 1 });
const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("start" as const), phone: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("park" as const), phone: which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fail" as const), phone: which }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("lose" as const), phone: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("find" as const), phone: which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: BEAT - 1 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("beats" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stall" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const), off: fc.integer({ min: 0, max: 100_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("set clock" as const),
      by: fc.constantFrom(-3_600_000, -9_000, -2_500, 2_500, 9_000, 3_600_000),
    }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** The rules, written as plainly as can be: what each phone's time is counted from, up to where, and in sum. */
class Account {
  readonly counted = Array<number>(PHONES).fill(0);
  /** How long each really ran. */
  readonly ran = Array<number>(PHONES).fill(0);
  readonly #open: ({ from: number; seen: number } | undefined)[] = Array(PHONES).fill(undefined);
  readonly #end = Array<number>(PHONES).fill(0);
  readonly #since = Array<number | undefined>(PHONES).fill(undefined);
  /** Running, and out of reach. */
  readonly #out = new Set<number>();
  readonly #machine: Machine;
  #last: { wall: number; steady: number };

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#last = { wall: this.#wall, steady: machine.steady };
  }
  get #wall(): number {
    return this.#machine.clock.now();
  }
  runs(phone: number): boolean {
    return this.#since[phone] !== undefined;
  }
  isOut(phone: number): boolean {
    return this.#out.has(phone);
  }
  /** As parking does, but that it still runs: that time is nobody's. */
  lose(phone: number): void {
    this.#see();
    this.#close(phone);
    this.#stopRunning(phone);
    this.#since[phone] = this.#machine.steady;
    this.#out.add(phone);
  }
  find(phone: number): void {
    this.#out.delete(phone);
    this.#since[phone] = this.#machine.steady;
    this.#begin(phone);
  }
  #believed(): boolean {
    const steady = this.#machine.steady - this.#last.steady;
    return Math.abs(this.#wall - this.#last.wall - steady) <= 2_000 && steady <= 3 * BEAT;
  }
  /** Every change of a phone brings the time of all of them up to now. */
  #see(): void {
    if (!this.#believed()) return;
    for (const open of this.#open) if (open !== undefined) open.seen = Math.max(open.seen, this.#wall);
  }
  #close(phone: number): void {
    const open = this.#open[phone];
    if (open === undefined) return;
    this.counted[phone] = (this.counted[phone] ?? 0) + open.seen - open.from;
    this.#end[phone] = open.seen;
    this.#open[phone] = undefined;
  }
  #begin(phone: number): void {
    const from = Math.max(this.#wall, this.#end[phone] ?? 0);
    this.#open[phone] = { from, seen: from };
  }
  #stopRunning(phone: number): void {
    if (this.#out.delete(phone)) {
      this.#since[phone] = undefined;
      return;
    }
    this.ran[phone] = (this.ran[phone] ?? 0) + this.#machine.steady - (this.#since[phone] ?? 0);
    this.#since[phone] = undefined;
  }
  start(phone: number): void {
    this.#see();
    this.#begin(phone);
    this.#since[phone] = this.#machine.steady;
  }
  park(phone: number): void {
    this.#see();
    this.#close(phone);
    this.#stopRunning(phone);
  }
  /** Of one out of reach nothing is counted, so its end is no look at the others. */
  fail(phone: number): void {
    const isCounted = this.#open[phone] !== undefined;
    this.#close(phone);
    this.#stopRunning(phone);
    if (isCounted) this.#see();
  }
  beat(): void {
    if (this.#believed()) this.#see();
    else {
      const open = this.#open.flatMap((one, phone) => (one === undefined ? [] : [phone]));
      for (const phone of open) this.#close(phone);
      for (const phone of open) this.#begin(phone);
    }
    this.#last = { wall: this.#wall, steady: this.#machine.steady };
  }
  /** Gives which phones ran and were in reach: they come back. */
  kill(): number[] {
    const open = this.#open.flatMap((one, phone) => (one === undefined ? [] : [phone]));
    for (const phone of open) {
      this.#close(phone);
      this.#stopRunning(phone);
    }
    return open;
  }
  rebooted(): void {
    this.#last = { wall: this.#wall, steady: this.#machine.steady };
  }
}

describe.each(
  TEST_ENGINES.flatMap((engine) => [
    { ...engine, kind: "web" as const },
    { ...engine, kind: "adb" as const },
  ]),
)("time of $kind phones on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  async function play(acts: readonly Act[]): Promise<void> {
    await forgetPhones(test);
    const machine = new Machine(test, { kind: engine.kind });
    let at: Booted = machine.boot();
    const scope: TeamScope = await newTeam({ test, clock: machine.clock });
    // One slot and some plan time, then the balance: all ways to cover are in it.
    machine.entitle(scope.teamId, {
      ...{ includedMs: 60_000, overageCap: 1_000_000 },
      addOns: { slot: 1, dedicated: 0, seat: 0, storage: 0 },
    });
    const ids = await at.parked(scope, PHONES);
    const account = new Account(machine);
    const stateOf = async (id: PhoneId) => (await at.phonesRepo.findAnywhere(id))?.state;
    const isOut = async (id: PhoneId) => (await at.phonesRepo.findAnywhere(id))?.unreachableSince != null;
    const beats = async (count: number) => {
      for (let beat = 0; beat < count; beat += 1) {
        machine.pass(BEAT);
        account.beat();
        await at.meter.beat();
      }
    };
    const begin = ids.map((_id, phone) => ({ do: "start" as const, phone }));
    for (const one of [...(engine.kind === "web" ? [] : begin), ...acts]) {
      if (one.do === "pass") machine.pass(one.ms);
      else if (one.do === "beats") await beats(one.count);
      else if (one.do === "set clock") machine.setClock(one.by);
      else if (one.do === "stall") {
        machine.pass(4 * BEAT);
        await beats(1);
      } else if (one.do === "kill") {
        const ran = account.kill();
        machine.pass(one.off);
        at = machine.boot("node-1", at.driver);
        await at.meter.recover();
        account.rebooted();
        await at.lifecycle.recover();
        for (const phone of ran) account.find(phone);
      } else {
        const id = ids[one.phone];
        if (id === undefined) continue;
        if (one.do === "start" && !account.runs(one.phone)) {
          await at.phones.start(scope, id);
          account.start(one.phone);
        }
        const reached = account.runs(one.phone) && !account.isOut(one.phone);
        if (one.do === "park" && reached) {
          await at.phones.park(scope, id);
          account.park(one.phone);
        }
        if (one.do === "fail" && account.runs(one.phone)) {
          at.driver.end(id, "out_of_memory");
          await vi.waitFor(async () => expect(await stateOf(id)).toBe("failed"), { interval: 1 });
          account.fail(one.phone);
        }
        // A web phone lives in this machine: it ends, and is never out of reach.
        if (one.do === "lose" && reached && engine.kind !== "web") {
          at.driver.lose(id);
          await vi.waitFor(async () => expect(await isOut(id)).toBe(true), { interval: 1 });
          account.lose(one.phone);
        }
        if (one.do === "find" && account.isOut(one.phone)) {
          at.driver.find(id);
          await vi.waitFor(async () => expect(await isOut(id)).toBe(false), { interval: 1 });
          account.find(one.phone);
        }
      }
    }
    for (const [phone, id] of ids.entries()) {
      if (!account.runs(phone)) continue;
      if (account.isOut(phone)) {
        at.driver.end(id, "device_gone");
        await vi.waitFor(async () => expect(await stateOf(id)).toBe("failed"), { interval: 1 });
        account.fail(phone);
        continue;
      }
      await at.phones.park(scope, id);
      account.park(phone);
    }
    await at.meter.beat();

    for (const [phone, id] of ids.entries()) {
      const intervals = await intervalsOf(test, id);
      const counted = intervals.reduce((sum, { from, to = Number.NaN }) => sum + to - from, 0);
      expect(counted).toBe(account.counted[phone]);
      expect(counted).toBeLessThanOrEqual(account.ran[phone] ?? 0);
      for (const [n, { from }] of intervals.entries()) expect(from).toBeGreaterThanOrEqual(intervals[n - 1]?.to ?? 0);
      const entries = await entriesOf(test, id);
      for (const { id: intervalId, from, to = 0, rated } of intervals) {
        expect(rated).toBe(to);
        const own = entries.filter((entry) => entry.intervalId === intervalId);
        expect(own.reduce((sum, { ms }) => sum + ms, 0)).toBe(to - from);
        for (const entry of own) {
          expect(entry.from).toBeGreaterThanOrEqual(from);
          expect(entry.to).toBeLessThanOrEqual(to);
        }
      }
    }
    expect(await at.ledger.verify(test.db.read)).toEqual([]);
  }

  it("is what a plain account of it counts, and all of it is in the ledger once", async () => {
    await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), play), {
      numRuns: (engine.name === "SQLite" ? 15 : 6) * PROVE_TIMES,
    });
  });
});
