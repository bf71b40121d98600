/** The one way to look at a billing record besides its team's own. */
import { z } from "zod";
import { type Commands, oneLine, parse, reason } from "./command.ts";

const number = z.string().trim().min(1, "Give the number on the invoice.").max(100);

export const BILLING_COMMANDS: Commands = {
  "billing show": {
    options: { number: { type: "string", required: true }, reason: { type: "string", required: true } },
    async run({ billing, process }, options) {
      const which = parse(number, "--number", options["number"]);
      const record = await billing.show(which, parse(reason, "--reason", options["reason"]));
      const { billTo, currency, net, tax, lines } = record;
      const line = (...parts: readonly string[]) => process.out(parts.map(oneLine).join("\t"));
      const money = (amount: number) => `${(amount / 100).toFixed(2)} ${currency}`;
      line("number", record.number);
      line("issued", record.issuedAt.toISOString(), record.country);
      line("kept until", record.legalUntil.toISOString());
      line("for", billTo?.name ?? "–", billTo?.address ?? "–", billTo?.taxId ?? "–");
      for (const { words, amount } of lines) line("line", words, money(amount));
      line("net", money(net));
      line("tax", money(tax));
    },
  },
};
