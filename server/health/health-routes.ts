/**
 * What machines ask: does the process live (`/healthz`), may it get traffic (`/readyz`), which version is it (`/version`),
 * how does it do (`/metrics`). Strangers hear yes or no; the reasons and figures are for whoever has METRICS_TOKEN, or
 * sits at the machine.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { API_VERSION, type Health, PRODUCT_VERSION } from "../../shared/version.ts";
import { PerchError } from "../errors.ts";
import { isAtTheMachine } from "../http/at-the-machine.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { CONTENT_TYPE } from "../metrics/exposition.ts";
import type { Readiness } from "./readiness.ts";

type Env = { Bindings: HttpBindings; Variables: { request: RequestInfo } };

export interface HealthRoutesOptions {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: () => Promise<string>;
  readonly metricsToken: string | undefined;
  readonly about: { readonly engine: string; readonly startedAt: number };
}

export function createHealthRoutes(options: HealthRoutesOptions): Hono<Env> {
  const app = new Hono<Env>();
  app.get("/healthz", (c) =>
    c.json({ product: "perch", apiVersion: API_VERSION, version: PRODUCT_VERSION } satisfies Health),
  );
  app.get("/readyz", async (c) => {
    const { ready, checks } = await options.readiness();
    return c.json(isOperator(c, options.metricsToken) ? { ready, checks } : { ready }, ready ? 200 : 503);
  });
  app.get("/version", (c) => {
    const version = { product: "perch", version: PRODUCT_VERSION, apiVersion: API_VERSION };
    if (!isOperator(c, options.metricsToken)) return c.json(version);
    const { engine, startedAt } = options.about;
    return c.json({ ...version, node: process.version, engine, startedAt: new Date(startedAt).toISOString() });
  });
  app.get("/metrics", async (c) => {
    if (!isOperator(c, options.metricsToken)) {
      throw new PerchError("forbidden", "Metrics are read on the machine itself, or with METRICS_TOKEN.");
    }
    return c.body(await options.metrics(), 200, { "Content-Type": CONTENT_TYPE });
  });
  return app;
}

function isOperator(c: Context<Env>, token: string | undefined): boolean {
  const given = /^Bearer (\S{1,500})$/.exec(c.req.header("authorization") ?? "")?.[1];
  if (given !== undefined && token !== undefined) return isSame(given, token);
  return isAtTheMachine(c.req, c.get("request").ip);
}

/** In a time that tells nothing of how much was right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
