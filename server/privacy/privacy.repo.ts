/** What operators looked at. */
import { and, desc, eq, inArray, isNotNull } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { AccessLogEntry } from "../../shared/privacy.ts";
import { actionsOf, describeAction } from "../audit/activity-words.ts";
import type { Database } from "../db/database.ts";

export interface PrivacyRepo {
  /** What operators looked at, the newest first. */
  staffLooks(userId: UserId): Promise<AccessLogEntry[]>;
}

export function createPrivacyRepo(db: Database): PrivacyRepo {
  return {
    async staffLooks(userId) {
      const { auditLog } = db.t;
      const rows = await db.read
        .select({ at: auditLog.at, action: auditLog.action, detail: auditLog.detail })
        .from(auditLog)
        .where(
          and(
            eq(auditLog.object, userId),
            eq(auditLog.actor, "operator"),
            inArray(auditLog.action, [...actionsOf("operator"), "session.revoked"]),
            isNotNull(auditLog.at),
          ),
        )
        .orderBy(desc(auditLog.at));
      return rows.flatMap(({ at, action, detail }): AccessLogEntry[] => {
        if (at === null) return [];
        const { reason, role } = detail ?? {};
        return [
          {
            at: at.toISOString(),
            words: `The operator ${describeAction(action, detail).words}`,
            ...(typeof reason === "string" && { reason }),
            ...(typeof role === "string" && { role }),
          },
        ];
      });
    },
  };
}
