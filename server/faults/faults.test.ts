/** What failed, counted: from the log to the operator's overview. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { silentLog } from "../log.ts";
import { call, signIn, startTestServer } from "../testing.ts";
import { createFaultsRepo } from "./faults.repo.ts";
import { countFaults } from "./faults.service.ts";

const HOUR = 3_600_000;

describe.each(TEST_ENGINES)("faults on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  it("are counted by place and code over a day, by all nodes together, with the last reference", async () => {
    const clock = new ManualClock();
    const repo = createFaultsRepo(test.db);
    const nodes = [countFaults(silentLog, clock), countFaults(silentLog, clock)];
    for (const node of nodes) node.start(test.db, repo);
    const since = () => repo.since(new Date(clock.now() - 24 * HOUR));
    for (const [at, { log }] of nodes.entries()) {
      log.info("Perch is ready");
      log.warn("Refused", { requestId: "R", code: "forbidden", procedure: "phones.list" });
      log.error("A call failed unexpectedly", { requestId: `AAAAA-0000${at}`, procedure: "phones.launch" });
      log.warn("Could not be done now", { requestId: "BBBBB-00000", code: "unavailable", procedure: "phones.start" });
      log.error("Looking after phones failed", { error: "Nobody is told", teamId: "team_1" });
    }
    for (const node of nodes) await node.flush();
    clock.advance(2 * HOUR);
    nodes[0]?.log.error("A call failed unexpectedly", { requestId: "CCCCC-00000", procedure: "phones.launch" });
    for (const node of nodes) await node.stop();
    const found = await since();
    expect(found.map(({ place, code, count, reference }) => [place, code, count, reference])).toEqual([
      ["phones.launch", "internal", 3, "CCCCC-00000"],
      expect.anything(),
      expect.anything(),
    ]);
    expect(
      found
        .slice(1)
        .map(({ place, count }) => `${place} ${count}`)
        .sort(),
    ).toEqual(["Looking after phones failed 2", "phones.start 2"]);
    expect(JSON.stringify(found)).not.toMatch(/team_1|Nobody is told/);
    clock.advance(23 * HOUR);
    expect((await since()).map(({ count }) => count)).toEqual([1]);
    clock.advance(2 * HOUR);
    expect(await since()).toEqual([]);
  });

  it("stay few however many kinds come, and are kept while the database is away", async () => {
    const clock = new ManualClock(Date.UTC(2027, 0, 1));
    const repo = createFaultsRepo(test.db);
    const counter = countFaults(silentLog, clock);
    let away = true;
    counter.start(test.db, {
      ...repo,
      add: (tx, fault) => (away ? Promise.reject(new Error("away")) : repo.add(tx, fault)),
    });
    for (let kind = 0; kind < 500; kind += 1) counter.log.error(`Kind ${kind}`);
    await counter.flush();
    counter.log.error("Kind 0");
    away = false;
    await counter.stop();
    const rows = await test.db.read.select().from(test.db.t.faults);
    const ours = rows.filter(({ hour }) => hour.getTime() >= Date.UTC(2027, 0, 1));
    expect(ours.length).toBe(101);
    expect(ours.find(({ place }) => place === "Kind 0")?.count).toBe(2);
    expect(ours.reduce((sum, { count }) => sum + count, 0)).toBe(501);
  });
});

it("has the reference the person was told", async () => {
  const server = await startTestServer();
  const person = await signIn(server);
  const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "first-phone" }, person.token);
  const phoneId = launched.ok ? (launched.data as { id: string }).id : "";
  vi.spyOn(server.phones, "screenshot").mockRejectedValue(new Error("The picture fell off the wall"));
  const failed = await call(server, "mutation", "phones.screenshot", { phoneId }, person.token);
  const reference = failed.ok ? "" : failed.error.requestId;
  const { db } = server;
  const faults = () => createFaultsRepo(db).since(new Date(0));
  await vi.waitFor(
    async () => expect(await faults()).toMatchObject([{ place: "phones.screenshot", code: "internal", reference }]),
    { timeout: 8_000 },
  );
  await server.dispose();
}, 15_000);
