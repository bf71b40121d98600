/** `policy …` and `desk …`: announcing a version of the policy, and the operator's page. */
import { z } from "zod";
import { type Commands, parse, reason } from "./command.ts";

const REASON = { reason: { type: "string", required: true } } as const;
const version = z
  .string()
  .regex(/^\d{1,6}$/, "Write the number of a version.")
  .transform(Number);

export const DESK_COMMANDS: Commands = {
  "policy announce": {
    options: { version: { type: "string", required: true }, ...REASON },
    async run({ desks, process }, options) {
      const number = parse(version, "--version", options["version"]);
      const { effectiveAt } = await desks.policy.announce(number, parse(reason, "--reason", options["reason"]));
      process.out(
        `The running server tells everybody now. In force from ${effectiveAt.toISOString()} at the earliest.`,
      );
    },
  },
  "policy status": {
    options: {},
    async run({ desks, process }) {
      const { version: current } = await desks.policy.current();
      process.out(`version ${current}\tin force`);
      for (const one of await desks.policy.status()) {
        const start = one.effectiveAt?.toISOString() ?? "when the last notice has arrived, and 14 days";
        const notices = `${one.people} notices: ${one.mailed} by mail, ${one.failed} without, ${one.objected} objected`;
        process.out(
          [`version ${one.version}`, `announced ${one.announcedAt.toISOString()}`, start, notices].join("\t"),
        );
      }
    },
  },
  "desk open": {
    options: REASON,
    async run({ desks, process, operator }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      process.out(await desks.desk.link({ reason: why, ...operator }));
    },
  },
};
