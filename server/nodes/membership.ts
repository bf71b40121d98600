/**
 * This node among the others: it registers, says every few seconds that it lives, knows who else does, and stops by itself
 * before the others may take what it has. On SQLite there is nobody else: it stands in the register, and hears there when the operator
 * takes it out of service.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeId } from "../../shared/ids.ts";
import type { Monotonic } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import { fenceAt, type LeaseTimes } from "./lease.ts";
import type { NewNode, NodesRepo, SeenNode } from "./nodes.repo.ts";

/** What happens to this node that its parts have to follow. */
export interface MembershipListener {
  /** Its lease is about to end: nothing of its phones may have an effect from now on. */
  fenced(): Promise<void>;
  /** It has a lease again; what it still has is to be put in order as after a restart. */
  rejoined(): Promise<void>;
  /** After each heartbeat: who lives may have changed. */
  beaten(): Promise<void>;
  /** Somebody wants it to stop working, or to go on. */
  draining(is: boolean): void;
}

export interface Membership {
  readonly id: NodeId;
  readonly name: string;
  readonly boot: string;
  /** No other node can be. */
  readonly alone: boolean;
  /** Whether another node lived at the last heartbeat. */
  hasOthers(): boolean;
  /** Whether what this node does may have an effect: its lease holds. */
  mayAct(): boolean;
  /** @throws PerchError `unavailable` where it may not */
  demandMayAct(): void;
  /** Throws unless this boot has the node still: for transactions that change what the node has. */
  demandBoot(tx: Writer): Promise<void>;
  isDraining(): boolean;
  /** Every node as of the last heartbeat, this one among them. */
  nodes(): readonly SeenNode[];
  /** Another node that lives, as of the last heartbeat. */
  other(id: NodeId): SeenNode | undefined;
  /** Whether another node lives now, by the database. */
  isLivingNow(reader: Reader, id: NodeId): Promise<boolean>;
  /** Waits until an earlier process of this data folder is over, registers, and beats from then on. */
  register(): Promise<void>;
  /** Who is told what happens from now on. */
  listen(listener: MembershipListener): void;
  /** One heartbeat. */
  beat(): Promise<void>;
  /** Reads the register now, e.g. when a node was not reached. */
  look(): Promise<void>;
  /** Writes into the register that it begins nothing any more. */
  drain(): Promise<void>;
  /** Gives the lease back. */
  stop(): Promise<void>;
}

const STOPPED = new PerchError(
  "unavailable",
  "This part of the server has lost its connection to the database. Try again in a moment.",
);

export function createMembership(options: {
  db: Database;
  repo: NodesRepo;
  monotonic: Monotonic;
  log: Log;
  node: Omit<NewNode, "draining">;
  times: LeaseTimes;
}): Membership {
  const { db, repo, monotonic, log, node, times } = options;
  const alone = db.engine === "sqlite";
  let seen: readonly SeenNode[] = [];
  let draining = false;
  /** It stops by its own will, which no row read meanwhile takes back. */
  let leaving = false;
  let fence = Number.POSITIVE_INFINITY;
  let isFenced = false;
  let listener: MembershipListener | undefined;
  let timer: NodeJS.Timeout | undefined;
  let fenceTimer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;
  let fencing: Promise<void> = Promise.resolve();
  let stopped = false;

  const mayAct = () => alone || (!isFenced && !stopped && monotonic.now() < fence);

  function believed(askedAt: number): void {
    // Nobody could take what it has, so nothing ends its lease.
    if (alone) return;
    fence = fenceAt(askedAt, times);
    stopEffects();
  }

  function stopEffects(): void {
    clearTimeout(fenceTimer);
    if (isFenced || stopped) return;
    const left = fence - monotonic.now();
    if (left > 0) {
      // A timer may come a little early.
      fenceTimer = setTimeout(stopEffects, Math.min(left + 1, 60_000));
      fenceTimer.unref();
      return;
    }
    isFenced = true;
    log.error("This node could not reach the database in time and has stopped its phones", { node: node.name });
    fencing = (listener?.fenced() ?? Promise.resolve()).catch((error: unknown) =>
      log.error("What this node did was not stopped cleanly", errorFields(error)),
    );
  }

  /** Whatever follows takes its time; the next heartbeat does not wait for it. */
  function tell(what: "beaten" | "rejoined"): void {
    listener?.[what]().catch((error: unknown) =>
      log.error("This node did not see to its phones", { what, ...errorFields(error) }),
    );
  }

  async function look(): Promise<void> {
    seen = await repo.seen(db.read, times);
  }

  function heed(row: Pick<SeenNode, "draining">): void {
    if (leaving || (row.draining !== null) === draining) return;
    draining = row.draining !== null;
    listener?.draining(draining);
  }

  async function beatNow(): Promise<void> {
    if (alone) {
      // There is nobody to tell that it lives; the operator's word is to be heard all the same.
      const row = await repo.find(db.read, node.id);
      if (row !== undefined && !stopped) heed(row);
      return;
    }
    const askedAt = monotonic.now();
    const row = await db.tx((tx) => repo.beat(tx, node.id, node.boot, times));
    if (stopped) return;
    if (row !== undefined) believed(askedAt);
    stopEffects();
    if (row === undefined || isFenced) await rejoin();
    else heed(row);
    await look();
    tell("beaten");
  }

  /** One at a time. */
  function beat(): Promise<void> {
    beating ??= beatNow().finally(() => {
      beating = undefined;
    });
    return beating;
  }

  /** The lease is over: nothing of before is believed, and what this node has still is taken up anew. */
  async function rejoin(): Promise<void> {
    fence = Number.NEGATIVE_INFINITY;
    stopEffects();
    await fencing;
    await enter();
    isFenced = false;
    log.warn("This node is back among the others", { node: node.name });
    await look();
    tell("rejoined");
  }

  async function enter(): Promise<void> {
    const askedAt = monotonic.now();
    await db.tx(async (tx) => {
      const before = await repo.find(tx, node.id);
      const isOthers = !alone && before !== undefined && before.boot !== node.boot;
      if (isOthers && (await repo.isLiving(tx, node.id, times))) throw taken();
      const namesake = await repo.findByName(tx, node.name);
      if (namesake !== undefined && namesake.id !== node.id) {
        if (!alone) throw sameName(node.name);
        await repo.delete(tx, namesake.id);
      }
      const isSame = before?.boot === node.boot || before?.draining === "operator";
      const kept = await repo.register(tx, { ...node, draining: isSame ? before.draining : null });
      draining = kept.draining !== null;
    });
    believed(askedAt);
  }

  return {
    id: node.id,
    name: node.name,
    boot: node.boot,
    alone,
    mayAct,
    demandMayAct() {
      if (!mayAct()) throw STOPPED;
    },
    async demandBoot(tx) {
      if (alone) return;
      if (!mayAct() || !(await repo.isOf(tx, node.id, node.boot))) throw STOPPED;
    },
    hasOthers: () => seen.some(({ id, living }) => living && id !== node.id),
    isDraining: () => draining,
    nodes: () => seen,
    other: (id) => (id === node.id ? undefined : seen.find((one) => one.id === id && one.living)),
    isLivingNow: (reader, id) => repo.isLiving(reader, id, times),
    look,
    async register() {
      const since = monotonic.now();
      for (;;) {
        try {
          await enter();
          break;
        } catch (error) {
          if (!(error instanceof NodeTaken) || alone) throw error;
          // A lease that is renewed meanwhile belongs to a process that lives.
          if (monotonic.now() - since > times.leaseMs + 2 * times.beatMs) throw error;
          await sleep(Math.min(500, times.beatMs));
        }
      }
      await look();
      timer = setInterval(() => {
        beat().catch((error: unknown) => log.warn("This node's heartbeat failed", errorFields(error)));
      }, times.beatMs);
    },
    listen(given) {
      listener = given;
    },
    beat,
    async drain() {
      if (draining) return;
      draining = true;
      leaving = true;
      await db.tx((tx) => repo.change(tx, node.id, { draining: "stopping" }));
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      clearTimeout(fenceTimer);
      await beating?.catch(() => {});
      await db.tx((tx) => repo.end(tx, node.id, node.boot));
    },
  };
}

/** Another process has this data folder. */
class NodeTaken extends PerchError {}

function taken(): NodeTaken {
  return new NodeTaken(
    "conflict",
    "Another process runs on this DATA_DIR, or did until a moment ago. Stop it; a folder belongs to one process.",
  );
}

function sameName(name: string): PerchError {
  return new PerchError(
    "conflict",
    `Another node is called “${name}”. Give this one a name of its own with NODE_NAME; if the other is gone for good, forget it: npm run admin -- nodes forget`,
  );
}
