import { describe, expect, it } from "vitest";
import { PHONE_REASONS, PHONE_STATES } from "../../../../shared/phones.ts";
import type { EndReason } from "../../../../shared/screen-protocol.ts";
import { announcement, lostSentence, phoneView } from "./phone-view.ts";
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

describe("a phone the server lost sight of", () => {
  const since = "2026-01-01T10:00:00.000Z";
  const lost = aPhone({ state: "running", unreachableSince: since, reason: "host_gone" });
  const live = screen({ link: { kind: "live" }, hasPicture: true });

  it("is out of reach, whether the list or the screen says so first, and says what is known", () => {
    expect(phoneView(lost, live)).toEqual({
      kind: "unreachable",
      since,
      why: "The machine this phone runs on does not answer. The phone goes on when it does.",
    });
    expect(phoneView(running, { ...live, unreachable: "Unplugged." })).toEqual({
      kind: "unreachable",
      since: undefined,
      why: "Unplugged.",
    });
    expect(phoneView(lost, initialScreenState).kind).toBe("unreachable");
    expect(announcement(lost, phoneView(lost, live))).toBe("Pixel, tall is out of reach. The server keeps trying.");
  });

  it("gives way to what keeps the panel itself from the server, and to every other state", () => {
    const away = screen({ link: { kind: "reconnecting", reason: "You are offline." } });
    expect(phoneView(lost, away).kind).toBe("reconnecting");
    const out = screen({ link: { kind: "ended", reason: "signed_out", message: "Sign in." } });
    expect(phoneView(lost, out).kind).toBe("ended");
    expect(phoneView({ ...lost, state: "failed" }, live).kind).toBe("failed");
  });

  it("says since when, as far as that is known", () => {
    const at = Date.parse(since) + 150_000;
    expect(lostSentence(since, at)).toBe(
      "The server lost sight of this phone 2 min ago and keeps trying. Nothing is billed meanwhile.",
    );
    expect(lostSentence(undefined, at)).toContain("lost sight of this phone and keeps trying");
  });
});
