/**
 * The audit log in words: what happened in a team, and what concerns one person. It reaches back 90 days; after that an
 * entry's personal part is forgotten, and nothing that could be shown is left of it.
 */
import type { z } from "zod";
import type { Activity, ActivityEntry, activityInput } from "../../shared/activity.ts";
import { idPattern } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Actor, TeamScope } from "../teams/team-scope.ts";
import type { ActivityFilter, ActivityPlace, ActivityRepo, ActivityRow } from "./activity.repo.ts";
import { ALL_ACTIONS, actionsOf, describeAction } from "./activity-words.ts";

type Input = z.output<typeof activityInput>;

export interface ActivityLog {
  /**
   * The team's chain. How members sign in and what they do to their own accounts is theirs and not shown to others.
   * `bad_input` for a cursor this server did not give.
   */
  team(actor: Actor, scope: TeamScope, input: Input): Promise<Activity>;
  /** What the person did about their account and what others, the operator among them, did to it or read of it. */
  mine(actor: Actor, input: Input): Promise<Activity>;
}

/** What members see of each other. */
const SHARED = [...actionsOf("phones"), ...actionsOf("automations"), ...actionsOf("team")];
/** What a person did about their own account, in whichever team they were then. */
const PERSONAL = ALL_ACTIONS.filter((action) => /^(account|session|token|support|privacy)\./.test(action));

export function createActivityLog(repo: ActivityRepo): ActivityLog {
  function toEntry(row: ActivityRow, me: string, people: ReadonlyMap<string, string>, objects: Names): ActivityEntry {
    const { chain, seq, at, actor, action, object, detail } = row;
    const { group, words } = describeAction(action, detail);
    const name = object === null ? undefined : (people.get(object) ?? objects.get(chain)?.get(object));
    const reason = group === "operator" ? detail?.["reason"] : undefined;
    return {
      ...{ seq, at: at.toISOString(), group, action, words },
      actor: { name: actorName(row, people), isMe: actor === me },
      ...(object !== null && { object: { id: object, ...(name !== undefined && { name }) } }),
      ...(typeof reason === "string" && { reason }),
    };
  }

  async function answer(
    actor: Actor,
    rows: readonly ActivityRow[],
    limit: number,
    placeOf: (row: ActivityRow) => string,
  ): Promise<Activity> {
    const page = rows.slice(0, limit);
    const people = await repo.peopleKnownTo(actor.userId);
    const ids = page.flatMap(({ chain, object }) => (chain === actor.teamId && object !== null ? [object] : []));
    const objects: Names = new Map([[actor.teamId, await repo.objectNames(actor.teamId, [...new Set(ids)])]]);
    const last = page.at(-1);
    return {
      entries: page.map((row) => toEntry(row, actor.userId, people, objects)),
      ...(rows.length > limit && last !== undefined && { next: placeOf(last) }),
    };
  }

  return {
    async team(actor, scope, input) {
      const before = input.cursor === undefined ? undefined : seqOf(input.cursor);
      const { teamId, userId } = scope;
      const rows = await repo.ofTeam(teamId, userId, SHARED, filterOf(input), before, input.limit + 1);
      return answer(actor, rows, input.limit, ({ seq }) => String(seq));
    },
    async mine(actor, input) {
      const before = input.cursor === undefined ? undefined : placeFrom(input.cursor);
      const rows = await repo.ofPerson(actor.userId, PERSONAL, filterOf(input), before, input.limit + 1);
      return answer(actor, rows, input.limit, ({ at, chain, seq }) => `${at.getTime()}.${chain}.${seq}`);
    },
  };
}

/** By chain, then by id. */
type Names = ReadonlyMap<string, ReadonlyMap<string, string>>;

function actorName({ actor, action }: ActivityRow, people: ReadonlyMap<string, string>): string {
  if (action === "team.invitation_declined") return people.get(actor) ?? "Who was invited";
  if (idPattern("user").test(actor)) return people.get(actor) ?? "A former member";
  if (actor === "operator") return "The operator";
  return actor === "anonymous" ? "Somebody" : "The server";
}

function filterOf({ group, actor, object, from, to }: Input): ActivityFilter {
  return {
    ...{ actor, object },
    actions: group && actionsOf(group),
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  };
}

function seqOf(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw wrongCursor();
  return Number(cursor);
}

function placeFrom(cursor: string): ActivityPlace {
  const [, at, chain, seq] = /^(\d{1,15})\.([A-Za-z0-9_-]{1,64})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (at === undefined || chain === undefined || seq === undefined) throw wrongCursor();
  return { at: new Date(Number(at)), chain, seq: Number(seq) };
}

function wrongCursor(): PerchError {
  return new PerchError("bad_input", "This place in the list is not known. Start from the newest entry.");
}
