import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Phone, PhoneEvent } from "../../../../shared/phones.ts";
import { applyPhoneEvent, choosePhone, sortedPhones, upsertPhone } from "./phone-list.ts";
import { aPhone } from "./testing.ts";

describe("the phone list", () => {
  it("adds, updates in place and removes", () => {
    const one = aPhone({ name: "One" });
    const two = aPhone({ name: "Two" });
    const both = upsertPhone(upsertPhone([], one), two);
    const renamed = applyPhoneEvent(both, { type: "phone", phone: { ...one, name: "First" } });
    expect(renamed.map((phone) => phone.name)).toEqual(["First", "Two"]);
    expect(applyPhoneEvent(renamed, { type: "removed", phoneId: one.id }).map((phone) => phone.name)).toEqual(["Two"]);
    expect(upsertPhone(renamed, { ...two, state: "removed" }).map((phone) => phone.name)).toEqual(["First"]);
  });

  it("keeps when a phone parks itself", () => {
    const phone = aPhone({ state: "running" });
    const [warned] = applyPhoneEvent([phone], {
      type: "idle_warning",
      phoneId: phone.id,
      parksAt: "2026-01-01T01:00:00Z",
    });
    expect(warned?.parksAt).toBe("2026-01-01T01:00:00Z");
  });

  it("holds each phone once, whatever the order of events", () => {
    const pool = [aPhone({ name: "a" }), aPhone({ name: "b" }), aPhone({ name: "c" })] as const;
    const anyEvent: fc.Arbitrary<PhoneEvent> = fc
      .tuple(fc.constantFrom(...pool), fc.constantFrom("running", "parked", "removed"), fc.boolean())
      .map(([phone, state, gone]) =>
        gone ? { type: "removed", phoneId: phone.id } : { type: "phone", phone: { ...phone, state } as Phone },
      );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const list = events.reduce<readonly Phone[]>(applyPhoneEvent, []);
        expect(new Set(list.map((phone) => phone.id)).size).toBe(list.length);
        for (const phone of pool) {
          const last = events.findLast((event) => ("phone" in event ? event.phone.id : event.phoneId) === phone.id);
          const there = last?.type === "phone" && last.phone.state !== "removed";
          expect(list.some((other) => other.id === phone.id)).toBe(there);
        }
      }),
    );
  });

  it("shows the wanted phone, else a running one, else the last used", () => {
    const old = aPhone({ name: "Old", lastUsedAt: "2026-01-02T00:00:00Z" });
    const recent = aPhone({ name: "Recent", lastUsedAt: "2026-01-05T00:00:00Z" });
    const running = aPhone({ name: "Running", state: "running" });
    expect(choosePhone([], undefined)).toBeUndefined();
    expect(choosePhone([old, recent], undefined)?.name).toBe("Recent");
    expect(choosePhone([old, recent, running], undefined)?.name).toBe("Running");
    expect(choosePhone([old, recent, running], old.id)?.name).toBe("Old");
    expect(choosePhone([old, recent], running.id)?.name).toBe("Recent");
    expect(sortedPhones([old, recent, running]).map((phone) => phone.name)).toEqual(["Running", "Recent", "Old"]);
  });
});
