/** A whole server on loopback with a data folder of its own, a site its phones may open, and accounts on it. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTRPCClient, httpLink, type TRPCClient } from "@trpc/client";
import type { AppRouter } from "../server/app.router.ts";
import { type Clock, systemClock } from "../server/clock.ts";
import { parseConfig } from "../server/config.ts";
import { silentLog } from "../server/log.ts";
import { type RunningServer, startServer } from "../server/server.ts";
import { SCOPES } from "../shared/access.ts";
import type { PhoneId, TeamId, UserId } from "../shared/ids.ts";
import { type Site, startSite } from "./site.ts";

export interface BenchAccount {
  readonly token: string;
  readonly userId: UserId;
  readonly teamId: TeamId;
  readonly api: TRPCClient<AppRouter>;
}

export interface World {
  /** Holds everything of this server; its phones' profiles are inside. */
  readonly folder: string;
  readonly server: RunningServer;
  readonly site: Site;
  /** A new person with a team of one and an API token that may do everything. */
  account(): Promise<BenchAccount>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly clock?: Clock;
  /** Settings beside `PORT`, `DATA_DIR`, `KEY_FILE` and `EGRESS_ALLOW`. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startWorld({ clock = systemClock, env = {} }: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  // Phones run as another user, who must be able to pass through.
  await chmod(folder, 0o711);
  const site = await startSite();
  const config = parseConfig({
    PORT: "0",
    DATA_DIR: join(folder, "data"),
    KEY_FILE: join(folder, "key"),
    EGRESS_ALLOW: `127.0.0.1:${site.port}`,
    PHONES_PER_TEAM: "100",
    RUNNING_PER_TEAM: "100",
    RUNNING_PHONES: "100",
    MOVING_PHONES: "100",
    ...env,
  });
  const server = await startServer({ config, clock, log: silentLog }).catch(async (error: unknown) => {
    await site.close();
    throw error;
  });
  let people = 0;
  return {
    folder,
    server,
    site,
    async account() {
      people += 1;
      const { accounts, sessions } = server.accounts;
      const email = `person${people}@example.com`;
      await accounts.create({ email, password: "four quiet herons wade" }, "server");
      const found = await accounts.findByEmail(email);
      if (found === undefined) throw new Error("An account that was just made is there.");
      const [userId, teamId] = [found.user.id, found.teamId];
      const issued = await server.db.tx((tx) =>
        sessions.createApiToken(tx, { userId, teamId, name: "Benchmark", scopes: SCOPES }),
      );
      const api = createTRPCClient<AppRouter>({
        links: [httpLink({ url: `${server.url}/trpc`, headers: { Authorization: `Bearer ${issued.token}` } })],
      });
      return { token: issued.token, userId, teamId, api };
    },
    async close() {
      await server.close();
      await site.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let keys = 0;
/** A key for one call that must not happen twice. */
export function freshKey(): string {
  keys += 1;
  return `bench-${process.pid}-${keys}`;
}

/** Launches a phone that shows `url`, by the server's own API. */
export async function launch(account: BenchAccount, url: string): Promise<PhoneId> {
  return (await account.api.phones.launch.mutate({ url, idempotencyKey: freshKey() })).id;
}
