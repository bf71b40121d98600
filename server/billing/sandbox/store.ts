/** Where the sandbox keeps its objects. One row an object; all of a request's writes are one `apply`. */
import type { TeamId } from "../../../shared/ids.ts";

export interface SandboxRow {
  readonly id: string;
  /** Stripe's `object`, or what the sandbox keeps for itself: `settings`, `idempotency`, `delivery`, `deleted`. */
  readonly type: string;
  /** Whose customer it concerns: goes with the team. */
  readonly teamId: TeamId | null;
  readonly customer: string | null;
  /** JSON. */
  readonly data: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface SandboxWrites {
  readonly inserts: readonly SandboxRow[];
  /** Rows that were there when they were read; one that has been erased since stays erased. */
  readonly updates: readonly SandboxRow[];
  readonly removals: readonly string[];
}

export interface SandboxStore {
  get(id: string): Promise<SandboxRow | undefined>;
  /** In the order of their ids, which is the order they were made in. */
  list(type: string, customer?: string): Promise<readonly SandboxRow[]>;
  apply(writes: SandboxWrites): Promise<void>;
  /** Writes every row anew whose data `change` gives otherwise. */
  rewrite(change: (data: string) => string): Promise<void>;
}

/** For tests and whatever need not outlive the process. */
export function createMemoryStore(): SandboxStore & { eraseTeam(teamId: TeamId): void; size(): number } {
  const rows = new Map<string, SandboxRow>();
  return {
    get: async (id) => rows.get(id),
    list: async (type, customer) =>
      [...rows.values()]
        .filter((row) => row.type === type && (customer === undefined || row.customer === customer))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    async apply({ inserts, updates, removals }) {
      for (const row of inserts) rows.set(row.id, row);
      for (const row of updates) if (rows.has(row.id)) rows.set(row.id, row);
      for (const id of removals) rows.delete(id);
    },
    async rewrite(change) {
      for (const row of rows.values()) rows.set(row.id, { ...row, data: change(row.data) });
    },
    eraseTeam(teamId) {
      for (const row of rows.values()) if (row.teamId === teamId) rows.delete(row.id);
    },
    size: () => rows.size,
  };
}
