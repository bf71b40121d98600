/** Commands that move the database; see `docs/postgres.md`. */
import { PerchError } from "../errors.ts";
import { moveDatabase, undoMove } from "../move-database.ts";
import { type Commands, parse, reason } from "./command.ts";

export const DATABASE_COMMANDS: Commands = {
  "db move": {
    options: { to: { type: "string" }, undo: { type: "boolean" }, reason: { type: "string", required: true } },
    async alone({ config, clock, out }, options, operator) {
      const detail = { ...operator, reason: parse(reason, "--reason", options["reason"]) };
      const request = { config: config(), clock, detail, out };
      const { to } = options;
      if ((typeof to === "string") === (options["undo"] === true))
        throw new PerchError("bad_input", "Say where to with --to, or --undo alone.");
      if (typeof to === "string") await moveDatabase({ ...request, to });
      else await undoMove(request);
    },
  },
};
