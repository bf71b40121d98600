/** Commands about the server itself: mail that failed, the audit log, the key. */
import { resolve } from "node:path";
import { makeBackup, notCovered, removeOldBackups } from "../backup/backup.ts";
import { restoreBackup } from "../backup/restore.ts";
import { verifyBackup } from "../backup/verify.ts";
import { PerchError } from "../errors.ts";
import { replaceKey } from "../open-database.ts";
import { type Commands, oneLine, parse, reason } from "./command.ts";

const FAULTS = {
  changed: (entry: number) => `changed at entry ${entry}`,
  cut_off: (entry: number) => `entries from ${entry} on were taken away`,
  head: () => "its sealed end was changed or taken away",
} as const;

export const UPKEEP_COMMANDS: Commands = {
  backup: {
    options: { to: { type: "string" }, reason: { type: "string", required: true } },
    async run({ db, audit, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const config = process.config();
      const to = typeof options["to"] === "string" ? resolve(options["to"]) : config.backupDir;
      const { folder, files, bytes } = await makeBackup(config, process.clock, to);
      await db.tx((tx) =>
        audit.record(tx, { chain: "server", actor: "operator", action: "admin.backup_made", detail: { reason: why } }),
      );
      process.out(`${folder}\t${files} files\t${bytes} bytes`);
      const { rows } = await verifyBackup(config, process.clock, folder);
      process.out(`Put back into a throw-away folder and compared: all ${rows} rows are there.`);
      for (const what of notCovered(config)) process.out(`Not in it: ${what}`);
      const removed = await removeOldBackups(config, process.clock, to);
      if (removed > 0)
        process.out(`Backups removed because they got older than ${config.BACKUP_DAYS} days: ${removed}`);
    },
  },
  restore: {
    options: { from: { type: "string", required: true }, reason: { type: "string", required: true } },
    async prepare(config, options, clock) {
      parse(reason, "--reason", options["reason"]);
      await restoreBackup(config, clock, resolve(String(options["from"])));
    },
    async run({ db, audit, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      await db.tx((tx) =>
        audit.record(tx, {
          chain: "server",
          actor: "operator",
          action: "admin.backup_restored",
          detail: { reason: why },
        }),
      );
      process.out("The backup is in place. Start the server; it erases first whoever was erased since.");
    },
  },
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
