import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { type PhoneId, phoneId, runId } from "../../shared/ids.ts";
import { connect, TestViewer } from "../screen/testing/client.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

/** Waits for an element that never comes. */
const ENDLESS = "url: https://a.example/\n---\n- extendedWaitUntil: {visible: Never, timeout: 600000}\n";

describe("what goes on when access to a team ends", () => {
  let server: TestServer;
  let owner: TestPerson;
  let member: TestPerson;
  let phone: PhoneId;
  beforeAll(async () => {
    server = await startTestServer({ RUNNING_PER_TEAM: "100", RUNNING_PHONES: "100" });
  });
  afterAll(() => server.dispose());
  beforeEach(async () => {
    owner = await signIn(server);
    member = await signIn(server, "operator", owner.teamId);
    phone = phoneId.parse((await done("phones.launch", { idempotencyKey: "the-phone" })).id);
  });

  const done = async (path: string, input: unknown, who = owner) => {
    const answer = await call(server, "mutation", path, input, who.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data as { id: string; runId: string; ticket: string };
  };
  const watch = async (token: string, mode: "control" | "view" = "control") => {
    const { ticket } = await done("screen.ticket", { phoneId: phone, mode }, { ...owner, token });
    const origin = `chrome-extension://${CHROME_EXTENSION_ID}`;
    const viewer = await connect({ port: server.port, origin, ticket });
    if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
    await vi.waitFor(() => expect(viewer.last("state")).toBeDefined());
    return viewer;
  };
  /** A stream of the team's events; gives how it ended. */
  const listen = async (token: string) => {
    const response = await fetch(`${server.url}/trpc/phones.events`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${token}` },
    });
    if (response.body === null) throw new Error("No stream.");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    return async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    };
  };
  const within = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    expect(performance.now() - started).toBeLessThan(ms);
    return result;
  };
  const startRun = async (who: TestPerson) => {
    const flowId = (await done("flows.save", { name: `Waits ${who.userId}`, source: ENDLESS })).id;
    const started = await done("runs.start", { flowId, phoneId: phone, idempotencyKey: "endless-run" }, who);
    return runId.parse(started.runId);
  };
  const runState = async (id: string) => {
    const answer = await call(server, "query", "runs.get", { runId: id }, owner.token);
    return (answer as unknown as { data: { state: string } }).data.state;
  };

  it("ABUSE-26 ends the streams, screens and runs of a removed member within a second, and nobody else's", async () => {
    const token = await apiToken(server, member, ["phones:view", "phones:control"]);
    const [screen, byToken, mine] = [await watch(member.token), await watch(token), await watch(owner.token)];
    const [events, tokenEvents] = [await listen(member.token), await listen(token)];
    const late = await done("screen.ticket", { phoneId: phone, mode: "view" }, member);
    const run = await startRun(member);
    await vi.waitFor(async () => expect(await runState(run)).toBe("running"));
    await done("teams.removeMember", { userId: member.userId });
    await within(1_000, async () => {
      await vi.waitFor(() => expect([screen.closed?.code, byToken.closed?.code]).toEqual([4403, 4403]), {
        interval: 10,
      });
      expect([await events(), await tokenEvents()]).toEqual([
        expect.stringContaining("session_ended"),
        expect.stringContaining("session_ended"),
      ]);
    });
    expect(screen.last("ended")?.message).toContain("no longer lets you watch it");
    await vi.waitFor(async () => expect(await runState(run)).toBe("cancelled"));
    const refused = await connect({
      ...{ port: server.port, ticket: late.ticket },
      origin: `chrome-extension://${CHROME_EXTENSION_ID}`,
    });
    expect(refused).toMatchObject({ status: 401 });
    expect(mine.closed).toBeUndefined();
    await vi.waitFor(() => expect(mine.last("state")).toMatchObject({ viewers: 1 }));
    const next = await call(server, "query", "phones.get", { phoneId: phone }, member.token);
    expect(next).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(await call(server, "query", "phones.list", undefined, token)).toMatchObject({ ok: false });
  });

  it("ABUSE-26 takes control from who may only watch from now on, at once, and lets them watch", async () => {
    const screen = await watch(member.token);
    expect(screen.last("state")).toMatchObject({ controller: true });
    const run = await startRun(member);
    await vi.waitFor(async () => expect(await runState(run)).toBe("running"));
    await done("teams.changeRole", { userId: member.userId, role: "viewer" });
    await within(1_000, async () => {
      await vi.waitFor(() => expect(screen.last("state")).toMatchObject({ controller: false }), { interval: 10 });
    });
    screen.send({ type: "key", name: "Home" });
    screen.send({ type: "control", action: "ask" });
    await done("phones.rotate", { phoneId: phone });
    expect(screen.closed).toBeUndefined();
    expect(screen.last("state")).toMatchObject({ controller: false });
    await vi.waitFor(async () => expect(await runState(run)).toBe("cancelled"));
    await done("teams.changeRole", { userId: member.userId, role: "billing" });
    await within(1_000, async () => {
      await vi.waitFor(() => expect(screen.closed?.code).toBe(4403), { interval: 10 });
    });
  });

  it("ABUSE-26 ends what a session has open in the team it leaves for another", async () => {
    const other = await done("teams.create", { name: "Mine" }, member);
    await done("teams.switch", { teamId: owner.teamId }, member);
    const screen = await watch(member.token);
    const events = await listen(member.token);
    await done("teams.switch", { teamId: other.id }, member);
    await within(1_000, async () => {
      await vi.waitFor(() => expect(screen.closed?.code).toBe(4403), { interval: 10 });
      expect(await events()).toContain("session_ended");
    });
    expect(screen.last("ended")?.message).toContain("You work in another team now");
    expect(await call(server, "query", "phones.get", { phoneId: phone }, member.token)).toMatchObject({ ok: false });
  });

  it("lets an admin take a phone, with notice, and keeps who was at it", async () => {
    const admin = await signIn(server, "admin", owner.teamId);
    const [driver, viewer] = [await watch(member.token), await watch(admin.token)];
    const controlledBy = async () => {
      const answer = await call(server, "query", "phones.get", { phoneId: phone }, admin.token);
      return (answer as { data?: { controlledBy?: string } }).data?.controlledBy;
    };
    expect(await controlledBy()).toBe(`${member.userId.toLowerCase()}@x.example`);
    expect(viewer.last("state")).toMatchObject({ controller: false, mayTake: true });
    driver.send({ type: "control", action: "take" });
    viewer.send({ type: "control", action: "take" });
    await vi.waitFor(() => expect(viewer.last("state")).toMatchObject({ controller: true }));
    const takenBy = `${admin.userId.toLowerCase()}@x.example`;
    await vi.waitFor(() => expect(driver.messages).toContainEqual(expect.objectContaining({ type: "state", takenBy })));
    driver.send({ type: "control", action: "take" });
    driver.send({ type: "control", action: "ask" });
    await vi.waitFor(() => expect(viewer.last("state")?.asking).toBeDefined());
    expect(viewer.last("state")).toMatchObject({ controller: true });
    expect(await controlledBy()).toBe(`${admin.userId.toLowerCase()}@x.example`);
    const at = async () => {
      const answer = await call(server, "query", "audit.team", { group: "phones", object: phone }, owner.token);
      const { data } = answer as { data?: { entries: { action: string; words: string; actor: { name: string } }[] } };
      return data?.entries.map(({ actor, words }) => `${actor.name} ${words}`).reverse();
    };
    const [m, a] = [member, admin].map(({ userId }) => `${userId.toLowerCase()}@x.example`);
    await vi.waitFor(async () =>
      expect((await at())?.slice(-3)).toEqual([
        `${m} drove a phone`,
        `${a} watched a phone`,
        `${a} took control of a phone`,
      ]),
    );
  });
});
