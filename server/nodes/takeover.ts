/**
 * What becomes of the phones of a node whose lease is over. Whatever goes on by itself, or whose files lie outside that node,
 * goes on here; the rest has failed and can be started again when its node is back. Of several nodes that try one does it:
 * each step is one transaction that looks again whether the node is gone.
 */
import type { NodeId, PhoneId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Metering } from "../billing/ports.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Events } from "../events/events.repo.ts";
import { errorFields, type Log } from "../log.ts";
import type { Drivers } from "../phones/drivers.ts";
import type { PhoneCopies } from "../phones/phone-copies.ts";
import type { PhoneLifecycle } from "../phones/phone-lifecycle.ts";
import { ACTIVE_STATES, type PhoneRow, type PhonesRepo } from "../phones/phones.repo.ts";
import type { ProfileArchive } from "../phones/profile-archive.ts";
import type { Membership } from "./membership.ts";

export interface Takeover {
  /** Goes on here with a phone whose node is gone, because somebody asks for it; false where that cannot be. */
  one(id: PhoneId): Promise<boolean>;
  /** Sees to all that the nodes which are gone had in hand. Called after each heartbeat. */
  sweep(): Promise<void>;
}

const SERVER = "server";

export function createTakeover(options: {
  db: Database;
  membership: Membership;
  phones: PhonesRepo;
  lifecycle: Pick<PhoneLifecycle, "adopt" | "publish">;
  drivers: Drivers;
  metering: Metering;
  events: Events;
  audit: Audit;
  archive: ProfileArchive;
  copies: Pick<PhoneCopies, "moved">;
  /** What else was going on with a phone there ends, or goes on here. */
  also: (id: PhoneId, moved: boolean) => Promise<void>;
  /** A node is gone that was there: what its process worked on beside phones is to be settled. */
  nodeGone: () => Promise<void>;
  log: Log;
}): Takeover {
  const { db, membership, phones, lifecycle, drivers, metering, events, audit, archive, log } = options;
  const settled = new Set<string>();
  const busy = new Map<PhoneId, Promise<boolean>>();

  /** In the transaction: the node is gone still, and this one is not. */
  async function isGone(tx: Writer, owner: NodeId): Promise<boolean> {
    await membership.demandBoot(tx);
    return !(await membership.isLivingNow(tx, owner));
  }

  /** Makes it this node's; false when another node was first, or its own is back. */
  async function claim(row: PhoneRow, owner: NodeId): Promise<boolean> {
    return db.tx(async (tx) => {
      if (!(await isGone(tx, owner))) return false;
      const taken = await phones.reassign(tx, row.id, owner, membership.id);
      if (taken === undefined) return false;
      if (taken.driver === "web") await options.copies.moved(tx, taken, owner, membership.id);
      await metering.closed(tx, row.id, taken.state === "running" ? "lost" : "server_crash");
      return true;
    });
  }

  async function fail(row: PhoneRow, owner: NodeId): Promise<void> {
    const failed = await db.tx(async (tx) => {
      if (!(await isGone(tx, owner))) return undefined;
      const change = { state: "failed", reason: "node_gone", startedAt: null, unreachableSince: null } as const;
      const changed = await phones.change(tx, row.id, ACTIVE_STATES, change, owner);
      if (changed === undefined) return undefined;
      await metering.closed(tx, row.id, "server_crash");
      await lifecycle.publish(tx, changed);
      const entry = { actor: SERVER, action: "phone.lost", object: row.id, detail: { reason: "node_gone" } } as const;
      await audit.record(tx, { chain: row.teamId, ...entry });
      return changed;
    });
    if (failed === undefined) return;
    events.wake(row.teamId);
    await options.also(row.id, false);
  }

  async function move(row: PhoneRow, owner: NodeId): Promise<boolean> {
    const driver = drivers.of(row.driver);
    const hasRoom = !membership.isDraining() && membership.mayAct() && driver !== undefined && !driver.isElsewhere;
    if (!hasRoom) return false;
    if (row.driver === "web" && !(await archive.has(row.id))) return false;
    if (!(await claim(row, owner))) return false;
    log.warn("A phone of a node that is gone goes on here", { phoneId: row.id });
    await options.also(row.id, true);
    await lifecycle.adopt([row.id]);
    events.wake(row.teamId);
    return true;
  }

  /** One at a time for each phone. */
  function seeTo(row: PhoneRow, owner: NodeId): Promise<boolean> {
    const known = busy.get(row.id);
    if (known !== undefined) return known;
    const work = (async () => {
      const moved = await move(row, owner).catch((error: unknown) => {
        log.error("A phone of a node that is gone could not be taken over", { phoneId: row.id, ...errorFields(error) });
        return false;
      });
      const isLeft = !moved && row.driver === "web" && ACTIVE_STATES.some((state) => state === row.state);
      if (isLeft) await fail(row, owner);
      return moved;
    })().finally(() => busy.delete(row.id));
    busy.set(row.id, work);
    return work;
  }

  return {
    async one(id) {
      const row = await phones.findAnywhere(id);
      if (row === undefined || row.nodeId === null || row.nodeId === membership.id) return true;
      if (await membership.isLivingNow(db.read, row.nodeId)) return false;
      return seeTo(row, row.nodeId);
    },
    async sweep() {
      if (membership.alone || !membership.mayAct()) return;
      const gone = membership.nodes().filter(({ living, id }) => !living && id !== membership.id);
      const news = gone.filter(({ boot }) => !settled.has(boot));
      for (const { boot } of news) settled.add(boot);
      if (news.length > 0) await options.nodeGone();
      for (const { id: owner } of gone) {
        const rows = await phones.ofNode(owner, [...ACTIVE_STATES, "removed"]);
        // What was removed is wiped where its files are, when that node is back.
        const open = rows.filter(({ driver, state }) => driver !== "web" || state !== "removed");
        await Promise.all(
          open.map((row) =>
            seeTo(row, owner).catch((error: unknown) => {
              log.error("A phone of a node that is gone was not put in order", {
                phoneId: row.id,
                ...errorFields(error),
              });
            }),
          ),
        );
      }
    },
  };
}
