/** What the egress proxy costs, as a benchmark among the others. */
import type { Benchmark } from "./benchmark.ts";
import { benchEgress } from "./egress.ts";

export const egress: Benchmark = {
  name: "egress",
  title: "Egress proxy",
  about: "The same work over loopback, straight and through a phone's filtering proxy, in turns.",
  async run() {
    const figures = await benchEgress();
    return figures.map(({ name, unit, direct, proxied }) => ({
      name,
      unit,
      median: proxied,
      beside: { name: "straight", median: direct },
    }));
  },
};
