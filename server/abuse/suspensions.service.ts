/**
 * An operator suspends an account or a team, and lifts that. Nothing runs for it from then on; rights about one's own data
 * stay: people sign in, read why, say that it is wrong, download and delete.
 */
import type { DecisionId, UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { JobsRepo } from "../jobs/jobs.repo.ts";
import type { Mail } from "../mail/mail.service.ts";
import { STOP_PHONE_JOB } from "../operator/stop-phone.ts";
import { STOP_JOB } from "../privacy/preferences/stop-work.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { DecisionsRepo } from "./decisions.repo.ts";
import type { Suspended, SuspensionsRepo } from "./suspensions.repo.ts";

export interface Suspensions {
  /** @throws PerchError `conflict` where it is suspended already, or does not exist */
  suspend(which: Suspended, reason: string): Promise<void>;
  /** @throws PerchError `conflict` where it is not suspended */
  lift(which: Suspended, reason: string): Promise<void>;
  /** One of the decisions was lifted: what it was about is free, with all the others that say so. */
  lifted(tx: Writer, id: DecisionId, reason: string): Promise<void>;
}

export function createSuspensions(options: {
  db: Database;
  repo: SuspensionsRepo;
  decisions: Pick<DecisionsRepo, "settle" | "find">;
  people: { findIn(tx: Writer, userId: UserId): Promise<{ readonly emailShown: string } | undefined> };
  teams: Pick<TeamsRepo, "membersIn">;
  /** Signed by the operator. */
  audit: Audit;
  mail: Pick<Mail, "queue" | "wake">;
  enqueue: JobsRepo["enqueue"];
  publicUrl: URL;
}): Suspensions {
  const { db, repo, decisions, people, teams, audit, mail, enqueue, publicUrl } = options;
  const supportLink = new URL("/support", publicUrl).href;
  const standingLink = new URL("/account/standing", publicUrl).href;

  async function tell(tx: Writer, userId: UserId, what: string, outcome: string): Promise<void> {
    const person = await people.findIn(tx, userId);
    if (person === undefined) return;
    const data = { what, outcome, supportLink };
    await mail.queue(tx, { kind: "review_done", userId, recipient: person.emailShown, data });
  }

  async function free(tx: Writer, which: Suspended, reason: string): Promise<void> {
    const isTeam = "teamId" in which;
    for (const { id, userId } of await repo.open(tx, which)) {
      await decisions.settle(tx, id, "lifted", reason);
      const detail = { reason, ...(isTeam && { team: which.teamId }) };
      await audit.record(tx, {
        ...{ chain: "server", actor: "operator", action: "admin.suspension_lifted", object: userId, detail },
      });
      await tell(
        tx,
        userId,
        isTeam ? "A team you are in is no longer suspended." : "Your account is no longer suspended.",
        `Phones and automations work again; start what you need. Their reason: ${reason}`,
      );
    }
  }

  return {
    async suspend(which, reason) {
      await db.tx(async (tx) => {
        if (!(await repo.mark(tx, which, true)))
          throw new PerchError("conflict", "There is no such account or team, or it is suspended already.");
        const teamId = "teamId" in which ? which.teamId : null;
        const whom =
          "teamId" in which ? (await teams.membersIn(tx, which.teamId)).map(({ userId }) => userId) : [which.userId];
        for (const userId of whom) {
          await repo.insert(tx, userId, teamId, reason);
          const detail = { reason, ...(teamId !== null && { team: teamId }) };
          await audit.record(tx, {
            ...{ chain: "server", actor: "operator", action: "admin.suspended", object: userId, detail },
          });
          await tell(
            tx,
            userId,
            teamId === null
              ? "An operator of this server suspended your account."
              : "An operator of this server suspended a team you are in.",
            `No phone and no automation runs until that is lifted. Nothing is deleted, and you can still sign in, download your data and delete your account. Their reason: ${reason} Say why that is wrong: ${standingLink}`,
          );
        }
        if ("userId" in which) await enqueue(tx, { kind: STOP_JOB, input: { userId: which.userId } });
        else
          for (const phoneId of await repo.activePhones(tx, which.teamId))
            await enqueue(tx, {
              ...{ kind: STOP_PHONE_JOB, input: { phoneId }, dedupeKey: `${STOP_PHONE_JOB}:${phoneId}` },
            });
      });
      mail.wake();
    },
    async lift(which, reason) {
      await db.tx(async (tx) => {
        if (!(await repo.mark(tx, which, false)))
          throw new PerchError("conflict", "There is no such account or team, or it is not suspended.");
        await free(tx, which, reason);
      });
      mail.wake();
    },
    async lifted(tx, id, reason) {
      const decision = await decisions.find(tx, id);
      if (decision?.action !== "suspend") return;
      const { userId, teamId } = decision;
      const which = teamId === null ? { userId } : { teamId };
      await repo.mark(tx, which, false);
      await free(tx, which, reason);
    },
  };
}
