/** An invitation as the team that sent it and the person who got it see it. */
import type { InvitationView, ReceivedInvitation } from "../../shared/teams.ts";
import type { OpenInvitation } from "./invitations.repo.ts";

export function invitationView(invitation: OpenInvitation, now: number): InvitationView {
  const { id, emailShown, role, createdAt, expiresAt } = invitation;
  return {
    ...{ id, email: emailShown, role, invitedBy: inviterWords(invitation) },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    expired: expiresAt.getTime() <= now,
  };
}

export function receivedView(invitation: OpenInvitation): ReceivedInvitation {
  const { id, teamName, role, expiresAt } = invitation;
  return { id, teamName, role, invitedBy: inviterWords(invitation), expiresAt: expiresAt.toISOString() };
}

/**
 * Who invites: the confirmed address, which nobody else can have, and the name beside it. A name is free text and goes
 * to people who do not know its owner, so one that reads like an address of the web is left out.
 */
export function inviterWords({
  inviterName,
  inviterEmail,
}: Pick<OpenInvitation, "inviterName" | "inviterEmail">): string {
  if (inviterEmail === null) return "A former member";
  return inviterName === null || looksLikeAddress(inviterName) ? inviterEmail : `${inviterName} (${inviterEmail})`;
}

/** Whether mail programs might make a link of it. */
export function looksLikeAddress(text: string): boolean {
  return /:\/\/|www\.|[\p{L}\p{N}]\.[\p{L}]{2,}/iu.test(text);
}
