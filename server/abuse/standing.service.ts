/**
 * What the rules against abuse decided about a person: told to that person, open to their word against it, and lifted
 * or upheld by the operator.
 */
import type { DecisionView } from "../../shared/accounts.ts";
import type { DecisionId, UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { DecisionRow, DecisionsRepo } from "./decisions.repo.ts";
import { KIND_WORDS, reasonOf } from "./signals.ts";
import type { Suspensions } from "./suspensions.service.ts";

/** A decision that waits for the operator. */
export interface OpenDecision extends DecisionView {
  readonly userId: UserId;
  readonly email: string;
  readonly score: number;
}

export interface Standing {
  /** The newest first; what was simply allowed is not among them. */
  list(userId: UserId): Promise<DecisionView[]>;
  /** Puts a decision before a person. Throws `not_found` for anything not theirs, `conflict` when it was decided. */
  contest(actor: Pick<Actor, "userId" | "teamId">, id: DecisionId, text: string): Promise<void>;
  /** For the operator: what is open, contested ones first. Who looked and why is kept in each person's log. */
  listOpen(reason: string): Promise<OpenDecision[]>;
  /** The operator's last word. Throws `not_found`, or `conflict` when it was lifted already. */
  review(id: DecisionId, outcome: "lifted" | "upheld", reason: string): Promise<void>;
}

export function createStanding(options: {
  db: Database;
  decisions: DecisionsRepo;
  people: { findIn(tx: Writer, userId: UserId): Promise<{ readonly emailShown: string } | undefined> };
  audit: Audit;
  mail: Pick<Mail, "queue" | "wake">;
  limiter: Pick<RateLimiter, "take">;
  /** Of the same operator. */
  suspensions: Pick<Suspensions, "lifted">;
  publicUrl: URL;
}): Standing {
  const { db, decisions, people, audit, mail, limiter, suspensions } = options;

  return {
    async list(userId) {
      return (await decisions.listOf(userId)).filter(({ action }) => action !== "allow").map(view);
    },
    async contest(actor, id, text) {
      await limiter.take("support", actor.userId);
      await db.tx(async (tx) => {
        const decision = await decisions.find(tx, id);
        if (decision === undefined || decision.userId !== actor.userId) throw noSuchDecision();
        if (decision.state === "lifted" || decision.state === "upheld") {
          throw new PerchError("conflict", "This is decided. If it is wrong, write to us through the contact page.");
        }
        await decisions.contest(tx, id, text);
        await audit.record(tx, { chain: actor.teamId, actor: actor.userId, action: "account.contested", object: id });
      });
    },
    async listOpen(reason) {
      return db.tx(async (tx) => {
        const open = await decisions.listOpen(tx);
        for (const { id, userId } of open) {
          const entry = {
            chain: "server",
            actor: "operator",
            object: userId,
            detail: { reason, decision: id },
          } as const;
          await audit.record(tx, { ...entry, action: "admin.account_read" });
        }
        return open.map((row) => ({ ...view(row), userId: row.userId, email: row.email, score: row.score }));
      });
    },
    async review(id, outcome, reason) {
      await db.tx(async (tx) => {
        const decision = await decisions.find(tx, id);
        if (decision === undefined) throw noSuchDecision();
        if (decision.state === "lifted") throw new PerchError("conflict", "This decision was lifted already.");
        if (outcome === "lifted" && decision.action === "suspend") {
          await suspensions.lifted(tx, id, reason);
          return;
        }
        const detail = { outcome, reason, decision: id };
        await decisions.settle(tx, id, outcome, reason);
        const entry = { chain: "server", actor: "operator", object: decision.userId, detail } as const;
        await audit.record(tx, { ...entry, action: "admin.decision_reviewed" });
        if (outcome === "lifted") await audit.record(tx, { ...entry, action: "account.released" });
        const person = await people.findIn(tx, decision.userId);
        if (person === undefined) return;
        await mail.queue(tx, {
          kind: "review_done",
          dedupeKey: `review:${id}:${outcome}`,
          userId: decision.userId,
          recipient: person.emailShown,
          data: {
            what: KIND_WORDS[decision.kind],
            outcome:
              outcome === "lifted"
                ? `A person looked at it and lifted the decision: your account is free. Their reason: ${reason}`
                : `A person looked at it, and it stays${decision.action === "suspend" ? "" : ": new phones may not be launched"}. Their reason: ${reason}`,
            supportLink: new URL("/support", options.publicUrl).href,
          },
        });
      });
      mail.wake();
    },
  };
}

function view({ id, kind, action, state, signals, why, createdAt, contest }: DecisionRow): DecisionView {
  return {
    id,
    kind,
    action,
    state,
    reasons: why === null ? signals.map(({ signal }) => reasonOf(signal)) : [why],
    at: createdAt.toISOString(),
    ...(contest !== null && { contest }),
  };
}

function noSuchDecision(): PerchError {
  return new PerchError("not_found", "There is no such decision.");
}
