/** Retention sweeps of this version: what has outlived its rule in the data map goes, a small batch at a time. */
import { and, eq, isNotNull, lt, ne, or } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import { RETENTION } from "../privacy/tags.ts";
import type { Database, Writer } from "./database.ts";

const DAY_MS = 24 * 3_600_000;

/** When a row of a retention rule with days has to be gone: rows older than this. */
export function cutoff(clock: Clock, rule: "day" | "week" | "month" | "quarter"): Date {
  return new Date(clock.now() - RETENTION[rule].days * DAY_MS);
}

/** Removes expired single-use tokens, codes and mail, and the traces of sessions, tokens, invitations and decisions of 90 days ago. */
export async function sweepAccounts(db: Database, clock: Clock, tx: Writer): Promise<number> {
  const { oneTimeTokens, connectCodes, mailOutbox, sessions, apiTokens, teamInvitations, decisions, abuseCounts } =
    db.t;
  const now = new Date(clock.now());
  const quarterAgo = cutoff(clock, "quarter");
  const gone = [
    await tx
      .delete(apiTokens)
      .where(or(lt(apiTokens.revokedAt, quarterAgo), lt(apiTokens.expiresAt, quarterAgo)))
      .returning({ id: apiTokens.id }),
    await tx.delete(oneTimeTokens).where(lt(oneTimeTokens.expiresAt, now)).returning({ hash: oneTimeTokens.hash }),
    await tx
      .delete(connectCodes)
      .where(lt(connectCodes.createdAt, cutoff(clock, "day")))
      .returning({ hash: connectCodes.hash }),
    await tx
      .delete(mailOutbox)
      .where(lt(mailOutbox.createdAt, cutoff(clock, "week")))
      .returning({ id: mailOutbox.id }),
    await tx
      .delete(sessions)
      .where(
        and(
          or(isNotNull(sessions.endedAt), lt(sessions.absoluteExpiresAt, now)),
          lt(sessions.seenAt, cutoff(clock, "quarter")),
        ),
      )
      .returning({ id: sessions.id }),
    await tx
      .update(sessions)
      .set({ ip: null, userAgent: null })
      .where(and(eq(sessions.kind, "extension"), isNotNull(sessions.ip), lt(sessions.seenAt, cutoff(clock, "quarter"))))
      .returning({ id: sessions.id }),
    await tx
      .delete(teamInvitations)
      .where(lt(teamInvitations.createdAt, quarterAgo))
      .returning({ id: teamInvitations.id }),
    await tx
      .delete(decisions)
      .where(and(lt(decisions.createdAt, quarterAgo), ne(decisions.state, "contested")))
      .returning({ id: decisions.id }),
    await tx.delete(abuseCounts).where(lt(abuseCounts.expiresAt, now)).returning({ key: abuseCounts.key }),
  ];
  return gone.reduce((sum, rows) => sum + rows.length, 0);
}
