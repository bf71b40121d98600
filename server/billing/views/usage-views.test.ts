import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type PhoneId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import type { UsageViews } from "../usage.router.ts";
import { flowShares } from "./flow-shares.ts";
import type { Unsettled } from "./open-time.ts";
import { NO_OPEN_TIME, openPiece, type UsedTeam, unsettled, usedTeam } from "./usage-views.fixture.ts";
import { createUsageViewsRepo } from "./usage-views.repo.ts";
import { createUsageViews } from "./usage-views.service.ts";

const MIN = 60_000;
const HOUR = 60 * MIN;
const at = (text: string) => Date.parse(`2026-11-${text}Z`);
const NOVEMBER = { from: "2026-11-01", to: "2026-11-30" };

describe("flow shares", () => {
  it("sum to their entries, in time and in money, whatever ran when", () => {
    const time = fc.integer({ min: 0, max: 200_000 });
    const span = fc.tuple(time, time).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    const phoneId = newId("phone");
    fc.assert(
      fc.property(
        span,
        fc.integer({ min: -500, max: 500 }),
        fc.array(span, { maxLength: 6 }),
        (entry, amount, spans) => {
          const runs = spans
            .sort((a, b) => a.from - b.from)
            .map((one, index) => ({ ...one, phoneId, flowId: index % 2 === 0 ? newId("flow") : null }));
          const whole = { ...entry, phoneId, day: "2026-11-01", ms: entry.to - entry.from, amount };
          const shares = flowShares([whole], runs);
          expect(shares.reduce((sum, { ms }) => sum + ms, 0)).toBe(whole.ms);
          expect(shares.reduce((sum, one) => sum + one.amount, 0)).toBe(amount);
        },
      ),
    );
  });
});

describe.each(TEST_ENGINES)("usage on $name", (engine) => {
  let test: TestDatabase;
  let team: UsedTeam;
  let stranger: UsedTeam;
  let pixel: PhoneId;
  let tall: PhoneId;
  let views: UsageViews;
  let open: Unsettled = NO_OPEN_TIME;
  let zone = "UTC";
  const clock = new ManualClock(at("26T12:00:00"));
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    test = await engine.open();
    views = createUsageViews({
      repo: createUsageViewsRepo(test.db),
      openTime: { of: async () => open },
      timeZoneOf: async () => zone,
      clock,
    });
    team = await usedTeam(test.db);
    stranger = await usedTeam(test.db);
    [pixel, tall] = [await team.phone("Pixel"), await team.phone("=Tall")];
    ids["first"] = await team.ran(pixel, [
      { from: at("03T09:02:11"), to: at("03T09:20:00"), cover: "plan", grantId: "grant_1" },
      { from: at("03T09:20:00"), to: at("03T09:31:40"), cover: "plan", grantId: "grant_1" },
      { from: at("03T09:31:40"), to: at("03T10:31:40"), cover: "wallet", amount: 12 },
    ]);
    ids["crashed"] = await team.ran(
      pixel,
      [{ from: at("03T11:00:00"), to: at("03T12:00:00"), cover: "wallet", amount: 12 }],
      {
        end: "server_crash",
      },
    );
    ids["overMidnight"] = await team.ran(
      tall,
      [
        { from: at("04T23:00:00"), to: at("05T00:00:00"), cover: "wallet", amount: 12 },
        { from: at("05T00:00:00"), to: at("05T02:00:00"), cover: "overage", amount: 24 },
      ],
      { by: null },
    );
    await team.ranFlow(pixel, at("03T09:10:00"), at("03T09:40:00"), "Buy milk");
    await team.ranFlow(tall, at("05T01:00:00"), null);
    await stranger.ran(await stranger.phone("Theirs"), [
      { from: at("03T09:00:00"), to: at("03T10:00:00"), cover: "plan" },
    ]);
    await test.db.tx((tx) =>
      tx.insert(test.db.t.grants).values({
        ...{ id: "grant_1" as never, teamId: team.teamId, kind: "plan", name: "Solo, November", source: "period" },
        ...{ sourceId: "p", total: 6_000 * MIN, remaining: 0, startsAt: at("01T00:00:00"), createdAt: new Date() },
        ...{ startsAt: new Date(at("01T00:00:00")) },
      }),
    );
  });
  afterAll(() => test.dispose());

  it("is summed by what covered it, with money only for those who may see it", async () => {
    expect(await views.summary(team.scope, NOVEMBER, true)).toEqual({
      ...{ ...NOVEMBER, currency: "usd", phoneMs: 29 * MIN + 29_000 + 5 * HOUR, amount: 60 },
      byCover: [
        { cover: "plan", name: "Plan minutes", ms: 29 * MIN + 29_000, amount: 0 },
        { cover: "wallet", name: "Balance", ms: 3 * HOUR, amount: 36 },
        { cover: "overage", name: "On the invoice", ms: 2 * HOUR, amount: 24 },
      ],
    });
    const hidden = await views.summary(team.scope, NOVEMBER, false);
    expect(hidden.phoneMs).toBe(29 * MIN + 29_000 + 5 * HOUR);
    expect(JSON.stringify(hidden)).not.toContain("amount");
  });

  it("is that of the month so far without a range, and refuses ranges that make no sense", async () => {
    expect(await views.summary(team.scope, {}, true)).toMatchObject({
      from: "2026-11-01",
      to: "2026-11-26",
      amount: 60,
    });
    await expect(views.summary(team.scope, { from: "2026-11-05", to: "2026-11-04" }, true)).rejects.toMatchObject({
      code: "bad_input",
    });
    await expect(views.summary(team.scope, { from: "2020-01-01", to: "2026-11-04" }, true)).rejects.toMatchObject({
      code: "bad_input",
    });
  });

  it("is shown by phone, member and flow; each sums to the same", async () => {
    const shown = async (by: "phone" | "member" | "flow") =>
      (await views.days(team.scope, { ...NOVEMBER, by }, true)).series.map(({ name, ms, amount, days }) => ({
        ...{ name, ms, amount, days: days.map(({ day }) => day.slice(8)).join() },
      }));
    expect(await shown("phone")).toEqual([
      { name: "=Tall", ms: 3 * HOUR, amount: 36, days: "04,05" },
      { name: "Pixel", ms: 2 * HOUR + 29 * MIN + 29_000, amount: 24, days: "03" },
    ]);
    expect(await shown("member")).toEqual([
      { name: "Former member", ms: 3 * HOUR, amount: 36, days: "04,05" },
      { name: "Anna", ms: 2 * HOUR + 29 * MIN + 29_000, amount: 24, days: "03" },
    ]);
    expect(await shown("flow")).toEqual([
      // 12 cents of the first hour are split where the flow ended: 8 min 20 s of 60.
      {
        name: "By hand",
        ms: 3 * HOUR + 59 * MIN + 29_000,
        amount: 47,
        days: "03,04,05",
      },
      { name: "Flows that are not saved", ms: HOUR, amount: 12, days: "05" },
      { name: "Buy milk", ms: 30 * MIN, amount: 1, days: "03" },
    ]);
  });

  it("is listed line by line, the newest first, in the team's time", async () => {
    const { lines, next } = await views.lines(team.scope, NOVEMBER, true);
    expect(next).toBeUndefined();
    expect(lines.map(({ words, member, phone }) => [words, member, phone])).toEqual([
      ["23:00:00–02:00:00, 3 h, balance and on the invoice, $0.36", "Former member", "=Tall"],
      ["11:00:00–12:00:00, 1 h, balance, $0.12", "Anna", "Pixel"],
      ["09:02:11–10:31:40, 1 h 29 min 29 s, plan minutes and balance, $0.12", "Anna", "Pixel"],
    ]);
    zone = "Europe/Berlin";
    const [berlin] = (await views.lines(team.scope, NOVEMBER, false)).lines;
    zone = "UTC";
    expect(berlin?.words).toBe("00:00:00–03:00:00, 3 h, balance and on the invoice");
    const ofOne = await views.lines(team.scope, { ...NOVEMBER, phoneId: tall }, true);
    expect(ofOne.lines.map(({ phone }) => phone)).toEqual(["=Tall"]);
  });

  it("clips lines to the days that are asked for", async () => {
    const { lines } = await views.lines(team.scope, { from: "2026-11-05", to: "2026-11-05" }, true);
    expect(lines).toMatchObject([
      { from: "2026-11-05T00:00:00.000Z", to: "2026-11-05T02:00:00.000Z", ms: 2 * HOUR, amount: 24 },
    ]);
  });

  it("explains each piece by its rule, joining what was settled in steps", async () => {
    const explained = await views.explain(team.scope, { intervalId: ids["first"] as never }, true);
    expect(explained.ended).toBe("Ended because the phone was parked.");
    expect(explained.pieces.map(({ name, ms, why, amount }) => [name, ms, why, amount])).toEqual([
      ["Plan minutes", 29 * MIN + 29_000, "Plan minutes: 29 min 29 s of the 6,000 of November.", 0],
      [...["Balance", HOUR], "Balance: 12 cents an hour, this phone's day had cost $0.00, the cap is $1.50.", 12],
    ]);
    const crashed = await views.explain(team.scope, { intervalId: ids["crashed"] as never }, true);
    expect(crashed.ended).toContain("not billed");
    expect(crashed.pieces[0]?.why).toBe(
      "Balance: 12 cents an hour, this phone's day had cost $0.12, the cap is $1.50.",
    );
    const hidden = JSON.stringify(await views.explain(team.scope, { intervalId: ids["first"] as never }, false));
    expect(hidden).not.toMatch(/amount|\$|cents/);
    await expect(views.explain(stranger.scope, { intervalId: ids["first"] as never }, true)).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("counts what runs now on top, as it would be rated", async () => {
    const id = await team.ran(pixel, [{ from: at("26T11:00:00"), to: at("26T11:10:00"), cover: "plan" }], {
      end: null,
    });
    const live = openPiece(id as never, pixel, {
      from: at("26T11:10:00"),
      to: at("26T12:00:00"),
      cover: "wallet",
      amount: 10,
    });
    open = unsettled(id as never, team, at("26T11:00:00"), [live]);
    const range = { from: "2026-11-26", to: "2026-11-26" };
    expect(await views.summary(team.scope, range, true)).toMatchObject({ phoneMs: HOUR, amount: 10 });
    for (const by of ["phone", "member", "flow"] as const) {
      const { series } = await views.days(team.scope, { ...range, by }, true);
      expect(series).toMatchObject([{ ms: HOUR, amount: 10 }]);
    }
    expect((await views.lines(team.scope, range, true)).lines).toMatchObject([{ running: true, ms: HOUR, amount: 10 }]);
    const { ended, pieces } = await views.explain(team.scope, { intervalId: id as never }, true);
    expect(ended).toContain("Still running");
    expect(pieces).toMatchObject([{ cover: "plan" }, { cover: "wallet", amount: 10 }]);
    open = NO_OPEN_TIME;
  });

  it("shows corrections, and what is left after them", async () => {
    const id = await team.ran(tall, [{ from: at("10T09:00:00"), to: at("10T10:00:00"), cover: "wallet", amount: 12 }]);
    await team.takenBack(id as never, at("11T09:00:00"), "The phone hung.");
    const range = { from: "2026-11-10", to: "2026-11-10" };
    expect(await views.summary(team.scope, range, true)).toMatchObject({ phoneMs: 0, amount: 0, byCover: [] });
    const { line, pieces, corrections } = await views.explain(team.scope, { intervalId: id as never }, true);
    expect(line).toMatchObject({ ms: 0, amount: 0 });
    expect(pieces).toHaveLength(1);
    expect(corrections).toEqual([
      { at: "2026-11-11T09:00:00.000Z", ms: -HOUR, amount: -12, reason: "The phone hung." },
    ]);
  });

  it("goes out as CSV that no spreadsheet reads as formulas, and sums to the same", async () => {
    const { name, csv } = await views.csv(team.scope, NOVEMBER, true);
    expect(name).toBe("usage-2026-11-01-2026-11-30.csv");
    const [head, ...rows] = csv.trimEnd().split("\r\n");
    expect(head).toBe("From (UTC),To (UTC),Phone,Member,Covered by,Time (ms),Amount (USD)");
    expect(csv).toContain("'=Tall");
    expect(csv).not.toMatch(/,=/);
    const summed = rows.reduce((sum, row) => sum + Number(row.split(",")[5]), 0);
    expect(summed).toBe((await views.summary(team.scope, NOVEMBER, true)).phoneMs);
    expect((await views.csv(team.scope, NOVEMBER, false)).csv).not.toContain("Amount");
  });

  it("is read in pages that miss nothing and say nothing twice", async () => {
    const many = await usedTeam(test.db);
    const phone = await many.phone("Many");
    for (let index = 0; index < 120; index += 1) {
      const from = at("12T00:00:00") + Math.floor(index / 2) * MIN;
      await many.ran(phone, [{ from, to: from + 30_000, cover: "plan" }]);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await views.lines(many.scope, { ...NOVEMBER, ...(cursor !== undefined && { cursor }) }, true);
      seen.push(...page.lines.map(({ intervalId }) => intervalId));
      cursor = page.next;
    } while (cursor !== undefined);
    expect([seen.length, new Set(seen).size]).toEqual([120, 120]);
    await expect(views.lines(many.scope, { ...NOVEMBER, cursor: "x" }, true)).rejects.toMatchObject({
      code: "bad_input",
    });
  });
});
