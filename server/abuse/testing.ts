/** Sign-ups as the rules against abuse see them, on a real database: for tests, without passwords and pages. */

import { randomBytes } from "node:crypto";
import type { UserId } from "../../shared/ids.ts";
import { newId } from "../../shared/ids.ts";
import { createAccountsRepo } from "../accounts/accounts.repo.ts";
import { addUser } from "../accounts/testing/people.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { createJobsRepo } from "../jobs/jobs.repo.ts";
import { createMailRepo } from "../mail/mail.repo.ts";
import { createMail } from "../mail/mail.service.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { teamScope } from "../teams/team-scope.ts";
import { createTeamsRepo } from "../teams/teams.repo.ts";
import { createDecisionsRepo } from "./decisions.repo.ts";
import { createJudge } from "./judge.ts";
import type { PaymentFacts } from "./score.ts";
import { createSightingsRepo } from "./sightings.repo.ts";
import type { FormSignal } from "./signals.ts";
import { createStanding } from "./standing.service.ts";
import { createSuspensionsRepo } from "./suspensions.repo.ts";
import { createSuspensions } from "./suspensions.service.ts";

export interface SignUp {
  readonly email: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly form?: readonly FormSignal[];
}

export function startAbuse(db: Database) {
  const clock = new ManualClock();
  const audit = createAudit(db, clock, randomBytes(32));
  const people = createAccountsRepo(db, clock);
  const teams = createTeamsRepo(db, clock);
  const decisions = createDecisionsRepo(db, clock);
  const sightings = createSightingsRepo({ db, clock, key: randomBytes(32) });
  const payments = new Map<UserId, PaymentFacts>();
  const publicUrl = new URL("https://perch.example");
  const mail = createMail({
    ...{ db, audit, publicUrl, repo: createMailRepo(db, clock), key: randomBytes(32) },
    jobs: { enqueue: async () => true, wake() {} },
  });
  const judge = createJudge({
    ...{ decisions, sightings, people, audit, mail, clock, publicUrl },
    payments: { of: async (_tx, userId) => payments.get(userId) },
  });
  const limiter = { take: async () => {} };
  const suspensions = createSuspensions({
    ...{ db, repo: createSuspensionsRepo(db, clock), decisions, people, teams, audit, mail, publicUrl },
    enqueue: createJobsRepo(db, clock).enqueue,
  });
  const standing = createStanding({ db, decisions, people, audit, mail, limiter, publicUrl, suspensions });

  /** An account made by an operator or a set-up link: nobody judges it. */
  async function account(email: string): Promise<TeamScope> {
    const { userId, teamId } = await db.tx(async (tx) => {
      const { id } = await people.insert(tx, { email: email.toLowerCase(), emailShown: email });
      return { userId: id, teamId: await teams.createPersonal(tx, id, "Team") };
    });
    const scope = teamScope({ userId, teamId, role: "owner" }, "phones:control");
    if (scope === undefined) throw new Error("An owner may launch.");
    return scope;
  }
  return {
    db,
    clock,
    audit,
    mail,
    standing,
    suspensions,
    teams,
    sightings,
    payments,
    account,
    /** A server of many, where decisions have their full force. */
    async grow(accounts: number) {
      const at = new Date(clock.now());
      await db.tx(async (tx) => {
        for (let made = 0; made < accounts; made += 1) {
          const id = newId("user");
          await addUser(db, tx, { id, email: `${id}@x.example`, createdAt: at });
        }
      });
    },
    /** One sign-up from form to account; gives what was decided. */
    async signUp({ email, form = [], ...from }: SignUp) {
      const arrive = await judge.arrival({ requestId: "", ...from });
      const scope = await account(email);
      await db.tx((tx) => arrive(tx, { userId: scope.userId, emailShown: email, chain: scope.teamId, form }));
      const [decision] = await standing.list(scope.userId);
      return { scope, decision, action: decision?.action ?? "allow" };
    },
    /** A launch as the phones service makes it; gives the code it was refused with, or `launched`. */
    async launch(scope: TeamScope, provenAt?: Date): Promise<string> {
      try {
        await db.tx(async (tx) => {
          await judge.demandLaunch(tx, scope, provenAt);
          await judge.launched(tx, scope);
        });
        return "launched";
      } catch (error) {
        if (error instanceof PerchError) return error.code;
        throw error;
      }
    },
  };
}
