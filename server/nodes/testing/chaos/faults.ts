/** What goes wrong in a storm: one thing at a time or several, each drawn by lot and written down. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseTimes } from "../../lease.ts";
import type { Chance } from "./chance.ts";
import type { Fault, Remembered } from "./remembered.ts";
import type { StormNode, World } from "./world.ts";

export const FAULTS = {
  ...{ kill: 4, drain: 2, freeze: 2, "short freeze": 1, cut: 3, "half open": 2, connections: 4 },
  ...{ "database restart": 1, "database crash": 1, clock: 3 },
} as const;
export type FaultKind = keyof typeof FAULTS;

export interface Faults {
  /** Does one and waits until it is over. */
  cause(kind?: FaultKind, node?: StormNode): Promise<void>;
}

export function createFaults(options: {
  world: World;
  known: Remembered;
  chance: Chance;
  lease: LeaseTimes;
  /** The node whose clock is set. */
  unsteady: StormNode | undefined;
}): Faults {
  const { world, known, chance, lease, unsteady } = options;
  /** Nodes that are stopped now: two at a time would leave nobody to ask. */
  const down = new Set<StormNode>();

  async function around(kind: FaultKind, node: StormNode | undefined, work: () => Promise<void>): Promise<void> {
    const fault: Fault = { kind, node: node?.name, from: Date.now(), to: Number.POSITIVE_INFINITY };
    known.faults.push(fault);
    await work();
    fault.to = Date.now();
  }

  const causes: Readonly<Record<FaultKind, (node: StormNode) => Promise<void>>> = {
    async kill(node) {
      await node.kill();
      // Sometimes it is back before anybody saw that it was gone.
      await sleep(chance.next() < 0.5 ? 0 : chance.between(lease.leaseMs, 2 * lease.leaseMs));
      await node.run();
    },
    async drain(node) {
      await node.stop();
      await sleep(chance.between(0, 2_000));
      await node.run();
    },
    freeze: (node) => node.freeze(lease.leaseMs + chance.between(500, 3_000)),
    "short freeze": (node) => node.freeze(chance.between(200, Math.floor(lease.leaseMs / 2))),
    cut: (node) => through(node, "cut"),
    "half open": (node) => through(node, "held"),
    connections: async () => void (await world.endConnections(chance.next()).catch(() => {})),
    "database restart": () => world.restartDatabase("fast"),
    "database crash": () => world.restartDatabase("immediate"),
    async clock() {
      await unsteady?.setClock(chance.between(-40_000, 40_000)).catch(() => {});
    },
  };
  async function through(node: StormNode, state: "cut" | "held"): Promise<void> {
    node.proxy.become(state);
    await sleep(chance.between(200, 2 * lease.leaseMs));
    node.proxy.become("passing");
  }

  const STOPS: ReadonlySet<FaultKind> = new Set(["kill", "drain", "freeze", "cut", "half open"]);
  return {
    async cause(drawn, at) {
      const kind = drawn ?? chance.weighted(FAULTS);
      const node = at ?? chance.of(world.nodes.filter((one) => !down.has(one)));
      if (node === undefined || (kind === "clock" && unsteady === undefined)) return;
      const stops = STOPS.has(kind);
      while (stops && down.size >= world.nodes.length - 1) {
        if (drawn === undefined) return;
        await sleep(50);
      }
      if (stops) down.add(node);
      const isEverywhere = kind.startsWith("database") || kind === "connections";
      const where = kind === "clock" ? unsteady : isEverywhere ? undefined : node;
      await around(kind, where, () => causes[kind](node)).finally(() => down.delete(node));
    },
  };
}
