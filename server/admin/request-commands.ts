/** `request …`: requests about data that came by mail, post or form, and answers. `docs/privacy/requests.md` says how. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { email } from "../../shared/accounts.ts";
import { REQUEST_KINDS, requestText } from "../../shared/privacy.ts";
import { PerchError } from "../errors.ts";
import { signedReceipt } from "../privacy/receipts.ts";
import type { RequestDesk } from "../privacy/requests/desk.service.ts";
import type { DenialReason } from "../privacy/requests/request-states.ts";
import { DENIED, stateWords } from "../privacy/requests/request-words.ts";
import type { RequestRow } from "../privacy/requests/requests.repo.ts";
import { type Command, type Commands, oneLine, parse, reason } from "./command.ts";

const WHY = { type: "string", required: true } as const;
const OF_ONE = { number: { type: "string", required: true }, reason: WHY } as const;
const number = z.string().trim().min(1, "Give its number, like DR-2026-0001.");
const answerText = requestText.min(1, "Write the answer.");
const channel = z.enum(["mail", "post", "form"], { error: "Choose from: mail, post, form." });
const kind = z.enum(REQUEST_KINDS, { error: `Choose from: ${REQUEST_KINDS.join(", ")}.` });
const denials = Object.keys(DENIED) as DenialReason[];
const because = z.enum(denials, { error: `Choose from: ${denials.join(", ")}.` });
/** A day counts from its first moment: who wrote that day waits no longer than promised. */
const arrival = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], { error: "Write the day it arrived, like 2026-11-20." })
  .transform((text) => new Date(text));

export const REQUEST_COMMANDS: Commands = {
  "request list": {
    options: { reason: WHY },
    async run({ asked, process }, options) {
      const queue = await asked.desk.queue(parse(reason, "--reason", options["reason"]));
      for (const { daysLeft: left, remindedDay, ...row } of queue) {
        const due = left < 0 ? `OVERDUE by ${-left} days` : `${left} days left`;
        const reminded = remindedDay === 0 ? "" : `reminded on day ${remindedDay}`;
        const columns = [row.number, row.kind, row.channel, stateWords(row), dayOf(row.dueAt), due, reminded];
        process.out(columns.join("\t").trimEnd());
      }
    },
  },
  "request show": {
    options: OF_ONE,
    async run({ asked, process }, options) {
      const row = await asked.desk.show(...ofOne(options));
      const lines = {
        number: row.number,
        asks: row.kind,
        channel: row.channel,
        state: stateWords(row),
        because: row.reason,
        from: row.email,
        account: row.userId,
        wrote: row.text,
        received: row.receivedAt,
        entered: row.enteredAt,
        confirmed: row.verifiedAt,
        due: row.dueAt,
        closed: row.closedAt,
        answer: row.answer,
      };
      for (const [name, value] of Object.entries(lines)) {
        if (value === null) continue;
        process.out(`${name}\t${value instanceof Date ? value.toISOString() : oneLine(value)}`);
      }
    },
  },
  "request add": {
    options: {
      ...{ kind: WHY, channel: WHY, email: WHY, received: WHY, reason: WHY },
      text: { type: "string" },
    },
    async run({ asked, process }, options) {
      const row = await asked.desk.enter(
        {
          kind: parse(kind, "--kind", options["kind"]),
          channel: parse(channel, "--channel", options["channel"]),
          email: parse(email, "--email", options["email"]),
          receivedAt: parse(arrival, "--received", options["received"]),
          text: parse(requestText.optional(), "--text", options["text"]),
        },
        parse(reason, "--reason", options["reason"]),
      );
      process.out(`${row.number} ${stateWords(row)}, answer by ${dayOf(row.dueAt)}`);
    },
  },
  "request verify": {
    options: OF_ONE,
    async run({ asked, process }, options) {
      const { row, atWork } = await asked.desk.confirm(...ofOne(options));
      process.out(`${row.number} ${stateWords(row)}`);
      if (row.state !== "in_progress") return;
      if (atWork) process.out("It was started; nothing is left to do.");
      else if (row.kind === "delete") process.out("Left to do: delete the account with “user erase”.");
      else process.out("Left to do: answer with “request answer”.");
    },
  },
  "request answer": step(
    ({ desk }, options) => {
      const [which, why] = ofOne(options);
      return desk.answer(which, parse(answerText, "--text", options["text"]), why);
    },
    { text: WHY },
  ),
  "request deny": step(
    ({ desk }, options) => {
      const [which, why] = ofOne(options);
      const text = parse(requestText.optional(), "--text", options["text"]);
      return desk.deny(which, parse(because, "--because", options["because"]), text, why);
    },
    { because: WHY, text: { type: "string" } },
  ),
  "request close": step(({ desk }, options) => desk.close(...ofOne(options))),
  "receipt verify": {
    options: { file: WHY },
    async run({ asked, process }, options) {
      const receipt = parse(signedReceipt, "--file", readJson(String(options["file"])));
      if (!asked.receipts.verify(receipt)) {
        throw new PerchError("bad_input", "This receipt was not signed by this server, or it was changed since.");
      }
      process.out(`Signed by this server with key ${asked.receipts.key.keyId}.`);
      for (const [name, value] of Object.entries(receipt.statement)) {
        process.out(`${oneLine(name)}\t${oneLine(typeof value === "string" ? value : JSON.stringify(value))}`);
      }
    },
  },
};

/** A step that settles one request; prints where it stands. */
function step(
  work: (
    asked: { readonly desk: RequestDesk },
    options: Parameters<NonNullable<Command["run"]>>[1],
  ) => Promise<RequestRow>,
  options: Command["options"] = {},
): Command {
  return {
    options: { ...OF_ONE, ...options },
    async run({ asked, process }, given) {
      const row = await work(asked, given);
      process.out(`${row.number} ${stateWords(row)}`);
    },
  };
}

function ofOne(options: Parameters<NonNullable<Command["run"]>>[1]): [string, string] {
  return [parse(number, "--number", options["number"]), parse(reason, "--reason", options["reason"])];
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new PerchError("bad_input", `${file} cannot be read as JSON. Give the file with the receipt.`, { cause });
  }
}
