/** What a call must be before anything of it runs: every procedure of the router, over HTTP, with services that only count. */
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { SCOPES } from "../../shared/access.ts";
import { newId } from "../../shared/ids.ts";
import { type AppRouter, createAppRouter, type RouterServices } from "../app.router.ts";
import { type AppEnv, type AppOptions, createApp } from "../app.ts";
import { describeProcedures } from "../authz.ts";
import { ManualClock } from "../clock.ts";
import { silentLog } from "../log.ts";
import { createMeters } from "../metrics/meters.ts";
import { ONE_NODE } from "../nodes/testing/alone.ts";
import type { Actor } from "../teams/team-scope.ts";
import { untraced } from "../tracing/tracing.ts";
import { createDoors } from "./guards.ts";

const URL_ = new URL("http://localhost:8787");
const clock = new ManualClock();
/** Everything a person can be allowed: what is refused below is not refused for lack of a right. */
const owner: Actor = {
  credential: { kind: "session", id: newId("session"), web: false },
  userId: newId("user"),
  teamId: newId("team"),
  role: "owner",
  scopes: [...SCOPES],
  authenticatedAt: new Date(clock.now()),
  method: "password",
  lacksSecondFactor: false,
  standing: "active",
  expiresAt: new Date(clock.now() + 86_400_000),
};

/** Calls of services, with what they were given. */
let called: { readonly name: string; readonly given: string }[] = [];
beforeEach(() => {
  called = [];
});

/** Any service: every property is one more, and calling it is counted and answers nothing of note. */
function counting<T>(name: string): T {
  const call = (...given: unknown[]) => {
    called.push({ name, given: JSON.stringify(given, (_key, value) => (value === owner ? "owner" : value)) ?? "" });
    return Promise.resolve({});
  };
  return new Proxy(call, {
    get: (_target, key) => (typeof key === "symbol" || key === "then" ? undefined : counting(`${name}.${key}`)),
  }) as T;
}

const router = createAppRouter(counting<RouterServices>("services"));
const app = createApp({
  ...counting<AppOptions>("app"),
  router,
  doors: createDoors({ publicUrl: URL_, port: 8787, extensionIds: [] }),
  sessions: { find: async () => owner, onEnded: () => () => {} },
  limiter: { take: async () => {}, takeOfNetwork() {} },
  refusals: { note() {} },
  clock,
  log: silentLog,
  trustedProxies: [],
  meters: createMeters(),
  tracing: untraced,
  pages: new Hono<AppEnv>(),
  ...ONE_NODE,
});

function send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const incoming = new IncomingMessage(new Socket());
  const headers = { host: URL_.host, authorization: `Bearer cp_${"x".repeat(43)}`, ...init.headers };
  return app.request(`${URL_.origin}/trpc/${path}`, { ...init, headers }, { incoming });
}
const json = (path: string, body: unknown) =>
  send(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

const procedures = describeProcedures();
const mutations = procedures.filter(({ type }) => type === "mutation").map(({ path }) => path);

/** Every type a form, a beacon, a script without a preflight, or a confused program could send. */
const CONTENT_TYPES = [
  ...["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/plain;charset=UTF-8"],
  ...["text/plain; application/json", "application/octet-stream", "application/xml", "text/html", "text/json", ""],
  ...["application/jsonp", "application/json5", "application/csp-report", "application/reports+json", "image/png"],
  ...["application/ld+json", "application/vnd.api+json", "application/json-patch+json", "x/application/json"],
];

describe("a call that changes something", () => {
  it("is known here: there are many", () => expect(mutations.length).toBeGreaterThan(50));

  it.each(mutations)("ABUSE-13 %s runs for JSON alone, whatever else a page can send", async (path) => {
    for (const type of CONTENT_TYPES) {
      const answer = await send(path, { method: "POST", headers: { "content-type": type }, body: "{}" });
      expect([type, answer.status]).toEqual([type, 415]);
    }
    const bare = await send(path, { method: "POST", body: new Blob(["{}"]) });
    expect(bare.status).toBe(415);
    for (const type of CONTENT_TYPES) {
      const batch = await send(`${path},account.me?batch=1`, {
        method: "POST",
        headers: { "content-type": type },
        body: "{}",
      });
      expect([type, batch.status]).toEqual([type, 415]);
    }
    expect(called).toEqual([]);
  });

  it.each(mutations)("ABUSE-13 %s does not run by GET, alone or in a batch, whatever it says it is", async (path) => {
    const input = encodeURIComponent("{}");
    for (const query of [`${path}?input=${input}`, `${path}?batch=1&input=${encodeURIComponent('{"0":{}}')}`]) {
      for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
        const headers = { "content-type": "application/json", "x-http-method-override": "POST" };
        const answer = await send(query, { method, headers });
        expect([method, answer.status]).toEqual([method, expect.toBeOneOf([400, 405, 415])]);
      }
    }
    expect(called).toEqual([]);
  });

  it("does run for JSON: these tests would see it", async () => {
    expect((await json("sessions.revokeOthers", {})).status).toBe(200);
    expect(called.map(({ name }) => name)).toEqual(["services.sessions.sessions.revokeOthers"]);
  });
});

describe("any call", () => {
  it("is one of at most 20 in a batch, and none of more runs", async () => {
    const batch = (count: number) => {
      const paths = Array.from({ length: count }, () => "sessions.revokeOthers").join(",");
      return json(`${paths}?batch=1`, Object.fromEntries(Array.from({ length: count }, (_, index) => [index, {}])));
    };
    expect((await batch(21)).status).toBe(400);
    expect(called).toEqual([]);
    await batch(20);
    expect(called).toHaveLength(20);
  });

  it.each(["no-cors", "navigate", "websocket", "nested-navigate"])(
    "is not what a browser fetches by itself for a page (%s)",
    async (mode) => {
      const answer = await send("account.me", { headers: { "sec-fetch-mode": mode, "sec-fetch-site": "cross-site" } });
      expect(answer.status).toBe(403);
      expect(called).toEqual([]);
    },
  );
  it.each(["cors", "same-origin"])("may be what a script fetches (%s)", async (mode) => {
    expect((await send("account.me", { headers: { "sec-fetch-mode": mode } })).status).toBe(200);
  });
});

/** Names that would matter if they were taken over unseen, and more of no meaning. */
const EXTRA = Object.fromEntries(
  [
    ...["role", "teamId", "userId", "credits", "isAdmin", "owner", "verified", "scopes", "permission", "auth"],
    ...["createdBy", "createdAt", "expiresAt", "deletedAt", "state", "driver_", "price", "plan_", "limit_", "stepUp"],
    ...["__proto", "constructor_", "prototype_", "$where", "sql", "audit", "hash", "tokenHash", "session", "extra"],
  ].map((name) => [name, "injected"]),
);

describe("the input of every procedure", () => {
  it("is thirty keys more than it may be", () => expect(Object.keys(EXTRA)).toHaveLength(30));

  it.each(procedures.map(({ path, type }) => [path, type] as const))(
    "ABUSE-24 %s takes none of thirty keys it does not know",
    async (path, type) => {
      const [schema] = inputsOf(router, path);
      const answer =
        type === "mutation"
          ? await json(path, EXTRA)
          : await send(`${path}?input=${encodeURIComponent(JSON.stringify(EXTRA))}`);
      // Without an input there is nothing that could read one.
      if (schema === undefined) {
        for (const { given } of called) expect(given).not.toContain("injected");
        await answer.body?.cancel();
        return;
      }
      expect(await answer.text()).toContain('"bad_input"');
      expect(called).toEqual([]);
      const unknown = unknownKeys(schema.safeParse(EXTRA).error?.issues ?? []);
      const declared = Object.keys(EXTRA).filter((key) => !unknown.includes(key));
      for (const key of declared) expect(keysOf(schema)).toContain(key);
      expect(unknown.length).toBeGreaterThan(20);
    },
  );

  it("ABUSE-24 knows every object in it whole, however deep", () => {
    const loose = procedures.flatMap(({ path }) =>
      inputsOf(router, path).flatMap((schema) => looseObjects(schema).map((where) => `${path}: ${where}`)),
    );
    expect(loose).toEqual([]);
    const hidden = z.strictObject({ a: z.optional(z.array(z.union([z.string(), z.object({ b: z.string() })]))) });
    expect(looseObjects(hidden as unknown as Schema)).toEqual(["b"]);
  });
});

interface Issue {
  readonly code: string;
  readonly keys?: readonly string[];
  /** Of a union: what each of its members says. */
  readonly errors?: readonly (readonly Issue[])[];
}
interface Schema {
  safeParse(value: unknown): { readonly error?: { readonly issues: readonly Issue[] } };
  readonly _zod: { readonly def: Readonly<Record<string, unknown>> & { readonly type: string } };
}

/** At run time tRPC keeps procedures flat, by path, each with its input's schemas; its types do not show them. */
function inputsOf(from: AppRouter, path: string): readonly Schema[] {
  const flat = from._def.procedures as unknown as Record<string, { _def: { inputs: readonly Schema[] } }>;
  return flat[path]?._def.inputs ?? [];
}

function unknownKeys(issues: readonly Issue[]): readonly string[] {
  return issues.flatMap(({ keys, errors }) => [...(keys ?? []), ...(errors ?? []).flatMap(unknownKeys)]);
}

function keysOf(schema: Schema): readonly string[] {
  return parts(schema).flatMap(({ _zod: { def } }) =>
    def.type === "object" ? Object.keys(def["shape"] as object) : [],
  );
}

/** The schema and all inside it. */
function parts(schema: Schema, seen = new Set<Schema>()): readonly Schema[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const inner: Schema[] = [];
  const look = (value: unknown): void => {
    if (isSchema(value)) inner.push(value);
    else if (Array.isArray(value)) value.forEach(look);
  };
  const { def } = schema._zod;
  Object.values(def).forEach(look);
  if (def.type === "object") Object.values(def["shape"] as object).forEach(look);
  if (def.type === "lazy") look((def["getter"] as () => unknown)());
  return [schema, ...inner.flatMap((one) => parts(one, seen))];
}

function looseObjects(schema: Schema): readonly string[] {
  return parts(schema).flatMap(({ _zod: { def } }) => {
    if (def.type !== "object") return [];
    const rest = def["catchall"];
    return isSchema(rest) && rest._zod.def.type === "never" ? [] : [Object.keys(def["shape"] as object).join(",")];
  });
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "_zod" in value;
}
