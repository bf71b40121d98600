/** People and teams on a real database, through the services, without a socket. For tests. */
import type { Permission, Role } from "../../shared/access.ts";
import type { TeamId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import { signIn, type TestPerson } from "../testing.ts";
import { type Actor, type TeamScope, teamScope } from "./team-scope.ts";

export interface TestTeams {
  readonly pages: TestPages;
  /** Somebody in a team, as what they are now. */
  person(role?: Role, teamId?: TeamId): Promise<TestPerson>;
  /** Somebody who owns a team of their own and is in another as well. */
  member(role: Role, teamId: TeamId): Promise<TestPerson>;
  actor(person: Pick<TestPerson, "token">): Promise<Actor>;
  address(person: TestPerson): string;
  /** The actor and the scope their role gives, as the router passes them on. Throws when the role does not reach. */
  as(person: Pick<TestPerson, "token">, permission?: Permission): Promise<[Actor, TeamScope]>;
  /** The roles of a team now, by person. */
  roles(teamId: TeamId): Promise<Map<string, Role>>;
}

export function createTestTeams(db: Database, options: Parameters<typeof startPages>[1] = {}): TestTeams {
  const pages = startPages(db, options);
  const server = { db, accounts: pages.services, clock: pages.clock };
  const actor: TestTeams["actor"] = async ({ token }) => {
    const found = await pages.sessions.find(token, requestInfo());
    if (found === undefined || found === "ended") throw new Error("This session has ended.");
    return found;
  };
  return {
    pages,
    actor,
    person: (role, teamId) => signIn(server, role, teamId),
    async member(role, teamId) {
      const person = await signIn(server);
      await db.tx((tx) => pages.memberships.addMember(tx, teamId, person.userId, role));
      await pages.teams.switchTo(await actor(person), teamId);
      return { ...person, teamId };
    },
    address: ({ userId }) => `${userId.toLowerCase()}@x.example`,
    async as(person, permission = "team:manage") {
      const found = await actor(person);
      const scope = teamScope(found, permission);
      if (scope === undefined) throw new Error(`The role ${found.role} has not the permission ${permission}.`);
      return [found, scope];
    },
    async roles(teamId) {
      const members = await pages.memberships.members(teamId);
      return new Map(members.map(({ userId, role }) => [userId, role]));
    },
  };
}
