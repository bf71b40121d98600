/** `account.*`, `sessions.*`, `tokens.*`, `teams.*` and `audit.*` over `StubAccount`. */
import { z } from "zod";
import * as accounts from "../../shared/accounts.ts";
import { activityInput } from "../../shared/activity.ts";
import * as ids from "../../shared/ids.ts";
import * as teams from "../../shared/teams.ts";
import { open, proven, refusal, type StubState, signedIn, t } from "./stub-trpc.ts";

const QR =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h21v21H0z"/><path d="M0 0h7v7H0zM14 0h7v7h-7zM0 14h7v7H0zM9 1h1v3H9zM11 2h2v1h-2zM8 9h3v1H8zM12 8h1v4h-1zM15 9h4v2h-4zM9 12h2v5H9zM13 14h3v1h-3zM17 16h2v4h-2zM12 18h3v1h-3z"/><path fill="#fff" d="M1 1h5v5H1zM15 1h5v5h-5zM1 15h5v5H1z"/><path d="M2 2h3v3H2zM16 2h3v3h-3zM2 16h3v3H2z"/></svg>';
/** The one code the stub's app shows. */
export const STUB_CODE = "123456";
export const STUB_API_TOKEN = "cpt_stubapitokenstubapitokenstubapitokenstub";

function here(state: StubState) {
  const team = state.account.teams.get(state.me.team.id);
  if (team === undefined) throw refusal("not_found", "There is no such team.");
  return team;
}

/** The session works in `id` from now on: its phones come, those of the other go. */
function work(state: StubState, id: ids.TeamId): void {
  const next = state.account.teams.get(id);
  if (next === undefined) throw refusal("not_found", "You are in no such team.");
  const before = state.account.teams.get(state.me.team.id);
  if (before !== undefined) before.phones = new Map(state.team.phones);
  state.team.phones.clear();
  for (const [phoneId, phone] of next.phones) state.team.phones.set(phoneId, phone);
  state.automations.flows.clear();
  state.account.lacksSecondFactor = next.requireSecondFactor && state.account.security.totp === null;
  state.me = { ...state.me, team: { id, name: next.name, role: next.role } };
}

const people = (state: StubState) => new Map(here(state).members.map(({ userId, name }) => [userId, name]));

export const accountProcedures = {
  account: t.router({
    exchange: open.input(accounts.exchangeInput).mutation(({ ctx: { state, token } }): accounts.Exchanged => {
      const { account } = state;
      if (account.window === "somebody_else" && token !== undefined) {
        const user = { ...state.me.user, id: ids.newId("user"), email: "ben@example.com" };
        return { token: "cp_of_ben", expiresAt: state.me.session.expiresAt, me: { ...state.me, user } };
      }
      state.signedIn = true;
      if (token !== undefined) state.token = `cp_renewed_${crypto.randomUUID()}`;
      account.provenUntilMs = Date.now() + 600_000;
      if (account.security.totp !== null) account.lacksSecondFactor = false;
      return { token: state.token, expiresAt: state.me.session.expiresAt, me: state.me };
    }),
    me: signedIn.query(({ ctx }) => ctx.state.me),
    signOut: open.mutation(({ ctx }) => {
      if (ctx.token === ctx.state.token) ctx.state.signedIn = false;
      return {};
    }),
    security: signedIn.query(({ ctx }): accounts.SecurityOverview => ctx.state.account.security),
    updateProfile: signedIn.input(accounts.updateProfileInput).mutation(({ ctx: { state }, input }) => {
      const { name: _name, ...user } = state.me.user;
      state.me = { ...state.me, user: input.fullName === "" ? user : { ...user, name: input.fullName } };
      return {};
    }),
    changePassword: proven.input(accounts.changePasswordInput).mutation(({ ctx: { state }, input }) => {
      if (input.password.startsWith("password")) {
        throw refusal("bad_input", "This password is on the list of the most used ones. Choose another.");
      }
      const ended = state.sessions.filter(({ current }) => !current).length;
      state.sessions = state.sessions.filter(({ current }) => current);
      state.account.security.password = { changedAt: new Date().toISOString() };
      return { ended };
    }),
    changeEmail: proven.input(accounts.changeEmailInput).mutation(({ ctx, input }) => {
      const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
      ctx.state.account.security.pendingEmail = { email: input.email, expiresAt };
      return {};
    }),
    cancelEmailChange: signedIn.mutation(({ ctx }) => {
      ctx.state.account.security.pendingEmail = null;
      return {};
    }),
    beginTotp: proven.mutation(
      (): accounts.TotpEnrolment => ({
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        uri: "otpauth://totp/Perch",
        qrSvg: QR,
      }),
    ),
    confirmTotp: proven.input(accounts.confirmTotpInput).mutation(({ ctx, input }): accounts.BackupCodes => {
      if (input.code !== STUB_CODE)
        throw refusal("bad_input", "This code does not fit. Write the one the app shows now.");
      ctx.state.account.security.totp = { since: new Date().toISOString() };
      ctx.state.account.security.backupCodesLeft = ctx.state.account.codes.length;
      return { codes: ctx.state.account.codes };
    }),
    removeTotp: proven.mutation(({ ctx }) => {
      Object.assign(ctx.state.account.security, { totp: null, backupCodesLeft: 0 });
      return {};
    }),
    newBackupCodes: proven.mutation(({ ctx }): accounts.BackupCodes => {
      ctx.state.account.security.backupCodesLeft = ctx.state.account.codes.length;
      return { codes: ctx.state.account.codes };
    }),
    renamePasskey: signedIn
      .input(z.strictObject({ passkeyId: ids.passkeyId, name: accounts.passkeyName }))
      .mutation(({ ctx, input }) => {
        const { security } = ctx.state.account;
        security.passkeys = security.passkeys.map((one) =>
          one.id === input.passkeyId ? { ...one, name: input.name } : one,
        );
        return {};
      }),
    removePasskey: proven.input(z.strictObject({ passkeyId: ids.passkeyId })).mutation(({ ctx, input }) => {
      const { security } = ctx.state.account;
      security.passkeys = security.passkeys.filter(({ id }) => id !== input.passkeyId);
      return {};
    }),
    standing: signedIn.query(({ ctx }) => ctx.state.account.standing),
    contest: signedIn
      .input(z.strictObject({ decisionId: ids.decisionId, text: accounts.contestText }))
      .mutation(({ ctx, input }) => {
        ctx.state.account.standing = ctx.state.account.standing.map((one) =>
          one.id === input.decisionId ? { ...one, state: "contested", contest: input.text } : one,
        );
        return {};
      }),
  }),
  sessions: t.router({
    list: signedIn.query(({ ctx }) => ctx.state.sessions),
    revoke: signedIn.input(z.strictObject({ sessionId: ids.sessionId })).mutation(({ ctx, input }) => {
      ctx.state.sessions = ctx.state.sessions.filter((session) => session.id !== input.sessionId);
      return {};
    }),
    uninstallLink: signedIn.query(({ ctx }) => ({ url: `${ctx.state.origin}/uninstalled?token=stub` })),
    revokeOthers: signedIn.mutation(({ ctx }) => {
      const others = ctx.state.sessions.filter((session) => !session.current).length;
      ctx.state.sessions = ctx.state.sessions.filter((session) => session.current);
      return { revoked: others };
    }),
  }),
  tokens: t.router({
    list: signedIn.query(({ ctx }) => ctx.state.account.tokens),
    create: proven.input(accounts.createTokenInput).mutation(({ ctx: { state }, input }): accounts.CreatedToken => {
      const { id, name = "" } = state.me.user;
      const view: accounts.TokenView = {
        id: ids.newId("apiToken"),
        name: input.name,
        prefix: STUB_API_TOKEN.slice(0, 8),
        scopes: input.scopes,
        createdBy: { id, name },
        createdAt: new Date().toISOString(),
        expiresAt: new Date(Date.now() + input.days * 86_400_000).toISOString(),
      };
      state.account.tokens = [view, ...state.account.tokens];
      return { token: STUB_API_TOKEN, view };
    }),
    revoke: signedIn.input(z.strictObject({ tokenId: ids.apiTokenId })).mutation(({ ctx, input }) => {
      ctx.state.account.tokens = ctx.state.account.tokens.filter(({ id }) => id !== input.tokenId);
      return {};
    }),
  }),
  teams: t.router({
    list: signedIn.query(({ ctx: { state } }): teams.TeamSummary[] =>
      [...state.account.teams.values()].map(({ id, name, role }) => ({
        id,
        name,
        role,
        current: id === state.me.team.id,
      })),
    ),
    get: signedIn.query(({ ctx }): teams.TeamView => {
      const { phones: _phones, ...team } = here(ctx.state);
      return team;
    }),
    create: signedIn.input(teams.createTeamInput).mutation(({ ctx: { state }, input }): teams.TeamSummary => {
      const id = ids.newId("team");
      state.account.addTeam(id, input.name, "owner", [
        { ...here(state).members[0], role: "owner" } as teams.MemberView,
      ]);
      work(state, id);
      return { id, name: input.name, role: "owner", current: true };
    }),
    rename: signedIn.input(teams.renameTeamInput).mutation(({ ctx: { state }, input }) => {
      here(state).name = input.name;
      state.me = { ...state.me, team: { ...state.me.team, name: input.name } };
      return {};
    }),
    switch: signedIn.input(teams.switchTeamInput).mutation(({ ctx, input }) => {
      work(ctx.state, input.teamId);
      return {};
    }),
    close: proven.mutation(({ ctx: { state } }) => leave(state)),
    leave: signedIn.mutation(({ ctx: { state } }) => {
      const owners = here(state).members.filter(({ role }) => role === "owner");
      if (owners.length === 1 && owners[0]?.isMe === true) {
        throw refusal("conflict", "You are the only owner. Hand over ownership first, or close the team.");
      }
      return leave(state);
    }),
    requireSecondFactor: proven.input(teams.requireSecondFactorInput).mutation(({ ctx, input }) => {
      here(ctx.state).requireSecondFactor = input.required;
      return {};
    }),
    changeRole: signedIn.input(teams.changeRoleInput).mutation(({ ctx, input }) => {
      const team = here(ctx.state);
      team.members = team.members.map((one) => (one.userId === input.userId ? { ...one, role: input.role } : one));
      return {};
    }),
    removeMember: signedIn.input(teams.memberRef).mutation(({ ctx, input }) => {
      const team = here(ctx.state);
      team.members = team.members.filter(({ userId }) => userId !== input.userId);
      return {};
    }),
    transferOwnership: proven.input(teams.memberRef).mutation(({ ctx: { state }, input }) => {
      const team = here(state);
      team.role = "admin";
      team.members = team.members.map((one) =>
        one.isMe ? { ...one, role: "admin" } : one.userId === input.userId ? { ...one, role: "owner" } : one,
      );
      state.me = { ...state.me, team: { ...state.me.team, role: "admin" } };
      return {};
    }),
    invite: signedIn.input(teams.inviteInput).mutation(({ ctx: { state }, input }): teams.InvitationView => {
      const team = here(state);
      const view: teams.InvitationView = {
        id: ids.newId("invitation"),
        email: input.email,
        role: input.role,
        invitedBy: state.me.user.name ?? "",
        createdAt: new Date().toISOString(),
        expiresAt: new Date(Date.now() + input.days * 86_400_000).toISOString(),
        expired: false,
      };
      team.invitations = [...team.invitations, view];
      return view;
    }),
    resendInvitation: signedIn.input(teams.invitationRef).mutation(({ ctx, input }): teams.InvitationView => {
      const team = here(ctx.state);
      const found = team.invitations.find(({ id }) => id === input.invitationId);
      if (found === undefined) throw refusal("not_found", "There is no such invitation.");
      const next = { ...found, expired: false, expiresAt: new Date(Date.now() + 7 * 86_400_000).toISOString() };
      team.invitations = team.invitations.map((one) => (one.id === found.id ? next : one));
      return next;
    }),
    withdrawInvitation: signedIn.input(teams.invitationRef).mutation(({ ctx, input }) => {
      const team = here(ctx.state);
      team.invitations = team.invitations.filter(({ id }) => id !== input.invitationId);
      return {};
    }),
    myInvitations: signedIn.query(({ ctx }) => ctx.state.account.received),
    acceptInvitation: signedIn.input(teams.invitationRef).mutation(({ ctx: { state }, input }) => {
      const found = state.account.received.find(({ id }) => id === input.invitationId);
      if (found === undefined) throw refusal("not_found", "There is no such invitation.");
      state.account.received = state.account.received.filter(({ id }) => id !== found.id);
      state.account.addTeam(ids.newId("team"), found.teamName, found.role, []);
      return {};
    }),
    declineInvitation: signedIn.input(teams.invitationRef).mutation(({ ctx: { state }, input }) => {
      state.account.received = state.account.received.filter(({ id }) => id !== input.invitationId);
      return {};
    }),
  }),
  audit: t.router({
    team: signedIn
      .input(activityInput)
      .query(({ ctx: { state }, input }) => state.account.read(state.account.teamLog, input, people(state))),
    mine: signedIn
      .input(activityInput)
      .query(({ ctx: { state }, input }) => state.account.read(state.account.myLog, input, people(state))),
  }),
};

function leave(state: StubState): Record<string, never> {
  const { id } = here(state);
  const next = [...state.account.teams.keys()].find((other) => other !== id);
  if (next === undefined) throw refusal("conflict", "This is your only team.");
  work(state, next);
  state.account.teams.delete(id);
  return {};
}
