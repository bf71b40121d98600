/** What viewers get and may do, over real sockets. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { CONTROL_GRACE_MS } from "./control.ts";
import { TOO_SLOW_MS } from "./flow.ts";
import { REST_MS } from "./frame-hub.ts";
import { type TestViewer, until } from "./testing/client.ts";
import { FakeSource } from "./testing/fakes.ts";
import { type Harness, startHarness } from "./testing/harness.ts";

describe("screen", () => {
  let clock: ManualClock;
  let source: FakeSource;
  let harness: Harness;
  beforeEach(async () => {
    clock = new ManualClock();
    source = new FakeSource(clock);
    harness = await startHarness(source, clock);
  });
  afterEach(() => harness.close());

  /** A viewer whose hello has arrived. */
  async function ready(...args: Parameters<Harness["view"]>): Promise<TestViewer> {
    const viewer = await harness.view(...args);
    await until(() => viewer.last("hello") !== undefined, "hello");
    return viewer;
  }
  /** Waits until everything this viewer sent was handled. */
  async function settled(viewer: TestViewer): Promise<void> {
    await new Promise<void>((resolve) => {
      viewer.socket.once("pong", () => resolve());
      viewer.socket.ping();
    });
  }

  describe("frames", () => {
    it("keeps one frame in flight and sends the newest after the acknowledgement", async () => {
      const viewer = await ready({}, { acknowledges: false });
      for (let i = 1; i <= 5; i += 1) source.image(`frame ${i}`);
      await until(() => viewer.frames.length > 0, "a frame");
      await settled(viewer);
      expect(viewer.texts()).toEqual(["frame 1"]);
      viewer.ack(1);
      await until(() => viewer.frames.length > 1, "the next frame");
      await settled(viewer);
      expect(viewer.texts()).toEqual(["frame 1", "frame 5"]);
      expect(harness.screen.counts()).toMatchObject({ framesSent: 2, framesDropped: 3 });
    });
    it("does not let a viewer that never answers delay another", async () => {
      const stuck = await ready({}, { acknowledges: false });
      const late = await ready({}, { acknowledges: false });
      const fast = await ready();
      for (let i = 1; i <= 50; i += 1) {
        source.image(`frame ${i}`);
        await until(() => fast.frames.length === i, `frame ${i}`);
        if (i === 25) late.ack(1);
      }
      await until(() => late.frames.length === 2, "the late viewer's second frame");
      expect(stuck.texts()).toEqual(["frame 1"]);
      expect(late.texts()[0]).toBe("frame 1");
      expect(fast.texts()).toHaveLength(50);
    });
    it("gives a joiner the resting picture, crisp, at once", async () => {
      const first = await ready();
      source.image("moving");
      await until(() => first.frames.length === 1, "a frame");
      clock.advance(REST_MS);
      await until(() => source.stills === 1, "the still");
      source.crisp("crisp");
      const joiner = await harness.view();
      await until(() => joiner.frames.length === 1, "the joiner's frame");
      expect(joiner.texts()).toEqual(["crisp"]);
      expect(joiner.frames[0]?.header.flags).toBe(1);
    });
    it("closes a viewer that answers nothing for ten seconds while frames wait", async () => {
      const stuck = await ready({}, { acknowledges: false });
      const watcher = await ready();
      source.image("one");
      source.image("two");
      await until(() => stuck.frames.length === 1, "a frame");
      clock.advance(TOO_SLOW_MS);
      await until(() => stuck.closed !== undefined, "closing");
      expect(stuck.closed?.code).toBe(4408);
      expect(watcher.closed).toBeUndefined();
    });
    it("asks the driver for no more than the viewer wants", async () => {
      const viewer = await ready();
      expect(source.level).toBe(4);
      viewer.send({ type: "quality", max: 1 });
      await until(() => source.level === 1, "the level");
    });
    it("tells viewers a new size, and of parking", async () => {
      const viewer = await ready();
      harness.phones.happen({ type: "resized", phoneId: harness.phoneId, width: 800, height: 360 });
      harness.screen.idleWarning(harness.phoneId, new Date(clock.now() + 60_000));
      await until(() => viewer.last("idle_warning") !== undefined, "the warning");
      expect(viewer.last("resize")).toEqual({ type: "resize", width: 800, height: 360 });
    });
  });

  describe("control", () => {
    it("ABUSE-20 goes to the first; input of others never reaches the phone, a view ticket's neither, and is counted", async () => {
      const ada = await ready();
      const bob = await ready();
      const guest = await ready({ mode: "view" });
      expect([ada, bob, guest].map((viewer) => viewer.last("hello")?.controller)).toEqual([true, false, false]);
      for (const viewer of [bob, guest]) {
        viewer.send({ type: "touch", phase: "start", id: 0, x: 0.1, y: 0.1, seq: 0 });
        viewer.send({ type: "text", value: "no" });
        viewer.send({ type: "clipboard", value: "no" });
        viewer.send({ type: "rotate" });
        await settled(viewer);
      }
      expect(harness.phones).toMatchObject({ inputs: [], clipboards: [], rotations: 0 });
      expect(harness.used).toEqual([]);
      expect(harness.screen.counts().inputsIgnored).toBe(8);
      ada.send({ type: "key", name: "Home" });
      ada.send({ type: "clipboard", value: "yes" });
      ada.send({ type: "rotate" });
      await settled(ada);
      expect(harness.phones).toMatchObject({
        inputs: [{ type: "key", name: "Home" }],
        clipboards: ["yes"],
        rotations: 1,
      });
      expect(harness.used).toHaveLength(1);
    });
    it("is asked for, declined, asked for again and given; the old controller's finger is lifted", async () => {
      const ada = await ready();
      const bob = await ready();
      bob.send({ type: "control", action: "ask" });
      await until(() => ada.last("state")?.asking !== undefined, "the question");
      ada.send({ type: "control", action: "decline" });
      await until(() => bob.last("state")?.declined === true, "the answer");
      ada.send({ type: "touch", phase: "start", id: 2, x: 0.5, y: 0.25, seq: 0 });
      bob.send({ type: "control", action: "ask" });
      await until(() => ada.last("state")?.asking !== undefined, "the second question");
      ada.send({ type: "control", action: "give" });
      await until(() => bob.last("state")?.controller === true, "control");
      await until(() => ada.last("state")?.controller === false, "loss of control");
      bob.send({ type: "text", value: "mine" });
      ada.send({ type: "text", value: "no more" });
      await Promise.all([settled(ada), settled(bob)]);
      expect(harness.phones.inputs).toEqual([
        { type: "touch", phase: "start", id: 2, x: 0.5, y: 0.25 },
        { type: "touch", phase: "cancel", id: 2, x: 0.5, y: 0.25 },
        { type: "text", value: "mine" },
      ]);
    });
    it("waits five seconds for a lost controller, whose touches are cancelled at once", async () => {
      const credentialId = newId("session");
      const ada = await ready({ credentialId });
      const bob = await ready();
      ada.send({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5, seq: 0 });
      await settled(ada);
      ada.socket.terminate();
      await until(() => bob.last("state")?.viewers === 1, "the leaving");
      expect(harness.phones.inputs.at(-1)).toMatchObject({ phase: "cancel" });
      bob.send({ type: "control", action: "ask" });
      await settled(bob);
      expect(bob.last("state")?.controller).toBe(false);
      const again = await ready({ credentialId });
      expect(again.last("hello")?.controller).toBe(true);
      await until(() => bob.last("state")?.viewers === 2, "the return");
      again.socket.terminate();
      await until(() => bob.last("state")?.viewers === 1, "the second leaving");
      clock.advance(CONTROL_GRACE_MS);
      await until(() => bob.last("state")?.controller === true, "control");
    });
    it("is taken by who manages the team; the finger of who drove is lifted and they hear who took it", async () => {
      const [ada, boss] = [newId("user"), newId("user")];
      harness.managers.add(boss);
      const driver = await ready({ userId: ada });
      const taker = await ready({ userId: boss });
      await until(() => taker.last("state")?.mayTake === true, "the right to take");
      expect(driver.last("state")?.mayTake).toBeUndefined();
      driver.send({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5, seq: 1 });
      await settled(driver);
      taker.send({ type: "control", action: "take" });
      await until(() => driver.last("state")?.takenBy !== undefined, "notice");
      expect(driver.last("state")).toMatchObject({ controller: false, takenBy: taker.last("state")?.controllerName });
      expect(taker.last("state")).toMatchObject({ controller: true });
      expect(harness.phones.inputs.at(-1)).toMatchObject({ type: "touch", phase: "cancel" });
      driver.send({ type: "control", action: "take" });
      driver.send({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5, seq: 1 });
      await settled(driver);
      expect(taker.last("state")).toMatchObject({ controller: true });
      expect(harness.phones.inputs.at(-1)).toMatchObject({ phase: "cancel" });
      expect(harness.present).toEqual([
        [ada, "driven"],
        [boss, "watched"],
        [boss, "taken"],
      ]);
    });
    it("is one time at the phone for a person, a lost connection and its return included", async () => {
      const [ada, bob] = [newId("user"), newId("user")];
      const credentialId = newId("session");
      const first = await ready({ userId: ada, credentialId });
      await ready({ userId: bob, mode: "view" });
      first.socket.terminate();
      await until(() => harness.screen.viewers(harness.phoneId) === 1, "the loss");
      const again = await ready({ userId: ada, credentialId });
      await until(() => again.last("state")?.controller === true, "control again");
      expect(harness.screen.controllerName(harness.phoneId)).toBe(`Person ${credentialId.slice(-2)}`);
      again.send({ type: "control", action: "release" });
      await settled(again);
      again.send({ type: "control", action: "ask" });
      await settled(again);
      expect(harness.present).toEqual([
        [ada, "driven"],
        [bob, "watched"],
        [ada, "driven"],
      ]);
    });
    it("passes on what was copied and where to type only to the controller", async () => {
      const ada = await ready();
      const guest = await ready({ mode: "view" });
      harness.phones.happen({ type: "clipboard", phoneId: harness.phoneId, value: "copied" });
      harness.phones.happen({ type: "keyboard", phoneId: harness.phoneId, open: true });
      await until(() => ada.last("keyboard") !== undefined, "the keyboard");
      await settled(guest);
      expect(ada.last("clipboard")).toEqual({ type: "clipboard", value: "copied" });
      expect(guest.last("clipboard")).toBeUndefined();
      expect(guest.last("keyboard")).toBeUndefined();
    });
    it("moves on from a dead connection when its session comes back", async () => {
      const credentialId = newId("session");
      const dead = await ready({ credentialId });
      // A cut network: the server hears nothing, not even an answer to a ping.
      dead.socket.pause();
      const back = await ready({ credentialId });
      expect(back.last("hello")?.controller).toBe(false);
      await until(() => back.last("state")?.controller === true, "control");
    });
    it("leaves a living connection of the same session in control", async () => {
      const credentialId = newId("session");
      const first = await ready({ credentialId });
      const second = await ready({ credentialId });
      await settled(first);
      expect(second.last("state")?.controller).toBe(false);
      expect(first.last("state")).toMatchObject({ controller: true, viewers: 2 });
    });
  });
});
