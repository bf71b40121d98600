/** Who gets in and who does not, over real sockets. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { MAX_VIEWER_MESSAGE_BYTES, SCREEN_PROTOCOL, TICKET_LIFETIME_MS } from "../../shared/screen-protocol.ts";
import { ManualClock } from "../clock.ts";
import { MAX_VIEWERS_PER_PHONE } from "./screen.service.ts";
import { type ConnectOptions, connect, TestViewer, until } from "./testing/client.ts";
import { FakeSource } from "./testing/fakes.ts";
import { type Harness, ORIGIN, startHarness } from "./testing/harness.ts";

describe("screen socket", () => {
  const clock = new ManualClock();
  let source: FakeSource;
  let harness: Harness;
  beforeEach(async () => {
    source = new FakeSource(clock);
    harness = await startHarness(source, clock);
  });
  afterEach(() => harness.close());

  async function attempt(options: Partial<ConnectOptions>): Promise<number> {
    const answer = await connect({ port: harness.port, origin: ORIGIN, ...options });
    if (!(answer instanceof TestViewer)) {
      expect(answer.message).toMatch(/^\{"message":"[A-Z].*\."\}$/);
      return answer.status;
    }
    answer.socket.terminate();
    return 101;
  }

  it("opens with a ticket and speaks the screen protocol", async () => {
    const viewer = await harness.view();
    expect(viewer.socket.protocol).toBe(SCREEN_PROTOCOL);
    await until(() => viewer.last("hello") !== undefined, "hello");
    expect(viewer.last("hello")).toEqual({
      type: "hello",
      codec: "jpeg",
      width: 360,
      height: 800,
      controller: true,
      viewers: 1,
      nowMs: clock.now(),
    });
  });
  it("ABUSE-20 takes a ticket once, even when it is used ten times at the same time", async () => {
    const ticket = await harness.ticket();
    const answers = await Promise.all(Array.from({ length: 10 }, () => attempt({ ticket })));
    expect(answers.sort()).toEqual([101, ...Array<number>(9).fill(401)]);
    expect(await attempt({ ticket })).toBe(401);
  });
  it("ABUSE-19 refuses an expired, an invented and a missing ticket before the upgrade", async () => {
    const ticket = await harness.ticket();
    clock.advance(TICKET_LIFETIME_MS);
    expect(await attempt({ ticket })).toBe(401);
    expect(await attempt({ ticket: "AAAAAAAAAAAAAAAAAAAAAA" })).toBe(401);
    expect(await attempt({})).toBe(401);
  });
  it("ABUSE-19 refuses another origin before the upgrade, without using up the ticket", async () => {
    const ticket = await harness.ticket();
    expect(await attempt({ ticket, origin: "https://example.com" })).toBe(403);
    expect(await attempt({ ticket, origin: `${ORIGIN}.example.com` })).toBe(403);
    expect(await attempt({ ticket })).toBe(101);
  });
  it("ABUSE-19 another phone's ticket shows that phone and never this one, whatever else the request says", async () => {
    const other = newId("phone");
    const ticket = await harness.ticket({ phoneId: other });
    expect(await attempt({ ticket, path: `/screen?phone=${harness.phoneId}` })).toBe(404);
    const viewer = await connect({ port: harness.port, origin: ORIGIN, ticket });
    if (!(viewer instanceof TestViewer)) throw new Error("Refused.");
    source.image("not for them");
    await until(() => viewer.closed !== undefined, "closing");
    expect(viewer.frames).toEqual([]);
    expect(harness.screen.viewers(harness.phoneId)).toBe(0);
  });
  it("asks a browser's session for its origin, a program's token not", async () => {
    const noOrigin = { port: harness.port };
    const fromBrowser = await connect({ ...noOrigin, ticket: await harness.ticket({ browser: true }) });
    expect(fromBrowser).toMatchObject({ status: 403 });
    const fromProgram = await connect({ ...noOrigin, ticket: await harness.ticket({ browser: false }) });
    expect(fromProgram).toBeInstanceOf(TestViewer);
    if (fromProgram instanceof TestViewer) fromProgram.socket.terminate();
  });
  it("ABUSE-21 refuses a name that is not the server's (DNS rebinding)", async () => {
    expect(await attempt({ ticket: await harness.ticket(), host: "rebound.example.com" })).toBe(421);
  });
  it("refuses other paths and other protocols", async () => {
    const ticket = await harness.ticket();
    expect(await attempt({ ticket, path: "/screen/" })).toBe(404);
    expect(await attempt({ ticket, path: "/screen?x=1" })).toBe(404);
    expect(await attempt({ ticket, path: "/" })).toBe(404);
    expect(await attempt({ ticket, protocols: ["perch.screen.v9"] })).toBe(426);
    expect(await attempt({ ticket })).toBe(101);
  });
  it("refuses an upgrade to something that is not a WebSocket", async () => {
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { Connection: "Upgrade", Upgrade: "h2c", Origin: ORIGIN };
      request({ port: harness.port, host: "127.0.0.1", path: "/screen", headers })
        .on("response", (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(426);
  });

  const malformed: readonly [string, string | Buffer][] = [
    ["no JSON", "tap!"],
    ["an unknown type", '{"type":"shell","value":"ls"}'],
    ["an unknown field", '{"type":"rotate","extra":1}'],
    ["a place outside the screen", '{"type":"touch","phase":"start","id":0,"x":1.5,"y":0,"seq":1}'],
    ["bytes", Buffer.from([1, 2, 3])],
  ];
  it.each(malformed)("closes with 4400 on %s", async (_, message) => {
    const viewer = await harness.view();
    viewer.socket.send(message);
    await until(() => viewer.closed !== undefined, "closing");
    expect(viewer.closed?.code).toBe(4400);
    expect(viewer.last("ended")).toMatchObject({ reason: "protocol_error" });
    expect(harness.phones.inputs).toEqual([]);
  });
  it("closes on a message larger than a clipboard may be", async () => {
    const viewer = await harness.view();
    viewer.socket.send("x".repeat(MAX_VIEWER_MESSAGE_BYTES + 1));
    await until(() => viewer.closed !== undefined, "closing");
    expect(viewer.closed?.code).toBe(1009);
    await until(() => harness.screen.viewers(harness.phoneId) === 0, "leaving");
  });

  it("tells a viewer of a parked phone so", async () => {
    const viewer = await harness.view({ phoneId: newId("phone") });
    await until(() => viewer.closed !== undefined, "closing");
    expect(viewer.closed?.code).toBe(4410);
    expect(viewer.last("ended")?.message).toBe("This phone is parked. Start it first.");
  });
  it("ends the connection, not the server, when the picture cannot be had", async () => {
    source.listen = () => {
      throw new Error("the browser is gone");
    };
    const viewer = await harness.view();
    await until(() => viewer.closed !== undefined, "closing");
    expect(viewer.closed?.code).toBe(4410);
    expect(viewer.last("ended")?.reason).toBe("failed");
    await until(() => harness.screen.viewers(harness.phoneId) === 0, "leaving");
  });
  it("lets a bounded number watch one phone", async () => {
    const viewers: TestViewer[] = [];
    for (let i = 0; i < MAX_VIEWERS_PER_PHONE; i += 1) viewers.push(await harness.view());
    const tooMany = await harness.view();
    await until(() => tooMany.closed !== undefined, "closing");
    expect(tooMany.closed?.code).toBe(4403);
    expect(viewers.every((viewer) => viewer.closed === undefined)).toBe(true);
  });
  it("ends a revoked session within a second, even one that reads nothing", async () => {
    const credentialId = newId("session");
    const revoked = [await harness.view({ credentialId }), await harness.view({ credentialId, mode: "view" })];
    const deaf = await harness.view({ credentialId });
    const other = await harness.view();
    deaf.socket.pause();
    const start = performance.now();
    harness.screen.closeSession(credentialId);
    expect(harness.screen.viewers(harness.phoneId)).toBe(1);
    await until(() => revoked.every((viewer) => viewer.closed !== undefined), "closing", 1_000);
    expect(revoked.map((viewer) => viewer.closed)).toEqual([
      { code: 4401, reason: "signed_out" },
      { code: 4401, reason: "signed_out" },
    ]);
    source.image("after");
    await until(() => other.frames.length === 1, "the other viewer's frame");
    expect(revoked.flatMap((viewer) => viewer.frames)).toEqual([]);
    await until(() => performance.now() - start > 600, "the handshake's time");
    deaf.socket.resume();
    await until(() => deaf.closed !== undefined, "the deaf one's end", 1_000);
    expect(deaf.texts()).not.toContain("after");
  });
  it("ends everything when the phone ends or the server stops", async () => {
    const first = await harness.view();
    harness.screen.closePhone(harness.phoneId, "parked", "Parked because nobody used it for a while.");
    await until(() => first.closed !== undefined, "closing");
    expect(first.closed?.code).toBe(4410);
    expect(first.last("ended")?.message).toBe("Parked because nobody used it for a while.");
    expect(source.listening).toBe(false);
    const second = await harness.view();
    harness.screen.closeAll("server_stopping");
    await until(() => second.closed !== undefined, "closing");
    expect(second.closed?.code).toBe(1012);
  });
});
