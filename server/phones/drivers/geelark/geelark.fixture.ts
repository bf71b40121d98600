/** The partner's emulator over real HTTP, a database, and what the server has of the partner; time goes only when somebody waits. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { newId, type PhoneId } from "../../../../shared/ids.ts";
import type { PhoneState } from "../../../../shared/phones.ts";
import { DEVICE_PROFILES, PHONE_STATES } from "../../../../shared/phones.ts";
import { addUser } from "../../../accounts/testing/people.ts";
import { ManualClock } from "../../../clock.ts";
import type { TestDatabase, TestEngine } from "../../../db/testing.ts";
import { createLog } from "../../../log.ts";
import type { PhoneSpec } from "../../driver.ts";
import { createPhonesRepo } from "../../phones.repo.ts";
import type { AdbEndpoint, SourceEvent } from "../adb/ports.ts";
import type { GeelarkAccess } from "./access.ts";
import type { AdbData } from "./api.ts";
import { createGeelarkCore, type GeelarkConfig } from "./driver.ts";
import { type GeelarkEmulator, startGeelarkEmulator } from "./emulator/emulator.ts";
import { createGeelarkWebhook, type GeelarkWebhook } from "./webhook.ts";

export const ACCESS: Omit<GeelarkAccess, "base"> = {
  key: { appId: "eH6gQR4oHr3FsZpI36La01IW", apiKey: "YjmFIUuq0oJgSDJ42fxLEb6R1qjjqf" },
  token: "canary-token-of-the-partner",
};
export const PROXY = "socks5://proxyuser:canary-own-proxy-password@proxy.example:1080";
export const ADB_AT = { host: "127.0.0.1", port: 25_219 };
const [profile] = DEVICE_PROFILES;

export interface PartnerWorld extends ReturnType<typeof createGeelarkCore> {
  readonly clock: ManualClock;
  readonly emulator: GeelarkEmulator;
  readonly test: TestDatabase;
  readonly webhook: GeelarkWebhook;
  /** Jobs that were asked for by webhooks. */
  readonly asked: string[];
  readonly lines: string[];
  readonly events: SourceEvent[];
  /** What was found out about ADB, for each connection. */
  readonly connections: AdbData[];
  /** As another process with the same database and account. */
  again(change?: { mark?: string; config?: Partial<GeelarkConfig> }): ReturnType<typeof createGeelarkCore>;
  /** A phone as the service has made one. */
  phone(state?: PhoneState): Promise<PhoneSpec>;
  setState(id: PhoneId, state: PhoneState): Promise<void>;
  forget(id: PhoneId): Promise<void>;
  dispose(): Promise<void>;
}

export async function startPartnerWorld(
  engine: TestEngine,
  options: { readonly access?: Omit<GeelarkAccess, "base">; readonly webhookScheme?: "key" | "token" } = {},
): Promise<PartnerWorld> {
  const { access = ACCESS, webhookScheme } = options;
  const clock = new ManualClock();
  const test = await engine.open();
  const { db } = test;
  const emulator = await startGeelarkEmulator({
    ...{ clock, access, adb: async () => ADB_AT },
    ...(webhookScheme !== undefined && { webhookScheme }),
  });
  const lines: string[] = [];
  const log = createLog({ clock, write: (line) => lines.push(line) });
  const connections: AdbData[] = [];
  const connect = (words: string, find: (signal: AbortSignal) => Promise<AdbData>): AdbEndpoint => ({
    words,
    async open(signal) {
      connections.push(await find(signal));
      throw new Error("Nothing listens there.");
    },
  });
  const geelark: GeelarkConfig = {
    ...{ access: { base: emulator.base, ...access }, versions: ["14", "13"], region: "sgp", proxy: PROXY },
  };
  const again: PartnerWorld["again"] = ({ mark = "a1b2c3", config = {} } = {}) =>
    createGeelarkCore({
      ...{ geelark: { ...geelark, ...config }, db, clock, log, mark, connect },
      pause: async (ms, signal) => {
        signal.throwIfAborted();
        clock.advance(ms);
      },
    });
  const core = again();
  const events: SourceEvent[] = [];
  core.source.onEvent((event) => events.push(event));
  const asked: string[] = [];
  const webhook = createGeelarkWebhook({
    ...{ access: geelark.access, repo: core.repo, db, clock },
    jobs: { enqueue: async (_tx, { kind }) => asked.push(kind) > 0, wake() {} },
  });
  const phones = createPhonesRepo(db);
  const [teamId, userId] = [newId("team"), newId("user")];
  await db.tx(async (tx) => {
    const createdAt = new Date(clock.now());
    await addUser(db, tx, { id: userId, email: "a@x.example", createdAt });
    await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt });
  });
  return {
    ...{ ...core, clock, emulator, test, webhook, asked, lines, events, connections, again },
    async phone(state = "creating") {
      const id = newId("phone");
      await db.tx((tx) =>
        phones.insert(tx, {
          ...{ id, teamId, name: "Phone", driver: "geelark", profile: profile.id, settings: {}, tags: [] },
          ...{ createdBy: userId, rotated: false, state, createdAt: new Date(clock.now()) },
        }),
      );
      return { id, profile, model: "geelark:android-14", settings: {}, rotated: false };
    },
    async setState(id, state) {
      await db.tx((tx) => phones.change(tx, id, PHONE_STATES, { state }));
    },
    forget: (id) => db.tx((tx) => phones.delete(tx, id)),
    async dispose() {
      await core.source.close();
      await emulator.close();
      await test.dispose();
    },
  };
}

/** A door on a free port of this machine. */
export async function listenOnLoopback(
  answer: (request: Request) => Response | Promise<Response>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createAdaptorServer({ fetch: answer, hostname: "127.0.0.1" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await once(server, "close").catch(() => undefined);
    },
  };
}
