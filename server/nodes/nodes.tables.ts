/** The processes that are this server together, each over its own data folder and all over one database. */
import type { NodeId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { operational } from "../privacy/tags.ts";

/** `all`: API and phones · `api`: no web phones · `host`: phones, reached by other nodes alone. */
export const NODE_ROLES = ["all", "api", "host"] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** Who wants a node to come to an end: the `operator`, until they take it back · its own `stopping` process. */
export const DRAINS = ["operator", "stopping"] as const;
export type Drain = (typeof DRAINS)[number];

export function nodeTables(k: Kit) {
  const nodes = k.table(
    "nodes",
    { owner: "system", subject: { none: "Machines of the operator." }, clock: "startedAt" },
    {
      /** Of the data folder, so the same after a restart. */
      id: k.text(operational()).$type<NodeId>().primaryKey(),
      name: k.text(operational()).notNull(),
      /** Of the process, another one after a restart. What an earlier boot still wants to write is refused. */
      boot: k.text(operational()).notNull(),
      role: k.oneOf(NODE_ROLES, operational()).notNull(),
      /** `host:port` of its listener for other nodes; none: it cannot be reached by them. */
      address: k.text(operational()),
      /** SHA-256 of the certificate of this boot, as Node prints it: what other nodes believe, and nothing else. */
      certificate: k.text(operational()),
      region: k.text(operational()).notNull(),
      version: k.text(operational()).notNull(),
      /** Web phones it runs at once. */
      capacity: k.int(operational()).notNull(),
      /** Set: it gets no new phones and begins nothing. */
      draining: k.oneOf(DRAINS, operational()),
      startedAt: k.instant(operational()).notNull(),
      /** By the clock of the database. */
      heartbeatAt: k.instant(operational()).notNull(),
      /** It stopped then, or was given up by the others: at its last heartbeat. */
      endedAt: k.instant(operational()),
    },
    (t) => [k.uniqueIndex("nodes_name").on(t.name)],
  );
  return { nodes };
}
