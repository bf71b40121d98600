/** What the stub's procedures are made of: its state, who may call, and errors in the shape of the server's. */
import { initTRPC, TRPCError } from "@trpc/server";
import { z } from "zod";
import type { Me, SessionView } from "../../shared/accounts.ts";
import type { FlowMatch } from "../../shared/automations.ts";
import type { ErrorBody, ErrorCode } from "../../shared/errors.ts";
import type { PhoneId, WebhookId } from "../../shared/ids.ts";
import type { PrivacyOverview } from "../../shared/privacy.ts";
import type { ScreenMode } from "../../shared/screen-protocol.ts";
import type { Webhook } from "../../shared/webhooks.ts";
import type { StubAccount } from "./stub-account.ts";
import type { StubBilling } from "./stub-billing.ts";
import type { StubFiles } from "./stub-files.ts";
import type { StubRights } from "./stub-privacy.ts";
import type { StubRules } from "./stub-rules.ts";
import type { StubRuns } from "./stub-runs.ts";
import type { StubSecrets } from "./stub-secrets.ts";
import type { StubTeam } from "./stub-team.ts";
import type { StubUploads } from "./stub-uploads.ts";

export const STUB_TOKEN = "cp_stubtokenstubtokenstubtokenstubtokenstub";

export interface StubState {
  readonly team: StubTeam;
  readonly automations: StubRuns;
  readonly rules: StubRules;
  readonly webhooks: Map<WebhookId, Webhook>;
  readonly files: StubFiles;
  readonly secrets: StubSecrets;
  readonly account: StubAccount;
  readonly billing: StubBilling;
  readonly uploads: StubUploads;
  me: Me;
  sessions: SessionView[];
  privacy: PrivacyOverview;
  readonly rights: StubRights;
  /** Of this server. */
  origin: string;
  signedIn: boolean;
  /** The one that is accepted; a fresh proof makes another. */
  token: string;
  /** The next call of this procedure fails once with this error. */
  failNext?: { path: string; code: ErrorCode; message: string; fields?: Readonly<Record<string, string>> };
  /** What phones show, for the look-ups of the editor. */
  onScreen: FlowMatch[];
  screenUrl: string;
  png: string;
  issueTicket(phoneId: PhoneId, mode: ScreenMode): string;
  /** Milliseconds a start takes; tests that look at the starting state make it long. */
  startMs: number;
}

class StubError extends Error {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string>> | undefined;
  constructor(code: ErrorCode, message: string, fields?: Readonly<Record<string, string>>) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

export const t = initTRPC.context<{ token: string | undefined; state: StubState }>().create({
  errorFormatter({ shape, error }) {
    const { cause } = error;
    const bad = error.code === "BAD_REQUEST";
    const issues = cause instanceof z.core.$ZodError ? cause.issues : [];
    const fields =
      cause instanceof StubError
        ? cause.fields
        : Object.fromEntries(issues.map(({ path, message }) => [path.join("."), message]));
    const perch: ErrorBody = {
      code: cause instanceof StubError ? cause.code : bad ? "bad_input" : "internal",
      message: issues[0]?.message ?? error.message,
      requestId: "req_stub",
      ...(fields !== undefined && { fields }),
    };
    return { ...shape, data: { ...shape.data, perch } };
  },
});

export const open = t.procedure.use(({ ctx, path, next }) => {
  const fail = ctx.state.failNext;
  if (fail?.path === path) {
    delete ctx.state.failNext;
    throw refusal(fail.code, fail.message, fail.fields);
  }
  return next();
});

/** What a person may call about themselves, whatever their team asks for. */
const PERSONAL =
  /^(account|sessions|privacy)\.|^teams\.(list|create|switch|myInvitations|acceptInvitation|declineInvitation)$|^audit\.mine$/;

export const signedIn = open.use(({ ctx, path, next }) => {
  if (!ctx.state.signedIn || ctx.token !== ctx.state.token)
    throw refusal("session_ended", "You were signed out. Sign in again.");
  if (ctx.state.account.lacksSecondFactor && !PERSONAL.test(path)) {
    throw refusal("second_factor_required", "This team asks for a second factor.");
  }
  const { deletion, preferences } = ctx.state.privacy;
  if (deletion !== undefined && !PERSONAL.test(path)) {
    throw refusal("account_closing", "This account is being deleted. Take the deletion back under Privacy.");
  }
  if (preferences.restricted && !PERSONAL.test(path)) {
    throw refusal("processing_restricted", "You had the use of your data stopped. Allow it again under Privacy.");
  }
  return next();
});

/** Only within ten minutes of proving who one is. */
export const proven = signedIn.use(({ ctx, next }) => {
  if (Date.now() > ctx.state.account.provenUntilMs) throw refusal("step_up_required", "Confirm that it is you.");
  return next();
});

export function refusal(code: ErrorCode, message: string, fields?: Readonly<Record<string, string>>): TRPCError {
  const trpcCode =
    code === "session_ended" ? "UNAUTHORIZED" : code === "internal" ? "INTERNAL_SERVER_ERROR" : "CONFLICT";
  return new TRPCError({ code: trpcCode, message, cause: new StubError(code, message, fields) });
}
