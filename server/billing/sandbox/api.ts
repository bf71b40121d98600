/** Stripe's API over the sandbox's objects: who may call, what is replayed, what is committed, what a fault does to it. */
import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import type { Handler, Routes } from "./calls.ts";
import { invalid, SandboxError, unknownUrl } from "./errors.ts";
import { expanded } from "./expand.ts";
import type { Faults } from "./faults.ts";
import { type Params, parseForm } from "./form.ts";
import { object, read } from "./params.ts";
import { API_VERSION } from "./sdk.ts";
import type { RequestMark, View } from "./view.ts";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** As they came, all texts. */
  readonly params: Params;
}

export interface ApiOptions {
  readonly key: string;
  readonly pages: string;
  readonly routes: Routes;
  readonly faults: Faults;
  readonly requestId: () => string;
  /** Called before anything is done with it. */
  readonly onRequest: ((request: ApiRequest) => void) | undefined;
  /** Runs alone, on a view of its own; what it changed is committed when it resolves. */
  alone<T>(mark: RequestMark, work: (view: View) => Promise<T>): Promise<T>;
  readonly failed: (error: unknown) => void;
}

/** What stands for an answer that was lost on its way: the call took effect, the client hears nothing. */
export class LostAnswer extends Error {
  constructor() {
    super("The connection was closed before the answer arrived.");
  }
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Remembered extends Answer {
  readonly request: string;
  readonly at: number;
}
const REMEMBERED_FOR = 24 * 3_600;

export function createApi(options: ApiOptions): (url: string, init?: RequestInit) => Promise<Response> {
  const app = new Hono();
  const respond = (requestId: string, { status, body, headers = {} }: Answer) =>
    new Response(JSON.stringify(body), {
      status,
      headers: {
        "Content-Type": "application/json",
        "Request-Id": requestId,
        "Stripe-Version": API_VERSION,
        "Stripe-Should-Retry": status >= 500 ? "true" : "false",
        ...headers,
      },
    });
  const failure = (requestId: string, error: unknown): Answer => {
    if (error instanceof SandboxError) {
      const { status, body } = error;
      return { status, body: { error: { ...body, request_log_url: `${options.pages}#${requestId}` } } };
    }
    options.failed(error);
    return { status: 500, body: { error: { type: "api_error", message: "The billing sandbox failed unexpectedly." } } };
  };

  async function handle(c: Context, handler: Handler): Promise<Response> {
    const requestId = options.requestId();
    const { method, path } = c.req;
    try {
      admit(c, options.key);
      const params = await paramsOf(c);
      options.onRequest?.({ method, path, params });
      options.faults.beforeCall(method, path);
      const key = c.req.header("idempotency-key") ?? null;
      if (key !== null && key.length > 255) throw invalid("Idempotency keys are at most 255 characters long.");
      const answer = await options.alone({ id: requestId, idempotencyKey: key }, async (view) => {
        const run = () => perform(c, handler, view, params, requestId);
        return key === null || method === "GET" ? run() : once(view, key, method, path, params, run);
      });
      options.faults.afterCall(method, path);
      const headers = { ...answer.headers, ...(key !== null && { "Idempotency-Key": key }) };
      return respond(requestId, { ...answer, headers });
    } catch (error) {
      if (error instanceof LostAnswer) throw error;
      return respond(requestId, failure(requestId, error));
    }
  }

  /** Runs the handler on a fork, so that an error leaves nothing but what it keeps. */
  async function perform(c: Context, handler: Handler, view: View, params: Params, requestId: string) {
    const fork = view.fork();
    const { expand, ...rest } = params;
    let isRead = false;
    const call = {
      view: fork,
      get params() {
        isRead = true;
        return rest;
      },
      pages: options.pages,
      path: (name: string) => c.req.param(name) ?? "",
    };
    try {
      const answer: object = await handler(call);
      // A route that looks at no parameters takes none.
      if (!isRead) read(object({}), rest);
      const paths = Array.isArray(expand) ? expand.filter((one) => typeof one === "string") : [];
      const body = await expanded(fork, answer, paths);
      view.adopt(fork);
      return { status: 200, body, ran: true };
    } catch (error) {
      if (error instanceof SandboxError && error.effect === "kept") view.adopt(fork);
      return { ...failure(requestId, error), ran: !(error instanceof SandboxError && error.effect === "unread") };
    }
  }

  for (const [route, handler] of Object.entries(options.routes)) {
    const [method = "", path = ""] = route.split(" ");
    app.on(method, path, (c) => handle(c, handler));
  }
  app.all("*", (c) => handle(c, () => Promise.reject(unknownUrl(c.req.method, c.req.path))));
  app.onError((error) => {
    throw error;
  });
  return async (url, init) => app.request(url, init);
}

function admit(c: Context, key: string): void {
  const given = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  if (digest(given) !== digest(key)) {
    const shown = given === "" ? "(none)" : `${given.slice(0, 8)}****`;
    throw new SandboxError(
      401,
      { type: "invalid_request_error", message: `Invalid API Key provided: ${shown}` },
      "unread",
    );
  }
  const version = c.req.header("stripe-version");
  if (version !== API_VERSION) {
    throw invalid(`Invalid Stripe API version: ${version ?? "(none)"}. The billing sandbox speaks ${API_VERSION}.`);
  }
}

async function paramsOf(c: Context): Promise<Params> {
  const query = parseForm(new URL(c.req.url).search.slice(1));
  if (c.req.method === "GET") return query;
  const type = (c.req.header("content-type") ?? "application/x-www-form-urlencoded").split(";")[0];
  const body = await c.req.text();
  if (body !== "" && type !== "application/x-www-form-urlencoded") throw invalid(`Invalid content type: ${type}`);
  return { ...query, ...parseForm(body) };
}

/** The stored answer to a key that was used before; else runs and stores, unless the request could not even be read. */
async function once(
  view: View,
  key: string,
  method: string,
  path: string,
  params: Params,
  run: () => Promise<Answer & { ran: boolean }>,
): Promise<Answer> {
  const id = `idem_${createHash("sha256").update(key).digest("hex")}`;
  const request = createHash("sha256")
    .update(JSON.stringify([method, path, params]))
    .digest("hex");
  const earlier = await view.inner<Remembered>("idempotency", id);
  if (earlier !== undefined && earlier.at > view.now - REMEMBERED_FOR) {
    if (earlier.request !== request) {
      throw new SandboxError(400, {
        type: "idempotency_error",
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      });
    }
    return { status: earlier.status, body: earlier.body, headers: { "Idempotent-Replayed": "true" } };
  }
  const { ran, ...answer } = await run();
  if (ran) await view.putInner("idempotency", id, { ...answer, request, at: view.now }, customerIn(answer.body));
  return answer;
}

/** Whom an answer is about, so that it goes with them: the first customer in it, an error's included. */
function customerIn(body: object): string | null {
  return /"(cus_\w+)"/.exec(JSON.stringify(body))?.[1] ?? null;
}
