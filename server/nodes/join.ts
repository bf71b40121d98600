/** Makes this process a node: its id, its certificate, its door for others, its place in the register. */

import { randomUUID } from "node:crypto";
import { PRODUCT_VERSION } from "../../shared/version.ts";
import type { Clock, Monotonic } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { holdFolder } from "../db/hold-folder.ts";
import { PerchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { makeNodeCertificate, type NodeCertificate } from "./certificate.ts";
import type { LeaseTimes } from "./lease.ts";
import { createMembership, type Membership } from "./membership.ts";
import { nameOfMachine, readNodeId } from "./node-identity.ts";
import { createNodesRepo, type NodesRepo } from "./nodes.repo.ts";
import { type PeerListener, startPeerListener } from "./peer-listener.ts";

export interface Joined {
  readonly membership: Membership;
  readonly repo: NodesRepo;
  /** What other nodes come through, and what this one shows them; undefined where there are none. */
  readonly door: { readonly listener: PeerListener; readonly certificate: NodeCertificate } | undefined;
}

/** @throws PerchError where this process cannot be the node it is set up to be; nothing stays open then */
export async function joinNodes(options: {
  db: Database;
  config: Config;
  clock: Clock;
  monotonic: Monotonic;
  log: Log;
  times: LeaseTimes;
}): Promise<Joined> {
  const { db, config, clock, monotonic, log, times } = options;
  demandFits(config);
  const letGo = db.engine === "sqlite" ? holdFolder(config.DATA_DIR) : () => {};
  const repo = createNodesRepo(db, clock);
  const door = config.NODE_ADDRESS === undefined ? undefined : await openDoor(config, repo, db);
  const { ROLE: role, REGION: region } = config;
  const membership = createMembership({
    ...{ db, repo, monotonic, log, times },
    node: {
      ...{ id: readNodeId(config.DATA_DIR), name: config.NODE_NAME ?? nameOfMachine(), boot: randomUUID() },
      ...{ role, region, version: PRODUCT_VERSION, capacity: role === "api" ? 0 : config.RUNNING_PHONES },
      address: door === undefined ? null : addressOf(config, door.listener.port),
      certificate: door?.certificate.fingerprint ?? null,
    },
  });
  try {
    await membership.register();
  } catch (error) {
    letGo();
    await door?.listener.close();
    throw error;
  }
  const stop = () => membership.stop().finally(letGo);
  return { membership: { ...membership, stop }, repo, door };
}

async function openDoor(config: Config, repo: NodesRepo, db: Database) {
  const certificate = await makeNodeCertificate();
  const listener = await startPeerListener({
    ...{ host: config.NODE_HOST, port: config.NODE_PORT, certificate },
    isPeer: (fingerprint) => repo.isPeer(db.read, fingerprint),
  });
  return { certificate, listener };
}

/** Port 0 stands for the one that was taken. */
function addressOf({ NODE_ADDRESS = "" }: Config, port: number): string {
  return NODE_ADDRESS.replace(/:0$/, `:${port}`);
}

function demandFits({ DATABASE_URL, ROLE, NODE_ADDRESS }: Config): void {
  if (DATABASE_URL === undefined && (ROLE !== "all" || NODE_ADDRESS !== undefined)) {
    throw new PerchError(
      "bad_input",
      "Several nodes need one PostgreSQL. Set DATABASE_URL, or leave ROLE and NODE_ADDRESS away.",
    );
  }
  if (ROLE !== "all" && NODE_ADDRESS === undefined) {
    throw new PerchError(
      "bad_input",
      `A node of the role ${ROLE} works with others. Set NODE_ADDRESS to where they reach it.`,
    );
  }
}
