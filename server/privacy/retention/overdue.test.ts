import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";

const DAY_MS = 24 * 3_600_000;
const ROWS = 1_200;

describe("a server that was off for 40 days", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-off-"));
  const kept = { folder, driver: new FakeDriver(), clock: new ManualClock() };
  let server: TestServer;
  let person: TestPerson;
  const rows = (table: "events" | "mailOutbox" | "runSteps" | "abuseCounts") =>
    server.db.read.$count(server.db.t[table]);

  beforeAll(async () => {
    server = await startTestServer({}, kept);
    person = await signIn(server);
    const at = new Date(kept.clock.now());
    const runId = newId("run");
    await server.db.tx(async (tx) => {
      const { t } = server.db;
      for (let seq = 1; seq <= ROWS; seq += 1) await tx.insert(t.events).values({ topic: "old", seq, data: {}, at });
      await tx.insert(t.abuseCounts).values({ key: "k", count: 1, expiresAt: at });
      await tx.insert(t.mailOutbox).values({
        id: "m",
        recipient: "a@x.example",
        recipientIndex: "a@x.example",
        kind: "reset",
        state: "sent",
        createdAt: at,
      });
      await tx.insert(t.runs).values({
        ...{
          id: runId,
          teamId: person.teamId,
          createdBy: person.userId,
          name: "Old",
          source: "- tapOn: Buy",
          state: "passed",
        },
        ...{
          inputs: { CARD: "private" },
          phoneId: newId("phone"),
          trigger: "person",
          idempotencyKey: "k",
          requestHash: "h",
        },
        ...{ turn: 1, fence: 1, starts: 1, eventSeq: 0, createdAt: at, finishedAt: at },
      });
      await tx.insert(t.runSteps).values({
        ...{ runId, seq: 1, attempt: 1, path: "0", line: 1, depth: 0, command: "tapOn", label: "Buy", kind: "effect" },
        ...{ state: "passed", hash: "h", startedAt: at },
      });
    });
    await server.close();
    kept.clock.advance(40 * DAY_MS);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("serves nobody before what outlived its rule is gone", async () => {
    server = await startTestServer({}, kept);
    for (const table of ["events", "mailOutbox", "runSteps", "abuseCounts"] as const)
      expect(await rows(table), table).toBe(0);
    const lines = server.lines.map((line) => JSON.parse(line) as { message: string; count?: number });
    const swept = lines.filter(({ message }) => message.startsWith("What had outlived its rule"));
    expect(swept).toHaveLength(1);
    expect(swept[0]?.count).toBeGreaterThan(ROWS);
    const jobs = await server.db.read.select().from(server.db.t.jobs);
    expect(jobs.filter(({ kind, state }) => kind === "retention.sweep" && state === "done").length).toBeLessThanOrEqual(
      1,
    );
  });

  it("shows a run whose details went, and says so", async () => {
    const again = await signIn(server, "owner", person.teamId);
    const listed = await call(server, "query", "runs.list", {}, again.token);
    const [run] = listed.ok ? (listed.data as { id: string; name: string }[]) : [];
    expect(run?.name).toBe("Old");
    const answer = await call(server, "query", "runs.get", { runId: run?.id }, again.token);
    expect(answer.ok && answer.data).toMatchObject({
      detailsGone: true,
      source: "",
      inputs: {},
      steps: [],
      artifacts: [],
    });
  });
});
