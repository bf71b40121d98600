/** A breach desk on a database, with mail that goes nowhere: for tests. */
import { randomBytes } from "node:crypto";
import { newId, type UserId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { createJobsRepo } from "../jobs/jobs.repo.ts";
import type { JobContext } from "../jobs/jobs.service.ts";
import { createLog, silentLog } from "../log.ts";
import { createMailRepo } from "../mail/mail.repo.ts";
import { createMail } from "../mail/mail.service.ts";

export const SUPPORT_EMAIL = "help@perch.example";

/** What desks stand on; mail is queued as for a mail server, and `settleMail` decides what became of it. */
export function startDeskParts(db: Database) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const audit = createAudit(db, clock, randomBytes(32));
  const publicUrl = new URL("http://localhost:8787");
  const jobsRepo = createJobsRepo(db, clock);
  const jobs = { enqueue: jobsRepo.enqueue, wake() {} };
  const mailRepo = createMailRepo(db, clock);
  const transport = { send: async () => ({}), close() {} };
  const mail = createMail({ db, repo: mailRepo, jobs, audit, publicUrl, key: randomBytes(32), transport });
  const log = createLog({ clock, write: (line) => lines.push(line) });

  /** `failure`: the mail server refused it for good. */
  async function settleMail(which: (recipient: string) => boolean, failure?: string): Promise<void> {
    for (const one of await mailRepo.listWaiting(10_000)) {
      if (which(one.recipient)) await db.tx((tx) => mailRepo.settle(tx, one.id, failure));
    }
  }
  async function person(name: string): Promise<UserId> {
    const id = newId("user");
    const email = `${name}@x.example`;
    await db.tx((tx) => addUser(db, tx, { id, email, createdAt: new Date(clock.now()) }));
    return id;
  }
  /** Of a job; `stopAfter` aborts when it looks for the n-th time whether to go on. */
  function jobContext(stopAfter = Number.POSITIVE_INFINITY): JobContext {
    let looks = 0;
    const signal = {
      throwIfAborted() {
        looks += 1;
        if (looks >= stopAfter) throw new Error("stopped");
      },
    } as AbortSignal;
    return {
      ...{ signal, progress: null, idempotencyKey: "j", isLastAttempt: false, log: silentLog },
      saveProgress: async () => {},
      finish: async (work) => db.tx(work),
    };
  }
  return { db, clock, audit, publicUrl, jobs, mail, mailRepo, log, lines, settleMail, person, jobContext };
}
