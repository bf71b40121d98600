/** `account.*`: who am I, what lets me in, and the way a connecting extension gets its token. */
import { z } from "zod";
import {
  changeEmailInput,
  changePasswordInput,
  confirmTotpInput,
  contestText,
  exchangeInput,
  passkeyName,
  updateProfileInput,
} from "../../shared/accounts.ts";
import { decisionId, passkeyId } from "../../shared/ids.ts";
import type { Standing } from "../abuse/standing.service.ts";
import { personProcedure, publicProcedure, router } from "../base.router.ts";
import type { Connect } from "./connect.service.ts";
import type { Credentials } from "./credentials.service.ts";
import type { Factors } from "./factors.service.ts";
import type { Sessions } from "./sessions.service.ts";

export function accountRouter(services: {
  connect: Connect;
  sessions: Sessions;
  credentials: Credentials;
  factors: Factors;
  standing: Standing;
}) {
  const { connect, sessions, credentials, factors, standing } = services;
  const read = { scope: "account", limit: "read", audit: false } as const;
  const write = { scope: "account", limit: "write" } as const;
  const proven = { ...write, stepUp: true } as const;
  return router({
    exchange: publicProcedure({ limit: "write", audit: "account.connected" })
      .input(exchangeInput)
      .mutation(({ ctx, input }) => connect.exchange(input, ctx, ctx.actor)),
    me: personProcedure(read).query(({ ctx }) => connect.me(ctx.actor)),
    signOut: personProcedure({ ...write, audit: "account.signed_out" }).mutation(async ({ ctx }) => {
      await sessions.signOut(ctx.actor);
      return {};
    }),
    security: personProcedure(read).query(({ ctx }) => credentials.overview(ctx.actor)),
    updateProfile: personProcedure({ ...write, audit: "account.profile_changed" })
      .input(updateProfileInput)
      .mutation(async ({ ctx, input }) => {
        await credentials.updateProfile(ctx.actor, input);
        return {};
      }),
    changePassword: personProcedure({ ...proven, audit: "account.password_changed" })
      .input(changePasswordInput)
      .mutation(({ ctx, input }) => credentials.changePassword(ctx.actor, input)),
    changeEmail: personProcedure({ ...proven, audit: "account.email_change_asked" })
      .input(changeEmailInput)
      .mutation(async ({ ctx, input }) => {
        await credentials.changeEmail(ctx.actor, input);
        return {};
      }),
    cancelEmailChange: personProcedure({ ...write, audit: "account.email_change_undone" }).mutation(async ({ ctx }) => {
      await credentials.cancelEmailChange(ctx.actor);
      return {};
    }),
    beginTotp: personProcedure({ ...proven, audit: false }).mutation(({ ctx }) => factors.beginTotp(ctx.actor)),
    confirmTotp: personProcedure({ ...proven, audit: "account.totp_added" })
      .input(confirmTotpInput)
      .mutation(({ ctx, input }) => factors.confirmTotp(ctx.actor, input.code)),
    removeTotp: personProcedure({ ...proven, audit: "account.totp_removed" }).mutation(async ({ ctx }) => {
      await factors.removeTotp(ctx.actor);
      return {};
    }),
    newBackupCodes: personProcedure({ ...proven, audit: "account.backup_codes_made" }).mutation(({ ctx }) =>
      factors.newBackupCodes(ctx.actor),
    ),
    renamePasskey: personProcedure({ ...write, audit: "account.passkey_renamed" })
      .input(z.strictObject({ passkeyId, name: passkeyName }))
      .mutation(async ({ ctx, input }) => {
        await factors.renamePasskey(ctx.actor, input.passkeyId, input.name);
        return {};
      }),
    removePasskey: personProcedure({ ...proven, audit: "account.passkey_removed" })
      .input(z.strictObject({ passkeyId }))
      .mutation(async ({ ctx, input }) => {
        await factors.removePasskey(ctx.actor, input.passkeyId);
        return {};
      }),
    standing: personProcedure(read).query(({ ctx }) => standing.list(ctx.actor.userId)),
    contest: personProcedure({ ...write, audit: "account.contested" })
      .input(z.strictObject({ decisionId, text: contestText }))
      .mutation(async ({ ctx, input }) => {
        await standing.contest(ctx.actor, input.decisionId, input.text);
        return {};
      }),
  });
}
