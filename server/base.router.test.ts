import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { newId } from "../shared/ids.ts";
import {
  type ProcedureMeta,
  personProcedure,
  publicProcedure,
  type RequestContext,
  router,
  teamProcedure,
} from "./base.router.ts";
import { ManualClock } from "./clock.ts";
import { PerchError } from "./errors.ts";
import { LIMITS } from "./limits/rate-limiter.ts";
import { createLog } from "./log.ts";
import type { Actor } from "./teams/team-scope.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "./testing.ts";

const clock = new ManualClock();
const lines: string[] = [];
const actor = (changes: Partial<Actor> = {}): Actor => ({
  credential: { kind: "session", id: newId("session"), web: false },
  userId: newId("user"),
  teamId: newId("team"),
  role: "owner",
  scopes: ["phones:view", "phones:control", "account", "privacy"],
  authenticatedAt: new Date(clock.now()),
  method: "password",
  lacksSecondFactor: false,
  standing: "active",
  expiresAt: new Date(clock.now()),
  ...changes,
});
const context = (
  credential: Actor | "ended" | undefined,
  take: (name: string, subject: string) => void = () => {},
): RequestContext => ({
  requestId: "request-1",
  ip: "2001:db8:1:2:3::4",
  userAgent: "",
  credential: async () => credential,
  whileSignedIn: (_actor, signal) => signal,
  observed: (_call, work) => work(),
  clock,
  log: createLog({ clock, write: (line) => lines.push(line) }),
  limiter: {
    take: async (name, subject) => take(name, subject),
    takeOfNetwork: (name, network) => take(name, `all of ${network}`),
  },
});

const ran: string[] = [];
const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const procedures = router({
  open: publicProcedure({ limit: "read", audit: false }).query(() => ran.push("open")),
  mine: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) => ctx.actor.userId),
  watch: teamProcedure(view).query(({ ctx }) => ctx.scope.teamId),
  steer: teamProcedure({ ...view, permission: "phones:control", scope: "phones:control" })
    .input(z.strictObject({ name: z.string().min(1, "Give it a name.") }))
    .mutation(() => ran.push("steer")),
  grave: teamProcedure({ ...view, stepUp: true }).mutation(() => ran.push("grave")),
  broken: publicProcedure({ limit: "read", audit: false }).query(() => {
    throw new Error("secret detail of anna@x.example");
  }),
  refusing: publicProcedure({ limit: "read", audit: false }).query(() => {
    throw new PerchError("limit_reached", "Enough.", { retryAfterMs: 5 });
  }),
});
const as = (...given: Parameters<typeof context>) => procedures.createCaller(context(...given));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "ok",
    (error: unknown) =>
      error instanceof Error && error.cause instanceof PerchError ? error.cause.code : String(error),
  );

describe("the guard of procedures", () => {
  beforeEach(() => {
    ran.length = 0;
    lines.length = 0;
  });

  it("refuses a procedure without meta before anything else runs", async () => {
    type Middleware = (options: {
      ctx: RequestContext;
      meta: undefined;
      path: string;
      next: () => never;
    }) => Promise<unknown>;
    const guards = Object.values(procedures._def.procedures).map(
      (procedure) => (procedure._def as unknown as { middlewares: Middleware[] }).middlewares[0],
    );
    const [guard] = guards;
    for (const other of guards) expect(other).toBe(guard);
    const next = () => {
      throw new Error("It ran.");
    };
    await expect(guard?.({ ctx: context(actor()), meta: undefined, path: "p", next })).rejects.toThrow(
      /declares no meta/,
    );
  });

  it("asks for a session, and tells an ended one from none", async () => {
    expect(await codeOf(as(undefined).mine())).toBe("unauthenticated");
    expect(await codeOf(as("ended").mine())).toBe("session_ended");
    expect(await codeOf(as(actor()).mine())).toBe("ok");
    for (const credential of [undefined, "ended", actor()] as const)
      expect(await codeOf(as(credential).open())).toBe("ok");
  });

  it("asks for scope and role, before it reads the input", async () => {
    const bad = { name: "" };
    expect(await codeOf(as(actor({ scopes: ["phones:view"] })).steer(bad))).toBe("forbidden");
    expect(await codeOf(as(actor({ role: "viewer" })).steer(bad))).toBe("forbidden");
    expect(await codeOf(as(actor({ role: "billing" })).watch())).toBe("forbidden");
    expect(await codeOf(as(actor({ role: "viewer" })).watch())).toBe("ok");
    expect(await codeOf(as(actor({ role: "operator" })).steer({ name: "x" }))).toBe("ok");
    expect(ran).toEqual(["steer"]);
  });

  it("does nothing in teams for who stopped the use of their data or closes the account, and leaves them their rights", async () => {
    for (const [standing, code] of [
      ["restricted", "processing_restricted"],
      ["closing", "account_closing"],
    ] as const) {
      expect(await codeOf(as(actor({ standing })).watch())).toBe(code);
      expect(await codeOf(as(actor({ standing })).steer({ name: "x" }))).toBe(code);
      expect(await codeOf(as(actor({ standing })).mine())).toBe("ok");
    }
    expect(ran).toEqual([]);
  });

  it("asks for a fresh proof within ten minutes, and never takes a token for one", async () => {
    const minutesAgo = (minutes: number) => actor({ authenticatedAt: new Date(clock.now() - minutes * 60_000) });
    expect(await codeOf(as(minutesAgo(10)).grave())).toBe("ok");
    expect(await codeOf(as(minutesAgo(10.001)).grave())).toBe("step_up_required");
    const token = actor({ credential: { kind: "token", id: newId("apiToken") } });
    expect(await codeOf(as(token).grave())).toBe("forbidden");
    expect(ran).toEqual(["grave"]);
  });

  it("counts a person by account and a stranger by network", async () => {
    const taken: string[] = [];
    const one = actor();
    await as(one, (name, subject) => taken.push(`${name} ${subject}`)).mine();
    await as(undefined, (name, subject) => taken.push(`${name} ${subject}`)).open();
    const everybody = "read all of 2001:db8:1:2::/64";
    expect(taken).toEqual([everybody, `read ${one.userId}`, everybody, "read 2001:db8:1:2::/64"]);
    const limited = as(one, () => {
      throw new PerchError("rate_limited", "Too often.", { retryAfterMs: 7 });
    });
    expect(await codeOf(limited.mine())).toBe("rate_limited");
  });

  it("logs what is unexpected without what is private, and nothing that is expected", async () => {
    await codeOf(as(undefined).refusing());
    expect(lines).toEqual([]);
    await codeOf(as(undefined).broken());
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({ requestId: "request-1", procedure: "broken", level: "error" });
    expect(lines[0]).not.toContain("anna");
  });
  it("knows the meta of each", () => {
    const metas = Object.values(procedures._def.procedures).map(
      (one) => (one._def as { meta?: ProcedureMeta }).meta?.auth,
    );
    expect(metas).toEqual(["public", "person", "team", "team", "team", "public", "public"]);
  });
});

describe("errors over HTTP", () => {
  let server: TestServer;
  let person: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    person = await signIn(server);
  });
  afterAll(() => server.dispose());

  it("counts every call of a batch, whatever address the caller claims", async () => {
    const batch = async (path: string, calls: number, headers: Record<string, string>) => {
      const paths = Array<string>(calls).fill(path).join(",");
      const input = Object.fromEntries(Array.from({ length: calls }, (_, n) => [n, {}]));
      const isQuery = path === "account.me";
      const query = isQuery ? `&input=${encodeURIComponent(JSON.stringify(input))}` : "";
      const response = await fetch(`${server.url}/trpc/${paths}?batch=1${query}`, {
        method: isQuery ? "GET" : "POST",
        headers: { "content-type": "application/json", ...headers },
        ...(!isQuery && { body: JSON.stringify(input) }),
      });
      const answers = (await response.json()) as { error?: { data: { perch: { code: string } } } }[];
      return answers.filter(({ error }) => error?.data.perch.code === "rate_limited").length;
    };
    const someone = await signIn(server);
    let refused = 0;
    for (let n = 0; n < 11; n += 1)
      refused += await batch("account.me", 20, { authorization: `Bearer ${someone.token}` });
    expect(refused).toBe(220 - LIMITS.read.burst);
    let strangers = 0;
    for (let n = 0; n < 4; n += 1) {
      strangers += await batch("account.exchange", 20, { "x-forwarded-for": `198.51.100.${n}` });
    }
    expect(strangers).toBe(80 - LIMITS.write.burst);
    server.clock.advance(60_000);
  });
  const raw = (path: string, body: string) =>
    fetch(`${server.url}/trpc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${person.token}` },
      body,
    });

  it("name the field that is wrong", async () => {
    const answer = await call(
      server,
      "mutation",
      "phones.launch",
      { idempotencyKey: "a-long-key", name: "", url: "ftp://x" },
      person.token,
    );
    expect(answer).toMatchObject({
      ok: false,
      status: 400,
      error: {
        code: "bad_input",
        fields: { name: "Give the phone a name.", url: expect.stringContaining("not an address") },
      },
    });
  });
  it("show nothing of what went wrong inside, and the id under which it was logged", async () => {
    const { phones } = server;
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "inside-key" }, person.token);
    if (!launched.ok) throw new Error(launched.error.message);
    phones.screenshot = () => Promise.reject(new Error("secret /srv/path of anna@x.example"));
    const { id } = launched.data as { id: string };
    const response = await raw("phones.screenshot", JSON.stringify({ phoneId: id }));
    const text = await response.text();
    expect(response.status).toBe(500);
    for (const secret of ["secret", "/srv", "anna", "stack", ".ts:"]) expect(text).not.toContain(secret);
    const requestId = response.headers.get("x-request-id") ?? "none";
    expect(text).toContain(requestId);
    expect(server.lines.find((line) => line.includes(requestId))).toContain("phones.screenshot");
  });
  it.each([
    ["phones.launch", "{not json", 400],
    ["phones.launch", "null", 400],
    ["phones.launch", "[]", 400],
    ["phones.launch", '"text"', 400],
    ["phones.list", "{}", 400],
    ["nothing.here", "{}", 404],
    ["phones.launch?batch=1", "[]", 400],
  ])("answer a call to %s with %s by %i and words", async (path, body, status) => {
    const response = await raw(path, body);
    const text = await response.text();
    expect(text).not.toMatch(/stack|node_modules|\.ts:/);
    expect([path, response.status]).toEqual([path, status]);
    expect(text).toMatch(/"requestId":"[0-9A-Z]{5}-[0-9A-Z]{5}"/);
  });
  it("end an event stream within a second of signing out", async () => {
    const leaver = await signIn(server);
    const response = await fetch(`${server.url}/trpc/phones.events`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${leaver.token}` },
    });
    if (response.body === null) throw new Error("No stream.");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    const started = performance.now();
    await call(server, "mutation", "account.signOut", undefined, leaver.token);
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).toContain("session_ended");
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
