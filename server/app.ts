/** The HTTP application: guards, tRPC, files and pages on one Hono app. Order matters: who may talk comes first. */
import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { phoneId } from "../shared/ids.ts";
import { API_VERSION, type Health, PRODUCT_VERSION } from "../shared/version.ts";
import type { Sessions } from "./accounts/sessions.service.ts";
import type { AppRouter } from "./app.router.ts";
import type { RequestContext } from "./base.router.ts";
import type { Clock } from "./clock.ts";
import { INTERNAL_MESSAGE, PerchError } from "./errors.ts";
import { clientAddress, type Doors, errorAnswer, extensionCors, hostGuard, jsonOnly } from "./http/guards.ts";
import type { RequestInfo } from "./http/request-info.ts";
import type { RateLimiter } from "./limits/rate-limiter.ts";
import { errorFields, type Log } from "./log.ts";
import type { PhonesService } from "./phones/phones.service.ts";
import { type Actor, teamScope } from "./teams/team-scope.ts";

export type AppEnv = { Bindings: HttpBindings; Variables: { request: RequestInfo } };

/** Largest call or form, in bytes. */
const MAX_BODY_BYTES = 512 * 1024;
const MAX_BATCH = 20;

export interface AppOptions {
  readonly router: AppRouter;
  readonly doors: Doors;
  readonly sessions: Pick<Sessions, "find" | "onEnded">;
  readonly phones: PhonesService;
  readonly pages: Hono<AppEnv>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limiter: RateLimiter;
  readonly trustedProxies: readonly string[];
  /** Undefined when ready, else a sentence why not. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => Promise<string>;
}

export function createApp(options: AppOptions): Hono<AppEnv> {
  const { doors, log } = options;
  const app = new Hono<AppEnv>();
  const credentialOf = async (header: string | undefined, request: RequestInfo) => {
    const token = /^Bearer ([\w-]{20,200})$/.exec(header ?? "")?.[1];
    return token === undefined ? undefined : options.sessions.find(token, request);
  };

  app.use(async (c, next) => {
    const request: RequestInfo = {
      requestId: randomUUID(),
      ip: clientAddress(c.env.incoming, options.trustedProxies),
      userAgent: (c.req.header("user-agent") ?? "").slice(0, 512),
    };
    c.set("request", request);
    await next();
    // Set on the answer itself: `c.header` builds the whole answer anew for every line, a third of a call's cost.
    const { headers } = c.res;
    headers.set("X-Request-Id", request.requestId);
    headers.set("X-Content-Type-Options", "nosniff");
    // Pages with forms choose for themselves: with no-referrer a browser sends `Origin: null` with them.
    if (!headers.has("Referrer-Policy")) headers.set("Referrer-Policy", "no-referrer");
    headers.set("X-Frame-Options", "DENY");
  });
  app.onError((error, c) => {
    const { requestId } = c.get("request");
    if (error instanceof PerchError) return errorAnswer(c, error, requestId);
    log.error("A request failed unexpectedly", { requestId, method: c.req.method, ...errorFields(error) });
    return errorAnswer(c, new PerchError("internal", INTERNAL_MESSAGE), requestId);
  });
  app.use(hostGuard(doors));
  const limitBody = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new PerchError("too_large", "This is larger than the server takes.");
    },
  });
  // A GET has no body that anything could read; looking for one costs a whole `Request`.
  app.use((c, next) => (c.req.method === "GET" ? next() : limitBody(c, next)));

  for (const path of ["/healthz", "/readyz", "/trpc/*", "/files/*"]) {
    app.use(path, extensionCors(doors), async (c, next) => {
      await next();
      c.res.headers.set("Cache-Control", "no-store");
    });
  }
  app.get("/healthz", (c) =>
    c.json({ product: "perch", apiVersion: API_VERSION, version: PRODUCT_VERSION } satisfies Health),
  );
  app.get("/readyz", (c) => {
    const reason = options.notReady();
    return reason === undefined ? c.json({ ready: true }) : c.json({ ready: false, reason }, 503);
  });
  app.use("/trpc/*", jsonOnly);
  app.all("/trpc/*", (c) =>
    fetchRequestHandler({
      endpoint: "/trpc",
      req: c.req.raw,
      router: options.router,
      maxBatchSize: MAX_BATCH,
      createContext: (): RequestContext => {
        const request = c.get("request");
        const { clock, limiter } = options;
        return {
          ...request,
          clock,
          log,
          limiter,
          credential: once(() => credentialOf(c.req.header("authorization"), request)),
          whileSignedIn: (actor, signal) => whileSignedIn(options.sessions, actor, signal),
        };
      },
    }),
  );
  app.get("/files/phones/:phone/:name", async (c) => {
    const actor = await credentialOf(c.req.header("authorization"), c.get("request"));
    if (actor === undefined || actor === "ended") throw new PerchError("unauthenticated", "Sign in first.");
    const scope = actor.scopes.includes("phones:view") ? teamScope(actor, "phones:view") : undefined;
    if (scope === undefined) throw new PerchError("forbidden", "You may not read this phone's files.");
    await options.limiter.take("write", actor.userId);
    const id = phoneId.safeParse(c.req.param("phone"));
    if (!id.success) throw new PerchError("not_found", "There is no such phone in this team.");
    const name = c.req.param("name");
    c.header("Content-Type", "application/octet-stream");
    c.header("Content-Disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", "%27")}`);
    c.header("Content-Security-Policy", "sandbox");
    return c.body(await options.phones.readFile(scope, id.data, name));
  });

  app.get("/metrics", async (c) => {
    const loopback = ["127.0.0.1", "::1"].includes(c.get("request").ip);
    if (!loopback) throw new PerchError("forbidden", "Metrics are read on the machine itself.");
    return c.text(await options.metrics());
  });
  app.route("/", options.pages);
  return app;
}

function whileSignedIn(sessions: Pick<Sessions, "onEnded">, actor: Actor, signal: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const stop = sessions.onEnded((id) => {
    if (id === actor.credential.id) ended.abort();
  });
  const either = AbortSignal.any([signal, ended.signal]);
  either.addEventListener("abort", stop, { once: true });
  return either;
}

/** Calls the function at most once. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
