/** Teams and members. */
import { asc, eq } from "drizzle-orm";
import type { Role } from "../../shared/access.ts";
import { newId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";

export interface TeamOfMember {
  readonly id: TeamId;
  readonly name: string;
  readonly role: Role;
}

export interface TeamsRepo {
  /** A team of one, owned by the person. */
  createPersonal(tx: Writer, userId: UserId, name: string): Promise<TeamId>;
  /** The person's teams, the oldest membership first. */
  listOf(userId: UserId): Promise<TeamOfMember[]>;
  /** The same inside a transaction. */
  listOfIn(tx: Writer, userId: UserId): Promise<TeamOfMember[]>;
}

export function createTeamsRepo(db: Database, clock: Clock): TeamsRepo {
  const { teams, teamMembers } = db.t;
  const list = (from: Pick<Writer, "select">, userId: UserId) =>
    from
      .select({ id: teams.id, name: teams.name, role: teamMembers.role })
      .from(teamMembers)
      .innerJoin(teams, eq(teams.id, teamMembers.teamId))
      .where(eq(teamMembers.userId, userId))
      .orderBy(asc(teamMembers.joinedAt), asc(teams.id));
  return {
    async createPersonal(tx, userId, name) {
      const id = newId("team");
      const now = new Date(clock.now());
      await tx.insert(teams).values({ id, name, createdAt: now });
      await tx.insert(teamMembers).values({ teamId: id, userId, role: "owner", joinedAt: now });
      return id;
    },
    listOf: (userId) => list(db.read, userId),
    listOfIn: (tx, userId) => list(tx, userId),
  };
}
