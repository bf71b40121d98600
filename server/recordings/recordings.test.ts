import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseFlow } from "../../shared/flows/parse.ts";
import { newId, type RecordingId, type UserId } from "../../shared/ids.ts";
import type { RecordingEvent } from "../../shared/recording-model.ts";
import { type OpenRuns, openRuns } from "../automations/testing/harness.ts";
import { createFeed } from "../events/feed.ts";
import { silentLog } from "../log.ts";
import type { PhoneInput } from "../phones/driver.ts";
import { newTeam } from "../phones/testing/harness.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { RecordedMessage } from "./recorder.ts";
import { createRecordingsRepo } from "./recordings.repo.ts";
import { createRecordings, type Recordings } from "./recordings.service.ts";

const PASSWORD = "tr0ub4dor&3-canary";
let at: OpenRuns;
let recordings: Recordings;
let id: RecordingId;
let frame = 1;
let feeds: ReturnType<typeof createFeed>[] = [];

/** A service as a server makes it at start, on the same database. */
function compose(): Recordings {
  const feed = createFeed(at.test.db);
  feeds.push(feed);
  return createRecordings({
    node: undefined,
    db: at.test.db,
    repo: createRecordingsRepo(at.test.db),
    flows: at.flows,
    feed,
    audit: at.audit,
    clock: at.clock,
    log: silentLog,
    running: async (scope, phoneId) => (await at.phones.runningPhone(scope, phoneId)).driver,
  });
}

beforeEach(async () => {
  at = await openRuns();
  at.driver.items = [
    { text: "Sign in", id: "sign-in", onTap() {} },
    { text: "", id: "name", field: true },
    { text: "", id: "password", field: true, password: true },
    { text: "Terms", onTap() {} },
    { text: "12 chairs" },
  ];
  recordings = compose();
  id = (await recordings.start(at.scope, at.phoneId)).id;
  show();
});
/** Another picture goes out. */
function show(): void {
  frame += 1;
  recordings.tap.frame(at.phoneId, frame);
}
afterEach(async () => {
  await recordings.close();
  for (const feed of feeds) feed.close();
  feeds = [];
  await at.dispose();
});

function grant(userId: UserId = at.scope.userId) {
  const { teamId } = at.scope;
  return {
    credentialId: newId("session"),
    userId,
    teamId,
    phoneId: at.phoneId,
    mode: "control",
    browser: true,
    name: "Ada",
    mayTake: false,
  } as const;
}

/** As the screen does it: told first, then the phone gets it. */
async function send(message: RecordedMessage, userId?: UserId): Promise<void> {
  const taken = recordings.tap.input(at.phoneId, grant(userId), message);
  if (message.type === "touch" || message.type === "text" || message.type === "key") {
    await at.driver.input(at.phoneId, message satisfies PhoneInput);
  }
  taken?.();
}
const touch = (phase: "start" | "move" | "end", x: number, y: number): RecordedMessage => ({
  type: "touch",
  phase,
  id: 0,
  x,
  y,
  seq: frame,
});
async function tap(item: number, forMs = 80): Promise<void> {
  await send(touch("start", 0.5, item / 10 + 0.05));
  at.clock.advance(forMs);
  await send(touch("end", 0.5, item / 10 + 0.05));
  // Fingers take their time, and the focus is where it is by then.
  at.clock.advance(500);
}
async function type(text: string): Promise<void> {
  const before = (await recordings.get(at.scope, id)).lastEvent;
  for (const value of Array.from(text)) await send({ type: "text", value });
  const now = () => recordings.get(at.scope, id);
  await expect.poll(async () => (await now()).recorded.at(-1)?.words).toMatch(/^Type/);
  expect((await now()).lastEvent).toBeGreaterThan(before);
}
/** Everything that happened so far is written. */
async function words(): Promise<readonly string[]> {
  return (await recordings.pause(at.scope, id)).recorded.map((step) => step.words);
}

describe("what a person does", () => {
  it("becomes steps, coalesced, with the targets of the picture they saw", async () => {
    await tap(1);
    await type("日本 🛒x");
    await send({ type: "key", name: "Backspace" });
    await send({ type: "key", name: "Enter" });
    await tap(3, 600);
    await tap(0);
    expect(await words()).toEqual([
      "Tap “name”",
      "Type “日本 🛒” into “name”",
      "Press Enter",
      "Press and hold “Terms”",
      "Tap “Sign in”",
    ]);
    const { source, recorded } = await recordings.get(at.scope, id);
    expect(parseFlow(source).diagnostics).toEqual([]);
    expect(recorded[0]?.candidates[0]).toMatchObject({ kind: "id", selector: { id: "name" } });
  });

  it("is one double tap when the same thing is tapped twice at once, and two taps otherwise", async () => {
    const quick = async (item: number) => {
      await send(touch("start", 0.5, item / 10 + 0.05));
      at.clock.advance(60);
      await send(touch("end", 0.5, item / 10 + 0.05));
      at.clock.advance(120);
    };
    await quick(3);
    await quick(3);
    await quick(0);
    await quick(3);
    expect(await words()).toEqual(["Double tap “Terms”", "Tap “Sign in”", "Tap “Terms”"]);
  });

  it("has swipes, wheels, erased text, addresses and a turned phone in it", async () => {
    await send(touch("start", 0.5, 0.35));
    await send(touch("move", 0.5, 0.2));
    at.clock.advance(200);
    await send(touch("end", 0.52, 0.05));
    for (let turn = 0; turn < 3; turn += 1) await send({ type: "wheel", x: 0.5, y: 0.5, dx: 0, dy: 0.2, seq: 1 });
    await send({ type: "key", name: "SelectAll" });
    await send({ type: "key", name: "Backspace" });
    await send({ type: "key", name: "Backspace" });
    await send({ type: "key", name: "Backspace" });
    await send({ type: "rotate" });
    await send({ type: "key", name: "Back" });
    recordings.opened(at.scope.userId, at.phoneId, "https://shop.example/cart");
    expect(await words()).toEqual([
      "Swipe up from “Terms”",
      "Scroll down",
      "Erase the text",
      "Erase 2 characters",
      "Turn upright",
      "Go back",
      "Open https://shop.example/cart",
    ]);
  });

  it("waits for what was not there after a longer pause, and only for that", async () => {
    await tap(0);
    at.clock.advance(5_000);
    await tap(3);
    at.driver.items[5] = { text: "Thank you", onTap() {} };
    show();
    at.clock.advance(4_000);
    await tap(5);
    const { recorded } = await recordings.pause(at.scope, id);
    expect(recorded.at(-1)?.waitMs).toBe(10_000);
  });

  it("says when something cannot be part of a flow", async () => {
    await send({ type: "key", name: "Reload" });
    await words();
    const events = await eventsAfter(0, 1);
    expect(JSON.stringify(events)).toContain("paused");
  });

  it("counts only for the person who records", async () => {
    const other = await newTeam(at);
    await send(touch("start", 0.5, 0.05), other.userId);
    await send(touch("end", 0.5, 0.05), other.userId);
    expect(await words()).toEqual([]);
  });
});

describe("passwords", () => {
  it("never leave the moment they are typed in", async () => {
    await tap(1);
    await type("ada");
    await tap(2);
    await type(PASSWORD);
    await send({ type: "key", name: "Backspace" });
    await tap(1);
    await tap(2);
    await type("again");
    const { source, recorded } = await recordings.pause(at.scope, id);
    expect(recorded.map((step) => step.words).filter((one) => one.startsWith("Type"))).toEqual([
      "Type “ada” into “name”",
      "Type the secret SECRET_1 into “password”",
      "Type the secret SECRET_1 into “password”",
    ]);
    expect(parseFlow(source).flow?.header.secrets).toEqual(["SECRET_1"]);
    expect(source).toContain(`inputText: \${SECRET_1}`);
    const { recordings: table, recordingSteps } = at.test.db.t;
    const stored = JSON.stringify([
      await at.test.db.read.select().from(table),
      await at.test.db.read.select().from(recordingSteps),
      await eventsAfter(0, recorded.length),
    ]);
    for (let from = 0; from + 4 <= PASSWORD.length; from += 1)
      expect(stored).not.toContain(PASSWORD.slice(from, from + 4));
  });

  it("stay one secret when the focus was gone before the last letters were looked at", async () => {
    await tap(2);
    await type("tr0");
    at.driver.focused = undefined;
    await send({ type: "text", value: "ub4" });
    await tap(0);
    expect(await words()).toEqual(["Tap “password”", "Type the secret SECRET_1 into “password”", "Tap “Sign in”"]);
  });
});

describe("assertions", () => {
  it("come from a tap on the picture, and from what was offered after a step", async () => {
    await recordings.assertVisible(at.scope, { recordingId: id, x: 0.5, y: 0.45, frameSeq: frame });
    await expect(
      recordings.assertVisible(at.scope, { recordingId: id, x: 0.5, y: 0.95, frameSeq: frame }),
    ).rejects.toThrow("Nothing with a name");
    await tap(0);
    at.driver.items[5] = { text: "Welcome, Ada" };
    show();
    await tap(3);
    const tapped = (await recordings.pause(at.scope, id)).recorded[1];
    expect(tapped?.proposals.map((one) => one.words)).toEqual(["Welcome, Ada"]);
    const step = tapped?.seq ?? 0;
    const { recorded, source } = await recordings.assertVisible(at.scope, { recordingId: id, step, proposal: 0 });
    expect(recorded.map((one) => one.words)).toEqual([
      "Assert that “12 chairs” is visible",
      "Tap “Sign in”",
      "Tap “Terms”",
      "Assert that “Welcome, Ada” is visible",
    ]);
    expect(source).toContain("assertVisible: Welcome, Ada");
  });
});

describe("steps", () => {
  it("are taken out, brought back, and found in another way", async () => {
    await tap(0);
    await tap(3);
    const [first, second] = (await recordings.pause(at.scope, id)).recorded;
    const step = first?.seq ?? 0;
    const without = await recordings.removeStep(at.scope, { recordingId: id, step });
    expect(without.recorded.map(({ seq }) => seq)).toEqual([second?.seq]);
    expect(without.canUndo).toBe(true);
    const back = await recordings.undo(at.scope, id);
    expect(back.recorded.map(({ seq }) => seq)).toEqual([first?.seq, second?.seq]);
    await expect(recordings.undo(at.scope, id)).rejects.toThrow("No step was removed");
    const chosen = await recordings.chooseSelector(at.scope, { recordingId: id, step, which: 1 });
    expect(chosen.source).toContain("tapOn: Sign in");
    await expect(recordings.chooseSelector(at.scope, { recordingId: id, step, which: 9 })).rejects.toThrow(
      "no such way",
    );
  });
});

describe("nothing is lost", () => {
  it("when the server stops: the steps are there, paused, and it goes on", async () => {
    await tap(0);
    await recorded(1);
    // No farewell: another server starts on the same database.
    recordings = compose();
    await recordings.recover();
    const found = await recordings.get(at.scope, id);
    expect(found).toMatchObject({ state: "paused", note: expect.stringContaining("restarted"), steps: 1 });
    await recordings.resume(at.scope, id);
    show();
    await tap(3);
    expect(await words()).toEqual(["Tap “Sign in”", "Tap “Terms”"]);
  });

  it("when the phone goes: it pauses and says why", async () => {
    await tap(0);
    await recordings.phoneEnded(at.phoneId, "It was not used for a while.");
    expect(await recordings.get(at.scope, id)).toMatchObject({
      state: "paused",
      note: "It was not used for a while.",
      steps: 1,
    });
  });

  it("is saved once, as a flow that can be run", async () => {
    await tap(0);
    const saved = await recordings.finish(at.scope, { recordingId: id, name: "Sign in" });
    const again = await recordings.finish(at.scope, { recordingId: id, name: "Other" });
    expect(again.flowId).toBe(saved.flowId);
    if (saved.flowId === undefined) throw new Error("no flow");
    expect(await at.flows.get(at.scope, saved.flowId)).toMatchObject({ name: "Sign in", runnable: true });
    await expect(recordings.resume(at.scope, id)).rejects.toThrow("is saved");
  });

  it("follows in events from any number on", async () => {
    await tap(0);
    await tap(3);
    const { lastEvent } = await recordings.pause(at.scope, id);
    const all = await eventsAfter(0, 3);
    expect(all.map(({ data }) => data.type)).toEqual(["step", "step", "state"]);
    expect(all.at(-1)?.seq).toBe(lastEvent);
    expect(await eventsAfter(all[0]?.seq ?? 0, 2)).toEqual(all.slice(1));
  });
});

describe("others", () => {
  it("do not see it, and cannot record the same phone", async () => {
    const colleague = { ...at.scope, userId: newId("user") } as TeamScope;
    await expect(recordings.get(colleague, id)).rejects.toThrow("no such recording");
    expect(await recordings.list(colleague)).toEqual([]);
    await expect(recordings.start(colleague, at.phoneId)).rejects.toThrow("being recorded already");
    expect((await recordings.start(at.scope, at.phoneId)).id).toBe(id);
  });
  it("may record once it was thrown away", async () => {
    await tap(0);
    await recordings.discard(at.scope, id);
    await expect(recordings.get(at.scope, id)).rejects.toThrow("no such recording");
    expect((await recordings.start(at.scope, at.phoneId)).steps).toBe(0);
  });
});

async function recorded(steps: number): Promise<void> {
  await expect.poll(async () => (await recordings.get(at.scope, id)).steps).toBe(steps);
}

async function eventsAfter(after: number, count: number): Promise<{ seq: number; data: RecordingEvent }[]> {
  const stop = new AbortController();
  const found: { seq: number; data: RecordingEvent }[] = [];
  for await (const event of await recordings.events(at.scope, id, after, stop.signal)) {
    found.push(event);
    if (found.length === count) stop.abort();
  }
  return found;
}
