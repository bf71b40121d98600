/** Where a new phone goes. */
import type { SeenNode } from "./nodes.repo.ts";

export type Place = Pick<SeenNode, "id" | "role" | "region" | "capacity" | "taken" | "draining" | "living">;

/**
 * The node with the most room for a web phone: in the asked region before others, the emptiest first, `here` before others
 * that are as empty. Undefined: no node has room.
 */
export function placeFor<P extends Place>(nodes: readonly P[], wish: { region: string; here: P["id"] }): P | undefined {
  const open = nodes.filter(
    ({ living, draining, role, capacity, taken }) => living && draining === null && role !== "api" && taken < capacity,
  );
  const rank = ({ id, region, capacity, taken }: P) =>
    [region === wish.region ? 0 : 1, taken / capacity, id === wish.here ? 0 : 1] as const;
  return open.sort((a, b) => {
    const [ra, rb] = [rank(a), rank(b)];
    return ra[0] - rb[0] || ra[1] - rb[1] || ra[2] - rb[2] || (a.id < b.id ? -1 : 1);
  })[0];
}
