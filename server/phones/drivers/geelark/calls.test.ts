/** One call to the partner: how it is signed, how many there may be, and what becomes of answers that are none. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PHONE_STATES } from "../../../../shared/phones.ts";
import { ManualClock } from "../../../clock.ts";
import { TEST_ENGINES } from "../../../db/testing.ts";
import { type GeelarkAccess, isSigned, signature, signedHeaders } from "./access.ts";
import { noFaults } from "./emulator/faults.ts";
import { createQuota } from "./emulator/quota.ts";
import { ACCESS, type PartnerWorld, startPartnerWorld } from "./geelark.fixture.ts";
import { createCallLimiter } from "./limiter.ts";
import { createMarks } from "./marks.ts";
import { driverState, isOn, remedyFor, type VendorState, vendorState } from "./states.ts";
import { createTransport } from "./transport.ts";
import { PATHS, PartnerError, troubleOf } from "./troubles.ts";

const KEY: GeelarkAccess = { base: "", key: ACCESS.key, token: undefined };
const TOKEN: GeelarkAccess = { base: "", key: undefined, token: "a-token-of-the-client" };
const NOW = 1_716_972_892_166;
const reading = (headers: Readonly<Record<string, string>>) => (name: string) => headers[name];

describe("signatures", () => {
  it("are those of the partner's own example", () => {
    const traceId = "db6094ab-3797-4186-84d5-b0b58eebad56";
    const of = { appId: "eH6gQR4oHr3FsZpI36La01IW", traceId, ts: "1716972892166", nonce: "db6094" };
    expect(signature({ ...of, apiKey: "YjmFIUuq0oJgSDJ42fxLEb6R1qjjqf" })).toBe(
      "6280C080AF7C3CCE168F15C913E3444A00A618CB0E16038EED9811D6E3366BDD",
    );
  });

  it("are made by the key where there is one, which is not sent, and else by the token", () => {
    const signed = signedHeaders({ ...KEY, token: "t" }, NOW);
    expect(Object.keys(signed).sort()).toEqual(["appId", "nonce", "sign", "traceId", "ts"]);
    expect(JSON.stringify(signed)).not.toContain(ACCESS.key?.apiKey);
    expect(signedHeaders(TOKEN, NOW)).toMatchObject({ Authorization: "Bearer a-token-of-the-client" });
    expect(signedHeaders(KEY, NOW)["traceId"]).not.toBe(signedHeaders(KEY, NOW)["traceId"]);
  });

  it("are believed of messages in either form, and only whole, right and of now", () => {
    const both: GeelarkAccess = { ...KEY, token: TOKEN.token };
    for (const access of [KEY, TOKEN]) {
      expect(isSigned(both, reading(signedHeaders(access, NOW)), NOW)).toBe(true);
    }
    const colon = { ...signedHeaders(TOKEN, NOW), Authorization: "Bearer: a-token-of-the-client" };
    expect(isSigned(TOKEN, reading(colon), NOW)).toBe(true);
    const good = signedHeaders(KEY, NOW);
    const changed = Object.keys(good).flatMap((name) => [
      { ...good, [name]: "" },
      { ...good, [name]: `${good[name]}0` },
    ]);
    for (const one of [...changed, {}, signedHeaders(TOKEN, NOW)]) expect(isSigned(KEY, reading(one), NOW)).toBe(false);
    for (const ms of [-11 * 60_000, 11 * 60_000]) expect(isSigned(KEY, reading(good), NOW + ms)).toBe(false);
    const nobody: GeelarkAccess = { base: "", key: undefined, token: undefined };
    for (const text of ["Bearer undefined", "Bearer ", "Bearer"]) {
      expect(isSigned(nobody, reading({ traceId: good["traceId"] ?? "", Authorization: text }), NOW)).toBe(false);
    }
    expect(isSigned(TOKEN, reading({ ...signedHeaders(TOKEN, NOW), traceId: "" }), NOW)).toBe(false);
  });
});

describe("what the partner says", () => {
  it("of a phone's state: four numbers are known, and whatever else comes is unknown, never a failure", () => {
    expect([0, 1, 2, 3].map((status) => driverState(vendorState(status)))).toEqual([
      ...["running", "running", "parked", "parked"],
    ]);
    fc.assert(
      fc.property(fc.anything(), (status) => {
        fc.pre(!(typeof status === "number" && [0, 1, 2, 3].includes(status)));
        expect(driverState(vendorState(status))).toBe("unknown");
      }),
    );
  });

  it("costs nobody money unseen: what is on there and not here is turned off, and what is unknown is left alone", () => {
    const states: VendorState[] = ["started", "starting", "stopped", "expired", "gone", "unknown"];
    fc.assert(
      fc.property(
        fc.option(fc.constantFrom(...PHONE_STATES), { nil: undefined }),
        fc.constantFrom(...states),
        (row, there) => {
          const remedy = remedyFor(row, there);
          const moves = row === "starting" || row === "creating" || row === "parking";
          expect(remedy === "stop").toBe(isOn(there) && row !== "running" && !moves);
          expect(remedy === "stopped").toBe(row === "running" && there === "stopped");
          expect(remedy === "ended").toBe(row === "running" && (there === "expired" || there === "gone"));
          if (there === "unknown") expect(remedy).toBe("none");
        },
      ),
    );
  });

  it("by a number is read with the call it answers", () => {
    expect(troubleOf("start", 43020, false)).toBe("busy");
    expect(troubleOf("start", 47002, true)).toBe("inventory");
    expect(troubleOf("status", 47002, true)).toBe("lock");
    expect(troubleOf("list", 47002, true)).toBe("lock");
    expect(troubleOf("adbData", 49002, false)).toBe("unsupported");
    fc.assert(
      fc.property(fc.integer(), (code) => {
        const error = new PartnerError(troubleOf("list", code, true), { vendorCode: code });
        expect(error.message).toMatch(/^[A-Z].*\.$/);
        expect(error.message).not.toMatch(/\d{5}|—/);
      }),
    );
  });

  it("in a remark is ours only whole, and with this server's mark", () => {
    const [ours, other] = [createMarks("abc"), createMarks("abd")];
    const phone = "phn_AAAAAAAAAAAAAAAAAAAAAA";
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = ours.phoneIn(text);
        if (found !== undefined) expect(ours.remark(found)).toBe(text.trim());
        expect(other.phoneIn(ours.remark(phone as never))).toBeUndefined();
      }),
    );
  });
});

describe("the limiter", () => {
  it("never lets more through than the partner takes, in any minute and any hour, and lets that many", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 200, maxLength: 900 }), (gaps) => {
        const clock = new ManualClock();
        const limiter = createCallLimiter(clock);
        const made: number[] = [];
        for (const gap of gaps) {
          clock.advance(gap > 2_000 ? gap : gap % 3);
          for (let wait = limiter.take("list"); wait > 0; wait = limiter.take("list")) {
            expect(wait).toBeLessThanOrEqual(61_000);
            clock.advance(wait);
          }
          made.push(clock.now());
        }
        for (const [index, at] of made.entries()) {
          const within = made.slice(0, index + 1).filter((one) => one > at - 60_000);
          expect(within.length).toBeLessThanOrEqual(200);
        }
      }),
      { numRuns: 30 },
    );
    const clock = new ManualClock();
    const limiter = createCallLimiter(clock);
    for (let call = 0; call < 200; call += 1) expect(limiter.take("status")).toBe(0);
    expect(limiter.take("status")).toBeGreaterThan(0);
    expect(limiter.take("list")).toBe(0);
    // The last moment of one slice and the first of another are less than a minute apart.
    clock.advance(999);
    for (let call = 0; call < 200; call += 1) expect(limiter.take("stop")).toBe(0);
    clock.advance(59_001);
    expect(limiter.take("stop")).toBeGreaterThan(0);
    expect([limiter.take("plan"), limiter.take("plan") > 0]).toEqual([0, true]);
  });

  it("is content with the partner's own way of counting, and waits for its next minute when refused", () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1, 0, 0, 59));
    const [limiter, quota] = [createCallLimiter(clock), createQuota(clock)];
    for (let call = 0; call < 2_000; call += 1) {
      for (let wait = limiter.take("list"); wait > 0; wait = limiter.take("list")) clock.advance(wait);
      expect(quota.take(PATHS.list)).toBeUndefined();
      clock.advance(7);
    }
    limiter.refused("stop");
    clock.advance(limiter.take("stop"));
    expect(clock.now() % 60_000).toBe(0);
    expect(limiter.take("stop")).toBe(0);
    // A clock that is set back holds nothing up.
    for (let call = 0; call < 199; call += 1) limiter.take("stop");
    expect(limiter.take("stop")).toBeGreaterThan(0);
    limiter.refused("stop");
    clock.advance(-24 * 3_600_000);
    expect(limiter.take("stop")).toBe(0);
  });
});

describe("the way there", () => {
  let server: Server;
  let answer: { bytes: number; silent: boolean; status: number };
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      if (answer.silent) return;
      response.writeHead(answer.status, { location: "http://127.0.0.1:9/" });
      response.end(Buffer.alloc(answer.bytes, "x"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  const never = new AbortController().signal;
  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  it("is bounded in size and time, can be called off, and follows nobody elsewhere", async () => {
    const { post, close } = createTransport(base(), { timeoutMs: 300, maxBytes: 1_000 });
    answer = { bytes: 1_000, silent: false, status: 200 };
    expect((await post("/", "{}", {}, never)).body.length).toBe(1_000);
    answer = { bytes: 1_001, silent: false, status: 200 };
    await expect(post("/", "{}", {}, never)).rejects.toThrow("too large");
    answer = { bytes: 1, silent: false, status: 302 };
    expect((await post("/", "{}", {}, never)).status).toBe(302);
    answer = { bytes: 0, silent: true, status: 200 };
    await expect(post("/", "{}", {}, never)).rejects.toThrow();
    const stop = new AbortController();
    const called = post("/", "{}", {}, stop.signal);
    stop.abort(new Error("Called off."));
    await expect(called).rejects.toThrow();
    close();
  });
});

describe.each(TEST_ENGINES)("calls of the partner on $name", (engine) => {
  let world: PartnerWorld;
  beforeAll(async () => {
    world = await startPartnerWorld(engine);
  });
  afterAll(() => world.dispose());
  afterEach(() => {
    Object.assign(world.emulator.faults, noFaults());
    world.emulator.calls.length = 0;
  });

  it("go through with either way of signing, and a wrong key is said in words", async () => {
    for (const access of [KEY, { ...KEY, key: undefined, token: ACCESS.token }]) {
      const { api, close } = world.again({ config: { access: { ...access, base: world.emulator.base } } });
      expect(await api.list("")).toEqual([]);
      close();
    }
    const wrong = { ...KEY, key: { appId: "eH6gQR4oHr3FsZpI36La01IW", apiKey: "x".repeat(30) } };
    const { api, close } = world.again({ config: { access: { ...wrong, base: world.emulator.base } } });
    await expect(api.list("")).rejects.toThrow("does not accept this server's key");
    close();
  });

  it("are made again after a fault that passes, and after the minute that was full", async () => {
    world.emulator.faults.broken = 2;
    expect(await world.api.list("")).toEqual([]);
    world.emulator.faults.broken = 3;
    await expect(world.api.list("")).rejects.toThrow("a fault of its own");
    // Somebody else uses the account, too.
    for (let call = 0; call < 250; call += 1) world.emulator.quota.take(PATHS.list);
    const before = world.clock.now();
    expect(await world.api.list("")).toEqual([]);
    expect(world.clock.now() - before).toBeLessThanOrEqual(60_000);
  });

  it.each([
    ["nothing", ""],
    ["a page", "<html>"],
    ["no code", '{"data":{}}'],
    ["a code that is none", '{"code":"0"}'],
    ["other things than phones", '{"code":0,"data":{"items":[{"id":{}},7,null,{"id":"1","status":[]}]}}'],
    ["no list", '{"code":0,"data":{"items":"x"}}'],
  ])("survive an answer with %s", async (_what, text) => {
    world.emulator.faults.answer = text;
    const asked = world.api.list("");
    if (text.includes("null")) expect(await asked).toEqual([{ vendorId: "1", remark: "", state: "unknown" }]);
    else await expect(asked).rejects.toBeInstanceOf(PartnerError);
  });

  it("tell states of those phones that an answer was right about", async () => {
    const ids = [1, 2, 3].map((n) => {
      const phone = world.emulator.world.add({ serialName: `p${n}`, remark: "", mobileType: "Android 14" });
      return phone.id;
    });
    world.emulator.faults.partial = true;
    expect([...(await world.api.statuses([...ids, "1"])).entries()]).toEqual([
      [ids[0], "stopped"],
      [ids[2], "stopped"],
      ["1", "gone"],
    ]);
    world.emulator.world.phones.clear();
  });

  it("stop for two hours when the partner says so, which the next process knows, and then go on", async () => {
    world.emulator.quota.lock(PATHS.list);
    await expect(world.api.list("")).rejects.toThrow(/takes no calls of this kind until \d\d:\d\d UTC/);
    const asked = world.emulator.calls.length;
    const next = world.again();
    for (const { api } of [world, next]) await expect(api.list("")).rejects.toThrow("UTC");
    expect(world.emulator.calls.length).toBe(asked);
    // Other calls go on.
    expect(await next.api.statuses(["1"])).toEqual(new Map([["1", "gone"]]));
    world.clock.advance(2 * 3_600_000 - 1_000);
    await expect(next.api.list("")).rejects.toThrow("UTC");
    world.clock.advance(1_001);
    expect(await next.api.list("")).toEqual([]);
    next.close();
    expect(world.lines.filter((line) => line.includes("for two hours"))).toHaveLength(1);
  });

  it("say on the list of models until when none is made", async () => {
    world.emulator.quota.lock(PATHS.create);
    const spec = await world.phone();
    await expect(world.source.create(spec)).rejects.toThrow("UTC");
    const models = await world.source.models();
    expect(models.map(({ id }) => id)).toEqual(["geelark:android-14", "geelark:android-13"]);
    expect(models[0]?.unavailable).toMatch(/until \d\d:\d\d UTC/);
    world.clock.advance(2 * 3_600_000 + 1);
    expect((await world.source.models())[0]?.unavailable).toBeUndefined();
    await world.source.create(spec);
  });
});
