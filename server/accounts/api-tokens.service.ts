/** API tokens: scoped, expiring, shown once, revocable. For the command line and CI. */
import type { z } from "zod";
import type { CreatedToken, createTokenInput, TokenView } from "../../shared/accounts.ts";
import type { ApiTokenId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Actor, TeamScope } from "../teams/team-scope.ts";

export interface ApiTokens {
  /** Those of the team for who may manage it, else one's own; the newest first. */
  list(actor: Actor, scope: TeamScope): Promise<TokenView[]>;
  create(actor: Actor, scope: TeamScope, input: z.infer<typeof createTokenInput>): Promise<CreatedToken>;
  /** One's own, or any of the team's for who may manage it. Ends what goes on with it within a second. */
  revoke(actor: Actor, scope: TeamScope, id: ApiTokenId): Promise<void>;
}

export function createApiTokens(): ApiTokens {
  return { list: later, create: later, revoke: later };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
