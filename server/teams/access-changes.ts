/**
 * Tells what goes on (screen sockets, event streams) that somebody's access to a team changed, on this node and on
 * others: who left, got another role, works in another team now, or had the use of their data stopped. Listeners compare with what they hold, so hearing
 * of a change twice does no harm.
 */
import { z } from "zod";
import { ROLES } from "../../shared/access.ts";
import { sessionId, teamId, userId } from "../../shared/ids.ts";
import { type Database, HEARD_AGAIN, type Writer } from "../db/database.ts";
import type { Actor } from "./team-scope.ts";

const accessChange = z.discriminatedUnion("kind", [
  /** A member's role is this now; without one they are no member any more. */
  z.strictObject({ kind: z.literal("member"), teamId, userId, role: z.enum(ROLES).optional() }),
  /** A session may no longer work in this team. */
  z.strictObject({ kind: z.literal("session"), teamId, sessionId }),
  /** Nothing is done for the person any more, in any team. */
  z.strictObject({ kind: z.literal("stopped"), userId }),
  /** This node may have missed what others announced, ends of sessions too: everybody has to come anew. */
  z.strictObject({ kind: z.literal("missed") }),
]);
export type AccessChange = z.infer<typeof accessChange>;

/** Announced to other nodes as this prefix and the change as JSON. */
const TOPIC = "access-changed:";

export interface AccessChanges {
  /** Tells other nodes, when the transaction commits. */
  announce(tx: Writer, change: AccessChange): Promise<void>;
  /** Tells this node; call it after the commit. */
  tell(change: AccessChange): void;
  /** Returns the listener's removal. */
  onChanged(listener: (change: AccessChange) => void): () => void;
}

export function createAccessChanges(db: Database): AccessChanges {
  const listeners = new Set<(change: AccessChange) => void>();
  const tell = (change: AccessChange) => {
    for (const listener of [...listeners]) listener(change);
  };
  db.onAnnounced((topic) => {
    if (topic === HEARD_AGAIN) tell({ kind: "missed" });
    if (topic.startsWith(TOPIC)) tell(accessChange.parse(JSON.parse(topic.slice(TOPIC.length))));
  });
  return {
    async announce(tx, change) {
      if (db.engine === "postgres") await db.announce(tx, TOPIC + JSON.stringify(change));
    },
    tell,
    onChanged(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Whether what an actor was allowed before the change has to be looked at anew. */
export function concerns(
  change: AccessChange,
  actor: Pick<Actor, "credential" | "teamId" | "userId" | "role">,
): boolean {
  if (change.kind === "missed") return true;
  if (change.kind === "stopped") return change.userId === actor.userId;
  if (change.teamId !== actor.teamId) return false;
  if (change.kind === "session") return change.sessionId === actor.credential.id;
  return change.userId === actor.userId && change.role !== actor.role;
}
