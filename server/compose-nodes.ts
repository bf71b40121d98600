/** What one node does for the others, and they for it: requests sent on, screens passed through, phones taken over. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { getRequestListener } from "@hono/node-server";
import type { PhoneId } from "../shared/ids.ts";
import type { Audit } from "./audit/audit.repo.ts";
import type { Metering } from "./billing/ports.ts";
import type { Clock, Monotonic } from "./clock.ts";
import type { createFlowParts } from "./compose-flows.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Events } from "./events/events.repo.ts";
import type { Uploads } from "./files/uploads.service.ts";
import { clientAddress } from "./http/guards.ts";
import { errorFields, type Log } from "./log.ts";
import { createPeerRequests, type PeerRequests } from "./nodes/caller.ts";
import { createDrain, type Drained } from "./nodes/drain.ts";
import { createForwarding, type Forwarding } from "./nodes/forward.ts";
import type { Joined } from "./nodes/join.ts";
import { createPeers, NotReached, type Peers } from "./nodes/peers.ts";
import {
  CALL_PATH,
  createPhoneCalls,
  createPhonesAnywhere,
  type FilesOf,
  type PhonesAnywhere,
} from "./nodes/phone-calls.ts";
import { createScreenProxy, type ScreenProxy } from "./nodes/screen-proxy.ts";
import { createTakeover } from "./nodes/takeover.ts";
import { createWhereabouts } from "./nodes/whereabouts.ts";
import type { Drivers } from "./phones/drivers.ts";
import type { PhoneCopies } from "./phones/phone-copies.ts";
import type { LifecycleListener } from "./phones/phone-life-parts.ts";
import type { PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import { ACTIVE_STATES, type PhonesRepo } from "./phones/phones.repo.ts";
import type { PhonesService } from "./phones/phones.service.ts";
import type { ProfileArchive } from "./phones/profile-archive.ts";
import type { LedgerEntry } from "./privacy/erasure/ledger.ts";
import type { ScreenService } from "./screen/screen.service.ts";
import type { OnUpgrade } from "./screen/screen.socket.ts";

export interface NodeParts {
  readonly forwarding: Forwarding;
  readonly peerRequests: PeerRequests;
  /** What the server itself asks of phones, wherever they are. */
  readonly anywhere: PhonesAnywhere;
  /** The phones' service, for work of the server that may be about phones of any node. */
  phonesOf(phones: PhonesService): PhonesService;
  /** Undefined where there are no other nodes. */
  readonly screenProxy: ScreenProxy | undefined;
  /** Serves other nodes from now on. */
  serve(request: ReturnType<typeof getRequestListener>, upgrade: OnUpgrade): void;
  /** Beats from now on; sees to phones of others once this node's own are recovered. */
  start(recovered: Promise<unknown>): void;
  drain(forMs: number): Promise<Drained>;
  readonly drained: Promise<Drained>;
  close(): Promise<void>;
}

export function createNodeParts(
  { membership, repo, door }: Joined,
  options: {
    db: Database;
    config: Config;
    clock: Clock;
    monotonic: Monotonic;
    log: Log;
    audit: Audit;
    events: Events;
    metering: Metering;
    drivers: Drivers;
    phonesRepo: PhonesRepo;
    lifecycle: PhoneLifecycle;
    phones: PhonesService;
    archive: ProfileArchive;
    copies: PhoneCopies;
    uploads: Pick<Uploads, "phoneCame">;
    listener: () => LifecycleListener;
    /** Made later. */
    flows: () => Pick<ReturnType<typeof createFlowParts>, "automations" | "recordings" | "recordingsRepo"> | undefined;
    screen: () => Pick<ScreenService, "controllerName"> | undefined;
    /** Another node erases somebody: that is written down here, too. Undefined while this one starts. */
    erased: (entry: LedgerEntry) => void;
    clearFiles: (of: FilesOf) => Promise<void>;
  },
): NodeParts {
  const { db, config, log, drivers, phonesRepo, lifecycle, phones, archive, flows } = options;
  const { audit, events, metering, listener, monotonic } = options;
  const takeover = createTakeover({
    ...{ db, membership, phones: phonesRepo, lifecycle, drivers, metering, events, audit, archive, log },
    copies: options.copies,
    nodeGone: async () => flows()?.automations.runner.tick(),
    async also(id, moved) {
      await flows()?.recordings.phoneLost(id);
      if (moved) await options.uploads.phoneCame(id);
    },
  });
  const whereabouts = createWhereabouts({
    ...{ membership, repo, region: config.REGION, takeOver: takeover.one },
    phoneOfRecording: async (id) => flows()?.recordingsRepo.phoneOf(id),
    run: async (id) => flows()?.automations.whereIs(id),
    filesAreShared: config.s3 !== undefined,
  });
  const peers = door === undefined ? NOBODY : createPeers(door.certificate);
  const peerRequests = createPeerRequests();
  const callerOf = (request: IncomingMessage) => ({
    requestId: randomUUID(),
    ip: clientAddress(request, config.TRUSTED_PROXIES),
    userAgent: (request.headers["user-agent"] ?? "").slice(0, 512),
  });
  const here = {
    ...{ lifecycle, phones, repo: phonesRepo, drivers },
    ...{ erased: options.erased, clearFiles: options.clearFiles },
    controllerName: (id: Parameters<ScreenService["controllerName"]>[0]) => options.screen()?.controllerName(id),
  };
  const phoneCalls = createPhoneCalls(here);
  const anywhere = createPhonesAnywhere({ here, whereabouts, peers, membership });
  const drain = createDrain({
    ...{ membership, phones: phonesRepo, lifecycle, anywhere, archive, listener, monotonic, log },
    ...{ region: config.REGION, now: () => options.clock.now() },
    busy: () => (flows()?.automations.runner.working() ?? 0) + (flows()?.recordings.active() ?? 0),
  });
  const drained = Promise.withResolvers<Drained>();

  return {
    forwarding: createForwarding({ membership, whereabouts, peers }),
    ...{ peerRequests, anywhere, drain, drained: drained.promise },
    phonesOf: (phones) => ({
      ...phones,
      async park(scope, id) {
        // Says so where the team has no such phone.
        await phones.get(scope, id);
        await anywhere.park(id, "asked", scope.userId);
        return phones.get(scope, id);
      },
      launch: (scope, input) => anywhere.launch(scope, input),
    }),
    screenProxy: membership.alone ? undefined : createScreenProxy({ whereabouts, peers, callerOf }),
    serve(request, upgrade) {
      door?.listener.serve({
        request(asked, answer) {
          if (asked.url?.startsWith(CALL_PATH)) phoneCalls(asked, answer);
          else if (peerRequests.note(asked)) void request(asked, answer);
          else answer.writeHead(400).end();
        },
        upgrade(asked, socket, head) {
          if (peerRequests.note(asked)) upgrade(asked, socket, head);
          else socket.destroy();
        },
      });
    },
    start(recovered) {
      let ready = false;
      let sweeping: Promise<void> | undefined;
      /** Phones that ran here when the lease ended: others may have gone on with them since. */
      const had = new Set<PhoneId>();
      void recovered.then(() => {
        ready = true;
      });
      membership.listen({
        async fenced() {
          for (const id of drivers.runningPhones()) had.add(id);
          await Promise.allSettled([flows()?.automations.runner.fence(), lifecycle.fence()]);
        },
        async rejoined() {
          await flows()?.recordings.recover();
          await lifecycle.adopt((await phonesRepo.ofNode(membership.id, ACTIVE_STATES)).map(({ id }) => id));
          const left = [...had];
          had.clear();
          await lifecycle.leave(left);
        },
        async beaten() {
          peers.keepOnly(new Set(membership.nodes().flatMap(({ living, boot }) => (living ? [boot] : []))));
          if (!ready) return;
          sweeping ??= takeover.sweep().finally(() => {
            sweeping = undefined;
          });
          await sweeping;
          if (membership.mayAct()) await lifecycle.adoptMissed();
        },
        draining(is) {
          if (!is) return;
          log.info("This node is drained by the operator");
          drain(config.DRAIN_SECONDS * 1_000).then(drained.resolve, (error: unknown) =>
            log.error("This node could not be drained", errorFields(error)),
          );
        },
      });
    },
    async close() {
      peers.close();
      await door?.listener.close();
    },
  };
}

/** Of a node that no other can reach, and that reaches none. */
const NOBODY: Peers = {
  request: () => Promise.reject(new NotReached()),
  connect: () => Promise.reject(new NotReached()),
  keepOnly() {},
  close() {},
};
