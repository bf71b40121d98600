/** What the rules against abuse decided about a person, told to that person and open to their word against it. */
import type { DecisionView } from "../../shared/accounts.ts";
import type { DecisionId, UserId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Actor } from "../teams/team-scope.ts";

export interface Standing {
  /** The newest first; what was simply allowed is not among them. */
  list(userId: UserId): Promise<DecisionView[]>;
  /** Puts a decision before a person. Throws `not_found` for anything not theirs, `conflict` when it was decided. */
  contest(actor: Actor, id: DecisionId, text: string): Promise<void>;
}

export function createStanding(): Standing {
  return { list: later, contest: later };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
