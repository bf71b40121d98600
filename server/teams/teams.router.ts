/** `teams.*`: the teams a person belongs to, their members and invitations. */
import {
  changeRoleInput,
  createTeamInput,
  invitationRef,
  inviteInput,
  memberRef,
  renameTeamInput,
  requireSecondFactorInput,
  switchTeamInput,
} from "../../shared/teams.ts";
import { personProcedure, router, teamProcedure } from "../base.router.ts";
import type { Invitations } from "./invitations.service.ts";
import type { Teams } from "./teams.service.ts";

export function teamsRouter({ teams, invitations }: { teams: Teams; invitations: Invitations }) {
  const mine = { scope: "team", limit: "write" } as const;
  const manage = { permission: "team:manage", scope: "team", limit: "write" } as const;
  const own = { permission: "team:own", scope: "team", limit: "write", stepUp: true } as const;
  return router({
    list: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) => teams.list(ctx.actor)),
    get: teamProcedure({ permission: "team:view", scope: "team", limit: "read", audit: false }).query(({ ctx }) =>
      teams.get(ctx.actor, ctx.scope),
    ),
    create: personProcedure({ ...mine, audit: "team.created" })
      .input(createTeamInput)
      .mutation(({ ctx, input }) => teams.create(ctx.actor, input.name)),
    rename: teamProcedure({ ...manage, audit: "team.renamed" })
      .input(renameTeamInput)
      .mutation(async ({ ctx, input }) => {
        await teams.rename(ctx.scope, input.name);
        return {};
      }),
    switch: personProcedure({ ...mine, audit: false })
      .input(switchTeamInput)
      .mutation(async ({ ctx, input }) => {
        await teams.switchTo(ctx.actor, input.teamId);
        return {};
      }),
    close: teamProcedure({ ...own, audit: "team.closed" }).mutation(async ({ ctx }) => {
      await teams.close(ctx.actor, ctx.scope);
      return {};
    }),
    requireSecondFactor: teamProcedure({ ...own, audit: "team.second_factor_required" })
      .input(requireSecondFactorInput)
      .mutation(async ({ ctx, input }) => {
        await teams.requireSecondFactor(ctx.actor, ctx.scope, input.required);
        return {};
      }),
    changeRole: teamProcedure({ ...manage, audit: "team.role_changed" })
      .input(changeRoleInput)
      .mutation(async ({ ctx, input }) => {
        await teams.changeRole(ctx.actor, ctx.scope, input.userId, input.role);
        return {};
      }),
    removeMember: teamProcedure({ ...manage, audit: "team.member_removed" })
      .input(memberRef)
      .mutation(async ({ ctx, input }) => {
        await teams.removeMember(ctx.actor, ctx.scope, input.userId);
        return {};
      }),
    leave: teamProcedure({ permission: "team:view", scope: "team", limit: "write", audit: "team.left" }).mutation(
      async ({ ctx }) => {
        await teams.leave(ctx.actor, ctx.scope);
        return {};
      },
    ),
    transferOwnership: teamProcedure({ ...own, audit: "team.ownership_transferred" })
      .input(memberRef)
      .mutation(async ({ ctx, input }) => {
        await teams.transferOwnership(ctx.actor, ctx.scope, input.userId);
        return {};
      }),
    invite: teamProcedure({ ...manage, audit: "team.invited" })
      .input(inviteInput)
      .mutation(({ ctx, input }) => invitations.invite(ctx.scope, input)),
    resendInvitation: teamProcedure({ ...manage, audit: "team.invitation_resent" })
      .input(invitationRef)
      .mutation(({ ctx, input }) => invitations.resend(ctx.scope, input.invitationId)),
    withdrawInvitation: teamProcedure({ ...manage, audit: "team.invitation_withdrawn" })
      .input(invitationRef)
      .mutation(async ({ ctx, input }) => {
        await invitations.withdraw(ctx.scope, input.invitationId);
        return {};
      }),
    myInvitations: personProcedure({ scope: "team", limit: "read", audit: false }).query(({ ctx }) =>
      invitations.received(ctx.actor),
    ),
    acceptInvitation: personProcedure({ ...mine, audit: "team.joined" })
      .input(invitationRef)
      .mutation(async ({ ctx, input }) => {
        await invitations.accept(ctx.actor, input.invitationId);
        return {};
      }),
    declineInvitation: personProcedure({ ...mine, audit: "team.invitation_declined" })
      .input(invitationRef)
      .mutation(async ({ ctx, input }) => {
        await invitations.decline(ctx.actor, input.invitationId);
        return {};
      }),
  });
}
