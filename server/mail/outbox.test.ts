import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../shared/ids.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { createJobsRepo } from "../jobs/jobs.repo.ts";
import { createJobs, type JobContext } from "../jobs/jobs.service.ts";
import { createLog } from "../log.ts";
import { createMailRepo } from "./mail.repo.ts";
import { createMail, MAIL_JOB, type NewMail } from "./mail.service.ts";
import type { MailTransport, OutgoingMail } from "./smtp.ts";

const KEYS = { mail: randomBytes(32), audit: randomBytes(32) };
const LINK = "https://perch.example/reset/new?token=t";

describe.each(TEST_ENGINES)("the outbox on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let lines: string[];
  /** What the mail server took. */
  let taken: OutgoingMail[];
  let stops: (() => Promise<void>)[];
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    clock = new ManualClock();
    lines = [];
    taken = [];
    stops = [];
    const { mailOutbox, jobs, auditLog, auditHeads } = test.db.t;
    await test.db.tx(async (tx) => {
      for (const table of [mailOutbox, jobs, auditLog, auditHeads]) await tx.delete(table);
    });
  });
  afterEach(() => Promise.all(stops.map((stop) => stop())));

  const take: MailTransport["send"] = async (mail) => {
    taken.push(mail);
    return {};
  };
  /** A server process as far as mail goes. */
  function startProcess(send: MailTransport["send"], { node = "a", singleNode = true } = {}) {
    const { db } = test;
    const log = createLog({ clock, write: (line) => lines.push(line) });
    const jobs = createJobs({ db, repo: createJobsRepo(db, clock), clock, log, node, singleNode });
    const mail = createMail({
      db,
      repo: createMailRepo(db, clock),
      jobs,
      audit: createAudit(db, clock, KEYS.audit),
      publicUrl: new URL("https://perch.example"),
      key: KEYS.mail,
      transport: { send, close() {} },
    });
    const start = () => jobs.start({ [MAIL_JOB]: mail.send }, []);
    stops.push(() => jobs.stop());
    return { jobs, mail, start };
  }
  const reset = (recipient: string, dedupeKey?: string): NewMail => ({
    kind: "reset",
    recipient,
    data: { link: LINK },
    dedupeKey,
  });
  const queue = (mail: ReturnType<typeof createMail>, ...letters: NewMail[]) =>
    test.db.tx(async (tx) => {
      for (const letter of letters) await mail.queue(tx, letter);
    });
  const outbox = () => test.db.read.select().from(test.db.t.mailOutbox);
  const states = async () => (await outbox()).map(({ state }) => state);

  it("takes the same event once, however often and at once it is queued", async () => {
    const { mail, start } = startProcess(take);
    await queue(mail, reset("a@x.example", "reset:1"), reset("a@x.example", "reset:1"));
    await Promise.all([1, 2, 3].map(() => queue(mail, reset("a@x.example", "reset:1"))));
    await queue(mail, reset("a@x.example", "reset:2"), reset("a@x.example"), reset("a@x.example"));
    expect(await outbox()).toHaveLength(4);
    await start();
    await expect.poll(states).toEqual(["sent", "sent", "sent", "sent"]);
    expect(taken).toHaveLength(4);
  });

  it("drops a mail with the transaction that does not happen", async () => {
    const { mail } = startProcess(take);
    const failed = test.db.tx(async (tx) => {
      await mail.queue(tx, reset("a@x.example"));
      throw new Error("stop");
    });
    await expect(failed).rejects.toThrow("stop");
    expect([await outbox(), await test.db.read.select().from(test.db.t.jobs)]).toEqual([[], []]);
  });

  it("keeps neither address nor link in the job, nor the link in the outbox", async () => {
    const { mail } = startProcess(take);
    await queue(mail, reset("a@x.example"));
    expect(JSON.stringify(await test.db.read.select().from(test.db.t.jobs))).not.toMatch(/a@x|token=/);
    expect(JSON.stringify(await outbox())).not.toContain("token=");
  });

  it.each(["before the mail server had it", "after the mail server took it"])(
    "sends again what a process held when it was killed %s, under the same id",
    async (when) => {
      const hanging = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const first = startProcess(async (mail) => {
        if (when.startsWith("after")) taken.push(mail);
        hanging.resolve();
        await release.promise;
        return {};
      });
      await queue(first.mail, reset("a@x.example"));
      await first.start();
      await hanging.promise;
      const second = startProcess(take, { node: "b" });
      await second.start();
      await expect.poll(states).toEqual(["sent"]);
      // The first one comes back from the dead: it changes nothing, and nothing is sent for it.
      release.resolve();
      await first.jobs.stop();
      expect(taken).toHaveLength(when.startsWith("after") ? 2 : 1);
      expect(new Set(taken.map(({ id }) => id)).size).toBe(1);
      expect(await outbox()).toMatchObject([{ state: "sent", data: null }]);
    },
  );

  it("sends each mail once, though two processes work on them", async () => {
    const [one, two] = ["a", "b"].map((node) => startProcess(take, { node, singleNode: false }));
    if (one === undefined || two === undefined) return;
    await queue(one.mail, ...Array.from({ length: 16 }, (_, n) => reset(`p${n}@x.example`)));
    await Promise.all([one.start(), two.start()]);
    await expect.poll(async () => (await states()).every((state) => state === "sent")).toBe(true);
    expect(taken.map(({ to }) => to).sort()).toEqual(Array.from({ length: 16 }, (_, n) => `p${n}@x.example`).sort());
  });

  it("tells the operator of what will never arrive, without the address", async () => {
    const { mail, start } = startProcess(async () => ({ refused: "550" }));
    await queue(mail, reset("gone@x.example"));
    await start();
    await expect.poll(states).toEqual(["failed"]);
    expect(await outbox()).toMatchObject([{ failure: "550", data: null }]);
    expect(await mail.counts()).toEqual({ waiting: 0, sent: 0, failed: 1 });
    const line = lines.find((text) => text.includes("failed for good")) ?? "";
    expect(JSON.parse(line)).toMatchObject({ level: "warn", kind: "reset", reason: "550" });
    expect(lines.join("")).not.toContain("x.example");
  });

  it("gives up after the last attempt, not before", async () => {
    const { mail } = startProcess(async () => {
      throw new Error("no answer");
    });
    await queue(mail, reset("a@x.example"));
    const [row] = await outbox();
    const context = (isLastAttempt: boolean): JobContext => ({
      signal: new AbortController().signal,
      progress: null,
      idempotencyKey: "",
      isLastAttempt,
      log: createLog({ clock, write: (line) => lines.push(line) }),
      saveProgress: async () => {},
      finish: (work) => test.db.tx(work),
    });
    await expect(mail.send({ mailId: row?.id }, context(false))).rejects.toThrow("no answer");
    expect(await states()).toEqual(["waiting"]);
    await mail.send({ mailId: row?.id }, context(true));
    expect(await outbox()).toMatchObject([{ state: "failed", failure: "gave up", data: null }]);
  });

  it("refuses a letter that leads elsewhere or lacks a value", async () => {
    const { mail } = startProcess(take);
    const lead = (link: string) => queue(mail, { kind: "reset", recipient: "a@x.example", data: { link } });
    for (const link of [
      "https://perch.example.evil.test/",
      "http://perch.example/",
      "javascript:alert(1)",
      "undefined",
    ])
      await expect(lead(link), link).rejects.toThrow(/does not lead to this server|lacks a value/);
    expect(await outbox()).toEqual([]);
  });

  it("records who was shown whose mail", async () => {
    const { mail } = startProcess(take);
    const people = [newId("user"), newId("user")].sort() as [UserId, UserId];
    await queue(
      mail,
      { ...reset("a@x.example"), userId: people[0] },
      { ...reset("a@x.example"), userId: people[0] },
      { ...reset("b@x.example"), userId: people[1] },
      reset("c@x.example"),
    );
    const shown = await mail.preview();
    expect(shown).toHaveLength(4);
    const { auditLog } = test.db.t;
    const read = async () =>
      (await test.db.read.select().from(auditLog).orderBy(auditLog.seq)).map(({ object, detail }) => [object, detail]);
    const reason = "shown on the mail page, at the machine itself";
    expect(await read()).toEqual([
      [null, { reason, count: 1 }],
      [people[0], { reason, count: 2 }],
      [people[1], { reason, count: 1 }],
    ]);
    const one = (await outbox()).find(({ userId }) => userId === people[1]);
    expect((await mail.previewOne(one?.id ?? ""))?.recipient).toBe("b@x.example");
    expect((await read()).slice(3)).toEqual([[people[1], { reason, count: 1 }]]);
    expect(await mail.previewOne("none")).toBeUndefined();
    expect(await read()).toHaveLength(4);
  });

  it("shows the mail of others while a person is being erased, of whom nothing is written down any more", async () => {
    const { mail } = startProcess(take);
    const [anna, ben] = [newId("user"), newId("user")];
    await queue(mail, { ...reset("a@x.example"), userId: anna }, { ...reset("b@x.example"), userId: ben });
    const { erasureFence } = test.db.t;
    await test.db.tx((tx) => tx.insert(erasureFence).values({ subject: anna, since: new Date(clock.now()) }));
    expect((await mail.preview()).map(({ recipient }) => recipient)).toEqual(["b@x.example"]);
    await test.db.tx((tx) => tx.delete(erasureFence));
  });
});
