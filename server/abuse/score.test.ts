import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { createFormStamps } from "./form-stamp.ts";
import { disposableDomains, mailboxOf } from "./mailbox.ts";
import { judge, signUpSignals } from "./score.ts";
import { FASTEST_FORM_MS, OLDEST_FORM_MS, reasonOf, SIGNALS, type Signal } from "./signals.ts";

const CROWD = 1_000;
const names = Object.keys(SIGNALS).filter((name): name is Signal => Object.hasOwn(SIGNALS, name));

describe("the score", () => {
  it("never holds for one signal, nor for what a shared network does to the people behind it", () => {
    for (const name of names) expect(judge([name], CROWD).action).not.toBe("hold");
    const shared: Signal[] = ["network_flooded", "device_often"];
    expect(judge(shared, CROWD).action).toBe("allow");
    expect(judge(["disposable_address", ...shared], CROWD).action).toBe("verify_first");
  });

  it("only grows with more signals, stays within 0 and 100, and gives a sentence for each", () => {
    const ranks = { allow: 0, verify_first: 1, hold: 2 } as const;
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), fc.nat(30), (some, more, accounts) => {
        const [few, all] = [judge(some, accounts), judge([...new Set([...some, ...more])], accounts)];
        expect(ranks[all.action]).toBeGreaterThanOrEqual(ranks[few.action]);
        expect(all.score).toBeGreaterThanOrEqual(few.score);
        expect(all.score).toBeLessThanOrEqual(100);
        if (accounts <= 10) expect(all.action).not.toBe("hold");
        const weights = all.signals.map(({ weight }) => weight);
        expect(weights).toEqual(weights.toSorted((a, b) => b - a));
        for (const { signal } of all.signals) expect(reasonOf(signal)).toMatch(/^[A-Z].*\.$/);
      }),
    );
    expect(reasonOf("of_an_earlier_version")).toMatch(/no longer exists/);
  });

  it("says nothing of an ordinary sign-up", () => {
    const facts = { isDisposable: false, ofMailbox: 1, ofNetwork: 1, ofDevice: 1, form: [] };
    expect(judge(signUpSignals(facts), CROWD)).toEqual({ action: "allow", score: 0, signals: [] });
  });
});

describe("the mailbox of an address", () => {
  it.each([
    ["Anna.B+perch@GMail.com", "annab@gmail.com"],
    ["an.nab@googlemail.com", "annab@gmail.com"],
    ["anna.b+1@x.example", "anna.b@x.example"],
    ["ANNA@x.example.", "anna@x.example"],
    ["ａnna@x.example", "anna@x.example"],
    ["anna-b@x.example", "anna-b@x.example"],
  ])("%s is %s", (email, mailbox) => expect(mailboxOf(email)).toBe(mailbox));

  it("is known to be a throw-away one, below a listed domain too", async () => {
    const disposable = await disposableDomains();
    const thrown = ["a@mailinator.com", "a@MAILINATOR.com", "a+b@sub.mailinator.com", "a@yopmail.com."];
    expect(thrown.filter((email) => !disposable.has(email))).toEqual([]);
    const kept = [
      "a@gmail.com",
      "a@proton.me",
      "a@company.example",
      "a@mailinator.example",
      "mailinator.com@x.example",
    ];
    expect(kept.filter((email) => disposable.has(email))).toEqual([]);
  });
});

describe("the stamp of a form", () => {
  const clock = new ManualClock();
  const stamps = createFormStamps({ clock, key: Buffer.alloc(32, 1) });
  const language = "de";

  it("tells a person from a program that is too fast, and from one that never opened the form", () => {
    const stamp = stamps.issue();
    expect(stamps.read({ stamp, language })).toEqual(["form_too_fast"]);
    clock.advance(FASTEST_FORM_MS);
    expect(stamps.read({ stamp, language })).toEqual([]);
    clock.advance(OLDEST_FORM_MS);
    expect(stamps.read({ stamp, language })).toEqual(["form_skipped"]);
    expect(stamps.read({})).toEqual(["form_skipped", "language_missing"]);
  });

  it("cannot be made up", () => {
    const [at = ""] = stamps.issue().split(".");
    clock.advance(60_000);
    const others = createFormStamps({ clock: new ManualClock(clock.now() - 60_000), key: Buffer.alloc(32, 2) });
    for (const stamp of [at, `${at}.`, `${at}.${"A".repeat(22)}`, others.issue(), ".", "x.y.z", "😀"]) {
      expect(stamps.read({ stamp, language })).toEqual(["form_skipped"]);
    }
  });
});
