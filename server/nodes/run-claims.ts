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
  /** Nodes that live and do the runs of their phones themselves. */
  elsewhere(): readonly NodeId[];
  /** Whether runs may have an effect here. */
  mayAct(): boolean;
  /** Whether new ones may begin here. */
  mayBegin(): boolean;
  /** Whether the process is over that a run's lease names; undefined: it is no node's. */
  isOver(holder: string): Promise<boolean | undefined>;
}

export function createRunClaims(db: Database, membership: Membership, repo: NodesRepo): RunClaims {
  return {
    holder: `${membership.id}/${membership.boot}`,
    alone: membership.alone,
    elsewhere: () => membership.nodes().flatMap(({ id, living }) => (living && id !== membership.id ? [id] : [])),
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
