/**
 * What is left of phones on nodes that had them before. A phone that goes on elsewhere leaves its files behind where the node
 * was cut off, or parked it for another. Whoever has it next writes down where, and nothing is taken for gone until that
 * node has looked, or the operator has said that its disks are no more.
 */
import type { NodeId, PhoneId, TeamId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { Membership } from "../nodes/membership.ts";
import type { SeenNode } from "../nodes/nodes.repo.ts";
import type { LeftPhone, PhoneCopiesRepo, PhoneCopy } from "./phone-copies.repo.ts";

export interface PhoneCopies {
  /** In the transaction that gives a web phone from one node to another. */
  moved(tx: Writer, phone: LeftPhone, from: NodeId, to: NodeId): Promise<void>;
  /** A phone is gone: nodes that had it before wipe what they have. One that cannot be reached does it at its next start. */
  announce(id: PhoneId): Promise<void>;
  /**
   * Of all phones these teams have or had. How many copies there were, and how many of them on machines that are gone with their
   * disks. @throws PerchError `unavailable` until every other node has confirmed
   */
  clear(teams: readonly TeamId[]): Promise<{ readonly before: number; readonly forgotten: number }>;
  /** Phones this node had before, by the database. */
  here(): Promise<readonly PhoneId[]>;
  /** In the transaction that says so: nothing of it is on this node. */
  gone(tx: Writer, id: PhoneId): Promise<void>;
}

/** Where there are no other nodes. */
export const NO_COPIES: PhoneCopies = {
  moved: async () => {},
  announce: async () => {},
  clear: async () => ({ before: 0, forgotten: 0 }),
  here: async () => [],
  gone: async () => {},
};

export function createPhoneCopies(options: {
  repo: PhoneCopiesRepo;
  membership: Pick<Membership, "id" | "other" | "look">;
  /** Has another node wipe what it has of these, and confirm that. */
  ask: (node: SeenNode, ids: readonly PhoneId[]) => Promise<void>;
  /** The same here. */
  leave: (ids: readonly PhoneId[]) => Promise<void>;
  read: Parameters<PhoneCopiesRepo["ofNode"]>[0];
  clock: Clock;
  log: Log;
}): PhoneCopies {
  const { repo, membership, clock, log } = options;

  async function askAll(copies: readonly PhoneCopy[]): Promise<void> {
    const byNode = Map.groupBy(
      copies.filter(({ forgottenAt }) => forgottenAt === null),
      ({ nodeId }) => nodeId,
    );
    for (const [id, found] of byNode) {
      const ids = found.map(({ phoneId }) => phoneId);
      if (id === membership.id) {
        await options.leave(ids);
        continue;
      }
      let node = membership.other(id);
      if (node === undefined) {
        await membership.look();
        node = membership.other(id);
      }
      if (node === undefined) throw unreached();
      for (let at = 0; at < ids.length; at += AT_ONCE) await options.ask(node, ids.slice(at, at + AT_ONCE));
    }
  }

  return {
    async moved(tx, phone, from, to) {
      await repo.add(tx, phone, from, new Date(clock.now()));
      await repo.remove(tx, phone.id, to);
    },
    gone: (tx, id) => repo.remove(tx, id, membership.id),
    async announce(id) {
      await askAll(await repo.ofPhone(id)).catch((error: unknown) =>
        log.warn("What a node has left of a removed phone goes when it can be reached", {
          phoneId: id,
          ...errorFields(error),
        }),
      );
    },
    async clear(teams) {
      const before = await repo.ofTeams(teams);
      await askAll(before);
      const left = await repo.ofTeams(teams);
      if (left.some(({ forgottenAt }) => forgottenAt === null)) throw unreached();
      return { before: before.length, forgotten: left.length };
    },
    here: () => repo.ofNode(options.read, membership.id),
  };
}

/** As many as one call between nodes may name. */
const AT_ONCE = 1_000;

function unreached(): PerchError {
  return new PerchError(
    "unavailable",
    "A machine that had phones of this account cannot be asked now. Start it again; if its disks are no more, forget it: npm run admin -- nodes forget --destroyed",
  );
}
