/** `overview`, `jobs …`, `phones …`, `config show`, `audit read`: what the operator's page shows and does, by command. */
import { email } from "../../shared/accounts.ts";
import { idSchema, phoneId } from "../../shared/ids.ts";
import { type Commands, oneLine, parse, reason } from "./command.ts";

const REASON = { reason: { type: "string", required: true } } as const;
const jobId = idSchema("job");

export const OPERATOR_COMMANDS: Commands = {
  overview: {
    options: {},
    async run({ console, backups, process }) {
      const { phones, unreachablePhones, nodes, hosts, jobs, diedToday, overdueMs, mail } = await console.overview();
      const line = (...parts: readonly (string | number)[]) => process.out(parts.join("\t"));
      for (const { driver, state, count } of phones) line("phones", driver, state, count);
      if (unreachablePhones > 0) line("phones", "do not answer", unreachablePhones);
      for (const { name, living, draining, taken, capacity } of nodes) {
        line("node", name, living ? (draining === null ? "open" : "draining") : "gone", `${taken} of ${capacity}`);
      }
      for (const { name, taken, capacity, draining } of hosts) {
        line("host", name, draining ? "draining" : "open", `${taken} of ${capacity}`);
      }
      for (const [state, count] of Object.entries(jobs)) line("jobs", state, count);
      line("jobs", "failed for good in 24 h", diedToday);
      line("jobs", "longest overdue", `${Math.round(overdueMs / 1000)} s`);
      line("mail", `${mail.waiting} waiting`, `${mail.failed} failed`);
      const { finding, lastGood } = await backups.status();
      line("backups", finding[0], finding[1]);
      if (lastGood !== undefined) line("backups", "last good", lastGood.name, lastGood.node, `${lastGood.rows} rows`);
    },
  },
  "jobs list": {
    options: {},
    async run({ console, process }) {
      for (const { id, kind, state, attempt, maxAttempts, runAt, error } of await console.jobs()) {
        const tries = `${attempt} of ${maxAttempts}`;
        process.out([id, kind, state, tries, runAt.toISOString(), oneLine(error ?? "")].join("\t"));
      }
    },
  },
  "jobs run": {
    options: { id: { type: "string", required: true }, ...REASON },
    run: ({ console }, options) =>
      console.runJob(parse(jobId, "--id", options["id"]), parse(reason, "--reason", options["reason"])),
  },
  "phones list": {
    options: { email: { type: "string", required: true }, ...REASON },
    async run({ console, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { teams } = await console.person(parse(email, "--email", options["email"]), why);
      for (const { name: team, phones } of teams)
        for (const { id, name, driver, state } of phones)
          process.out([id, oneLine(name), driver, state, oneLine(team)].join("\t"));
    },
  },
  "phones stop": {
    options: { phone: { type: "string", required: true }, ...REASON },
    async run({ console, process }, options) {
      await console.stopPhone(
        parse(phoneId, "--phone", options["phone"]),
        parse(reason, "--reason", options["reason"]),
      );
      process.out("The running server parks it now.");
    },
  },
  "config show": {
    options: {},
    async run({ console, process }) {
      for (const { name, value } of console.configuration()) process.out(`${name}\t${value}`);
    },
  },
  "audit read": {
    options: REASON,
    async run({ console, process }, options) {
      for (const { seq, at, action, detail } of await console.auditLog(parse(reason, "--reason", options["reason"]))) {
        const words = Object.entries(detail ?? {}).map(([name, value]) => `${name}=${oneLine(String(value))}`);
        process.out([seq, at?.toISOString() ?? "–", action, words.join(" ")].join("\t"));
      }
    },
  },
};
