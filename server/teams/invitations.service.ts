/** Invitations: by mail, bound to the address, with a role and an end; accepted once. */
import type { z } from "zod";
import type { InvitationId } from "../../shared/ids.ts";
import type { InvitationView, inviteInput, ReceivedInvitation } from "../../shared/teams.ts";
import { PerchError } from "../errors.ts";
import type { Actor, TeamScope } from "./team-scope.ts";

export interface Invitations {
  /** Sends the mail. The role is at most the inviter's. Tells nothing of whether the address has an account. */
  invite(actor: Actor, scope: TeamScope, input: z.infer<typeof inviteInput>): Promise<InvitationView>;
  /** A new link and a new end; the earlier link stops working. */
  resend(actor: Actor, scope: TeamScope, id: InvitationId): Promise<InvitationView>;
  withdraw(actor: Actor, scope: TeamScope, id: InvitationId): Promise<void>;
  /** Open ones for the person's confirmed address. */
  received(actor: Actor): Promise<ReceivedInvitation[]>;
  accept(actor: Actor, id: InvitationId): Promise<void>;
  decline(actor: Actor, id: InvitationId): Promise<void>;
}

export function createInvitations(): Invitations {
  return { invite: later, resend: later, withdraw: later, received: later, accept: later, decline: later };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
