import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REQUEST_REASONS, REQUEST_STATES } from "../../../shared/privacy.ts";
import { PerchError } from "../../errors.ts";
import {
  after,
  type DenialReason,
  isOver,
  placeOf,
  type RequestEvent,
  type RequestStatus,
  TRANSITIONS,
} from "./request-states.ts";

const DENIALS = REQUEST_REASONS.filter((reason): reason is DenialReason => reason !== "need_user_verification");
const anyEvent: fc.Arbitrary<RequestEvent> = fc.oneof(
  fc.constantFrom("begin", "ask_who", "verify", "fulfil", "revoke", "expire").map((type) => ({ type }) as const),
  fc.constantFrom(...DENIALS).map((reason) => ({ type: "deny", reason }) as const),
);
/** The states and reasons the protocol pairs (§3.03). */
const PAIRS = new Set([
  ...["open", "in_progress", "in_progress need_user_verification", "fulfilled", "revoked", "expired"],
  ...DENIALS.map((reason) => `denied ${reason}`),
]);

describe("the states of a request", () => {
  it("hold to the table, whatever happens in whatever order", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), (events) => {
        let status: RequestStatus = { state: "open" };
        let proven = true;
        for (const event of events) {
          const before = status;
          const allowed: Partial<Record<string, string>> = TRANSITIONS[placeOf(before)];
          try {
            status = after(before, event);
          } catch (error) {
            expect(error).toBeInstanceOf(PerchError);
            expect(Object.hasOwn(allowed, event.type)).toBe(false);
            continue;
          }
          expect(placeOf(status)).toBe(allowed[event.type]);
          expect(PAIRS).toContain([status.state, status.reason].filter((word) => word !== undefined).join(" "));
          if (event.type === "ask_who") proven = false;
          if (event.type === "verify") proven = true;
          // What nobody proved is theirs is never done, and what somebody proved never lapses.
          if (status.state === "fulfilled") expect(proven).toBe(true);
          if (status.state === "expired") expect(proven).toBe(false);
          expect(isOver(before)).toBe(false);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("are those of the protocol, each reached, and the last four final", () => {
    expect(Object.keys(TRANSITIONS).filter((place) => place !== "unverified")).toEqual([...REQUEST_STATES]);
    expect(REQUEST_STATES.filter((state) => isOver({ state }))).toEqual(["fulfilled", "denied", "revoked", "expired"]);
    const reached = new Set(Object.values(TRANSITIONS).flatMap((to) => Object.values(to)));
    for (const state of REQUEST_STATES) if (state !== "open") expect(reached).toContain(state);
  });
});
