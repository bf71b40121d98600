/** Commands about the server itself: mail that failed, the audit log, the key. */
import { PerchError } from "../errors.ts";
import { replaceKey } from "../open-database.ts";
import { type Commands, oneLine, parse, reason } from "./command.ts";

const FAULTS = {
  changed: (entry: number) => `changed at entry ${entry}`,
  cut_off: (entry: number) => `entries from ${entry} on were taken away`,
  head: () => "its sealed end was changed or taken away",
} as const;

export const UPKEEP_COMMANDS: Commands = {
  "mail failed": {
    options: { reason: { type: "string", required: true } },
    async run({ services, process }, options) {
      const mails = await services.mail.failed(parse(reason, "--reason", options["reason"]));
      for (const { id, createdAt, kind, recipient, failure } of mails) {
        process.out([id, createdAt.toISOString(), kind, oneLine(recipient), failure ?? ""].join("\t"));
      }
    },
  },
  "audit verify": {
    options: { chain: { type: "string" } },
    async run({ audit, process }, { chain: only }) {
      const known = await audit.chains();
      if (only !== undefined && !known.some((chain) => chain === only))
        throw new PerchError("not_found", `There is no audit chain “${only}”. Leave --chain out to see them all.`);
      let changed = 0;
      for (const chain of known) {
        if (only !== undefined && chain !== only) continue;
        const { entries, brokenAt, how } = await audit.verify(chain);
        if (how !== undefined) changed += 1;
        process.out(`${chain}\t${entries} entries\t${how === undefined ? "intact" : FAULTS[how](brokenAt ?? 0)}`);
      }
      const isWhole = await audit.hasEveryChain();
      if (!isWhole) process.out("A whole chain was taken away, or the count of chains was changed.");
      if (changed > 0 || !isWhole) throw new PerchError("conflict", "The audit log was changed after the fact.");
    },
  },
  "key rotate": {
    options: { reason: { type: "string", required: true } },
    async prepare(config, options) {
      parse(reason, "--reason", options["reason"]);
      await replaceKey(config);
    },
    async run({ process }) {
      process.out(`The key in ${process.config().keyFile} is a new one. Copy it to a safe place.`);
      process.out("Copies of the data made before still need the earlier key.");
    },
  },
};
