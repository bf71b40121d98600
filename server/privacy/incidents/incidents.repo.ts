/** The breach register and whom each incident concerns. */
import { and, count, desc, eq, gt, gte, inArray, ne, or, type SQL, sql } from "drizzle-orm";
import type { IncidentId, UserId } from "../../../shared/ids.ts";
import type { ToldCounts } from "../../../shared/incidents.ts";
import type { Database, Writer } from "../../db/database.ts";

export type Incident = Database["t"]["incidents"]["$inferSelect"];
export type IncidentChange = Partial<Omit<Incident, "id">>;
export interface Concerned {
  readonly userId: UserId;
  readonly email: string;
  readonly categories: readonly string[];
}

export interface IncidentsRepo {
  insert(tx: Writer, incident: Pick<Incident, "id" | "title" | "awareAt" | "drill"> & IncidentChange): Promise<void>;
  change(tx: Writer, id: IncidentId, change: IncidentChange): Promise<void>;
  find(id: IncidentId): Promise<Incident | undefined>;
  /** The newest first. */
  list(): Promise<Incident[]>;
  unclosed(): Promise<Incident[]>;
  told(id: IncidentId): Promise<ToldCounts>;
  /** People who were told at the moment or after it. */
  toldAfter(id: IncidentId, moment: Date): Promise<number>;
  /** Adds people with equal categories; those known already keep how they were told. Leaves out who is gone. */
  addPeople(
    tx: Writer,
    id: IncidentId,
    people: readonly UserId[],
    categories: readonly string[],
    at: Date,
  ): Promise<void>;
  /** Removes some; false when there are no more. */
  removePeople(tx: Writer, id: IncidentId, which: "waiting" | "all", limit: number): Promise<boolean>;
  waiting(tx: Writer, id: IncidentId, limit: number): Promise<Concerned[]>;
  setTold(
    tx: Writer,
    id: IncidentId,
    people: readonly UserId[],
    told: "queued" | "sent" | "failed",
    at: Date,
  ): Promise<void>;
  /** Whose mail was sent or failed since, some at a time. */
  settled(id: IncidentId, limit: number): Promise<Readonly<Record<"sent" | "failed", readonly UserId[]>>>;
  /** Whom no mail reached and who has not seen the notice. */
  unreached(tx: Writer, id: IncidentId): Promise<Concerned[]>;
  noticesOf(
    userId: UserId,
    since: Date,
  ): Promise<{ incident: Incident; categories: readonly string[]; isTold: boolean }[]>;
  markShown(tx: Writer, userId: UserId, ids: readonly IncidentId[], at: Date): Promise<void>;
}

/** Names the one mail a person gets about an incident. */
export const noticeKey = (id: IncidentId, userId: UserId) => `breach:${id}:${userId}`;

export function createIncidentsRepo(db: Database): IncidentsRepo {
  const { incidents, incidentPeople, users, mailOutbox } = db.t;
  const ofIncident = (id: IncidentId, ...told: (typeof incidentPeople.$inferSelect)["told"][]) =>
    and(eq(incidentPeople.incidentId, id), inArray(incidentPeople.told, told));
  const concerned = { userId: incidentPeople.userId, email: users.email, categories: incidentPeople.categories };
  return {
    async insert(tx, incident) {
      await tx.insert(incidents).values({ state: "open", ...incident });
    },
    async change(tx, id, change) {
      await tx.update(incidents).set(change).where(eq(incidents.id, id));
    },
    async find(id) {
      const [row] = await db.read.select().from(incidents).where(eq(incidents.id, id));
      return row;
    },
    list: async () => db.read.select().from(incidents).orderBy(desc(incidents.awareAt)),
    unclosed: async () => db.read.select().from(incidents).where(ne(incidents.state, "closed")),
    async told(id) {
      const rows = await db.read
        .select({ told: incidentPeople.told, people: count() })
        .from(incidentPeople)
        .where(eq(incidentPeople.incidentId, id))
        .groupBy(incidentPeople.told);
      const none: ToldCounts = { waiting: 0, queued: 0, sent: 0, failed: 0, shown: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ told, people }) => [told, people])) };
    },
    async toldAfter(id, moment) {
      const [row] = await db.read
        .select({ people: count() })
        .from(incidentPeople)
        .where(and(ofIncident(id, "sent", "shown"), gte(incidentPeople.at, moment)));
      return row?.people ?? 0;
    },
    async addPeople(tx, id, people, categories, at) {
      const { incidentId, categories: kept, told, at: since } = incidentPeople;
      await tx
        .insert(incidentPeople)
        .select(
          tx
            .select({
              incidentId: typed<IncidentId>(db, sql.param(id, incidentId), "text").as("incident_id"),
              userId: sql<UserId>`${users.id}`.as("user_id"),
              categories: typed<readonly string[]>(db, sql.param(categories, kept), "jsonb").as("categories"),
              told: typed<"waiting">(db, sql.param("waiting", told), "text").as("told"),
              at: typed<Date>(db, sql.param(at, since), "timestamptz").as("at"),
            })
            .from(users)
            .where(inArray(users.id, [...people])),
        )
        .onConflictDoUpdate({ target: [incidentId, incidentPeople.userId], set: { categories } });
    },
    async removePeople(tx, id, which, limit) {
      const those = which === "all" ? eq(incidentPeople.incidentId, id) : ofIncident(id, "waiting");
      const some = tx.select({ userId: incidentPeople.userId }).from(incidentPeople).where(those).limit(limit);
      const gone = await tx
        .delete(incidentPeople)
        .where(and(eq(incidentPeople.incidentId, id), inArray(incidentPeople.userId, some)))
        .returning({ userId: incidentPeople.userId });
      return gone.length > 0;
    },
    waiting: async (tx, id, limit) =>
      tx
        .select(concerned)
        .from(incidentPeople)
        .innerJoin(users, eq(users.id, incidentPeople.userId))
        .where(ofIncident(id, "waiting"))
        .limit(limit),
    async setTold(tx, id, people, told, at) {
      await tx
        .update(incidentPeople)
        .set({ told, at })
        .where(and(eq(incidentPeople.incidentId, id), inArray(incidentPeople.userId, [...people])));
    },
    async settled(id, limit) {
      const key = sql`${`breach:${id}:`} || ${incidentPeople.userId}`;
      const rows = await db.read
        .select({ userId: incidentPeople.userId, state: mailOutbox.state })
        .from(incidentPeople)
        .innerJoin(mailOutbox, sql`${mailOutbox.dedupeKey} = ${key}`)
        .where(and(ofIncident(id, "queued"), inArray(mailOutbox.state, ["sent", "failed"])))
        .limit(limit);
      const of = (state: "sent" | "failed") => rows.filter((row) => row.state === state).map(({ userId }) => userId);
      return { sent: of("sent"), failed: of("failed") };
    },
    unreached: async (tx, id) =>
      tx
        .select(concerned)
        .from(incidentPeople)
        .innerJoin(users, eq(users.id, incidentPeople.userId))
        .where(ofIncident(id, "failed")),
    async noticesOf(userId, since) {
      const rows = await db.read
        .select({ incident: incidents, categories: incidentPeople.categories, told: incidentPeople.told })
        .from(incidentPeople)
        .innerJoin(incidents, eq(incidents.id, incidentPeople.incidentId))
        .where(
          and(
            eq(incidentPeople.userId, userId),
            eq(incidents.drill, false),
            inArray(incidents.state, ["notifying", "notified", "closed"]),
            or(gt(incidentPeople.at, since), inArray(incidentPeople.told, ["waiting", "queued", "failed"])),
          ),
        )
        .orderBy(desc(incidents.awareAt));
      return rows.map(({ incident, categories, told }) => ({
        ...{ incident, categories },
        isTold: told !== "queued" && told !== "failed",
      }));
    },
    async markShown(tx, userId, ids, at) {
      await tx
        .update(incidentPeople)
        .set({ told: "shown", at })
        .where(
          and(
            eq(incidentPeople.userId, userId),
            inArray(incidentPeople.incidentId, [...ids]),
            inArray(incidentPeople.told, ["queued", "failed"]),
          ),
        );
    },
  };
}

/** A value among selected columns: PostgreSQL wants to hear what it is, SQLite has nothing to hear. */
function typed<T>(db: Database, value: ReturnType<typeof sql.param>, type: "text" | "jsonb" | "timestamptz"): SQL<T> {
  return db.engine === "postgres" ? sql<T>`cast(${value} as ${sql.raw(type)})` : sql<T>`${value}`;
}
