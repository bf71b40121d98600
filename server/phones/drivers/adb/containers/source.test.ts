import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../../../shared/ids.ts";
import { type TestDatabase, testSqlite } from "../../../../db/testing.ts";
import { type Containers, IMAGE, openContainers, specOf, until } from "./testing/fixture.ts";

const MINUTE = 60_000;
const always = new AbortController().signal;

describe("phones in containers", () => {
  let database: TestDatabase;
  let under: Containers;
  beforeAll(async () => {
    database = await testSqlite.open();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    under = await openContainers(database);
  });
  afterEach(async () => {
    await under.close();
    const { phoneContainers, phoneHosts, phones } = database.db.t;
    await database.db.tx(async (tx) => {
      for (const table of [phoneContainers, phoneHosts, phones]) await tx.delete(table);
    });
  });

  /** A phone that runs on one host. */
  async function running() {
    const engine = await under.addHost("one");
    const { source, events } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    await source.start(specOf(id), always);
    await under.setState(id, "running");
    return { engine, source, events, id };
  }

  it("are made, started, parked with their volume, started again, and wiped with proof", async () => {
    const { engine, source, id } = await running();
    const first = engine.phone(id);
    expect(await source.state(id)).toBe("running");
    expect(first.plan).toMatchObject({
      Image: IMAGE.image,
      HostConfig: {
        ...{ Privileged: true, NetworkMode: "perch-phones", RestartPolicy: { Name: "no" }, PidsLimit: 4_096 },
        ...{ Memory: 3_072 * 1024 * 1024, NanoCpus: 2e9, Binds: [`perch-${id}:/data`] },
        PortBindings: { "5555/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
      },
    });
    expect(first.argv).toContain("androidboot.redroid_gpu_mode=guest");
    expect(engine.networks.get("perch-phones")).toMatchObject({
      EnableIPv6: false,
      Options: { "com.docker.network.bridge.enable_icc": "false" },
    });
    engine.volumes.get(`perch-${id}`)?.files.set("data/app.db", 700).set("media/0/a.jpg", 300);

    await source.park(id);
    await source.park(id);
    expect(engine.containers.size).toBe(0);
    expect(await source.state(id)).toBe("parked");
    expect(engine.volumes.get(`perch-${id}`)?.labels).toEqual({
      "perch.phone": id,
      "perch.server": "0123456789abcdef",
    });

    await source.create(specOf(id));
    await source.start(specOf(id), always);
    expect(engine.phone(id).id).not.toBe(first.id);

    const receipt = await source.remove(id, undefined);
    expect(receipt).toMatchObject({ phoneId: id, files: 2, bytes: 1_000, verifiedAbsent: true });
    expect([engine.containers.size, engine.volumes.size]).toEqual([0, 0]);
    expect(await source.state(id)).toBe("absent");
    expect(await source.remove(id, undefined)).toMatchObject({ files: 0, verifiedAbsent: true });
  });

  it("boot at most two at a time on a host, and one that is given up waits for no more", async () => {
    const engine = await under.addHost("one");
    engine.pollsUntilBooted = 3;
    const { source } = under.startSource();
    await source.recover();
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => under.addPhone()));
    for (const id of ids) await source.create(specOf(id));
    const givenUp = new AbortController();
    const starts = ids.map((id, index) => source.start(specOf(id), index === 4 ? givenUp.signal : always));
    givenUp.abort(new Error("The person went away."));
    await expect(starts[4]).rejects.toThrow("The person went away.");
    await Promise.all(starts.slice(0, 4));
    expect(engine.mostBootingAtOnce).toBe(2);
    expect(engine.containers.size).toBe(4);
  });

  it("that do not boot in five minutes are taken away again and may be tried anew", async () => {
    const engine = await under.addHost("one");
    engine.pollsUntilBooted = 10_000;
    under.pace.stride = 20;
    const { source } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    await expect(source.start(specOf(id), always)).rejects.toThrow("did not finish to start within 5 minutes");
    expect(under.pace.waits).toBe(15);
    expect(engine.containers.size).toBe(0);
    engine.pollsUntilBooted = 0;
    await source.start(specOf(id), always);
    expect(await source.state(id)).toBe("running");
  });

  it.each([
    ["the host answers on a port", "172.30.0.1:22", "open", "host"],
    ["the host refuses, so the packet was there", "172.30.0.1:8787", "refused", "host"],
    ["the cloud's metadata answers", "169.254.169.254:80", "open", "metadata"],
    ["this server answers", "198.51.100.7:8787", "open", "server"],
  ] as const)("ABUSE-32 are stopped and not started when %s", async (_what, target, how, named) => {
    const engine = await under.addHost("one");
    engine.reachable.set(target, how);
    const { source } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    await expect(source.start(specOf(id), always)).rejects.toThrow("npm run admin -- hosts firewall");
    expect(engine.containers.size).toBe(0);
    expect(engine.volumes.size).toBe(1);
    expect(under.logged.find(({ message }) => message.startsWith("A phone could reach"))?.fields?.reason).toContain(
      named,
    );
  });

  it("ABUSE-32 are not started where nobody can look whether they are kept in", async () => {
    const engine = await under.addHost("one");
    engine.withoutToybox = true;
    const { source } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    await expect(source.start(specOf(id), always)).rejects.toThrow("The phone was stopped");
    expect(engine.containers.size).toBe(0);
  });

  it("end once with the reason when their container dies, however often it is told", async () => {
    const { engine, source, events, id } = await running();
    engine.eventCopies = 3;
    await until(() => engine.calls.includes("GET /events"));
    await engine.die(engine.phone(id), { outOfMemory: true });
    await until(() => events.length > 0);
    await source.tick();
    expect(events).toEqual([{ type: "ended", phoneId: id, reason: "out_of_memory" }]);
    expect(await source.state(id)).toBe("parked");
  });

  it("end also when the event of it was lost", async () => {
    const { engine, source, events, id } = await running();
    await engine.die(engine.phone(id), { silent: true });
    under.clock.advance(20_000);
    await source.tick();
    expect(events).toEqual([{ type: "ended", phoneId: id, reason: "browser_crashed" }]);
  });

  it("are unknown while their host is lost, and hinted at when it is back with them running", async () => {
    const { engine, source, events, id } = await running();
    engine.vanish();
    expect(await source.state(id)).toBe("unknown");
    for (let n = 0; n < 3; n += 1) {
      under.clock.advance(20_000);
      await source.tick();
    }
    expect(events).toEqual([{ type: "hint", phoneId: id }]);
    await expect(source.start(specOf(id), always)).rejects.toMatchObject({ reason: "host_gone" });
    const [model] = await source.models();
    expect(model?.unavailable).toContain("answers now");

    engine.comeBack();
    under.clock.advance(MINUTE);
    await source.tick();
    expect(await source.state(id)).toBe("running");
    expect(events).toEqual([
      { type: "hint", phoneId: id },
      { type: "hint", phoneId: id },
    ]);
  });

  it("have ended when their host comes back without them", async () => {
    const { engine, source, events, id } = await running();
    engine.vanish();
    for (let n = 0; n < 3; n += 1) {
      under.clock.advance(20_000);
      await source.tick();
    }
    await engine.die(engine.phone(id));
    engine.comeBack();
    under.clock.advance(MINUTE);
    await source.tick();
    expect(events.at(-1)).toEqual({ type: "ended", phoneId: id, reason: "browser_crashed" });
  });

  it("have failed when their host stays away, and what still ran there goes when it is back", async () => {
    const { engine, source, events, id } = await running();
    engine.vanish();
    for (let n = 0; n < 20; n += 1) {
      under.clock.advance(MINUTE);
      await source.tick();
    }
    expect(events.filter(({ type }) => type === "ended")).toEqual([
      { type: "ended", phoneId: id, reason: "host_gone" },
    ]);
    expect(await source.state(id)).toBe("unknown");
    await source.park(id);
    await under.setState(id, "failed");
    await expect(source.remove(id, undefined)).rejects.toMatchObject({ reason: "host_gone" });

    engine.comeBack();
    for (let n = 0; n < 4; n += 1) {
      under.clock.advance(MINUTE);
      await source.tick();
    }
    expect(engine.containers.size).toBe(0);
    expect(engine.volumes.size).toBe(1);
    await source.start(specOf(id), always);
    expect(await source.state(id)).toBe("running");
  });

  it("do not wait for a host that takes calls and does not answer, once it is known", async () => {
    const { engine, source, id } = await running();
    engine.vanish();
    for (let n = 0; n < 2; n += 1) {
      under.clock.advance(20_000);
      await source.tick();
    }
    const before = engine.calls.length;
    expect(await source.state(id)).toBe("unknown");
    expect(engine.calls.length).toBe(before);
  });

  it("are taken over by the next server while they run, and not booted again", async () => {
    const { engine, source, id } = await running();
    const { id: container } = engine.phone(id);
    await source.close();
    const next = under.startSource();
    expect(await next.source.recover()).toEqual([{ id, state: "running" }]);
    await next.source.create(specOf(id));
    await next.source.start(specOf(id), always);
    expect(engine.phone(id).id).toBe(container);
  });

  it("that run though they are parked are stopped after a while", async () => {
    const { engine, source, id } = await running();
    await source.close();
    await under.setState(id, "parked");
    const next = under.startSource();
    await next.source.recover();
    under.clock.advance(MINUTE);
    await next.source.tick();
    expect(engine.containers.size).toBe(1);
    under.clock.advance(2 * MINUTE);
    await next.source.tick();
    expect([engine.containers.size, engine.volumes.size]).toEqual([0, 1]);
  });

  it("leave nothing behind of a launch that was killed before its row was written, and other servers' alone", async () => {
    const engine = await under.addHost("one");
    const { source } = under.startSource();
    await source.recover();
    const [mine, theirs] = [newId("phone"), newId("phone")];
    for (const [id, server] of [
      [mine, "0123456789abcdef"],
      [theirs, "another"],
    ] as const) {
      engine.volumes.set(`perch-${id}`, {
        labels: { "perch.phone": id, "perch.server": server },
        files: new Map([["a", 1]]),
      });
    }
    for (let n = 0; n < 4; n += 1) {
      under.clock.advance(MINUTE);
      await source.tick();
    }
    expect([...engine.volumes.keys()]).toEqual([`perch-${theirs}`]);
  });

  it("killed between their row and their volume go on where they were", async () => {
    const engine = await under.addHost("one");
    const { source } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    engine.failing.set(/^POST \/volumes\/create/, 500);
    await expect(source.create(specOf(id))).rejects.toThrow("could not do that");
    expect(await under.repo.find(id)).toMatchObject({ madeAt: null });
    engine.failing.clear();
    await source.create(specOf(id));
    await source.start(specOf(id), always);
    expect(await source.state(id)).toBe("running");
  });

  it("whose volume is lost say so, and get no empty one in its place", async () => {
    const { engine, source, id } = await running();
    await source.park(id);
    engine.volumes.clear();
    await source.create(specOf(id));
    await expect(source.start(specOf(id), always)).rejects.toThrow("What this phone stored is gone");
    expect(engine.volumes.size).toBe(0);
  });

  it("are not said to be wiped while the host keeps anything", async () => {
    const { engine, source, id } = await running();
    engine.failing.set(/^DELETE \/volumes/, 500);
    await expect(source.remove(id, undefined)).rejects.toThrow();
    expect(await under.repo.find(id)).toBeDefined();
    engine.failing.clear();
    engine.keepsVolumes = true;
    await expect(source.remove(id, undefined)).rejects.toThrow("could not be wiped completely");
    expect(await under.repo.find(id)).toBeDefined();
    engine.keepsVolumes = false;
    expect(await source.remove(id, undefined)).toMatchObject({ verifiedAbsent: true });
    expect(await under.repo.find(id)).toBeUndefined();
  });

  it("stay on a host that is drained, come to it no more, and are not started there again", async () => {
    const { source, id } = await running();
    await under.hosts.drain("one", true, "new kernel");
    await source.tick();
    expect(await source.state(id)).toBe("running");
    expect((await source.models())[0]?.unavailable).toContain("room");
    const other = await under.addPhone();
    await expect(source.create(specOf(other))).rejects.toMatchObject({ code: "limit_reached" });
    await source.park(id);
    await expect(source.start(specOf(id), always)).rejects.toThrow("taken out of service");
  });

  it("say in their models why none can be made", async () => {
    const { source } = under.startSource();
    await source.recover();
    const why = async () => (await source.models())[0]?.unavailable;
    expect(await why()).toContain("registered");
    const engine = await under.addHost("one", { capacity: 1 });
    engine.images.clear();
    await source.tick();
    expect(await why()).toContain("image");
    engine.images.add(IMAGE.image);
    under.clock.advance(MINUTE);
    await source.tick();
    expect(await why()).toBeUndefined();
    await source.create(specOf(await under.addPhone()));
    expect(await why()).toContain("room");
  });

  it("are over when the operator says that the host is destroyed", async () => {
    const { engine, source, events, id } = await running();
    engine.vanish();
    await expect(under.hosts.remove("one", "burnt", false)).rejects.toThrow("--destroyed");
    expect(await under.hosts.remove("one", "burnt", true)).toBe(1);
    await source.tick();
    expect(events.at(-1)).toEqual({ type: "ended", phoneId: id, reason: "host_gone" });
    expect(await source.state(id)).toBe("absent");
  });
});
