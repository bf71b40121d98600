/** `billing …` and `sandbox …`: looking at what teams pay, and putting it right. */
import { z } from "zod";
import { CURRENCY } from "../../shared/billing/catalogue.ts";
import { moneyWords } from "../../shared/billing/words.ts";
import { idSchema, teamId } from "../../shared/ids.ts";
import { SANDBOX_JOB, type SandboxOrder } from "../billing/compose-sandbox.ts";
import type { EntryRow } from "../billing/desk/billing-desk.repo.ts";
import { syncLines } from "../billing/stripe/catalogue-sync.ts";
import { FULL_JOB, LIGHT_JOB } from "../billing/stripe/reconcile.ts";
import { PerchError } from "../errors.ts";
import { type Commands, type Options, oneLine, parse, reason, type Work } from "./command.ts";

const number = z.string().trim().min(1, "Give the number on the invoice.").max(100);
const REASON = { reason: { type: "string", required: true } } as const;
const why = (options: Options) => parse(reason, "--reason", options["reason"]);
const entryId = idSchema("ledgerEntry");
const findingId = z.string("Give the id of a finding; see: billing findings.").max(300);

/** `5` or `5.00` to 500: whole minor units, read as digits. */
const money = z
  .string()
  .regex(/^\d{1,7}(\.\d{2})?$/, "Write an amount like 5 or 5.00.")
  .transform((text) => {
    const [whole = "0", cents = "00"] = text.split(".");
    return Number(whole) * 100 + Number(cents);
  })
  .refine((amount) => amount > 0, "Give more than zero.");
const whole = (most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, "Write a whole number.")
    .transform(Number)
    .refine((value) => value > 0 && value <= most, `Write a number from 1 to ${most}.`);
const chance = z
  .string()
  .regex(/^(0|1|0?\.\d{1,3})$/, "Write a chance from 0 to 1, like 0.2.")
  .transform(Number)
  .optional();

const words = (amount: number) => moneyWords(amount, CURRENCY);
const printer =
  ({ process }: Work) =>
  (...parts: readonly string[]) =>
    process.out(parts.map(oneLine).join("\t"));

function entryLine(row: EntryRow): string[] {
  const { id, createdAt, cover, source, day, ms, amount, delta, intervalId, reversesId, reason: said } = row;
  const about = [intervalId, reversesId && `takes back ${reversesId}`, said].filter(
    (one) => one !== null && one !== "",
  );
  const at = createdAt.toISOString();
  return [
    id,
    at,
    day,
    cover,
    source,
    `${ms} ms`,
    words(amount),
    `left ${delta >= 0 ? "+" : ""}${delta}`,
    about.join(" "),
  ];
}

export const BILLING_COMMANDS: Commands = {
  "billing show": {
    options: { number: { type: "string", required: true }, ...REASON },
    async run(work, options) {
      const which = parse(number, "--number", options["number"]);
      const record = await work.books.records.show(which, why(options));
      const { billTo, currency, net, tax, lines } = record;
      const line = printer(work);
      line("number", record.number);
      line("issued", record.issuedAt.toISOString(), record.country);
      line("kept until", record.legalUntil.toISOString());
      line("for", billTo?.name ?? "–", billTo?.address ?? "–", billTo?.taxId ?? "–");
      for (const { words: said, amount } of lines) line("line", said, moneyWords(amount, currency));
      line("net", moneyWords(net, currency));
      line("tax", moneyWords(tax, currency));
    },
  },
  "billing customers": {
    options: REASON,
    async run(work, options) {
      const line = printer(work);
      for (const one of await work.billingDesk.customers(why(options))) {
        const { teamId: id, name, plan, status, standing, balance, customerId, pastDueSince, frozen } = one;
        const state = [status ?? "no subscription", standing, frozen && `balance frozen: ${frozen}`];
        const due = pastDueSince === null ? "–" : `past due since ${pastDueSince.toISOString()}`;
        line(id, name, plan, state.filter(Boolean).join(", "), words(balance), due, customerId ?? "–");
      }
    },
  },
  "billing ledger": {
    options: { team: { type: "string" }, entry: { type: "string" }, ...REASON },
    async run(work, options) {
      const { team, entry } = options;
      if ((team === undefined) === (entry === undefined)) {
        throw new PerchError("bad_input", "Give --team with a team's id, or --entry with an entry's.");
      }
      const of =
        team === undefined ? { entryId: parse(entryId, "--entry", entry) } : { teamId: parse(teamId, "--team", team) };
      const line = printer(work);
      for (const row of await work.billingDesk.entries(of, why(options))) line(...entryLine(row));
    },
  },
  "billing credit": {
    options: {
      ...{ team: { type: "string", required: true }, amount: { type: "string" }, minutes: { type: "string" } },
      ...{ days: { type: "string" }, ...REASON },
    },
    async run(work, options) {
      const team = parse(teamId, "--team", options["team"]);
      const { amount, minutes } = options;
      if ((amount === undefined) === (minutes === undefined)) {
        throw new PerchError("bad_input", "Give --amount to add to the balance, or --minutes of phone time.");
      }
      if (amount !== undefined) {
        const cents = parse(money, "--amount", amount);
        await work.billingDesk.creditMoney(team, cents, why(options));
        work.process.out(`${words(cents)} was added to the balance.`);
        return;
      }
      const given = parse(whole(1_000_000), "--minutes", minutes);
      const days = parse(whole(3_650).default(365), "--days", options["days"]);
      await work.billingDesk.creditTime(team, given * 60_000, days, why(options));
      work.process.out(`${given} minutes were given, for ${days} days.`);
    },
  },
  "billing correct": {
    options: { entry: { type: "string", required: true }, ...REASON },
    async run({ billingDesk, process }, options) {
      const id = await billingDesk.correct(parse(entryId, "--entry", options["entry"]), why(options));
      process.out(id);
    },
  },
  "billing refund": {
    options: { team: { type: "string", required: true }, amount: { type: "string", required: true }, ...REASON },
    async run(work, options) {
      demandBills(work);
      const amount = parse(money, "--amount", options["amount"]);
      await work.billingDesk.refund(parse(teamId, "--team", options["team"]), amount, why(options));
      work.process.out(`The running server sends ${words(amount)} back now; see: billing ledger, billing findings.`);
    },
  },
  "billing reconcile": {
    options: { full: { type: "boolean" }, ...REASON },
    async run(work, options) {
      demandBills(work);
      const kind = options["full"] === true ? FULL_JOB : LIGHT_JOB;
      const job = { kind, input: {}, dedupeKey: `asked:${kind}` };
      await work.billingDesk.leave(job, "admin.billing_reconciled", why(options));
      work.process.out("The running server compares now; what does not fit is shown by: billing findings.");
    },
  },
  "billing findings": {
    options: REASON,
    async run(work, options) {
      const line = printer(work);
      for (const { id, kind, createdAt, words: said, teamId: team } of await work.billingDesk.findings(why(options))) {
        line(id, createdAt.toISOString(), kind, said, team ?? "–");
      }
    },
  },
  "billing resolve": {
    options: { finding: { type: "string", required: true }, ...REASON },
    async run({ billingDesk, process }, options) {
      await billingDesk.resolve(parse(findingId, "--finding", options["finding"]), why(options));
      process.out("It is noted as put right.");
    },
  },
  "billing freeze": {
    options: { team: { type: "string", required: true }, ...REASON },
    async run({ billingDesk, process }, options) {
      await billingDesk.setFrozen(parse(teamId, "--team", options["team"]), true, why(options));
      process.out("The balance cannot be used until: billing free.");
    },
  },
  "billing free": {
    options: { team: { type: "string", required: true }, ...REASON },
    async run({ billingDesk, process }, options) {
      await billingDesk.setFrozen(parse(teamId, "--team", options["team"]), false, why(options));
      process.out("The balance can be used again.");
    },
  },
  "billing sync": {
    options: { "dry-run": { type: "boolean" }, ...REASON },
    async run(work, options) {
      demandBills(work);
      const dryRun = options["dry-run"] === true;
      const done = await work.syncCatalogue(dryRun);
      if (!dryRun) await work.billingDesk.record("admin.billing_synced", why(options));
      for (const said of syncLines(done, dryRun)) work.process.out(said);
    },
  },
  "sandbox clock": {
    options: { days: { type: "string", required: true }, ...REASON },
    async run(work, options) {
      const days = parse(whole(800), "--days", options["days"]);
      await order(work, { order: "clock", moveMs: days * 24 * 3_600_000 }, why(options));
      work.process.out(`The running server lets ${days} days pass in the sandbox; the server's own clock stays.`);
    },
  },
  "sandbox faults": {
    options: {
      ...{ "fail-calls": { type: "string" }, "lose-answers": { type: "string" }, duplicates: { type: "string" } },
      ...{ drops: { type: "string" }, reorder: { type: "boolean" }, "delay-ms": { type: "string" }, ...REASON },
    },
    async run(work, options) {
      const faults = {
        failCalls: parse(chance, "--fail-calls", options["fail-calls"]),
        loseAnswers: parse(chance, "--lose-answers", options["lose-answers"]),
        duplicateWebhooks: parse(chance, "--duplicates", options["duplicates"]),
        dropWebhooks: parse(chance, "--drops", options["drops"]),
        ...(options["reorder"] === true && { reorderWebhooks: true }),
        delayWebhooksMs: parse(whole(3_600_000).optional(), "--delay-ms", options["delay-ms"]),
      };
      const set = Object.fromEntries(Object.entries(faults).filter(([, value]) => value !== undefined));
      await order(work, { order: "faults", faults: set }, why(options));
      work.process.out(Object.keys(set).length === 0 ? "Nothing goes wrong any more." : "It goes wrong from now on.");
    },
  },
};

function demandBills({ process }: Work): void {
  if (process.config().billingMode === "off") {
    throw new PerchError("unavailable", "This server sends no bills: BILLING is off.");
  }
}

async function order({ billingDesk, process }: Work, input: SandboxOrder, said: string): Promise<void> {
  if (process.config().billingMode !== "sandbox") {
    throw new PerchError("unavailable", "There is no billing sandbox here: set BILLING=sandbox.");
  }
  await billingDesk.leave({ kind: SANDBOX_JOB, input }, "admin.billing_sandbox_told", said);
}
