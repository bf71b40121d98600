import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOTICE_MS, startFor, startOf } from "./policy-clock.ts";

const moments = fc.date({ min: new Date("2024-01-01"), max: new Date("2032-12-31"), noInvalidDate: true });

describe("the 14 days of a policy", () => {
  it("never end early: not before its own date, nor within 14 days of the announcement or of the last notice", () => {
    fc.assert(
      fc.property(
        moments,
        moments,
        fc.array(fc.nat(40 * 24 * 3_600_000), { minLength: 1 }),
        (own, announcedAt, delays) => {
          const last = new Date(announcedAt.getTime() + Math.max(...delays));
          const ownDate = own.toISOString().slice(0, 10);
          const start = startOf({ ownDate, announcedAt }, last).getTime();
          expect(start).toBeGreaterThanOrEqual(Date.parse(ownDate));
          for (const delay of delays) {
            expect(start - (announcedAt.getTime() + delay)).toBeGreaterThanOrEqual(14 * 86_400_000);
          }
        },
      ),
    );
  });

  it("begin for whom no mail reaches when they first see the notice, and never for who objected", () => {
    fc.assert(
      fc.property(moments, fc.option(moments), (start, shownAt) => {
        const bounced = { mailedAt: null, mailFailedAt: start, shownAt, objectedAt: null };
        const theirs = startFor(bounced, start);
        if (shownAt === null) expect(theirs).toBeUndefined();
        else expect(theirs?.getTime()).toBe(Math.max(start.getTime(), shownAt.getTime() + NOTICE_MS));
        expect(startFor({ ...bounced, mailedAt: start, mailFailedAt: null }, start)).toEqual(start);
        expect(startFor({ ...bounced, objectedAt: start }, start)).toBeUndefined();
      }),
    );
  });
});
