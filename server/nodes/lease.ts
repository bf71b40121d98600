/**
 * How long a node is believed. Nodes compare times by the database's clock alone; a node judges itself by a clock that only
 * runs forward, from before it asked, so that it stops before anybody else may take what it had.
 */
export interface LeaseTimes {
  /** How often a node says that it lives. */
  readonly beatMs: number;
  /** For how long others believe one heartbeat. */
  readonly leaseMs: number;
  /** How long before its lease ends a node stops what it does: what is under way has to end by then. */
  readonly marginMs: number;
}

export const LEASE: LeaseTimes = { beatMs: 5_000, leaseMs: 15_000, marginMs: 3_000 };

export interface LeaseRow {
  readonly heartbeatAt: Date;
  readonly endedAt: Date | null;
}

/** Whether others have to leave alone what the node has. `now`: by the clock that wrote the heartbeat. */
export function isLiving({ heartbeatAt, endedAt }: LeaseRow, now: Date, { leaseMs }: LeaseTimes): boolean {
  return endedAt === null && now.getTime() - heartbeatAt.getTime() < leaseMs;
}

/** When a node that last asked for its heartbeat at `askedAt` has to have stopped; both by its own forward clock. */
export function fenceAt(askedAt: number, { leaseMs, marginMs }: LeaseTimes): number {
  return askedAt + leaseMs - marginMs;
}
