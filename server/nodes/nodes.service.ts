/** The operator's register of nodes. */
import { z } from "zod";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { PhoneCopiesRepo } from "../phones/phone-copies.repo.ts";
import { LEASE } from "./lease.ts";
import type { NodeRow, NodesRepo, SeenNode } from "./nodes.repo.ts";

export const nodeName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "A node's name has up to 40 small letters, digits and hyphens.");

export interface NodesDesk {
  list(): Promise<readonly SeenNode[]>;
  /** The node gives its phones to others or parks them, and its process ends. */
  drain(name: string, reason: string): Promise<void>;
  undrain(name: string, reason: string): Promise<void>;
  /**
   * Takes a node that is gone for good off the register. Phones whose files lie there stay, unless that machine is destroyed:
   * then they begin anew when they are started. Gives how many these are.
   */
  forget(name: string, reason: string, destroyed: boolean): Promise<number>;
}

export function createNodesDesk(options: {
  db: Database;
  repo: NodesRepo;
  copies: Pick<PhoneCopiesRepo, "ofNode" | "forget">;
  audit: Audit;
  clock: Clock;
}): NodesDesk {
  const { db, repo, copies, audit, clock } = options;
  async function get(tx: Writer, name: string): Promise<NodeRow> {
    const row = await repo.findByName(tx, name);
    if (row === undefined)
      throw new PerchError("not_found", `There is no node “${name}”. See: npm run admin -- nodes list`);
    return row;
  }
  const record = (
    tx: Writer,
    action: AuditAction,
    { id, name }: NodeRow,
    detail: Readonly<Record<string, string | number | boolean>>,
  ) => audit.record(tx, { chain: "server", actor: "operator", action, object: id, detail: { name, ...detail } });

  async function setDraining(name: string, draining: boolean, reason: string): Promise<void> {
    await db.tx(async (tx) => {
      const row = await get(tx, name);
      if ((row.draining !== null) === draining) return;
      await repo.change(tx, row.id, { draining: draining ? "operator" : null });
      await record(tx, "admin.node_changed", row, { draining, reason });
    });
  }

  return {
    list: () => repo.seen(db.read, LEASE),
    drain: (name, reason) => setDraining(name, true, reason),
    undrain: (name, reason) => setDraining(name, false, reason),
    forget: (name, reason, destroyed) =>
      db.tx(async (tx) => {
        const row = await get(tx, name);
        if (await repo.isLiving(tx, row.id, LEASE))
          throw new PerchError("conflict", `“${name}” is running. Drain it first, or stop its process.`);
        const had = await repo.phonesOf(tx, row.id);
        const kept = had.filter(({ state }) => state !== "removed").length;
        const left = (await copies.ofNode(tx, row.id)).length + had.length - kept;
        if (kept + left > 0 && !destroyed) {
          throw new PerchError(
            "conflict",
            `“${name}” keeps ${kept} phones, and has something of ${left} that are gone or elsewhere. Start it again and have its phones removed, the rest goes by itself; or, if the machine and its disks no longer exist, say so with --destroyed.`,
          );
        }
        await copies.forget(
          tx,
          row.id,
          had.filter(({ driver }) => driver === "web"),
          new Date(clock.now()),
        );
        await repo.delete(tx, row.id);
        await record(tx, "admin.node_forgotten", row, { destroyed, phones: kept, copies: left, reason });
        return kept;
      }),
  };
}
