/** What a signed-in person changes about their own account: name, password, address. */
import type { SecurityOverview } from "../../shared/accounts.ts";
import { PerchError } from "../errors.ts";
import type { Actor } from "../teams/team-scope.ts";

export interface Credentials {
  /** Everything that lets somebody in. */
  overview(actor: Actor): Promise<SecurityOverview>;
  updateProfile(actor: Actor, input: { fullName: string }): Promise<void>;
  /** Ends every other session; gives how many. The person hears of it by mail. */
  changePassword(actor: Actor, input: { password: string }): Promise<{ ended: number }>;
  /** Sends a link to the new address and a notice to the present one. Tells nobody whether the new one has an account. */
  changeEmail(actor: Actor, input: { email: string }): Promise<void>;
  cancelEmailChange(actor: Actor): Promise<void>;
}

export function createCredentials(): Credentials {
  return {
    overview: later,
    updateProfile: later,
    changePassword: later,
    changeEmail: later,
    cancelEmailChange: later,
  };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
