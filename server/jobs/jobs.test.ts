import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock, systemClock } from "../clock.ts";
import { openSqlite } from "../db/sqlite.ts";
import { MIGRATIONS, TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { silentLog } from "../log.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { createJobsRepo, type JobsRepo, type NewJob } from "./jobs.repo.ts";
import { createJobs, type JobContext, type JobHandler, type Schedule, slotOf } from "./jobs.service.ts";

const LEASE = 30_000;
const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 10_000, interval: 5 });

describe.each(TEST_ENGINES)("jobs on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let repo: JobsRepo;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(async () => {
    await test.db.tx((tx) => tx.delete(test.db.t.jobs));
    clock = new ManualClock();
    repo = createJobsRepo(test.db, clock);
  });
  afterEach(() => Promise.all(stops.splice(0).map((stop) => stop())));
  afterAll(() => test.dispose());

  const enqueue = (job: NewJob) => test.db.tx((tx) => repo.enqueue(tx, job));
  const claim = () => repo.claim("a", ["k"], LEASE);
  const all = () => test.db.read.select().from(test.db.t.jobs);
  const work = async (handlers: Record<string, JobHandler>, schedules: Schedule[] = [], node = "a") => {
    const jobs = createJobs({ db: test.db, repo, clock, log: silentLog, node, singleNode: true });
    stops.push(jobs.stop);
    await jobs.start(handlers, schedules);
    return jobs;
  };

  it("forgets a job with the transaction that asked for it", async () => {
    await expect(
      test.db.tx(async (tx) => {
        await repo.enqueue(tx, { kind: "k", input: 1 });
        throw new Error("stop");
      }),
    ).rejects.toThrow("stop");
    expect(await repo.counts()).toEqual({});
  });

  it("keeps one live job per dedupe key, also when two come at once, and takes a new one after the end", async () => {
    const job = { kind: "k", input: {}, dedupeKey: "one" };
    const answers = await Promise.all([enqueue(job), enqueue(job), enqueue(job)]);
    expect(answers.filter(Boolean)).toHaveLength(1);
    const claimed = await claim();
    expect(await enqueue(job)).toBe(false);
    if (claimed === undefined) throw new Error("nothing to do");
    await test.db.tx((tx) => repo.finish(tx, claimed));
    expect(await enqueue(job)).toBe(true);
  });

  it("gives a job to one worker only", async () => {
    await enqueue({ kind: "k", input: 1 });
    const claims = await Promise.all(Array.from({ length: 8 }, claim));
    expect(claims.filter((job) => job !== undefined)).toHaveLength(1);
  });

  it("works on one job per lock key, and jobs behind a lock hold up no others", async () => {
    for (let n = 0; n < 15; n += 1) await enqueue({ kind: "k", input: n, lockKey: "phone" });
    const first = await claim();
    await enqueue({ kind: "k", input: "free" });
    expect((await claim())?.input).toBe("free");
    expect(await claim()).toBeUndefined();
    if (first === undefined) throw new Error("nothing to do");
    await test.db.tx((tx) => repo.finish(tx, first));
    expect((await Promise.all([claim(), claim(), claim()])).filter((job) => job !== undefined)).toHaveLength(1);
  });

  it("waits for its time", async () => {
    await enqueue({ kind: "k", input: 1, runAt: new Date(clock.now() + 1000) });
    expect(await claim()).toBeUndefined();
    clock.advance(1000);
    expect(await claim()).toBeDefined();
  });

  it("lets a worker that lost its lease write nothing", async () => {
    await enqueue({ kind: "k", input: 1 });
    const slow = await claim();
    clock.advance(LEASE + 1);
    const quick = await repo.claim("b", ["k"], LEASE);
    if (slow === undefined || quick === undefined) throw new Error("nothing to do");
    expect(quick.attempt).toBe(2);
    expect(await repo.renew(slow, LEASE)).toBe(false);
    expect(await repo.saveProgress(slow, "stale")).toBe(false);
    await repo.fail(slow, "stale", undefined);
    expect(await test.db.tx((tx) => repo.finish(tx, slow))).toBe(false);
    expect(await all()).toMatchObject([{ state: "running", progress: null, error: null, node: "b" }]);
    expect(await test.db.tx((tx) => repo.finish(tx, quick))).toBe(true);
  });

  it("stops a handler that lost its lease at its next checkpoint, and commits none of its work", async () => {
    const { teams } = test.db.t;
    const id = newId("team");
    const started = Promise.withResolvers<JobContext>();
    const proceed = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    let calls = 0;
    await enqueue({ kind: "k", input: 1, lockKey: "x" });
    await work({
      async k(_input, context) {
        calls += 1;
        if (calls > 1) return;
        started.resolve(context);
        await proceed.promise;
        try {
          await context.finish(
            async (tx) => void (await tx.insert(teams).values({ id, name: "x", createdAt: new Date(0) })),
          );
        } catch (error) {
          ended.resolve(error);
          await context.saveProgress("late");
        }
      },
    });
    const context = await started.promise;
    clock.advance(LEASE + 1);
    expect(await repo.claim("b", ["k"], LEASE)).toBeDefined();
    proceed.resolve();
    expect(String(await ended.promise)).toContain("lease was lost");
    await until(() => expect(context.signal.aborted).toBe(true));
    expect((await test.db.read.select().from(teams)).filter((team) => team.id === id)).toEqual([]);
    expect(await all()).toMatchObject([{ state: "running", node: "b", progress: null }]);
  });

  it("commits a finishing effect exactly once with the end of the job", async () => {
    const { topics } = test.db.t;
    await test.db.tx((tx) => tx.delete(topics));
    await enqueue({ kind: "k", input: 1 });
    let calls = 0;
    await work({
      async k(_input, { finish }) {
        calls += 1;
        await finish(async (tx) => void (await tx.insert(topics).values({ topic: `done-${calls}`, seq: 1 })));
        throw new Error("after the end");
      },
    });
    await until(async () => expect(await repo.counts()).toEqual({ done: 1 }));
    clock.advance(600_000);
    expect(await claim()).toBeUndefined();
    expect(await test.db.read.select().from(topics)).toEqual([{ topic: "done-1", seq: 1 }]);
  });

  it("tries again later and later, then gives up, and keeps no secret in the error", async () => {
    const waits: number[] = [];
    let attempts = 0;
    await enqueue({ kind: "k", input: 1, maxAttempts: 4 });
    const jobs = await work({
      async k() {
        attempts += 1;
        throw new Error("mail to someone@x.example failed");
      },
    });
    for (let attempt = 1; attempt < 4; attempt += 1) {
      await until(async () => expect(await all()).toMatchObject([{ state: "ready", attempt }]));
      const [row] = await all();
      waits.push((row?.runAt.getTime() ?? 0) - clock.now());
      clock.advance(waits.at(-1) ?? 0);
      jobs.wake();
    }
    await until(async () => expect(await all()).toMatchObject([{ state: "dead", attempt: 4 }]));
    expect(attempts).toBe(4);
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(0.75 * 1000 * 2 ** (index + 1) - 1);
      expect(wait).toBeLessThanOrEqual(1.25 * 1000 * 2 ** (index + 1) + 1);
    }
    expect((await all())[0]?.error).not.toContain("someone");
  });

  it("gives up on a job that takes the process with it every time", async () => {
    await enqueue({ kind: "k", input: 1, maxAttempts: 2 });
    for (let crash = 0; crash < 2; crash += 1) {
      await claim();
      await repo.reclaim(undefined);
    }
    let ran = false;
    await work({
      async k() {
        ran = true;
      },
    });
    await until(async () => expect(await repo.counts()).toEqual({ dead: 1 }));
    expect(ran).toBe(false);
  });

  it("runs a schedule once per slot: over workers, restarts and missed slots", async () => {
    const schedule = { kind: "sweep", everyMs: 3_600_000 };
    const slots: unknown[] = [];
    const sweep: JobHandler = async (input) => void slots.push(input);
    const first = await work({ sweep }, [schedule]);
    await until(async () => expect(await repo.counts()).toEqual({ done: 1 }));
    const second = await work({ sweep }, [schedule], "b");
    await second.stop();
    await first.stop();
    clock.advance(5.5 * schedule.everyMs);
    const third = await work({ sweep }, [schedule]);
    await until(async () => expect(await repo.counts()).toEqual({ done: 2 }));
    clock.advance(schedule.everyMs);
    third.wake();
    await until(async () => expect(await repo.counts()).toEqual({ done: 3 }));
    expect(slots).toEqual(
      [0, 5, 6].map((n) => ({ slot: slotOf(schedule, Date.UTC(2026, 0, 1)) + n * schedule.everyMs })),
    );
  });

  it("starts nothing after it was stopped, and waits for what runs", async () => {
    const ended: string[] = [];
    const started = Promise.withResolvers<void>();
    await enqueue({ kind: "k", input: 1 });
    const jobs = await work({
      async k(_input, { signal }) {
        started.resolve();
        if (!signal.aborted) await once(signal, "abort");
        ended.push("handler");
      },
    });
    await started.promise;
    await enqueue({ kind: "k", input: 2 });
    jobs.wake();
    await jobs.stop();
    ended.push("stopped");
    expect(ended.at(-1)).toBe("stopped");
    expect(ended.filter((what) => what === "handler").length).toBe(
      (await all()).filter(({ attempt }) => attempt > 0).length,
    );
    expect((await all()).some(({ state }) => state === "running")).toBe(false);
  });

  it("sweeps what ended long ago and nothing that waits", async () => {
    await enqueue({ kind: "k", input: "ended" });
    const job = await claim();
    if (job === undefined) throw new Error("nothing to do");
    await test.db.tx((tx) => repo.finish(tx, job));
    await enqueue({ kind: "k", input: "waits" });
    clock.advance(1);
    expect(await sweepNow(test.db, clock.now() + 7 * 86_400_000, "jobs")).toBe(1);
    expect(await all()).toMatchObject([{ input: "waits" }]);
  });
});

describe("a worker killed in the middle of a job", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-jobs-"));
  const file = join(folder, "perch.db");
  const effects = join(folder, "effects");
  const key = randomBytes(32);
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const worker = async (word: string, hangAt: string): Promise<ChildProcess> => {
    const script = join(import.meta.dirname, "testing/worker.ts");
    const child = spawn(process.execPath, [script, file, key.toString("hex"), effects, hangAt], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    for await (const chunk of child.stdout) if (String(chunk).includes(word)) return child;
    throw new Error(`The worker ended without saying ${word}.`);
  };

  it("is followed by one that goes on from the checkpoint and repeats no finished step", async () => {
    const open = () => openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
    const before = await open();
    const repo = createJobsRepo(before, systemClock);
    await before.tx((tx) => repo.enqueue(tx, { kind: "steps", input: {} }));
    await before.close();

    const first = await worker("hanging", "3");
    first.kill("SIGKILL");
    await once(first, "exit");
    expect(readFileSync(effects, "utf8")).toBe("0\n1\n2\n");

    const second = await worker("done", "none");
    second.stdin?.end();
    await once(second, "exit");
    expect(readFileSync(effects, "utf8")).toBe("0\n1\n2\n3\n4\n");
    const after = await open();
    expect(await createJobsRepo(after, systemClock).counts()).toEqual({ done: 1 });
    await after.close();
  });
});
