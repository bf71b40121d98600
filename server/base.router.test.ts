import { TRPCError } from "@trpc/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { newId } from "../shared/ids.ts";
import {
  errorBody,
  personProcedure,
  publicProcedure,
  type RequestContext,
  router,
  teamProcedure,
} from "./base.router.ts";
import { ManualClock } from "./clock.ts";
import { PerchError } from "./errors.ts";
import { createLog } from "./log.ts";
import type { Actor } from "./teams/team-scope.ts";

const clock = new ManualClock();
const lines: string[] = [];
const actor = (change: Partial<Actor> = {}): Actor => ({
  credential: { kind: "session", id: newId("session"), web: false },
  userId: newId("user"),
  teamId: newId("team"),
  role: "owner",
  scopes: ["phones:view", "phones:control", "account", "privacy"],
  authenticatedAt: new Date(clock.now()),
  expiresAt: new Date(clock.now() + 1_000),
  ...change,
});
const context = (
  credential: Actor | "ended" | undefined,
  take: () => Promise<void> = async () => {},
): RequestContext => ({
  requestId: "req-1",
  ip: "127.0.0.1",
  userAgent: "",
  credential: async () => credential,
  whileSignedIn: (_actor, signal) => signal,
  clock,
  log: createLog({ clock, write: (line) => lines.push(line) }),
  limiter: { take },
});

const ran: string[] = [];
const app = router({
  open: publicProcedure({ limit: "read", audit: false }).query(() => "open"),
  me: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) => ctx.actor.userId),
  drive: teamProcedure({
    permission: "phones:control",
    scope: "phones:control",
    limit: "write",
    audit: "phone.started",
  })
    .input(z.strictObject({ name: z.string().min(2, "Two letters at least.") }))
    .mutation(({ ctx }) => {
      ran.push("drive");
      return ctx.scope.teamId;
    }),
  sharp: personProcedure({ scope: "account", limit: "read", audit: false, stepUp: true }).query(() => "sharp"),
  broken: publicProcedure({ limit: "read", audit: false }).query(() => {
    throw new Error("select * from users where email = 'ada@example.org'");
  }),
  refused: publicProcedure({ limit: "read", audit: false }).query(() => {
    throw new PerchError("conflict", "That is taken. Choose another.");
  }),
});
const caller = (credential: Actor | "ended" | undefined, take?: () => Promise<void>) =>
  app.createCaller(context(credential, take));
const bodyOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof TRPCError)) throw new Error("The call was not refused.");
  return errorBody(error, "req-1");
};

describe("procedures", () => {
  it("let those in who fit", async () => {
    expect(await caller(undefined).open()).toBe("open");
    const owner = actor();
    expect(await caller(owner).me()).toBe(owner.userId);
    expect(await caller(owner).drive({ name: "ab" })).toBe(owner.teamId);
  });

  it.each([
    ["nobody", undefined, "unauthenticated"],
    ["an ended session", "ended", "session_ended"],
    ["a viewer", actor({ role: "viewer" }), "forbidden"],
    ["someone of billing", actor({ role: "billing" }), "forbidden"],
    ["a token without the scope", actor({ scopes: ["phones:view"] }), "forbidden"],
  ] as const)("refuse %s before the input is read", async (_who, credential, code) => {
    ran.length = 0;
    const body = await bodyOf(caller(credential).drive({ name: "x" }));
    expect(body).toMatchObject({ code, requestId: "req-1" });
    expect(ran).toEqual([]);
  });

  it("ask for a fresh proof, and never take a token as one", async () => {
    expect(await caller(actor()).sharp()).toBe("sharp");
    const stale = actor({ authenticatedAt: new Date(clock.now() - 11 * 60_000) });
    expect(await bodyOf(caller(stale).sharp())).toMatchObject({ code: "step_up_required" });
    const token = actor({ credential: { kind: "token", id: newId("apiToken") } });
    expect(await bodyOf(caller(token).sharp())).toMatchObject({ code: "forbidden" });
  });

  it("name the field that is wrong", async () => {
    expect(await bodyOf(caller(actor()).drive({ name: "x" }))).toMatchObject({
      code: "bad_input",
      message: "Two letters at least.",
      fields: { name: "Two letters at least." },
    });
  });

  it("say what the service says, and nothing of what went wrong inside", async () => {
    expect(await bodyOf(caller(undefined).refused())).toMatchObject({
      code: "conflict",
      message: "That is taken. Choose another.",
    });
    const body = await bodyOf(caller(undefined).broken());
    expect(body.code).toBe("internal");
    expect(JSON.stringify(body)).not.toMatch(/select|ada|at .*\.ts/);
    expect(lines.join("")).toContain("broken");
    expect(lines.join("")).not.toContain("ada@example.org");
  });

  it("stop at the rate limit and say how long to wait", async () => {
    const refuse = () => Promise.reject(new PerchError("rate_limited", "That was too often.", { retryAfterMs: 1_000 }));
    expect(await bodyOf(caller(undefined, refuse).open())).toMatchObject({ code: "rate_limited", retryAfterMs: 1_000 });
  });
});
