import { describe, expect, it } from "vitest";
import { PHONE_REASONS, PHONE_STATES } from "../../../../shared/phones.ts";
import type { EndReason } from "../../../../shared/screen-protocol.ts";
import { announcement, phoneView } from "./phone-view.ts";
import { initialScreenState, type ScreenState } from "./screen-state.ts";
import { aPhone } from "./testing.ts";

const running = aPhone({ state: "running" });
function screen(change: Partial<ScreenState>): ScreenState {
  return { ...initialScreenState, ...change };
}

describe("what the phone screen shows", () => {
  it("begins with the first use when there is no phone", () => {
    expect(phoneView(undefined, initialScreenState)).toEqual({ kind: "first_use" });
  });

  it("is live only once a picture is there", () => {
    expect(phoneView(running, screen({ link: { kind: "live" } })).kind).toBe("connecting");
    expect(phoneView(running, screen({ link: { kind: "live" }, hasPicture: true })).kind).toBe("live");
  });

  it("says why it reconnects", () => {
    const view = phoneView(
      running,
      screen({ link: { kind: "reconnecting", reason: "You are offline." }, hasPicture: true }),
    );
    expect(view).toEqual({ kind: "reconnecting", detail: "You are offline." });
  });

  it("lets the phone's own state win over a stale session", () => {
    const parked = aPhone({ state: "parked", reason: "idle", lastUsedAt: "2026-01-01T00:00:00Z" });
    expect(phoneView(parked, screen({ link: { kind: "live" }, hasPicture: true }))).toEqual({
      kind: "parked",
      detail: "Parked because nobody used it for a while.",
    });
  });

  it("offers a start after a failure only where a start can help", () => {
    expect(phoneView(aPhone({ state: "failed", reason: "browser_crashed" }), initialScreenState)).toMatchObject({
      canStart: true,
    });
    expect(phoneView(aPhone({ state: "failed", reason: "no_browser" }), initialScreenState)).toMatchObject({
      canStart: false,
    });
    expect(phoneView(aPhone({ state: "failed", reason: "disk_full" }), initialScreenState)).toMatchObject({
      canStart: false,
    });
  });

  it.each([
    ["signed_out", "sign_in"],
    ["not_allowed", "none"],
    ["server_stopping", "reconnect"],
    ["failed", "start"],
  ] as const)("an ending as %s offers %s", (reason: EndReason, action) => {
    const view = phoneView(running, screen({ link: { kind: "ended", reason, message: "Words." } }));
    expect(view).toMatchObject({ kind: "ended", action });
  });

  it("has words for every state and reason", () => {
    for (const state of PHONE_STATES) {
      for (const reason of [undefined, ...PHONE_REASONS]) {
        const phone = aPhone({ state, ...(reason === undefined ? {} : { reason }) });
        const view = phoneView(phone, initialScreenState);
        expect(announcement(phone, view)).toContain("Pixel, tall");
        if ("detail" in view) expect(view.detail).toMatch(/\w+.*\.$/);
      }
    }
  });
});
