import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { startDeskParts } from "../desk-parts.fixture.ts";
import { withSecondVersion } from "./policy.fixture.ts";
import { createPolicyRepo } from "./policy.repo.ts";
import { createPolicyDesk } from "./policy.service.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe.each(TEST_ENGINES)("the policy desk on $name", ({ open }) => {
  let opened: TestDatabase;
  let parts: ReturnType<typeof startDeskParts>;
  let ada: UserId;
  let ben: UserId;
  const refunded: unknown[] = [];

  function start(ownDate = "2020-01-01") {
    return createPolicyDesk({
      ...parts,
      repo: createPolicyRepo(parts.db),
      versions: withSecondVersion(ownDate),
      refunds: {
        async whenLeaving(_tx, userId, version) {
          refunded.push([userId, version]);
        },
      },
    });
  }
  const actor = (userId: UserId): Actor => ({ userId, teamId: newId("team") }) as Actor;
  const recipients = async () => {
    const { mailOutbox } = parts.db.t;
    const rows = await parts.db.read.select().from(mailOutbox).where(eq(mailOutbox.kind, "policy_changed"));
    return rows.map(({ recipient }) => recipient).sort();
  };

  beforeEach(async () => {
    opened = await open();
    parts = startDeskParts(opened.db);
    [ada, ben] = [await parts.person("ada"), await parts.person("ben")];
    parts.clock.advance(MINUTE_MS);
  });
  afterEach(() => opened.dispose());

  it("applies a version 14 days after the last notice arrived, and not a minute sooner", async () => {
    const desk = start();
    expect(await desk.inForce(2)).toBe(false);
    expect(await desk.notice(ada)).toBeUndefined();
    await expect(desk.announce(3, "r")).rejects.toThrow("There is no version 3");
    await desk.announce(2, "shorter retention");
    await expect(desk.announce(2, "again")).rejects.toThrow("announced already");
    await expect(desk.tell({ version: 2 }, parts.jobContext(1))).rejects.toThrow("stopped");
    await desk.tell({ version: 2 }, parts.jobContext());
    await desk.tell({ version: 2 }, parts.jobContext());
    expect(await recipients()).toEqual(["ada@x.example", "ben@x.example"]);

    await parts.settleMail((to) => to.startsWith("ada"));
    parts.clock.advance(20 * DAY_MS);
    await desk.tick();
    expect(await desk.inForce(2)).toBe(false);
    await parts.settleMail((to) => to.startsWith("ben"));
    await desk.tick();
    parts.clock.advance(14 * DAY_MS - MINUTE_MS);
    expect([await desk.inForce(2), (await desk.current()).version]).toEqual([false, 1]);
    parts.clock.advance(MINUTE_MS);
    expect([await desk.inForce(2), (await desk.current()).version]).toEqual([true, 2]);
    expect(await desk.inForce(1)).toBe(true);
    expect(await desk.inForce(3)).toBe(false);
    expect((await desk.published()).map(({ policy, state }) => [policy.version, state])).toEqual([
      [2, "in force"],
      [1, "earlier"],
    ]);
  });

  it("keeps to the later day the version names itself", async () => {
    const later = new Date(parts.clock.now() + 60 * DAY_MS).toISOString().slice(0, 10);
    const desk = start(later);
    await desk.announce(2, "r");
    await desk.tell({ version: 2 }, parts.jobContext());
    await parts.settleMail(() => true);
    await desk.tick();
    parts.clock.advance(Date.parse(later) - parts.clock.now() - 1);
    expect(await desk.inForce(2)).toBe(false);
    parts.clock.advance(1);
    expect(await desk.inForce(2)).toBe(true);
  });

  it("gives whom no mail reaches 14 days from when they see it, without holding up everybody", async () => {
    const desk = start();
    await desk.announce(2, "r");
    await desk.tell({ version: 2 }, parts.jobContext());
    await parts.settleMail((to) => to.startsWith("ada"));
    await parts.settleMail((to) => to.startsWith("ben"), "550");
    await desk.tick();
    parts.clock.advance(30 * DAY_MS);
    expect([await desk.inForce(2), await desk.inForce(2, ada), await desk.inForce(2, ben)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await desk.notice(ada)).toBeUndefined();
    expect(await desk.notice(ben)).toMatchObject({
      version: 2,
      effectiveAt: new Date(parts.clock.now() + 14 * DAY_MS).toISOString(),
    });
    parts.clock.advance(14 * DAY_MS - 1);
    expect(await desk.inForce(2, ben)).toBe(false);
    parts.clock.advance(1);
    expect(await desk.inForce(2, ben)).toBe(true);
    expect(await desk.notice(ben)).toBeUndefined();
  });

  it("shows the notice, keeps who read it and who objected, and asks billing to give back what was paid", async () => {
    const desk = start();
    await desk.announce(2, "r");
    await desk.tell({ version: 2 }, parts.jobContext());
    expect(await desk.notice(ada)).toMatchObject({
      ...{ version: 2, acknowledged: false, objected: false },
      ...{ summary: "Activity logs are anonymised after 60 days.", url: "http://localhost:8787/privacy/versions/2" },
    });
    await desk.acknowledge(actor(ada), 2);
    expect(await desk.notice(ada)).toMatchObject({ acknowledged: true, objected: false });
    await desk.object(actor(ben), 2);
    expect(await desk.notice(ben)).toMatchObject({ objected: true });
    expect(refunded).toContainEqual([ben, 2]);
    await expect(desk.object(actor(ben), 3)).rejects.toThrow("no such version");
    await parts.settleMail(() => true);
    await desk.tick();
    parts.clock.advance(14 * DAY_MS);
    expect([await desk.inForce(2, ada), await desk.inForce(2, ben)]).toEqual([true, false]);
    const { auditLog } = parts.db.t;
    const actions = (await parts.db.read.select().from(auditLog)).map(({ action }) => action);
    expect(actions).toEqual(["admin.policy_announced", "privacy.policy_acknowledged", "privacy.policy_objected"]);
  });

  it("shows who signs up in between both versions, without waiting for them", async () => {
    const desk = start();
    await desk.announce(2, "r");
    parts.clock.advance(MINUTE_MS);
    const eve = await parts.person("eve");
    await desk.tell({ version: 2 }, parts.jobContext());
    expect(await recipients()).toEqual(["ada@x.example", "ben@x.example"]);
    await parts.settleMail(() => true);
    await desk.tick();
    expect((await desk.announcedNext())?.policy.version).toBe(2);
    expect((await desk.published()).map(({ policy, state }) => [policy.version, state])).toEqual([
      [2, "announced"],
      [1, "in force"],
    ]);
    expect(await desk.notice(eve)).toMatchObject({ version: 2 });
    parts.clock.advance(14 * DAY_MS);
    expect(await desk.inForce(2, eve)).toBe(true);
  });
});
