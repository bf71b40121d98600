/** Runs that any phone of a set may take: when one goes to another phone, and what a flow is told of its place in the set. */
import type { PhoneId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import { RunStop } from "./engine/failures.ts";
import type { RunRow } from "./runs.repo.ts";

/** How often a run goes to another phone because the one it had was lost or did not start. */
export const MOST_MOVES = 2;

/** How long a phone that could not do a run takes none that others may do. */
const REST_MS = 30_000;

export class NotStarted extends Error {
  constructor(cause: unknown) {
    super("The phone did not start.", { cause });
  }
}

/** `full`: no more phones may run now, so it waits for one that does. `gone`: the phone is removed. */
export function reasonToMove(error: unknown): "lost" | "full" | "gone" | undefined {
  if (error instanceof RunStop) return error.code === "phone_lost" ? "lost" : undefined;
  if (!(error instanceof NotStarted)) return undefined;
  if (!(error.cause instanceof PerchError)) return "lost";
  if (error.cause.code === "limit_reached") return "full";
  return error.cause.code === "not_found" ? "gone" : "lost";
}

/** Phones that rest, in this process alone: another one finds out by itself. */
export function createRest(clock: Clock) {
  const until = new Map<PhoneId, number>();
  return {
    begin(id: PhoneId): void {
      until.set(id, clock.now() + REST_MS);
    },
    phones(): readonly PhoneId[] {
      for (const [id, at] of until) if (at <= clock.now()) until.delete(id);
      return [...until.keys()];
    },
  };
}

/** Names flows written for Maestro know; a shard is a phone of the set. */
export function maestroNames(row: Pick<RunRow, "name" | "phoneId" | "shard">): Readonly<Record<string, string>> {
  return {
    MAESTRO_FILENAME: row.name.replace(/\.ya?ml$/i, ""),
    MAESTRO_DEVICE_UDID: row.phoneId,
    ...(row.shard !== null && {
      MAESTRO_SHARD_ID: String(row.shard + 1),
      MAESTRO_SHARD_INDEX: String(row.shard),
    }),
  };
}
