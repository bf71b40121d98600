/** The HTTP application: guards, tRPC, files and pages on one Hono app. Order matters: who may talk comes first. */
import type { HttpBindings } from "@hono/node-server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { RUN_REPORTS } from "../shared/automation-model.ts";
import { phoneId, runId, suiteId } from "../shared/ids.ts";
import { IMPORT_PATH, importMode } from "../shared/privacy.ts";
import { folderPath } from "../shared/workspaces.ts";
import type { Sessions } from "./accounts/sessions.service.ts";
import type { AppRouter } from "./app.router.ts";
import type { RunsService } from "./automations/runs.service.ts";
import type { SuitesService } from "./automations/suites.service.ts";
import type { WorkspacesService } from "./automations/workspaces.service.ts";
import type { RequestContext } from "./base.router.ts";
import { MAX_EVENT_BYTES, STRIPE_WEBHOOK_PATH, type StripeWebhook } from "./billing/stripe/webhook.ts";
import type { Clock } from "./clock.ts";
import { INTERNAL_MESSAGE, PerchError } from "./errors.ts";
import { BLOBS_PATH } from "./files/signed-links.ts";
import type { UploadsService } from "./files/uploads.service.ts";
import { createHealthRoutes, type HealthRoutesOptions } from "./health/health-routes.ts";
import { addBlobRoutes, type BlobRoutes } from "./http/blob-routes.ts";
import {
  callsOnly,
  clientAddress,
  type Doors,
  errorAnswer,
  extensionCors,
  formDoor,
  hostGuard,
  jsonOnly,
} from "./http/guards.ts";
import { asDownload, formOnly, importForm, importScope, sendExport } from "./http/moving-data.ts";
import { createReferences } from "./http/reference.ts";
import type { Refusals } from "./http/refusals.ts";
import type { RequestInfo } from "./http/request-info.ts";
import { securityHeaders } from "./http/security-headers.ts";
import type { TrustedProxies } from "./http/trusted-proxies.ts";
import { addUploadRoutes, type Caller, isUploadPiece } from "./http/upload-routes.ts";
import { networkOf, type RateLimiter } from "./limits/rate-limiter.ts";
import { errorFields, type Log } from "./log.ts";
import { endpointClass, type HookSource, type Meters } from "./metrics/meters.ts";
import { createObserveCall } from "./metrics/observe-call.ts";
import type { PeerRequests } from "./nodes/caller.ts";
import type { Forwarding } from "./nodes/forward.ts";
import { GEELARK_WEBHOOK_PATH, type GeelarkWebhook, MAX_HINT_BYTES } from "./phones/drivers/geelark/webhook.ts";
import type { PhonesService } from "./phones/phones.service.ts";
import { DATA_IMPORT_PATH, type ExportArchives } from "./privacy/export/exports.service.ts";
import type { DataImports } from "./privacy/export/import/import.service.ts";
import { MAX_ARCHIVE_BYTES } from "./privacy/export/import/import-archive.ts";
import { type AccessChanges, concerns } from "./teams/access-changes.ts";
import { type Actor, secondFactorRefusal, standingRefusal, teamScope } from "./teams/team-scope.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { troubleInWords } from "./trouble.ts";
import type { WebhooksService } from "./webhooks/webhooks.service.ts";

export type AppEnv = {
  Bindings: HttpBindings;
  /** `fromNode`: it came through the door of the nodes. */
  Variables: { request: RequestInfo; fromNode: boolean };
};

/** Largest call or form, in bytes. */
const MAX_BODY_BYTES = 512 * 1024;
const MAX_HOOK_BYTES = 64 * 1024;
/** Calls that carry files, in base64. */
const BODY_BYTES: Readonly<Record<string, number>> = {
  "/trpc/runs.start": 12 * 1024 * 1024,
  "/trpc/workspaces.saveFile": 6 * 1024 * 1024,
  "/trpc/workspaces.preview": 24 * 1024 * 1024,
  "/trpc/workspaces.import": 24 * 1024 * 1024,
  // A form around the archive itself.
  [IMPORT_PATH]: MAX_ARCHIVE_BYTES + MAX_BODY_BYTES,
  [DATA_IMPORT_PATH]: MAX_ARCHIVE_BYTES + MAX_BODY_BYTES,
};
const MAX_BATCH = 20;
/** Queries that take a flow, which is longer than an address may be. */
const BY_POST: ReadonlySet<string> = new Set(["/trpc/flows.validate", "/trpc/flows.matches"]);

export interface AppOptions {
  readonly router: AppRouter;
  readonly doors: Doors;
  readonly sessions: Pick<Sessions, "find" | "onEnded">;
  readonly accessChanges: Pick<AccessChanges, "onChanged">;
  readonly phones: PhonesService;
  readonly uploads: Pick<UploadsService, "offset" | "receive">;
  readonly runs: Pick<RunsService, "artifact" | "report">;
  readonly webhooks: Pick<WebhooksService, "receive">;
  readonly workspaces: Pick<WorkspacesService, "exportZip">;
  readonly suites: Pick<SuitesService, "junit">;
  /** Takes what Stripe sends; `undefined` where the server sends no bills. */
  readonly stripeWebhook: Pick<StripeWebhook, "receive"> | undefined;
  /** Takes what the cloud-phone partner sends; `undefined` where there is none. */
  readonly partnerWebhook: GeelarkWebhook | undefined;
  /** Stored files by signed address. */
  readonly files: BlobRoutes;
  readonly copies: Pick<ExportArchives, "redeem">;
  readonly imports: DataImports;
  readonly pages: Hono<AppEnv>;
  readonly clock: Clock;
  readonly log: Log;
  readonly refusals: Refusals;
  readonly limiter: RateLimiter;
  readonly trustedProxies: TrustedProxies;
  /** Sends on what is about phones of other nodes. */
  readonly forwarding: Forwarding;
  /** This node serves other nodes; everybody else only hears how it is. */
  readonly onlyNodes: boolean;
  /** Requests that came from other nodes, and for whom. */
  readonly peerRequests: Pick<PeerRequests, "of">;
  readonly health: HealthRoutesOptions;
  readonly meters: Meters;
  readonly tracing: Tracing;
}

export function createApp(options: AppOptions): Hono<AppEnv> {
  const { doors, log, refusals, meters, tracing } = options;
  const observed = createObserveCall({ meters, tracing });
  const nextReference = createReferences();
  const app = new Hono<AppEnv>();
  const onEvery = securityHeaders(doors.ownOrigin.startsWith("https:"));
  const credentialOf = async (header: string | undefined, request: RequestInfo) => {
    const token = /^Bearer ([\w-]{20,200})$/.exec(header ?? "")?.[1];
    return token === undefined ? undefined : options.sessions.find(token, request);
  };

  app.use(async (c, next) => {
    const passedOn = options.peerRequests.of(c.env.incoming);
    c.set("fromNode", passedOn !== undefined);
    const request: RequestInfo = passedOn ?? {
      requestId: nextReference(),
      ip: clientAddress(c.env.incoming, options.trustedProxies),
      userAgent: (c.req.header("user-agent") ?? "").slice(0, 512),
    };
    c.set("request", request);
    const since = performance.now();
    await tracing.span(`${c.req.method} request`, "server", { "http.request.method": c.req.method }, async (span) => {
      await next();
      const kind = endpointClass(c.req.path, c.res.headers.get("content-type"));
      meters.answered(kind, c.res.status, (performance.now() - since) / 1000);
      span.set({
        ...{ "http.route": kind, "http.response.status_code": c.res.status },
        "perch.request_id": request.requestId,
      });
      if (c.res.status >= 500) span.failed();
    });
    // Set on the answer itself: `c.header` builds the whole answer anew for every line, a third of a call's cost.
    const { headers } = c.res;
    headers.set("X-Request-Id", request.requestId);
    // Pages and files choose some for themselves.
    for (const [name, value] of onEvery) if (!headers.has(name)) headers.set(name, value);
  });
  app.onError((thrown, c) => {
    const { requestId } = c.get("request");
    const error = troubleInWords(thrown);
    if (error instanceof PerchError) {
      refusals.note({ requestId, code: error.code, cause: error.cause });
      return errorAnswer(c, error, requestId);
    }
    log.error("A request failed unexpectedly", { requestId, method: c.req.method, ...errorFields(error) });
    return errorAnswer(c, new PerchError("internal", INTERNAL_MESSAGE), requestId);
  });
  const judgeHost = hostGuard(doors);
  // Another node has judged the name the caller came by.
  app.use((c, next) => (c.get("fromNode") ? next() : judgeHost(c, next)));
  const OPEN_TO_ALL = new Set(["/healthz", "/readyz", "/metrics"]);
  app.use((c, next) => {
    if (options.onlyNodes && !c.get("fromNode") && !OPEN_TO_ALL.has(c.req.path)) {
      throw new PerchError("misdirected", "This machine runs phones. Ask a node of this server that serves people.");
    }
    return next();
  });
  const limitBody = (maxSize: number, refusal = new PerchError("too_large", "This is larger than the server takes.")) =>
    bodyLimit({
      maxSize,
      onError: () => {
        throw refusal;
      },
    });
  const limitCall = limitBody(MAX_BODY_BYTES);
  for (const [path, maxSize] of Object.entries(BODY_BYTES)) app.post(path, limitBody(maxSize));
  const noEvent = new PerchError("bad_input", "This is larger than an event of Stripe.");
  app.post(STRIPE_WEBHOOK_PATH, limitBody(MAX_EVENT_BYTES, noEvent));
  app.post(GEELARK_WEBHOOK_PATH, limitBody(MAX_HINT_BYTES));
  // A GET has no body that anything could read; looking for one costs a whole `Request`.
  const limited = new Set([...Object.keys(BODY_BYTES), STRIPE_WEBHOOK_PATH, GEELARK_WEBHOOK_PATH]);
  app.use((c, next) => {
    const bounded = c.req.method === "GET" || limited.has(c.req.path) || isUploadPiece(c.req.method, c.req.path);
    return bounded ? next() : limitCall(c, next);
  });

  const called = ["/trpc/*", "/files/*", "/runs/*", "/suites/*", "/workspaces/*", IMPORT_PATH];
  for (const path of ["/healthz", "/readyz", "/version", ...called]) app.use(path, extensionCors(doors));
  app.use("/exports/*", formDoor(doors));
  app.route("/", createHealthRoutes(options.health));
  for (const path of called) app.use(path, callsOnly);
  app.use("/trpc/*", jsonOnly);
  const callHere = (c: Context<AppEnv>, asked: Request) =>
    fetchRequestHandler({
      endpoint: "/trpc",
      req: asked,
      router: options.router,
      maxBatchSize: MAX_BATCH,
      allowMethodOverride: BY_POST.has(c.req.path),
      onError({ error: { cause }, path, ctx }) {
        if (!(cause instanceof PerchError) || ctx === undefined) return;
        refusals.note({
          ...{ requestId: ctx.requestId, code: cause.code, cause: cause.cause },
          ...(path !== undefined && { procedure: path }),
        });
      },
      createContext: (): RequestContext => {
        const request = c.get("request");
        const { clock, limiter } = options;
        return {
          ...request,
          clock,
          log,
          limiter,
          observed,
          credential: once(() => credentialOf(c.req.header("authorization"), request)),
          whileSignedIn: (actor, signal) => whileSignedIn(options, actor, signal),
        };
      },
    });
  app.all("/trpc/*", (c) => options.forwarding.call(c, (asked) => callHere(c, asked)));
  app.use("/files/phones/:phone/*", async (c, next) => {
    const id = phoneId.safeParse(c.req.param("phone"));
    const theirs = id.success && (await options.forwarding.request(c, (where) => where.ofPhone(id.data)));
    return theirs || next();
  });
  // In a bucket, files have other addresses and are everywhere.
  for (const place of ["/runs/:run/*", `${BLOBS_PATH}/runs/:run/*`] as const) {
    app.use(place, async (c, next) => {
      const id = runId.safeParse(c.req.param("run"));
      const theirs = id.success && (await options.forwarding.request(c, (where) => where.ofRun(id.data)));
      return theirs || next();
    });
  }
  /** The caller's team, or a refusal: for files, which are read with the same tokens as calls are made with. */
  const caller: Caller = async (c, permission, refusal, limit) => {
    const actor = await credentialOf(c.req.header("authorization"), c.get("request"));
    if (actor === undefined || actor === "ended") throw new PerchError("unauthenticated", "Sign in first.");
    if (actor.lacksSecondFactor) throw secondFactorRefusal();
    if (actor.standing !== "active") throw standingRefusal(actor.standing);
    const scope = actor.scopes.includes(permission) ? teamScope(actor, permission) : undefined;
    if (scope === undefined) throw new PerchError("forbidden", refusal);
    await options.limiter.take(limit, actor.userId);
    return scope;
  };
  const reader = (c: Context<AppEnv>, refusal: string) => caller(c, "phones:view", refusal, "write");
  addUploadRoutes(app, { caller, uploads: options.uploads });
  addBlobRoutes(app, { ...options.files, limiter: options.limiter });
  app.get("/files/phones/:phone/:name", async (c) => {
    const scope = await reader(c, "You may not read this phone's files.");
    const id = phoneId.safeParse(c.req.param("phone"));
    if (!id.success) throw new PerchError("not_found", "There is no such phone in this team.");
    const name = c.req.param("name");
    asDownload(c, "application/octet-stream", name);
    return c.body(await options.phones.readFile(scope, id.data, name));
  });
  app.get("/runs/:run/artifacts/:name", async (c) => {
    const scope = await reader(c, "You may not read this run.");
    const name = c.req.param("name");
    const { bytes, mimeType } = await options.runs.artifact(scope, runOf(c.req.param("run")), name);
    asDownload(c, mimeType, name);
    return c.body(new Uint8Array(bytes));
  });
  app.get("/runs/:run/:report", async (c) => {
    const scope = await reader(c, "You may not read this run.");
    const kind = RUN_REPORTS.find((known) => known === c.req.param("report"));
    if (kind === undefined) throw new PerchError("not_found", `A run has these reports: ${RUN_REPORTS.join(", ")}.`);
    const { body, mimeType } = await options.runs.report(scope, runOf(c.req.param("run")), kind);
    asDownload(c, mimeType, kind);
    return c.body(body);
  });
  app.get("/suites/:suite/junit.xml", async (c) => {
    const scope = await reader(c, "You may not read this suite.");
    const id = suiteId.safeParse(c.req.param("suite"));
    if (!id.success) throw new PerchError("not_found", "There is no such suite in this team.");
    asDownload(c, "application/xml; charset=utf-8", "junit.xml");
    return c.body(await options.suites.junit(scope, id.data));
  });
  app.get("/workspaces/export.zip", async (c) => {
    const scope = await reader(c, "You may not read this team's files.");
    const folder = folderPath.safeParse(c.req.query("path") ?? "");
    if (!folder.success) throw new PerchError("bad_input", "This is no folder. Give its path, like `shop/checkout`.");
    const { name, bytes } = await options.workspaces.exportZip(scope, folder.data);
    asDownload(c, "application/zip", name);
    return c.body(new Uint8Array(bytes));
  });

  app.post(IMPORT_PATH, async (c) => {
    const actor = await credentialOf(c.req.header("authorization"), c.get("request"));
    const scope = importScope(actor === "ended" ? undefined : actor);
    await options.limiter.take("write", scope.userId);
    const mode = importMode.safeParse(c.req.query("mode"));
    if (!mode.success) throw new PerchError("bad_input", "Say what to do: mode=preview, or mode=apply.");
    return c.json(await importForm(c, options.imports, scope, mode.data));
  });
  // A form of the extension's page or of ours: the ticket in the address is what counts, once, for a minute.
  app.post("/exports/:ticket", formOnly, async (c) => {
    await options.limiter.take("write", networkOf(c.get("request").ip));
    return sendExport(c, options.copies, c.req.param("ticket"));
  });

  /** Whether what was sent to us was taken, for the figures. */
  const taking = async <T>(source: HookSource, work: () => Promise<T>): Promise<T> => {
    let taken = false;
    try {
      const answer = await work();
      taken = true;
      return answer;
    } finally {
      meters.hook(source, taken);
    }
  };
  app.post("/hooks/:id", jsonOnly, async (c) => {
    await options.limiter.take("write", networkOf(c.get("request").ip));
    const body = new Uint8Array(await c.req.arrayBuffer());
    if (body.length > MAX_HOOK_BYTES) throw new PerchError("too_large", "A webhook takes at most 64 KB.");
    const answer = await taking("rules", () =>
      options.webhooks.receive({
        id: c.req.param("id"),
        timestamp: c.req.header("x-perch-timestamp") ?? "",
        signature: c.req.header("x-perch-signature") ?? "",
        body,
        idempotencyKey: c.req.header("idempotency-key"),
      }),
    );
    return c.json(answer, 202);
  });

  // Before any parser: what Stripe signed are these bytes.
  app.post(STRIPE_WEBHOOK_PATH, async (c) => {
    const { stripeWebhook } = options;
    if (stripeWebhook === undefined) throw new PerchError("not_found", "This server sends no bills.");
    const body = new Uint8Array(await c.req.arrayBuffer());
    await taking("stripe", () => stripeWebhook.receive({ body, signature: c.req.header("stripe-signature") }));
    return c.json({ received: true });
  });

  // Without a signature it is refused before anything is read of it.
  app.post(GEELARK_WEBHOOK_PATH, async (c) => {
    const { partnerWebhook } = options;
    if (partnerWebhook === undefined) throw new PerchError("not_found", "This server has no such partner.");
    await options.limiter.take("write", networkOf(c.get("request").ip));
    const body = new Uint8Array(await c.req.arrayBuffer());
    await taking("geelark", () => partnerWebhook.receive({ body, header: (name) => c.req.header(name) }));
    return c.json({ received: true });
  });

  app.route("/", options.pages);
  return app;
}

function runOf(text: string) {
  const id = runId.safeParse(text);
  if (!id.success) throw new PerchError("not_found", "There is no such run in this team.");
  return id.data;
}

/** Aborts with the signal, when the actor's session ends, and when what they may do in their team changes. */
function whileSignedIn(
  { sessions, accessChanges }: Pick<AppOptions, "sessions" | "accessChanges">,
  actor: Actor,
  signal: AbortSignal,
): AbortSignal {
  const ended = new AbortController();
  const stops = [
    sessions.onEnded((id) => {
      if (id === actor.credential.id) ended.abort();
    }),
    accessChanges.onChanged((change) => {
      if (concerns(change, actor)) ended.abort();
    }),
  ];
  const either = AbortSignal.any([signal, ended.signal]);
  const stop = () => {
    for (const one of stops) one();
  };
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
