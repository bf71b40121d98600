import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../../../../shared/screen-protocol.ts";
import { initialScreenState, reduceScreen, type ScreenAction, type ScreenState } from "./screen-state.ts";

function fold(...actions: readonly ScreenAction[]): ScreenState {
  return actions.reduce(reduceScreen, initialScreenState);
}
function message(value: ServerMessage): ScreenAction {
  return { type: "message", message: value };
}
const live: ScreenAction = { type: "link", link: { kind: "live" } };
const hello = message({
  type: "hello",
  codec: "jpeg",
  width: 360,
  height: 800,
  controller: true,
  viewers: 1,
  nowMs: 0,
});

describe("the screen session's state", () => {
  it("takes control and viewers from hello", () => {
    expect(fold(live, hello)).toMatchObject({ link: { kind: "live" }, controller: true, viewers: 1 });
  });

  it("knows what is told of the phone's sight, sound and video, while the connection lasts", () => {
    const lost = message({ type: "unreachable", message: "Unplugged." });
    expect(fold(live, hello, lost).unreachable).toBe("Unplugged.");
    expect(fold(live, hello, lost, message({ type: "reachable" })).unreachable).toBeUndefined();
    const away: ScreenAction = { type: "link", link: { kind: "reconnecting", reason: "Lost." } };
    const heard = message({
      type: "hello",
      codec: "h264",
      audio: true,
      width: 1,
      height: 1,
      controller: true,
      viewers: 1,
      nowMs: 0,
    });
    const told = fold(live, heard, { type: "picturesOnly" }, lost);
    expect(told).toMatchObject({ audible: true, picturesOnly: true });
    const after = reduceScreen(told, away);
    expect(after).toMatchObject({ audible: false, picturesOnly: false });
    expect(after.unreachable).toBeUndefined();
    expect(reduceScreen(told, { type: "picturesOnly", said: true }).picturesOnly).toBe(false);
  });

  it("follows a request for control through refusal and hand-over", () => {
    const watching = message({ type: "state", controller: false, controllerName: "Ada", viewers: 2 });
    const sent = fold(live, watching, { type: "askedForControl" });
    expect(sent).toMatchObject({ controller: false, controllerName: "Ada", request: "sent" });
    const declined = reduceScreen(
      sent,
      message({ type: "state", controller: false, controllerName: "Ada", viewers: 2, declined: true }),
    );
    expect(declined.request).toBe("declined");
    const given = reduceScreen(sent, message({ type: "state", controller: true, viewers: 2 }));
    expect(given).toMatchObject({ controller: true, request: "none" });
    expect(given.controllerName).toBeUndefined();
  });

  it("says who took control until it changes again, and whether this viewer may take it", () => {
    const watched = { type: "state", controller: false, controllerName: "Boss", viewers: 2 } as const;
    const taken = fold(live, hello, message({ ...watched, takenBy: "Boss" }));
    expect(taken).toMatchObject({ controller: false, takenBy: "Boss", mayTake: false });
    const later = reduceScreen(taken, message({ ...watched, viewers: 3, mayTake: true }));
    expect(later).toMatchObject({ takenBy: "Boss", mayTake: true });
    expect(reduceScreen(later, message({ ...watched, controllerName: "Ada" })).takenBy).toBeUndefined();
    expect(reduceScreen(later, message({ type: "state", controller: true, viewers: 2 })).takenBy).toBeUndefined();
  });

  it("shows who asks, until the question is answered", () => {
    const asked = fold(live, hello, message({ type: "state", controller: true, viewers: 2, asking: "Ben" }));
    expect(asked.asking).toBe("Ben");
    expect(reduceScreen(asked, message({ type: "state", controller: true, viewers: 2 })).asking).toBeUndefined();
  });

  it("keeps the last picture but not control or questions when the connection goes", () => {
    const lost = fold(
      live,
      hello,
      { type: "picture" },
      message({ type: "state", controller: true, viewers: 2, asking: "Ben" }),
      message({ type: "idle_warning", parksAt: "2026-01-01T00:00:00Z" }),
      message({ type: "cover_warning", parksAt: "2026-01-01T00:00:00Z" }),
      { type: "link", link: { kind: "reconnecting", reason: "The connection was lost." } },
    );
    expect(lost).toMatchObject({ hasPicture: true, controller: false, link: { kind: "reconnecting" } });
    expect(lost.asking).toBeUndefined();
    expect(lost.parksAt).toBeUndefined();
    expect(lost.coverEnds).toBeUndefined();
  });

  it("warns that nothing pays for the phone until something does again", () => {
    const at = "2026-01-01T00:00:00Z";
    const warned = fold(live, message({ type: "cover_warning", parksAt: at }));
    expect(warned.coverEnds).toBe(at);
    expect(reduceScreen(warned, { type: "keptAwake" }).coverEnds).toBe(at);
    expect(reduceScreen(warned, message({ type: "cover_warning" })).coverEnds).toBeUndefined();
  });

  it("offers what was copied on the phone until it is taken; an empty clipboard offers nothing", () => {
    const copied = fold(live, message({ type: "clipboard", value: "code 1234" }));
    expect(copied.phoneClipboard).toBe("code 1234");
    expect(reduceScreen(copied, message({ type: "clipboard", value: "" })).phoneClipboard).toBe("code 1234");
    expect(reduceScreen(copied, { type: "clipboardTaken" }).phoneClipboard).toBeUndefined();
  });

  it("follows the phone's turning", () => {
    const turned = fold(live, hello, message({ type: "resize", width: 800, height: 360 }));
    expect(turned.size).toEqual({ width: 800, height: 360 });
  });

  it("ends as the session says and starts clean for another phone", () => {
    const end = { kind: "ended", reason: "parked", message: "Parked as asked." } as const;
    const ended = fold(live, { type: "picture" }, { type: "link", link: end });
    expect(ended).toMatchObject({ link: end, hasPicture: true });
    expect(reduceScreen(ended, { type: "reset" })).toEqual(initialScreenState);
  });
});
