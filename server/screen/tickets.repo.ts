/** Screen tickets in the database: one `DELETE … RETURNING` redeems one, so that ten tries at once open one socket. */
import { and, eq, gt, isNull } from "drizzle-orm";
import { roleMay } from "../../shared/access.ts";
import { isSessionId } from "../../shared/ids.ts";
import { hashSecret, newSecret } from "../accounts/secrets.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { isOpenErasure, standingOf } from "../privacy/preferences/standing.repo.ts";
import type { TicketStore } from "./tickets.ts";

export interface StoredTickets extends TicketStore {}

export function createTickets(db: Database, clock: Clock): StoredTickets {
  const { streamTickets, sessions, apiTokens, users, teams, teamMembers, privacyPreferences, erasures } = db.t;
  return {
    async issue(row) {
      const ticket = newSecret();
      await db.tx((tx) =>
        tx.insert(streamTickets).values({ ...row, hash: hashSecret(ticket), expiresAt: new Date(row.expiresAt) }),
      );
      return ticket;
    },
    async phoneOf(ticket) {
      const [row] = await db.read
        .select({ phoneId: streamTickets.phoneId })
        .from(streamTickets)
        .where(eq(streamTickets.hash, hashSecret(ticket)));
      return row?.phoneId;
    },
    async consume(ticket) {
      const now = new Date(clock.now());
      return db.tx(async (tx) => {
        const [row] = await tx
          .delete(streamTickets)
          .where(eq(streamTickets.hash, hashSecret(ticket)))
          .returning();
        if (row === undefined || row.expiresAt <= now) return undefined;
        const [live] = isSessionId(row.credentialId)
          ? await tx
              .select({ id: sessions.id })
              .from(sessions)
              .where(
                and(eq(sessions.id, row.credentialId), isNull(sessions.endedAt), gt(sessions.absoluteExpiresAt, now)),
              )
          : await tx
              .select({ id: apiTokens.id })
              .from(apiTokens)
              .where(
                and(eq(apiTokens.id, row.credentialId), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)),
              );
        const [user] = await tx
          .select({
            name: users.fullName,
            email: users.emailShown,
            role: teamMembers.role,
            restrictedAt: privacyPreferences.restrictedAt,
            erasureId: erasures.id,
            suspendedAt: users.suspendedAt,
            teamSuspendedAt: teams.suspendedAt,
          })
          .from(users)
          .innerJoin(teamMembers, and(eq(teamMembers.userId, users.id), eq(teamMembers.teamId, row.teamId)))
          .innerJoin(teams, eq(teams.id, teamMembers.teamId))
          .leftJoin(privacyPreferences, eq(privacyPreferences.userId, users.id))
          .leftJoin(erasures, isOpenErasure(erasures, users.id))
          .where(eq(users.id, row.userId));
        const needed = row.mode === "control" ? "phones:control" : "phones:view";
        if (live === undefined || user === undefined || !roleMay(user.role, needed)) return undefined;
        if (standingOf(user) !== "active") return undefined;
        const { credentialId, userId, teamId, phoneId, mode, browser } = row;
        const mayTake = roleMay(user.role, "phones:take");
        return { credentialId, userId, teamId, phoneId, mode, browser, mayTake, name: user.name ?? user.email };
      });
    },
  };
}
