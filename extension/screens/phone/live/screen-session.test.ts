import { describe, expect, it } from "vitest";
import type { ServerMessage, ViewerMessage } from "../../../../shared/screen-protocol.ts";
import type { Picture } from "./picture.ts";
import type { ConnectionHandlers, ScreenFrame } from "./screen-connection.ts";
import { createScreenSessionOf, delayBefore, type ScreenStatus } from "./screen-session.ts";
import type { PictureRequest } from "./video.ts";

const HELLO: ServerMessage = {
  type: "hello",
  codec: "jpeg",
  width: 360,
  height: 800,
  controller: true,
  viewers: 1,
  nowMs: 1_000_000,
};

interface Opened {
  readonly ticket: string;
  readonly handlers: ConnectionHandlers;
  readonly sent: ViewerMessage[];
  closed: boolean;
}

/** A session in a world where time stands still and timers fire when told to. */
function setup(ticketError?: unknown) {
  const statuses: ScreenStatus[] = [];
  const messages: ServerMessage[] = [];
  const connections: Opened[] = [];
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const wakes = new Set<(wake: "online" | "visible") => void>();
  const world = { now: 0, online: true, ticketError, tickets: 0 };
  /** What the picture was told, what the person is told, and what was heard. */
  const seen = { begun: [] as string[], picturesOnly: 0, sounds: [] as string[], closed: [] as string[] };
  let ask: (request: PictureRequest) => void = () => {};
  const picture: Picture = {
    begin: (codec) => seen.begun.push(codec),
    close: () => seen.closed.push("picture"),
    draw: async () => {},
    stats: () => ({ fps: 0, seq: 7, shown: { capturedAtMs: 1_000_100, drawnAtMs: 200 } }),
    lastFrame: async () => undefined,
  };
  const session = createScreenSessionOf(
    {
      getTicket: async () => {
        if (world.ticketError !== undefined) throw world.ticketError;
        world.tickets += 1;
        return { url: "ws://localhost/screen", protocol: "perch.screen.v1", ticket: `t${world.tickets}` };
      },
      onStatus: (status) => statuses.push(status),
      onMessage: (message) => messages.push(message),
      onPicturesOnly: () => {
        seen.picturesOnly += 1;
      },
      onSoundTrouble: () => {},
      endOf: (error) => (error === "parked" ? { reason: "parked", message: "The phone is parked." } : undefined),
    },
    {
      open: (pass, handlers) => {
        const opened: Opened = { ticket: pass.ticket, handlers, sent: [], closed: false };
        connections.push(opened);
        return {
          send: (message) => opened.sent.push(message),
          close: () => {
            opened.closed = true;
          },
        };
      },
      picture: (asks) => {
        ask = asks;
        return picture;
      },
      sound: () => ({
        take: (kind, bytes) => seen.sounds.push(`${kind} ${bytes.length}`),
        close: () => seen.closed.push("sound"),
      }),
      random: () => 0,
      now: () => world.now,
      isOnline: () => world.online,
      later: (ms, callback) => {
        const timer = { at: world.now + ms, callback };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      onWake: (listener) => {
        wakes.add(listener);
        return () => wakes.delete(listener);
      },
    },
  );
  /** Lets promises settle. */
  const settle = async () => {
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
  };
  const advance = async (ms: number) => {
    world.now += ms;
    for (const timer of [...timers]) {
      if (timer.at > world.now || !timers.delete(timer)) continue;
      timer.callback();
    }
    await settle();
  };
  const current = () => {
    const last = connections.at(-1);
    if (last === undefined) throw new Error("no connection");
    return last;
  };
  const wake = async (how: "online" | "visible") => {
    for (const listener of wakes) listener(how);
    await settle();
  };
  const goLive = async () => {
    await settle();
    current().handlers.onMessage(HELLO);
  };
  return {
    session,
    statuses,
    messages,
    connections,
    timers,
    wakes,
    world,
    settle,
    advance,
    current,
    wake,
    goLive,
    seen,
    ask: (request: PictureRequest) => ask(request),
  };
}

describe("screen session", () => {
  it("connects with a ticket and is live at the hello", async () => {
    const t = setup();
    await t.goLive();
    expect(t.statuses).toEqual([{ state: "connecting" }, { state: "live" }]);
    expect(t.messages).toEqual([HELLO]);
    expect(t.timers.size).toBe(0);
  });
  it("comes back with a fresh ticket after a break, waiting longer each time up to eight seconds", async () => {
    const t = setup();
    await t.goLive();
    for (const [index, delay] of [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000].entries()) {
      t.current().handlers.onClose({ code: 1006, opened: index === 0 });
      const reason = index === 0 ? "lost" : "unreachable";
      expect(t.statuses.at(-1)).toEqual({ state: "reconnecting", reason, attempt: index + 1 });
      await t.advance(delay - 1);
      expect(t.connections).toHaveLength(index + 1);
      await t.advance(1);
      expect(t.connections).toHaveLength(index + 2);
    }
    expect(new Set(t.connections.map((one) => one.ticket)).size).toBe(8);
  });
  it("starts with the shortest delay again after a connection that lasted, not after one that did not", async () => {
    const t = setup();
    await t.goLive();
    t.current().handlers.onClose({ code: 1006, opened: true });
    await t.advance(250);
    await t.goLive();
    t.current().handlers.onClose({ code: 1006, opened: true });
    expect(t.statuses.at(-1)).toMatchObject({ attempt: 2 });
    await t.advance(500);
    await t.goLive();
    await t.advance(5_000);
    t.current().handlers.onClose({ code: 1006, opened: true });
    expect(t.statuses.at(-1)).toMatchObject({ attempt: 1 });
  });
  it.each([
    [4401, undefined, "signed_out"],
    [4403, undefined, "not_allowed"],
    [4400, undefined, "protocol_error"],
    [4410, "parked", "parked"],
    [4410, "removed", "removed"],
    [4410, undefined, "failed"],
  ] as const)("never comes back after %i (%s)", async (code, said, reason) => {
    const t = setup();
    await t.goLive();
    if (said !== undefined) t.current().handlers.onMessage({ type: "ended", reason: said, message: "Why." });
    t.current().handlers.onClose({ code, opened: true });
    expect(t.statuses.at(-1)).toMatchObject({ state: "ended", reason });
    if (said !== undefined) expect(t.statuses.at(-1)).toMatchObject({ message: "Why." });
    t.session.retry();
    await t.advance(60_000);
    expect(t.connections).toHaveLength(1);
    expect([t.timers.size, t.wakes.size]).toEqual([0, 0]);
  });
  it.each([
    [1012, "server_restarting"],
    [4408, "slow"],
  ] as const)("comes back after %i and says why it broke", async (code, reason) => {
    const t = setup();
    await t.goLive();
    t.current().handlers.onClose({ code, opened: true });
    expect(t.statuses.at(-1)).toMatchObject({ state: "reconnecting", reason });
  });
  it("comes back at once when the network does, or the person looks again", async () => {
    const t = setup();
    await t.goLive();
    t.world.online = false;
    t.current().handlers.onClose({ code: 1006, opened: true });
    expect(t.statuses.at(-1)).toMatchObject({ reason: "offline" });
    t.world.online = true;
    await t.wake("online");
    expect(t.connections).toHaveLength(2);
    t.current().handlers.onClose({ code: 1006, opened: false });
    await t.wake("visible");
    expect(t.connections).toHaveLength(3);
    await t.advance(60_000);
    expect(t.connections.length).toBeGreaterThanOrEqual(3);
  });
  it("renews a connection that slept through a network change, and leaves it alone otherwise", async () => {
    const t = setup();
    await t.goLive();
    await t.wake("visible");
    expect(t.connections).toHaveLength(1);
    await t.wake("online");
    expect(t.connections[0]?.closed).toBe(true);
    expect(t.connections).toHaveLength(2);
  });
  it("gives up a connection that does not come to life", async () => {
    const t = setup();
    await t.settle();
    await t.advance(10_000);
    expect(t.connections[0]?.closed).toBe(true);
    expect(t.statuses.at(-1)).toEqual({ state: "reconnecting", reason: "unreachable", attempt: 1 });
  });
  it("tells a ticket that will never come from one that may", async () => {
    const t = setup(new Error("server away"));
    await t.settle();
    expect(t.statuses.at(-1)).toMatchObject({ state: "reconnecting", reason: "unreachable" });
    t.world.ticketError = "parked";
    await t.advance(250);
    expect(t.statuses.at(-1)).toEqual({ state: "ended", reason: "parked", message: "The phone is parked." });
  });
  it("keeps the wanted quality over a reconnect and sends nothing while it is not live", async () => {
    const t = setup();
    t.session.setQuality(1);
    t.session.send({ type: "rotate" });
    await t.goLive();
    expect(t.current().sent).toEqual([{ type: "quality", max: 1 }]);
    t.current().handlers.onClose({ code: 1006, opened: true });
    t.session.send({ type: "text", value: "lost" });
    await t.advance(250);
    await t.goLive();
    expect(t.current().sent).toEqual([{ type: "quality", max: 1 }]);
  });
  it("tells the age of the picture by the server's clock", async () => {
    const t = setup();
    t.world.now = 100;
    await t.goLive();
    t.current().handlers.onMessage({ type: "stats", roundTripMs: 40, level: 3 });
    // Hello took 20 of the 40 ms: the server's 1,000,000 is 80 here, so 1,000,100 is 180 and 200 is 20 later.
    expect(t.session.stats()).toEqual({ fps: 0, ageMs: 20, roundTripMs: 40, level: 3 });
    t.current().handlers.onMessage({ type: "stats", roundTripMs: 20, level: 4 });
    expect(t.session.stats()).toMatchObject({ ageMs: 10, roundTripMs: 20 });
    expect(t.session.seq()).toBe(7);
  });
  it("tells the picture what begins, and the server what the picture needs", async () => {
    const t = setup();
    await t.settle();
    t.current().handlers.onMessage({ ...HELLO, codec: "h264" });
    t.ask("refresh");
    t.ask("pictures");
    expect(t.current().sent).toEqual([{ type: "refresh" }, { type: "pictures" }]);
    expect(t.seen).toMatchObject({ begun: ["h264"], picturesOnly: 1 });
    t.session.close();
    expect(t.seen.closed).toEqual(["picture"]);
  });
  it("is heard only while wanted, and again after a break; silent phones are not asked", async () => {
    const t = setup();
    const sound: ScreenFrame = {
      header: { kind: "audio", format: "opus", flags: 0, seq: 1, capturedAtMs: 0 },
      payload: new Uint8Array(7),
    };
    await t.settle();
    t.current().handlers.onMessage({ ...HELLO, audio: true });
    t.current().handlers.onSound(sound);
    t.session.setSound(true);
    t.current().handlers.onSound({ ...sound, header: { ...sound.header, kind: "audioConfig" } });
    t.current().handlers.onSound(sound);
    expect(t.current().sent).toEqual([{ type: "audio", on: true }]);
    t.current().handlers.onClose({ code: 1006, opened: true });
    await t.advance(250);
    t.current().handlers.onMessage({ ...HELLO, audio: true });
    expect(t.current().sent).toEqual([{ type: "audio", on: true }]);
    t.session.setSound(false);
    t.current().handlers.onSound(sound);
    expect(t.current().sent.at(-1)).toEqual({ type: "audio", on: false });
    expect(t.seen).toMatchObject({ sounds: ["config 7", "packet 7"], closed: ["sound"] });
    const silent = setup();
    await silent.goLive();
    silent.session.setSound(true);
    expect(silent.current().sent).toEqual([]);
  });
  it("is silent after close", async () => {
    const t = setup();
    await t.goLive();
    const count = t.statuses.length;
    t.session.close();
    expect(t.current().closed).toBe(true);
    await t.wake("online");
    await t.advance(60_000);
    expect(t.statuses).toHaveLength(count);
    expect(t.connections).toHaveLength(1);
    expect([t.timers.size, t.wakes.size]).toEqual([0, 0]);
  });
  it("takes up to half of the delay off by chance", () => {
    expect(delayBefore(1, 0)).toBe(250);
    expect(delayBefore(1, 1)).toBe(125);
    expect(delayBefore(30, 0.5)).toBe(6_000);
  });
});
