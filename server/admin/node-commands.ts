/** `nodes …`: the processes that are this server together. */
import type { SeenNode } from "../nodes/nodes.repo.ts";
import { nodeName } from "../nodes/nodes.service.ts";
import { type Commands, parse, reason } from "./command.ts";

const NAME = { name: { type: "string", required: true } } as const;
const REASON = { reason: { type: "string", required: true } } as const;

export const NODE_COMMANDS: Commands = {
  "nodes list": {
    options: {},
    async run({ nodes, process }) {
      for (const node of await nodes.list()) process.out(lineOf(node).join("\t"));
    },
  },
  "nodes drain": {
    options: { ...NAME, ...REASON },
    run: ({ nodes }, options) =>
      nodes.drain(parse(nodeName, "--name", options["name"]), parse(reason, "--reason", options["reason"])),
  },
  "nodes undrain": {
    options: { ...NAME, ...REASON },
    run: ({ nodes }, options) =>
      nodes.undrain(parse(nodeName, "--name", options["name"]), parse(reason, "--reason", options["reason"])),
  },
  "nodes forget": {
    options: { ...NAME, ...REASON, destroyed: { type: "boolean" } },
    async run({ nodes, process }, options) {
      const name = parse(nodeName, "--name", options["name"]);
      const why = parse(reason, "--reason", options["reason"]);
      const lost = await nodes.forget(name, why, options["destroyed"] === true);
      if (lost > 0) process.out(`${lost} phones lost what was on them; they begin anew when they are started.`);
    },
  },
};

function lineOf({ name, role, region, address, version, capacity, taken, draining, living, endedAt }: SeenNode) {
  const gone = endedAt === null ? "lost" : "stopped";
  const state = living ? (draining === null ? "open" : "draining") : gone;
  return [name, role, state, region, address ?? "no address", version, `${taken} of ${capacity} web phones`];
}
