/** Art. 18 GDPR on the whole server: nothing is done with the person's data, nothing is lost, colleagues go on. */
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CHROME_EXTENSION_ID } from "../../../shared/accounts.ts";
import { newId, type PhoneId, phoneId } from "../../../shared/ids.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { connect, TestViewer } from "../../screen/testing/client.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";
import { sign } from "../../webhooks/signature.ts";
import { STOP_JOB } from "./stop-work.ts";

const ENDLESS = "url: https://a.example/\n---\n- extendedWaitUntil: {visible: Never, timeout: 600000}\n";

describe("a person who had the use of their data stopped", () => {
  let server: TestServer;
  let anna: TestPerson;
  let phone: PhoneId;
  beforeAll(async () => {
    server = await startTestServer({ RUNNING_PER_TEAM: "100", RUNNING_PHONES: "100" });
  });
  afterAll(() => server.dispose());
  beforeEach(async () => {
    anna = await signIn(server);
    phone = phoneId.parse((await done("phones.launch", { idempotencyKey: "the-phone" })).id);
  });

  const done = async (path: string, input: unknown, who: Pick<TestPerson, "token"> = anna) => {
    const answer = await call(server, "mutation", path, input, who.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data as { id: string; runId: string; ticket: string; secret: string };
  };
  const codeOf = async (
    type: "query" | "mutation",
    path: string,
    input: unknown,
    who: Pick<TestPerson, "token"> = anna,
  ) => {
    const answer = await call(server, type, path, input, who.token);
    return answer.ok ? "ok" : answer.error.code;
  };
  const get = async (path: string, token: string) =>
    fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const restrict = (restricted: boolean) => done("privacy.preferences", { restricted });
  const stateOf = async (id: PhoneId) => {
    const rows = await server.db.read.select().from(server.db.t.phones);
    return rows.find((row) => row.id === id)?.state;
  };
  /** Every job that ends work is done. */
  const settled = () =>
    vi.waitFor(
      async () => {
        const { jobs } = server.db.t;
        const rows = await server.db.read.select().from(jobs).where(eq(jobs.kind, STOP_JOB));
        expect(rows.map(({ state }) => state)).toEqual(rows.map(() => "done"));
      },
      { timeout: 5_000 },
    );
  const watch = async (who: TestPerson) => {
    const { ticket } = await done("screen.ticket", { phoneId: phone, mode: "control" }, who);
    const origin = `chrome-extension://${CHROME_EXTENSION_ID}`;
    const viewer = await connect({ port: server.port, origin, ticket });
    if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
    await vi.waitFor(() => expect(viewer.last("state")).toBeDefined());
    return viewer;
  };

  it("has phones parked, streams and runs ended and calls refused at once, keeps every right, and goes on after", async () => {
    server.phones.save(phone, "a.txt", "secret");
    const token = await apiToken(server, anna, ["phones:view", "phones:control", "privacy"]);
    const flowId = (await done("flows.save", { name: "Waits", source: ENDLESS })).id;
    const { runId } = await done("runs.start", { flowId, phoneId: phone, idempotencyKey: "endless-run" });
    const hook = await done("webhooks.create", { name: "CI", flowId, phone });
    const screen = await watch(anna);
    const late = await done("screen.ticket", { phoneId: phone, mode: "view" });
    const stream = await fetch(`${server.url}/trpc/phones.events`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${anna.token}` },
    });
    await restrict(true);

    await vi.waitFor(() => expect(screen.closed?.code).toBe(4403));
    expect(screen.last("ended")?.message).toContain("Allow it again under Privacy");
    expect(await stream.text()).toContain("session_ended");
    await vi.waitFor(async () => expect(await stateOf(phone)).toBe("parked"));
    const runs = await server.db.read.select().from(server.db.t.runs);
    expect(runs.find(({ id }) => id === runId)?.state).toBe("cancelled");
    const refused = await connect({
      ...{ port: server.port, ticket: late.ticket },
      origin: `chrome-extension://${CHROME_EXTENSION_ID}`,
    });
    expect(refused).toMatchObject({ status: 401 });

    for (const who of [anna, { token }]) {
      expect(await codeOf("query", "phones.list", undefined, who)).toBe("processing_restricted");
      expect(await codeOf("mutation", "phones.start", { phoneId: phone }, who)).toBe("processing_restricted");
      const file = await get(`/files/phones/${phone}/a.txt`, who.token);
      expect([file.status, await file.text()]).toEqual([403, expect.stringContaining("processing_restricted")]);
    }
    const body = Buffer.from("{}");
    const timestamp = String(Math.floor(server.clock.now() / 1_000));
    const called = await fetch(`${server.url}/hooks/${hook.id}`, {
      ...{ method: "POST", body },
      headers: {
        "content-type": "application/json",
        "x-perch-timestamp": timestamp,
        "x-perch-signature": `sha256=${sign(hook.secret, timestamp, body)}`,
      },
    });
    expect(called.status).toBe(403);

    for (const path of ["account.me", "account.security", "sessions.list", "privacy.overview", "privacy.requests"]) {
      expect([path, await codeOf("query", path, undefined)]).toEqual([path, "ok"]);
    }
    await restrict(false);
    expect(await codeOf("query", "phones.list", undefined)).toBe("ok");
    await done("phones.start", { phoneId: phone });
    expect(await stateOf(phone)).toBe("running");
    expect(await (await get(`/files/phones/${phone}/a.txt`, anna.token)).text()).toBe("secret");
  });

  it("changes nothing for colleagues: the team's phones and their streams go on", async () => {
    const colleague = await signIn(server, "operator", anna.teamId);
    const screen = await watch(colleague);
    const mine = await watch(anna);
    await restrict(true);
    await vi.waitFor(() => expect(mine.closed?.code).toBe(4403));
    await settled();
    expect(await stateOf(phone)).toBe("running");
    expect(screen.closed).toBeUndefined();
    expect(await codeOf("query", "phones.list", undefined, colleague)).toBe("ok");
    expect(await codeOf("query", "phones.list", undefined)).toBe("processing_restricted");
  });

  it("has nothing started by a schedule, and goes on with the next slot after", async () => {
    const flowId = (await done("flows.save", { name: "Reads", source: "url: https://a.example/\n---\n- back\n" })).id;
    const when = { all: [{ kind: "schedule", cron: "* * * * *", timeZone: "UTC" }] };
    await done("rules.save", { rule: { id: newId("rule"), name: "Each minute", when, action: { flowId, phone } } });
    const runsOf = async () => {
      const { runs } = server.db.t;
      return (await server.db.read.select().from(runs)).filter((run) => run.flowId === flowId).length;
    };
    const minute = async () => {
      server.clock.advance(60_000);
      await server.scheduler.tick();
    };
    await restrict(true);
    await minute();
    await minute();
    expect(await runsOf()).toBe(0);
    await restrict(false);
    await minute();
    expect(await runsOf()).toBe(1);
  });

  it("is left alone by work that comes late, when they allow the use again meanwhile", async () => {
    const { enqueue } = createJobsRepo(server.db, server.clock);
    await server.db.tx((tx) => enqueue(tx, { kind: STOP_JOB, input: { userId: anna.userId } }));
    await settled();
    expect(await stateOf(phone)).toBe("running");
  });
});
