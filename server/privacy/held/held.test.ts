import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataMap } from "../map/data-map.ts";
import { processorsOf } from "../processors/processors.ts";
import { canaryPerson, plant } from "../testing/plant.repo.ts";
import { createHeldRepo } from "./held.repo.ts";
import { heldCategories, leavesWords } from "./held.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T0 = Date.UTC(2026, 0, 1);
const at = (ms: number) => new Date(T0 + ms);
const place: Parameters<typeof heldCategories>[2] = { database: "On this server, encrypted", processors: [] };

describe("when something goes, in words", () => {
  it.each([
    [["account"], "With your account"],
    [["quarter", "quarter"], "After 90 days"],
    [["minutes"], "After 1 day"],
    [["account", "day", "quarter", "team", "incident"], "After 1 to 90 days, or with your account, or with the team"],
    [["phone", "week"], "After 7 days, or with the phone"],
    [
      ["request", "month"],
      "After 30 days, or 24 months after the answer, then without anything about you from the answer on",
    ],
    [["billing"], "Up to 7 years, as the law asks"],
  ] as const)("%j: %s", (rules, words) => {
    expect(leavesWords(rules)).toBe(words);
  });
});

describe.each(TEST_ENGINES)("what is held about a person on $name", (engine) => {
  let test: TestDatabase;
  const [anna, ben] = [newId("user"), newId("user")];
  const of = (userId: typeof anna, where = place) => heldCategories(createHeldRepo(test.db), userId, where);
  const named = async (category: string) => (await of(anna)).find((one) => one.category === category);
  beforeAll(async () => {
    test = await engine.open();
    const { t } = test.db;
    const teamId = newId("team");
    const runId = newId("run");
    await test.db.tx(async (tx) => {
      for (const id of [anna, ben]) {
        const emailShown = `${id}@x.example`;
        await addUser(test.db, tx, { id, email: emailShown.toLowerCase(), emailShown, createdAt: at(0) });
      }
      await tx.insert(t.teams).values({ id: teamId, name: "Ours", createdAt: at(0) });
      for (const userId of [anna, ben])
        await tx.insert(t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at(0) });
      const phone = {
        teamId,
        name: "P",
        driver: "web",
        profile: "tall",
        settings: {},
        rotated: false,
        state: "parked",
      } as const;
      for (const createdBy of [anna, anna, ben]) {
        await tx.insert(t.phones).values({ ...phone, id: newId("phone"), createdBy, createdAt: at(DAY) });
      }
      await tx.insert(t.runs).values({
        ...{ id: runId, teamId, createdBy: anna, name: "R", source: "-", inputs: {}, phoneId: newId("phone") },
        ...{ state: "passed", trigger: "person", idempotencyKey: "key", requestHash: "", turn: 1, fence: 1, starts: 1 },
        ...{ eventSeq: 0, createdAt: at(10 * DAY) },
      });
      for (let seq = 0; seq < 40; seq += 1) {
        const step = {
          runId,
          seq,
          attempt: 1,
          path: "",
          line: 1,
          depth: 0,
          command: "tap",
          label: "Tap",
          hash: "",
        } as const;
        await tx.insert(t.runSteps).values({ ...step, kind: "effect", state: "passed", startedAt: at(10 * DAY) });
      }
      for (const [index, createdAt] of [at(12 * DAY), at(12 * DAY + 5 * HOUR), at(14 * DAY)].entries()) {
        const mail = {
          userId: anna,
          recipient: "a@x.example",
          recipientIndex: "a@x.example",
          kind: "reset",
          data: { sealed: "x" },
          state: "sent",
        } as const;
        await tx.insert(t.mailOutbox).values({ ...mail, id: String(index), createdAt });
      }
    });
  });
  afterAll(() => test.dispose());

  it("counts things and not their parts, and each fact once", async () => {
    expect(await named("user.content.private")).toMatchObject({ items: 3, rectify: "self" });
    expect(await named("user.contact.email")).toMatchObject({ items: 1, oldestAt: at(0).toISOString() });
    expect(await named("user.unique_id")).toMatchObject({ items: 1, rectify: "none" });
    const his = await of(ben);
    expect(his.find(({ category }) => category === "user.content.private")?.items).toBe(1);
    expect(his.find(({ category }) => category === "user.authorization.credentials")).toBeUndefined();
  });

  it("says what goes next: all that goes within a day of the first", async () => {
    expect(await named("user.authorization.credentials")).toMatchObject({
      items: 3,
      oldestAt: at(12 * DAY).toISOString(),
      next: { items: 2, at: at(19 * DAY).toISOString() },
      leaves: "After 7 days",
    });
    expect(await named("user.account.settings")).not.toHaveProperty("next");
    expect((await named("user.content.private"))?.next).toEqual({ items: 1, at: at(40 * DAY).toISOString() });
  });

  it("says where it is, and who else has it once there is somebody", async () => {
    expect((await named("user.content.private"))?.place).toBe(
      "On this server, encrypted; in files of runs; on the way to your phones; on your phones; in your browser",
    );
    expect((await named("user.contact.email"))?.place).toBe("On this server, encrypted");
    const mailed = await of(anna, { ...place, processors: processorsOf({ SMTP_URL: "smtps://m.example" }) });
    expect(mailed.find(({ category }) => category === "user.contact.email")?.place).toBe(
      "On this server, encrypted; at the mail server",
    );
  });

  it("finds every category of a person who has something everywhere", async () => {
    const full = canaryPerson();
    await plant(test.db, dataMap(test.db.t), full, { at: at(0) });
    const categories = await heldCategories(createHeldRepo(test.db), full.userId, place);
    const expected = dataMap(test.db.t).flatMap(({ about, columns }) =>
      "none" in about.subject
        ? []
        : columns.flatMap(({ tag }) => (tag.category === "system.operations" ? [] : [tag.category])),
    );
    expect(categories.map(({ category }) => category).sort()).toEqual([...new Set<string>(expected)].sort());
    for (const { label, leaves, place: where, purpose } of categories) {
      expect(label.length).toBeLessThanOrEqual(32);
      for (const words of [leaves, where, purpose]) expect(words).not.toBe("");
    }
  });
});
