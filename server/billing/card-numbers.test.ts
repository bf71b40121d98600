import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ID_PREFIXES, type IdKind, newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { CARD_NUMBER_WORDS, demandNoCardNumber, holdsCardNumber, withoutCardNumbers } from "./card-numbers.ts";

const NUMBERS = [
  ...["4242424242424242", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117"],
  ...["36227206271667", "3566002020360505", "6200000000000005", "4222222222222", "6799990100000000019"],
];
const LETTERS = "abcdefghijklmnopqrstuvwxyz ,;:!?äß";
const words = fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 30 });

/** As cards print them, and as people type them. */
const written = fc
  .tuple(fc.constantFrom(...NUMBERS), fc.constantFrom("", " ", "-", "\u00a0"))
  .map(([digits, between]) => {
    const groups = digits.length === 15 ? [4, 6, 5] : digits.length === 14 ? [4, 6, 4] : [4, 4, 4, 4, 3];
    let at = 0;
    const parts = groups.map((size) => {
      at += size;
      return digits.slice(at - size, at);
    });
    const shown = parts.filter((part) => part.length >= 3);
    return shown.join("").length === digits.length ? shown.join(between) : digits;
  });

describe("what looks like a card number", () => {
  it("is seen in any text, in groups or not, also before an expiry and a code", () => {
    fc.assert(
      fc.property(words, written, words, (before, number, after) => {
        const text = `${before} ${number} ${after}`;
        expect(holdsCardNumber(text)).toBe(true);
        expect(withoutCardNumbers(text)).toBe(`${before} [redacted] ${after}`);
      }),
      { numRuns: 300 },
    );
    for (const text of [
      "4242 4242 4242 4242 12/26 123",
      "4242424242424242 1226 123",
      "card:4242-4242-4242-4242.",
      "(4242424242424242)",
      "no. 4242424242424242, thanks",
    ]) {
      expect(holdsCardNumber(text), text).toBe(true);
      expect(withoutCardNumbers(text)).not.toMatch(/4242/);
    }
  });

  it("is seen in values with parts at any depth, but for passwords", () => {
    expect(() => demandNoCardNumber({ a: [{ note: "4242424242424242" }] })).toThrow(CARD_NUMBER_WORDS);
    expect(() => demandNoCardNumber({ limit: 4_242_424_242_424_242 })).toThrow(CARD_NUMBER_WORDS);
    expect(() => demandNoCardNumber({ "4242424242424242": true })).toThrow(CARD_NUMBER_WORDS);
    expect(() => demandNoCardNumber({ currentPassword: "4242424242424242" })).not.toThrow();
    expect(() => demandNoCardNumber(new FormData())).not.toThrow();
    const flow = { source: "- inputText: 4242 4242 4242 4242" };
    expect(() => demandNoCardNumber(flow)).toThrow();
    expect(() => demandNoCardNumber(flow, { testNumbers: "pass" })).not.toThrow();
    expect(() => demandNoCardNumber({ source: "4539578763621486" }, { testNumbers: "pass" })).toThrow();
  });

  it("is none of our ids, moments, amounts and addresses", () => {
    const kinds = Object.keys(ID_PREFIXES) as IdKind[];
    const moment = fc.integer({ min: Date.UTC(2020), max: Date.UTC(2039) });
    const ours = fc.oneof(
      fc.constantFrom(...kinds).map((kind) => newId(kind)),
      fc.constant(0).map(() => randomUUID()),
      moment.map((ms) => new Date(ms).toISOString()),
      moment.map((ms) => new Date(ms).toISOString().replace("T", " ")),
      moment.map(String),
      moment.map((ms) => `${ms}000`),
      moment.map((ms) => String(Math.floor(ms / 1_000))),
      fc.integer({ min: 0, max: 100_000_000 }).map(String),
      fc.ipV4(),
      fc.ipV6(),
      fc.base64String({ minLength: 40, maxLength: 400 }),
      fc.double({ min: 0, max: 1, noNaN: true }).map(String),
      // Phone numbers as E.164 writes them.
      fc.bigInt({ min: 10_000_000n, max: 999_999_999_999_999n }).map((digits) => `+${digits}`),
    );
    fc.assert(
      fc.property(fc.array(ours, { maxLength: 20 }), (texts) => {
        for (const text of texts) expect(holdsCardNumber(text), text).toBe(false);
        expect(holdsCardNumber(texts.join("\n"))).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is not a number that stands in a longer word or number, or has another check digit or issuer", () => {
    for (const text of [
      "4242424242424241",
      "1242424242424242",
      "x4242424242424242",
      "4242424242424242_1",
      "0.4242424242424242",
      "4242424242424242.75",
      "42424242424242424242",
      "+4242424242424242",
      "42 42 42 42 42 42 42 42",
      "2026-11-26 12:25:12.123",
      "55196633-3716-4865-b5ba-56b6fd099da3",
      "a key of a call: 55196633-3716-4865-8514-123456789012",
    ]) {
      expect(holdsCardNumber(text), text).toBe(false);
      expect(withoutCardNumbers(text)).toBe(text);
    }
  });

  it("of digits by chance is rare: 16 of them pass for one in fewer than 1 of 25", () => {
    let seen = 0;
    for (let at = 0; at < 20_000; at += 1) {
      // Spread evenly: steps of a number that shares no factor with 10^16.
      const digits = String((BigInt(at) * 7_919_317_003_771n + 12_345_678_901n) % 10n ** 16n).padStart(16, "0");
      if (holdsCardNumber(digits)) seen += 1;
    }
    expect(seen / 20_000).toBeLessThan(1 / 25);
  });

  it("is hidden in log lines", () => {
    const lines: string[] = [];
    const log = createLog({ clock: new ManualClock(), write: (line) => lines.push(line) });
    log.error("Paid with 4242 4242 4242 4242", { error: "no 5555555555554444", count: 4_242 });
    expect(lines.join()).not.toMatch(/4242 4242|5555555/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ count: 4_242, message: "Paid with [redacted]" });
  });
});

describe("a server", () => {
  let server: TestServer;
  let anna: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    anna = await signIn(server);
  });
  afterAll(() => server.dispose());

  it("takes a card number in no call, and lets a phone have what is typed there", async () => {
    const renamed = await call(server, "mutation", "teams.rename", { name: "4242 4242 4242 4242" }, anna.token);
    expect(renamed).toMatchObject({ error: { code: "bad_input", message: CARD_NUMBER_WORDS } });
    const listed = await call(server, "query", "usage.lines", { cursor: "5555555555554444" }, anna.token);
    expect(listed).toMatchObject({ error: { code: "bad_input", message: CARD_NUMBER_WORDS } });
    const url = "https://shop.example/item/4242424242424242";
    const opened = await call(server, "mutation", "phones.openUrl", { phoneId: newId("phone"), url }, anna.token);
    expect(JSON.stringify(opened)).not.toContain("card number");
    const source = (number: string) => `appId: x\n---\n- inputText: "${number}"\n`;
    const checked = await call(
      server,
      "query",
      "flows.validate",
      { source: source("4242 4242 4242 4242") },
      anna.token,
    );
    expect(JSON.stringify(checked)).not.toContain("card number");
    const real = await call(server, "query", "flows.validate", { source: source("4539578763621486") }, anna.token);
    expect(real).toMatchObject({ error: { message: CARD_NUMBER_WORDS } });
    expect(server.lines.join()).not.toMatch(/4242424242|4242 4242|4539578763621486/);
  });
});
