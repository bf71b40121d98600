/** The support channel of the home page: questions, and requests about one's data, answered within 30 days (clause P5.6). */
import { randomBytes } from "node:crypto";
import type { Audit } from "../audit/audit.repo.ts";
import { holdsCardNumber } from "../billing/card-numbers.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { NewSupportRequest, SupportRepo } from "./support.repo.ts";

export const SUPPORT_ANSWER_MS = 30 * 24 * 60 * 60_000;

export interface Support {
  /** Stores the message and mails its sender when an answer is due. Refuses messages with a card number. */
  receive(
    input: Pick<NewSupportRequest, "kind" | "email" | "message">,
    about: RequestInfo,
  ): Promise<{ id: string; dueAt: Date }>;
}

export function createSupport(options: {
  db: Database;
  repo: SupportRepo;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
}): Support {
  const { db, repo, mail, audit, limiter, clock } = options;
  return {
    async receive({ kind, email, message }, about) {
      await limiter.take("support", networkOf(about.ip));
      if (holdsCardNumber(message)) {
        const words = "Your message seems to hold a card number. Remove it: we never need one and never store one.";
        throw new PerchError("bad_input", words, { fields: { message: words } });
      }
      const receivedAt = new Date(clock.now());
      const dueAt = new Date(receivedAt.getTime() + SUPPORT_ANSWER_MS);
      const id = `sup_${randomBytes(16).toString("base64url")}`;
      await db.tx(async (tx) => {
        await repo.insert(tx, { id, kind, email, message, receivedAt, dueAt });
        await audit.record(tx, {
          chain: "server",
          actor: "anonymous",
          action: "support.received",
          object: id,
          detail: { kind },
        });
        const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(dueAt);
        const data = { dueAt: day };
        await mail.queue(tx, { kind: "support_received", recipient: email, data, dedupeKey: `support:${id}` });
      });
      mail.wake();
      return { id, dueAt };
    },
  };
}
