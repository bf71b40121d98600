/**
 * The procedure builder. Every procedure declares `meta`; one that does not, or whose caller does not fit it, is
 * refused before its input is read. Order: network's limit → session → scope and role → step-up → account's limit →
 * no card number → input → work. Both limits count each call of a batch.
 */
import { initTRPC, TRPCError } from "@trpc/server";
import { z } from "zod";
import type { Permission, Scope } from "../shared/access.ts";
import type { ErrorBody } from "../shared/errors.ts";
import { demandNoCardNumber } from "./billing/card-numbers.ts";
import type { Clock } from "./clock.ts";
import { HTTP_STATUS, INTERNAL_MESSAGE, PerchError } from "./errors.ts";
import type { LimitName, RateLimiter } from "./limits/rate-limiter.ts";
import { networkOf } from "./limits/rate-limiter.ts";
import { errorFields, type Log } from "./log.ts";
import type { ObserveCall } from "./metrics/observe-call.ts";
import {
  type Actor,
  STEP_UP_MS,
  secondFactorRefusal,
  standingRefusal,
  type TeamScope,
  teamScope,
} from "./teams/team-scope.ts";
import { troubleInWords } from "./trouble.ts";

export interface ProcedureMeta {
  /** `public`: anyone. `person`: a signed-in person, about themselves. `team`: a member with `permission`. */
  readonly auth: "public" | "person" | "team";
  readonly permission?: Permission;
  readonly scope?: Scope;
  /** Only within ten minutes of proving who one is, and never with an API token. */
  readonly stepUp?: true;
  readonly limit: LimitName;
  /** The audit action the service writes in its transaction; false for reads that leave no trace. */
  readonly audit: string | false;
  readonly idempotent?: true;
  /** The input goes to a phone of the person's and is not kept here, so that it may hold what only they know. */
  readonly toPhone?: true;
}

export interface RequestContext {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  /** Looked up when a procedure asks for it; `ended` tells a revoked or expired token from a missing one. */
  readonly credential: () => Promise<Actor | "ended" | undefined>;
  /** Aborts with `signal`, and when the actor's session or access to the team ends: for answers that go on, like event streams. */
  readonly whileSignedIn: (actor: Actor, signal: AbortSignal) => AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly limiter: RateLimiter;
  /** Runs a call's work: measured and traced. */
  readonly observed: ObserveCall;
}

const t = initTRPC
  .context<RequestContext>()
  .meta<ProcedureMeta>()
  .create({
    errorFormatter({ shape, error, ctx }) {
      return {
        message: errorBody(error, ctx?.requestId ?? "").message,
        code: shape.code,
        data: { httpStatus: HTTP_STATUS[errorBody(error, "").code], perch: errorBody(error, ctx?.requestId ?? "") },
      };
    },
    sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
  });

export const router = t.router;

/** Texts of automations: a test of a shop needs the numbers that are published for tests. */
const AUTOMATIONS = /^(flows|runs|rules|secrets|suites|workspaces|recordings)\./;

const guarded = t.procedure.use(async ({ ctx, meta, path, type, next, getRawInput }) => {
  if (meta === undefined) throw new Error(`Procedure ${path} declares no meta.`);
  const network = networkOf(ctx.ip);
  try {
    ctx.limiter.takeOfNetwork(meta.limit, network);
  } catch (error) {
    throw asTrpcError(error);
  }
  const logged = (error: unknown): TRPCError => {
    const said = asTrpcError(error);
    if (said.cause instanceof PerchError) return said;
    ctx.log.error("A call failed unexpectedly", { requestId: ctx.requestId, procedure: path, ...errorFields(error) });
    return said;
  };
  const credential = await ctx.credential().catch((error: unknown) => {
    throw logged(error);
  });
  const actor = credential === "ended" ? undefined : credential;
  if (meta.auth !== "public" && actor === undefined) {
    throw credential === "ended"
      ? domain("session_ended", "You were signed out. Sign in again.")
      : domain("unauthenticated", "Sign in first.");
  }
  const scope = actor !== undefined && meta.auth !== "public" ? authorize(actor, meta, ctx.clock) : undefined;
  try {
    await ctx.limiter.take(meta.limit, actor?.userId ?? network);
  } catch (error) {
    throw logged(error);
  }
  if (meta.toPhone === undefined) {
    const input = await getRawInput();
    try {
      demandNoCardNumber(input, AUTOMATIONS.test(path) ? { testNumbers: "pass" } : {});
    } catch (error) {
      throw asTrpcError(error);
    }
  }
  const result = await ctx.observed({ path, type }, () => next({ ctx: { actor, scope } }));
  if (result.ok) return result;
  const { cause, code } = result.error;
  if (code === "INTERNAL_SERVER_ERROR") throw logged(cause ?? result.error);
  if (cause instanceof PerchError) throw asTrpcError(cause);
  return result;
});

/** Refuses a caller who does not fit; gives the proof that one may do what needs a permission, where one is needed. */
function authorize(actor: Actor, meta: ProcedureMeta, clock: Clock): TeamScope | undefined {
  if (meta.scope !== undefined && !actor.scopes.includes(meta.scope)) {
    throw domain("forbidden", `This token may not do that; it lacks the scope ${meta.scope}.`);
  }
  if (meta.auth === "team" && actor.lacksSecondFactor) {
    throw asTrpcError(secondFactorRefusal());
  }
  if (meta.auth === "team" && actor.standing !== "active") throw asTrpcError(standingRefusal(actor.standing));
  const scope = meta.permission === undefined ? undefined : teamScope(actor, meta.permission);
  if (meta.permission !== undefined && scope === undefined) {
    throw domain("forbidden", `Your role in this team, ${actor.role}, may not do that. Ask an owner or admin.`);
  }
  if (meta.stepUp === true) {
    if (actor.credential.kind === "token")
      throw domain("forbidden", "An API token may not do that. Sign in as a person.");
    if (clock.now() - actor.authenticatedAt.getTime() > STEP_UP_MS) {
      throw domain("step_up_required", "Confirm that it is you.");
    }
  }
  return scope;
}

/** A procedure anyone may call. */
export function publicProcedure(meta: Omit<ProcedureMeta, "auth" | "permission" | "scope" | "stepUp">) {
  return guarded.meta({ ...meta, auth: "public" });
}

/** A procedure of a signed-in person about themselves; `ctx.actor` is there. */
export function personProcedure(meta: Omit<ProcedureMeta, "auth" | "permission"> & { scope: Scope }) {
  return guarded.meta({ ...meta, auth: "person" }).use(({ ctx, next }) => next({ ctx: { actor: present(ctx.actor) } }));
}

/** A procedure on the team's things; `ctx.scope` proves that the caller may. */
export function teamProcedure(meta: Omit<ProcedureMeta, "auth"> & { permission: Permission; scope: Scope }) {
  return guarded
    .meta({ ...meta, auth: "team" })
    .use(({ ctx, next }) => next({ ctx: { actor: present(ctx.actor), scope: present(ctx.scope) } }));
}

/** The guard ran before, and has refused whoever lacks this. */
function present<T>(given: T | undefined): T {
  if (given === undefined) throw new Error("The guard let a caller through who lacks what it asks for.");
  return given;
}

const TRPC_CODES = {
  bad_input: "BAD_REQUEST",
  unauthenticated: "UNAUTHORIZED",
  session_ended: "UNAUTHORIZED",
  step_up_required: "FORBIDDEN",
  second_factor_required: "FORBIDDEN",
  held_for_review: "FORBIDDEN",
  processing_restricted: "FORBIDDEN",
  account_closing: "FORBIDDEN",
  forbidden: "FORBIDDEN",
  not_found: "NOT_FOUND",
  conflict: "CONFLICT",
  limit_reached: "CONFLICT",
  payment_required: "PAYMENT_REQUIRED",
  rate_limited: "TOO_MANY_REQUESTS",
  too_large: "PAYLOAD_TOO_LARGE",
  unsupported_media_type: "UNSUPPORTED_MEDIA_TYPE",
  phone_not_running: "CONFLICT",
  phone_unavailable: "SERVICE_UNAVAILABLE",
  address_not_allowed: "FORBIDDEN",
  address_unreachable: "BAD_GATEWAY",
  capability_missing: "BAD_REQUEST",
  idempotency_mismatch: "CONFLICT",
  version_mismatch: "PRECONDITION_FAILED",
  misdirected: "FORBIDDEN",
  unavailable: "SERVICE_UNAVAILABLE",
  internal: "INTERNAL_SERVER_ERROR",
} as const satisfies Record<PerchError["code"], TRPCError["code"]>;

/** What tRPC itself says of a call that is no call: wrong method, no JSON. */
const UNREADABLE: ReadonlySet<string> = new Set(["PARSE_ERROR", "METHOD_NOT_SUPPORTED"]);

function domain(code: PerchError["code"], message: string): TRPCError {
  return asTrpcError(new PerchError(code, message));
}

function asTrpcError(error: unknown): TRPCError {
  const known = troubleInWords(error);
  if (!(known instanceof PerchError)) return new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: error });
  return new TRPCError({ code: TRPC_CODES[known.code], message: known.message, cause: known });
}

/** The one place an error becomes what a client sees. Unexpected errors show nothing of themselves. */
export function errorBody(error: TRPCError, requestId: string): ErrorBody {
  const { cause } = error;
  if (cause instanceof PerchError) {
    return {
      code: cause.code,
      message: cause.message,
      requestId,
      ...(cause.fields && { fields: cause.fields }),
      ...(cause.retryAfterMs !== undefined && { retryAfterMs: cause.retryAfterMs }),
    };
  }
  if (cause instanceof z.ZodError || cause instanceof z.core.$ZodError) {
    const fields = Object.fromEntries(cause.issues.map((issue) => [issue.path.join("."), issue.message]));
    return { code: "bad_input", message: cause.issues[0]?.message ?? "This input is not valid.", requestId, fields };
  }
  const code = UNREADABLE.has(error.code)
    ? "bad_input"
    : ((Object.keys(TRPC_CODES) as PerchError["code"][]).find((name) => TRPC_CODES[name] === error.code) ?? "internal");
  if (code === "internal") return { code, message: INTERNAL_MESSAGE, requestId };
  const words: Partial<Record<PerchError["code"], string>> = {
    bad_input: "This call cannot be read. It must be JSON that fits the procedure.",
    not_found: "There is no such procedure.",
    unsupported_media_type: "Calls must be sent as application/json.",
    too_large: "This call is too large.",
  };
  return { code, message: words[code] ?? INTERNAL_MESSAGE, requestId };
}
