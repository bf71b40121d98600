/** What the live checks read: counts and moments, nothing about anybody. */
import { and, count, eq, inArray, isNotNull, lt, min, ne, notLike, sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface LiveFacts {
  /** The oldest entry of the activity log that still says who and when. */
  readonly oldestActivityAt: Date | undefined;
  readonly overdueRequests: number;
  /** Accounts being deleted whose 30 days are over. */
  readonly overdueErasures: number;
  /** Incidents older than 72 hours with people who were not told. */
  readonly untoldIncidents: number;
  /** Versions of the policy that came into force too early. */
  readonly earlyPolicies: number;
  /** Passwords kept in anything but argon2id. */
  readonly weakPasswords: number;
  /** Billing records kept longer than the law of their country asks. */
  readonly overdueBillingRecords: number;
}

export interface LiveChecksRepo {
  facts(now: Date): Promise<LiveFacts>;
}

export function createLiveChecksRepo(db: Database): LiveChecksRepo {
  const { auditLog, dataRequests, erasures, incidents, incidentPeople, policyVersions, passwordCredentials } = db.t;
  const { billingRecords } = db.t;
  const numberOf = async (rows: Promise<{ n: number }[]>) => (await rows)[0]?.n ?? 0;
  return {
    async facts(now) {
      const ago = (ms: number) => new Date(now.getTime() - ms);
      const n = count();
      const [oldest] = await db.read.select({ at: min(auditLog.at) }).from(auditLog);
      const untold = db.read
        .select({ one: incidentPeople.incidentId })
        .from(incidentPeople)
        .where(and(eq(incidentPeople.incidentId, incidents.id), inArray(incidentPeople.told, ["waiting", "queued"])));
      const versions = await db.read
        .select({ noticedAt: policyVersions.noticedAt, effectiveAt: policyVersions.effectiveAt })
        .from(policyVersions);
      return {
        oldestActivityAt: oldest?.at ?? undefined,
        overdueRequests: await numberOf(
          db.read
            .select({ n })
            .from(dataRequests)
            .where(and(inArray(dataRequests.state, ["open", "in_progress"]), lt(dataRequests.dueAt, now))),
        ),
        overdueErasures: await numberOf(
          db.read
            .select({ n })
            .from(erasures)
            .where(and(inArray(erasures.state, ["grace", "purging"]), lt(erasures.askedAt, ago(30 * DAY_MS)))),
        ),
        untoldIncidents: await numberOf(
          db.read
            .select({ n })
            .from(incidents)
            .where(
              and(
                eq(incidents.drill, false),
                ne(incidents.state, "closed"),
                lt(incidents.awareAt, ago(72 * HOUR_MS)),
                sql`exists ${untold}`,
              ),
            ),
        ),
        earlyPolicies: versions.filter(
          ({ noticedAt, effectiveAt }) =>
            effectiveAt !== null && (noticedAt === null || effectiveAt.getTime() < noticedAt.getTime() + 14 * DAY_MS),
        ).length,
        weakPasswords: await numberOf(
          db.read.select({ n }).from(passwordCredentials).where(notLike(passwordCredentials.phc, "$argon2id$%")),
        ),
        overdueBillingRecords: await numberOf(
          db.read
            .select({ n })
            .from(billingRecords)
            .where(and(isNotNull(billingRecords.legalUntil), lt(billingRecords.legalUntil, ago(DAY_MS)))),
        ),
      };
    },
  };
}
