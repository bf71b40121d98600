import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UserId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import { type Place, scoreBeginning, scoreUse } from "./unusual-use.ts";

const chrome = (version: number, system = "Windows NT 10.0; Win64; x64") =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const CURL = "curl/8.5.0";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOME = { ip: "192.0.2.10", userAgent: chrome(156) };

describe("ABUSE-12 what unusual use is", () => {
  it.each<[string, Place, Place, number]>([
    ["a VPN is switched on", HOME, { ...HOME, ip: "203.0.113.5" }, 0],
    ["a carrier gives another address", { ...HOME, ip: "198.51.100.7" }, { ...HOME, ip: "198.51.100.200" }, 0],
    ["a carrier changes from IPv4 to IPv6", HOME, { ...HOME, ip: "2001:db8:77::5" }, 0],
    ["a browser updates itself", HOME, { ...HOME, userAgent: chrome(157) }, 0],
    ["a browser updates itself behind a VPN", HOME, { ip: "203.0.113.5", userAgent: chrome(157) }, 0],
    ["a page is tried as a phone", HOME, { ...HOME, userAgent: chrome(156, "Linux; Android 16; K") }, 0],
    ["nothing is known of the last use", { ip: null, userAgent: null }, { ip: "203.0.113.5", userAgent: CURL }, 0],
  ])("ABUSE-12 is silent when %s", (_, last, now, sinceMs) => {
    expect(scoreUse(last, now, sinceMs)).toBeLessThan(60);
  });

  it.each<[string, Place, number, number]>([
    ["another browser elsewhere, minutes later", { ip: "203.0.113.5", userAgent: FIREFOX }, 10 * 60_000, 75],
    ["a program elsewhere, minutes later", { ip: "2001:db8:9::1", userAgent: CURL }, 0, 75],
    ["another browser elsewhere, a day later", { ip: "203.0.113.5", userAgent: FIREFOX }, DAY_MS, 60],
  ])("ABUSE-12 sees %s", (_, now, sinceMs, score) => expect(scoreUse(HOME, now, sinceMs)).toBe(score));

  it.each<[string, readonly Place[], Place, string]>([
    ["the first time", [], { ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Asia/Tokyo" }, "2026-01-10"],
    [
      "on the night clocks change",
      [{ ...HOME, timeZone: "Europe/Berlin" }],
      { ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Europe/Berlin" },
      "2026-03-29",
    ],
    [
      "between a zone with daylight saving time and its neighbour without",
      [{ ...HOME, timeZone: "Europe/Berlin" }],
      { ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Africa/Algiers" },
      "2026-07-01",
    ],
    [
      "when a zone gets another name",
      [{ ...HOME, timeZone: "Asia/Calcutta" }],
      { ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Asia/Kolkata" },
      "2026-07-01",
    ],
    [
      "on a journey with the same computer",
      [{ ...HOME, timeZone: "Europe/Berlin" }],
      { ip: "203.0.113.5", userAgent: chrome(157), timeZone: "Asia/Tokyo" },
      "2026-07-01",
    ],
    [
      "on a new computer at home",
      [{ ...HOME, timeZone: "Europe/Berlin" }],
      { ...HOME, userAgent: FIREFOX, timeZone: "Europe/Berlin" },
      "2026-07-01",
    ],
  ])("ABUSE-12 a connection is usual %s", (_, earlier, now, day) => {
    expect(scoreBeginning(earlier, now, Date.parse(`${day}T01:30:00Z`))).toBeLessThan(85);
  });
  it("ABUSE-12 a connection is unusual where nothing of the person was ever seen", () => {
    const now = { ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Asia/Tokyo" };
    expect(scoreBeginning([{ ...HOME, timeZone: "Europe/Berlin" }], now, Date.parse("2026-01-10"))).toBe(85);
  });
});

describe.each(TEST_ENGINES)("ABUSE-12 sessions on $name", (engine) => {
  let test: TestDatabase;
  let at: TestPages;
  let userId: UserId;
  let email: string;
  beforeAll(async () => {
    test = await engine.open();
    at = startPages(test.db);
  });
  beforeEach(async () => {
    email = `p${at.clock.now()}@x.example`;
    at.clock.advance(DAY_MS);
    userId = (await at.accounts.create({ email, password: "blaue gurken tanzen" }, "operator")).id;
  });
  afterAll(() => test.dispose());

  const connect = (about: Partial<ReturnType<typeof requestInfo>> = {}) =>
    test.db.tx((tx) =>
      at.sessions.create(tx, {
        ...{ userId, kind: "extension", authenticatedAt: new Date(at.clock.now()), method: "password" },
        about: requestInfo({ ...HOME, timeZone: "Europe/Berlin", ...about }),
      }),
    );
  /** When the session's holder last proved who they are, in ms before now. */
  const provenAgo = async (token: string, about: Partial<ReturnType<typeof requestInfo>> = HOME) => {
    const actor = await at.sessions.find(token, requestInfo(about));
    if (actor === undefined || actor === "ended") throw new Error("The session is gone.");
    return at.clock.now() - actor.authenticatedAt.getTime();
  };
  const told = async () =>
    (await at.mail.preview())
      .filter((mail) => mail.recipient === email)
      .map(({ subject, text }) => `${subject} ${text}`);

  it("ABUSE-12 a token used by another browser elsewhere must prove itself; the owner is told once a day", async () => {
    const { token } = await connect();
    const thief = { ip: "203.0.113.5", userAgent: FIREFOX };
    at.clock.advance(60_000);
    expect(await provenAgo(token)).toBe(60_000);
    expect(await provenAgo(token, thief)).toBeGreaterThan(DAY_MS);
    expect(await provenAgo(token, thief)).toBeGreaterThan(DAY_MS);
    expect(await provenAgo(token)).toBeGreaterThan(DAY_MS);
    const mails = await told();
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/^Unusual use/);
    expect(mails[0]).toContain("Chrome 156 on Windows was used from Firefox 153 on Linux");
    expect(mails[0]).not.toContain("203.0.113");
    at.clock.advance(DAY_MS);
    await provenAgo(token, thief);
    await provenAgo(token);
    // Asked already and not answered: there is nothing new to tell.
    expect(await told()).toHaveLength(1);
    const log = await test.db.read.select().from(test.db.t.auditLog);
    expect(log.filter((row) => row.action === "account.unusual_use" && row.actor === userId)).toHaveLength(1);
  });

  it("ABUSE-12 the owner's fresh proof ends what the thief holds", async () => {
    const { id, token } = await connect();
    await provenAgo(token, { ip: "203.0.113.5", userAgent: CURL });
    const proof = { authenticatedAt: new Date(at.clock.now()), method: "password", about: HOME } as const;
    const renewed = await test.db.tx((tx) => at.sessions.renew(tx, { userId, id }, proof));
    expect(await at.sessions.find(token, requestInfo({ ip: "203.0.113.5", userAgent: CURL }))).toBeUndefined();
    expect(await provenAgo(renewed ?? "")).toBe(0);
    const moved = { ip: "203.0.113.8", userAgent: FIREFOX };
    expect(await provenAgo(renewed ?? "", moved)).toBeGreaterThan(DAY_MS);
    const proven = await test.db.tx((tx) => at.sessions.renew(tx, { userId, id }, { ...proof, about: moved }));
    expect(await provenAgo(proven ?? "", moved)).toBe(0);
  });

  it("ABUSE-12 a month of VPNs, carriers and updates stays silent and asks for nothing", async () => {
    const { token } = await connect();
    const networks = ["192.0.2.10", "203.0.113.5", "198.51.100.9", "2001:db8:1::1", "2001:db8:2::1"];
    for (let hour = 0; hour < 240; hour += 3) {
      at.clock.advance(3 * HOUR_MS);
      const about = { ip: networks[hour % networks.length] ?? "", userAgent: chrome(156 + Math.floor(hour / 80)) };
      expect(await provenAgo(token, about)).toBe((hour + 3) * HOUR_MS);
    }
    await connect({ ip: "203.0.113.77", userAgent: chrome(158), timeZone: "America/New_York" });
    expect(await told()).toEqual([]);
  });

  it("ABUSE-12 a connection where nothing was ever seen is told, and no place is stored for it", async () => {
    await connect();
    await connect({ ip: "203.0.113.5", userAgent: FIREFOX, timeZone: "Asia/Tokyo" });
    const mails = await told();
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain("connected to your account from Firefox 153 on Linux");
    expect(JSON.stringify(await test.db.read.select().from(test.db.t.auditLog))).not.toMatch(/Tokyo|203\.0\.113/);
  });
});
