/** Containers under the Android driver: what the lifecycle hears when a host is lost, found, or stays away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../../../config.ts";
import { type TestDatabase, testSqlite } from "../../../../db/testing.ts";
import { silentLog } from "../../../../log.ts";
import type { DriverEvent, PhoneDriver } from "../../../driver.ts";
import { composePhones, newTeam } from "../../../testing/harness.ts";
import { createAndroidDriver } from "../compose.ts";
import { startSimulator } from "../simulator/simulator.ts";
import type { FakeEngine } from "./testing/engine.ts";
import { type Containers, openContainers, specOf, until } from "./testing/fixture.ts";

describe("the Android driver over containers", () => {
  let database: TestDatabase;
  let under: Containers;
  let engine: FakeEngine;
  let driver: PhoneDriver;
  let tick: () => Promise<void>;
  let events: DriverEvent[];
  beforeAll(async () => {
    database = await testSqlite.open();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    under = await openContainers(database, { device: () => startSimulator() });
    engine = await under.addHost("one");
    const { source } = under.startSource();
    await source.recover();
    tick = () => source.tick();
    driver = createAndroidDriver(
      { config: parseConfig({}), clock: under.clock, log: silentLog },
      { kind: "adb", sources: [source], retry: { firstMs: 10, mostMs: 20, jitter: () => 0 } },
    );
    events = [];
    driver.onEvent((event) => events.push(event));
  });
  afterEach(async () => {
    await driver.close();
    await under.close();
    const { phoneContainers, phoneHosts, phones } = database.db.t;
    await database.db.tx(async (tx) => {
      for (const table of [phoneContainers, phoneHosts, phones]) await tx.delete(table);
    });
  });
  const told = () => events.filter(({ type }) => type !== "resized").map((event) => event);
  async function running() {
    const id = await under.addPhone();
    await driver.create(specOf(id));
    await driver.start(specOf(id));
    await under.setState(id, "running");
    return id;
  }
  /** The simulator behind the container goes with its host's network. */
  async function loseHost(id: string) {
    const { device } = engine.phone(id);
    engine.vanish();
    const simulator = device as Awaited<ReturnType<typeof startSimulator>>;
    await simulator.unplug();
    return simulator;
  }

  it("starts one, lists its apps, parks it with its volume, and wipes it", async () => {
    const [model] = await driver.models();
    expect(model).toEqual({
      ...{ id: "container:android-14", driver: "adb", label: "Android 14" },
      detail: "Android 14 in a container, 720 × 1280",
    });
    const id = await running();
    expect((await driver.apps?.list(id))?.length).toBeGreaterThan(0);
    await driver.park(id);
    expect([await driver.state(id), engine.containers.size, engine.volumes.size]).toEqual(["parked", 0, 1]);
    expect(await driver.remove(id)).toMatchObject({ phoneId: id, verifiedAbsent: true });
    expect(await driver.state(id)).toBe("absent");
    expect(events.filter(({ type }) => type === "ended")).toEqual([]);
  });

  it("loses one with its host and finds it again", async () => {
    const id = await running();
    const simulator = await loseHost(id);
    await until(() => told().length > 0);
    under.clock.advance(20_000);
    await tick();
    under.clock.advance(20_000);
    await tick();
    expect(await driver.state(id)).toBe("unknown");
    engine.comeBack();
    await simulator.plugIn();
    under.clock.advance(60_000);
    await tick();
    await until(() => told().some(({ type }) => type === "found"));
    expect(await driver.state(id)).toBe("running");
    expect(told().map(({ type }) => type)).toEqual(expect.arrayContaining(["lost", "found"]));
  });

  it("says that it has failed when the host stays away, and what still ran goes when it is back", async () => {
    const id = await running();
    await loseHost(id);
    await until(() => told().length > 0);
    for (let n = 0; n < 30; n += 1) {
      under.clock.advance(30_000);
      await tick();
    }
    await until(() => told().some(({ type }) => type === "ended"));
    expect(told().at(-1)).toEqual({ type: "ended", phoneId: id, reason: "host_gone" });
    expect(await driver.state(id)).toBe("unknown");
    await under.setState(id, "failed");
    engine.comeBack();
    for (let n = 0; n < 4; n += 1) {
      under.clock.advance(60_000);
      await tick();
    }
    expect([engine.containers.size, engine.volumes.size]).toEqual([0, 1]);
    expect(told().filter(({ type }) => type === "ended")).toHaveLength(1);
  });

  it.each([
    ["and why", {}],
    ["and why when its machine has not said it yet", { silent: true }],
  ])("says that one whose container ran out of memory has ended, %s", async (_, how) => {
    const id = await running();
    await until(() => engine.calls.includes("GET /events"));
    await engine.die(engine.phone(id), { outOfMemory: true, ...how });
    await until(() => told().some(({ type }) => type === "ended"));
    expect(told().at(-1)).toEqual({ type: "ended", phoneId: id, reason: "out_of_memory" });
    expect(await driver.state(id)).toBe("parked");
  });

  it("takes a launch of a person through the loss of its host, its return, its end, another start and the wipe", async () => {
    const server = composePhones(database, under.clock, driver);
    const scope = await newTeam(server);
    const { id } = await server.phones.launch(scope, {
      ...{ driver: "adb", model: "container:android-14", idempotencyKey: "launch-one-host" },
    });
    const row = async () => {
      const found = await server.repo.findAnywhere(id);
      return [found?.state, found?.reason, found?.unreachableSince !== null] as const;
    };
    expect(await row()).toEqual(["running", null, false]);
    const beat = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        under.clock.advance(30_000);
        await tick();
      }
    };

    const simulator = await loseHost(id);
    await until(async () => (await row())[2]);
    await beat(2);
    expect((await row())[0]).toBe("running");
    engine.comeBack();
    await simulator.plugIn();
    await beat(3);
    await until(async () => !(await row())[2]);
    expect(await row()).toEqual(["running", null, false]);

    await loseHost(id);
    await until(async () => (await row())[2]);
    await beat(30);
    await until(async () => (await row())[0] === "failed");
    expect(await row()).toEqual(["failed", "host_gone", false]);
    const start = () => server.phones.start(scope, id, undefined);
    await expect(start()).rejects.toThrow("does not answer");
    expect(await row()).toEqual(["failed", "host_gone", false]);

    engine.comeBack();
    await beat(8);
    expect(engine.containers.size).toBe(0);
    expect((await start()).state).toBe("running");
    engine.volumes.get(`perch-${id}`)?.files.set("app.db", 40);
    const receipt = await server.phones.remove(scope, id, "remove-one-host");
    expect(receipt).toMatchObject({ files: 1, bytes: 40, verifiedAbsent: true });
    expect([await server.repo.findAnywhere(id), engine.volumes.size]).toEqual([undefined, 0]);
  });
});
