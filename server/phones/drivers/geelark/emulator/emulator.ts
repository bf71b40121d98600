/**
 * GeeLark's OpenAPI in memory, for tests and for work without an account. Written from its pages: paths, fields, codes and
 * limits of github.com/geelark-tech/geelark-openapi (docs/en: "Request Instructions", "Cloud Phone Management", "ADB",
 * "Webhook", "Cloud Phone Error Codes"; of 2026-03-12), charges from github.com/GeeLark/geelark-cli (2026-08-06). Not in these
 * pages, and so not known of the partner itself: how it rounds minutes, whether a list looks for a whole remark or a part of
 * one (here: a part), whether a call of which everything failed says 40009 or 0 (a switch), and what its webhooks do when
 * nobody takes them (here: nothing).
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import type { Clock } from "../../../../clock.ts";
import { type GeelarkAccess, isSigned, signedHeaders } from "../access.ts";
import { type Faults, noFaults } from "./faults.ts";
import { createQuota, type Quota } from "./quota.ts";
import { type AdbAddress, CANARY, createRoutes } from "./routes.ts";
import { createWorld, type World, type WorldEvent } from "./world.ts";

export interface EmulatorOptions {
  readonly clock: Clock;
  /** What it takes; `base` does not matter. */
  readonly access: Omit<GeelarkAccess, "base">;
  readonly adb: AdbAddress;
  readonly bootMs?: number;
  readonly adbReadyMs?: number;
  readonly port?: number;
  /** Which scheme its webhooks are signed with: "Only one … needs to be handled". */
  readonly webhookScheme?: "key" | "token";
}
export interface GeelarkEmulator {
  /** What `GEELARK_API_BASE` takes. */
  readonly base: string;
  readonly world: World;
  readonly faults: Faults;
  readonly quota: Quota;
  /** Paths of calls that came, the earliest first. */
  readonly calls: string[];
  /** Where messages go; undefined: nowhere. */
  readonly callback: { url: string | undefined };
  /** Takes up what became due, and sends messages about it. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

type Env = { Bindings: HttpBindings };

export async function startGeelarkEmulator(options: EmulatorOptions): Promise<GeelarkEmulator> {
  const { clock, bootMs = 1_000, adbReadyMs = 3_000, webhookScheme = "key" } = options;
  const access: GeelarkAccess = { base: "", ...options.access };
  const world = createWorld(clock, { bootMs, pricePerMinute: 0.007 });
  const faults = noFaults();
  const quota = createQuota(clock);
  const callback: { url: string | undefined } = { url: undefined };
  const calls: string[] = [];
  const routes = createRoutes({ world, faults, clock, adb: options.adb, adbReadyMs, callback });
  const app = new Hono<Env>();

  /** Ends the connection, as a machine that went away does. */
  const hangUp = (c: Context<Env>) => {
    c.env.incoming.socket.destroy();
    return RESPONSE_ALREADY_SENT;
  };
  app.post("/open/v1/:call{.+}", async (c) => {
    const { path } = c.req;
    if (faults.isDown) return hangUp(c);
    calls.push(path);
    if (faults.slowMs > 0) await delay(faults.slowMs);
    if (faults.broken > 0) {
      faults.broken -= 1;
      return c.text("Internal Server Error", 500);
    }
    if (faults.answer !== undefined) return c.body(faults.answer, 200, { "content-type": "application/json" });
    const traceId = c.req.header("traceid") ?? "";
    const answer = (code: number, data?: unknown) =>
      c.json({ traceId, code, msg: code === 0 ? "success" : `error ${code}`, ...(data !== undefined && { data }) });
    if (traceId === "") return answer(40002);
    if (!isSigned(access, (name) => c.req.header(name), clock.now())) return answer(40003);
    const tooMany = quota.take(path);
    if (tooMany !== undefined) return answer(tooMany);
    const body: unknown = await c.req.json().catch(() => undefined);
    if (typeof body !== "object" || body === null) return answer(40001);
    const route = routes[path];
    if (route === undefined) return answer(40005);
    world.settle();
    const { code, data } = await route(body);
    if (faults.cutOff?.path === path && faults.cutOff.times > 0) {
      faults.cutOff.times -= 1;
      return hangUp(c);
    }
    return answer(code, data);
  });

  async function send(event: WorldEvent): Promise<void> {
    const times = { once: 1, twice: 2, lost: 0 }[faults.webhooks];
    if (callback.url === undefined) return;
    const signing: GeelarkAccess = webhookScheme === "token" ? { ...access, key: undefined } : access;
    for (let sent = 0; sent < times; sent += 1) {
      const headers = { ...signedHeaders(signing, clock.now()), "content-type": "application/json" };
      const call = { method: "POST", headers, body: JSON.stringify(messageOf(event)) };
      await fetch(callback.url, call).catch(() => undefined);
    }
  }

  const server = createAdaptorServer({ fetch: app.fetch, hostname: "127.0.0.1" });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    ...{ base: `http://127.0.0.1:${port}`, world, faults, quota, calls, callback },
    async tick() {
      world.settle();
      for (const event of world.events()) await send(event);
    },
    async close() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await once(server, "close").catch(() => undefined);
    },
  };
}

/** With the name and address of who did it, as the partner sends them. */
function messageOf(event: WorldEvent): object {
  const { phone, at } = event;
  const who = { username: CANARY.username, ip: CANARY.ip, eventTime: Math.floor(at / 1_000) };
  if (event.type === "started") return { type: 1, id: phone.id, result: true, ...who };
  if (event.type === "stopped") return { type: 8, id: phone.id, ...who, useMin: event.minutes };
  return { type: 10, items: [{ id: phone.id, recycle: false }] };
}

/** Keys of an emulator that is started by hand; they open nothing else. */
export function emulatorAccess(): Omit<GeelarkAccess, "base"> {
  const secret = () => randomUUID().replaceAll("-", "");
  return { key: { appId: secret().slice(0, 24), apiKey: secret() }, token: secret() };
}
