/**
 * What becomes of the teams of a person who goes. Nobody is locked in: a team of one closes; one with other owners goes
 * on; an only owner hands it over or closes it. Looked at anew when the purge begins, because people come and go.
 */

import type { z } from "zod";
import type { Role } from "../../../shared/access.ts";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { teamChoice } from "../../../shared/privacy.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { RightsLost } from "../../teams/rights-lost.ts";
import { serverScope } from "../../teams/team-scope.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";

export type TeamChoice = z.output<typeof teamChoice>;

export interface OtherMember {
  readonly userId: UserId;
  readonly fullName: string | null;
  readonly email: string;
  readonly role: Role;
  readonly joinedAt: Date;
  /** Deletes their account, too. */
  readonly isGoing: boolean;
}
export interface Membership {
  readonly teamId: TeamId;
  readonly name: string;
  readonly role: Role;
  /** The first to join first. */
  readonly others: readonly OtherMember[];
}
export type TeamFate =
  | { readonly teamId: TeamId; readonly fate: "close" | "leave" }
  | { readonly teamId: TeamId; readonly fate: "transfer"; readonly to: UserId };

/** Members who could own the team, the likeliest first: admins, then the others, each the longest in the team first. */
export function heirsOf({ others }: Membership): readonly OtherMember[] {
  const staying = others.filter(({ isGoing }) => !isGoing);
  return [...staying.filter(({ role }) => role === "admin"), ...staying.filter(({ role }) => role !== "admin")];
}

/** Whether the person has to say what becomes of the team. */
export function needsChoice(team: Membership): boolean {
  const anotherOwner = team.others.some(({ role, isGoing }) => role === "owner" && !isGoing);
  return team.role === "owner" && !anotherOwner && heirsOf(team).length > 0;
}

/** @throws PerchError when a choice is missing, or is about a team or a person that does not fit. */
export function demandChoices(teams: readonly Membership[], choices: readonly TeamChoice[]): void {
  const waiting = teams.filter(needsChoice);
  const foreign = choices.some(({ teamId }) => !waiting.some((team) => team.teamId === teamId));
  if (foreign || new Set(choices.map(({ teamId }) => teamId)).size < choices.length) {
    throw new PerchError("bad_input", "There is nothing to choose for one of these teams. Look at the preview again.");
  }
  for (const team of waiting) {
    const chosen = choices.find(({ teamId }) => teamId === team.teamId);
    if (chosen === undefined) {
      throw new PerchError(
        "conflict",
        `You are the only owner of ${team.name}, and others are in it. Choose who owns it from now on, or close it.`,
      );
    }
    if (chosen.choice === "transfer" && !heirsOf(team).some(({ userId }) => userId === chosen.to)) {
      throw new PerchError("bad_input", `Who should own ${team.name} is not a member who stays.`);
    }
  }
}

/** As things are now; a choice that does not fit any more falls to the longest admin, else the longest member, else close. */
export function fatesOf(teams: readonly Membership[], choices: readonly TeamChoice[]): TeamFate[] {
  return teams.map((team): TeamFate => {
    const { teamId } = team;
    if (team.others.every(({ isGoing }) => isGoing)) return { teamId, fate: "close" };
    if (!needsChoice(team)) return { teamId, fate: "leave" };
    const chosen = choices.find((choice) => choice.teamId === teamId);
    if (chosen?.choice === "close") return { teamId, fate: "close" };
    const heirs = heirsOf(team);
    const heir = heirs.find(({ userId }) => chosen?.choice === "transfer" && userId === chosen.to) ?? heirs[0];
    return heir === undefined ? { teamId, fate: "close" } : { teamId, fate: "transfer", to: heir.userId };
  });
}

export interface TeamDisposer {
  /** Hands over, leaves, and takes everybody else out of what closes. Call what it gives after the commit. */
  dispose(tx: Writer, userId: UserId, teams: readonly Membership[], fates: readonly TeamFate[]): Promise<() => void>;
}

export function createTeamDisposer(options: {
  teams: TeamsRepo;
  rightsLost: Pick<RightsLost, "apply">;
  mail: Pick<Mail, "queue">;
  audit: Audit;
  clock: Clock;
  publicUrl: URL;
  /** Ends what a team pays for, before it goes. */
  closes: (tx: Writer, teamId: TeamId) => Promise<void>;
}): TeamDisposer {
  const { teams: repo, rightsLost, mail, audit, clock } = options;
  const at = () => momentWords(new Date(clock.now()));
  return {
    async dispose(tx, userId, teams, fates) {
      const ends: (() => void)[] = [];
      for (const fate of fates) {
        const team = teams.find(({ teamId }) => teamId === fate.teamId);
        if (team === undefined) continue;
        const { teamId } = team;
        // The server does it: an entry in the name of who goes would be one more to forget.
        const by = serverScope(teamId);
        if (fate.fate === "transfer") {
          const heir = team.others.find((other) => other.userId === fate.to);
          await repo.setRole(tx, teamId, fate.to, "owner");
          await audit.record(tx, {
            ...{ chain: teamId, actor: "server", action: "team.ownership_transferred", object: fate.to },
          });
          if (heir !== undefined) {
            const supportLink = new URL("/support", options.publicUrl).href;
            const data = { teamName: team.name, to: heir.fullName ?? heir.email, at: at(), supportLink };
            await mail.queue(tx, { kind: "ownership_transferred", userId: heir.userId, recipient: heir.email, data });
          }
        }
        if (fate.fate === "close") {
          await options.closes(tx, teamId);
          for (const other of team.others) {
            await repo.removeMember(tx, teamId, other.userId);
            if ((await repo.listOfIn(tx, other.userId)).length === 0) {
              const id = await repo.createPersonal(
                tx,
                other.userId,
                other.fullName ?? other.email.split("@")[0] ?? other.email,
              );
              await audit.record(tx, { chain: id, actor: "server", action: "team.created", object: id });
            }
            ends.push(await rightsLost.apply(tx, by, { teamId, userId: other.userId, from: other.role }));
            const data = { teamName: team.name, at: at() };
            await mail.queue(tx, { kind: "removed_from_team", userId: other.userId, recipient: other.email, data });
          }
        }
        ends.push(await rightsLost.apply(tx, by, { teamId, userId, from: team.role }));
      }
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
