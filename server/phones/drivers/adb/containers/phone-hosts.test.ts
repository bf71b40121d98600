import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase } from "../../../../db/testing.ts";
import { DEFAULT_HOST } from "./phone-hosts.service.ts";
import { type Containers, openContainers } from "./testing/fixture.ts";

describe.each(TEST_ENGINES)("the register of hosts on $name", (engine) => {
  let database: TestDatabase;
  let under: Containers;
  const host = (name: string, capacity: number) => ({
    ...{ name, address: `unix:///run/${name}.sock`, certFolder: undefined, region: "here", capacity },
  });
  beforeAll(async () => {
    database = await engine.open();
    under = await openContainers(database);
  });
  afterAll(async () => {
    await under.close();
    await database.dispose();
  });
  const place = async (usable: readonly string[]) => {
    const id = await under.addPhone();
    const all = await under.hosts.list();
    const ids = new Set(all.filter(({ name }) => usable.includes(name)).map((one) => one.id));
    return under.hosts.place(
      { id, volume: `perch-${id}`, image: "x" },
      { usable: ids, region: undefined, near: "here" },
    );
  };

  it("takes hosts by name once, and writes down who came and why", async () => {
    const row = await under.hosts.add(host("a", 3), "bought");
    await under.hosts.add(host("b", 2), "bought too");
    await expect(under.hosts.add(host("a", 1), "again")).rejects.toThrow("already");
    await expect(under.hosts.add({ ...host("c", 1), address: "http://10.0.0.1" }, "no TLS")).rejects.toThrow("TLS");
    const { auditLog } = database.db.t;
    const entries = await database.db.read.select().from(auditLog).where(eq(auditLog.object, row.id));
    expect(entries).toMatchObject([
      { chain: "server", action: "admin.phone_host_added", actor: "operator", detail: { name: "a", reason: "bought" } },
    ]);
  });

  it("gives places side by side, never more than there are, and a phone the one it has", async () => {
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => place(["a", "b"])));
    const given = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(given).toHaveLength(5);
    expect(asked.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []))).toEqual(
      Array.from({ length: 3 }, () => "limit_reached"),
    );
    expect((await under.hosts.list()).map(({ name, taken }) => [name, taken])).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
    const [first] = given;
    if (first === undefined) throw new Error("No place was given.");
    const again = await under.hosts.place(
      { id: first.phoneId, volume: "other", image: "y" },
      { usable: new Set(), region: undefined, near: "here" },
    );
    expect(again).toMatchObject({ hostId: first.hostId, volume: first.volume, image: "x" });
  });

  it("keeps a host that keeps phones, with the states of those, until it is said to be destroyed", async () => {
    await expect(under.hosts.remove("a", "sold", false)).rejects.toThrow("keeps 3 phones");
    const [a] = await under.repo.hosts();
    expect((await under.repo.places(a?.id)).map(({ state }) => state)).toEqual(["starting", "starting", "starting"]);
    expect(await under.repo.places()).toHaveLength(5);
    expect(await under.hosts.remove("a", "burnt down", true)).toBe(3);
    expect((await under.hosts.list()).map(({ name }) => name)).toEqual(["b"]);
    await expect(under.hosts.remove("a", "again", false)).rejects.toThrow("no host “a”");
  });

  it("drains, and gives a removed phone's place to the next", async () => {
    const [gone] = await under.repo.places();
    if (gone === undefined) throw new Error("No phone has a place.");
    await database.db.tx((tx) => under.repo.delete(tx, gone.phoneId));
    await under.hosts.drain("b", true, "new disk");
    await expect(place(["b"])).rejects.toMatchObject({ code: "limit_reached" });
    await under.hosts.drain("b", false, "done");
    expect(await place(["b"])).toMatchObject({ madeAt: null });
  });

  it("follows DOCKER_HOST, without a word when nothing changed", async () => {
    const { name: _, ...settings } = host("x", 4);
    await under.hosts.keepDefault(settings);
    await under.hosts.keepDefault(settings);
    await under.hosts.keepDefault({ ...settings, capacity: 6 });
    const row = await under.hosts.get(DEFAULT_HOST);
    expect(row).toMatchObject({ capacity: 6, address: "unix:///run/x.sock" });
    const { auditLog } = database.db.t;
    const entries = await database.db.read.select().from(auditLog).where(eq(auditLog.object, row.id));
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
      ["admin.phone_host_added", "server"],
      ["admin.phone_host_changed", "server"],
    ]);
  });
});
