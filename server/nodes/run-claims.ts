/** Which runs a node may work on, and which nobody works on any more. */
import type { NodeId } from "../../shared/ids.ts";
import { nodeId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import type { Membership } from "./membership.ts";
import type { NodesRepo } from "./nodes.repo.ts";

export interface RunClaims {
  /** Names this process in the leases of its runs. */
  readonly holder: string;
  /** No other process works on the same database. */
  readonly alone: boolean;
  /** Other nodes that live, as of the last heartbeat. */
  others(): readonly NodeId[];
  /**
   * Nodes whose phones' runs may begin here: this one, and those that are gone, whose runs end with a reason. A node that has
   * come since the last heartbeat is among neither. Undefined where there is no other.
   */
  nodes(): readonly NodeId[] | undefined;
  /** Whether runs may have an effect here. */
  mayAct(): boolean;
  /** Whether new ones may begin here. */
  mayBegin(): boolean;
  /** Whether the process is over that a run's lease names; undefined: it is no node's. */
  isOver(holder: string): Promise<boolean | undefined>;
}

/** The node whose process a run's lease names; undefined: no node's. */
export function nodeOfHolder(holder: string | null | undefined): NodeId | undefined {
  return nodeId.safeParse(holder?.split("/")[0]).data;
}

export function createRunClaims(db: Database, membership: Membership, repo: NodesRepo): RunClaims {
  return {
    holder: `${membership.id}/${membership.boot}`,
    alone: membership.alone,
    nodes: () =>
      membership.alone
        ? undefined
        : [
            membership.id,
            ...membership.nodes().flatMap(({ id, living }) => (living || id === membership.id ? [] : [id])),
          ],
    others: () => membership.nodes().flatMap(({ id, living }) => (living && id !== membership.id ? [id] : [])),
    mayAct: membership.mayAct,
    mayBegin: () => membership.mayAct() && !membership.isDraining(),
    async isOver(holder) {
      const [id, boot] = holder.split("/");
      const node = nodeId.safeParse(id);
      if (!node.success || boot === undefined) return undefined;
      const row = await repo.find(db.read, node.data);
      return row === undefined || row.boot !== boot || !(await membership.isLivingNow(db.read, node.data));
    },
  };
}
