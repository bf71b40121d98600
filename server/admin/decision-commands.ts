/** `decision …`: what the rules against abuse decided, looked at again by a person. */
import { decisionId } from "../../shared/ids.ts";
import { type Command, type Commands, oneLine, parse, reason } from "./command.ts";

export const DECISION_COMMANDS: Commands = {
  "decision list": {
    options: { reason: { type: "string", required: true } },
    async run({ services, process }, options) {
      for (const open of await services.standing.listOpen(parse(reason, "--reason", options["reason"]))) {
        process.out([open.id, open.at, open.email, open.kind, open.action, open.state, String(open.score)].join("\t"));
        for (const words of open.reasons) process.out(`  ${words}`);
        if (open.contest !== undefined) process.out(`  They say: ${oneLine(open.contest)}`);
      }
    },
  },
  "decision lift": reviewCommand("lifted"),
  "decision uphold": reviewCommand("upheld"),
};

function reviewCommand(outcome: "lifted" | "upheld"): Command {
  return {
    options: { id: { type: "string", required: true }, reason: { type: "string", required: true } },
    async run({ services, process }, options) {
      const id = parse(decisionId, "--id", options["id"]);
      await services.standing.review(id, outcome, parse(reason, "--reason", options["reason"]));
      process.out(`${id} ${outcome}`);
    },
  };
}
