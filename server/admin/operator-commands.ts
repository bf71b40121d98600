/** `overview`, `jobs …`, `phones …`, `config show`, `audit read`: what the operator's page shows and does, by command. */
import { z } from "zod";
import { email } from "../../shared/accounts.ts";
import { ANNOUNCEMENT_LEVELS, announcementId } from "../../shared/announcements.ts";
import { idSchema, phoneId } from "../../shared/ids.ts";
import { type Commands, oneLine, parse, reason } from "./command.ts";

const REASON = { reason: { type: "string", required: true } } as const;
const jobId = idSchema("job");
const time = z.iso.datetime("Write a time like 2026-01-31T18:00:00Z.").transform((text) => new Date(text));

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
      for (const { place, code, count, reference } of await console.faults())
        line("errors in 24 h", place, code, count, reference ?? "");
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
  "announcements list": {
    options: {},
    async run({ announcements, process }) {
      for (const { id, level, from, until, text } of await announcements.all())
        process.out([id, level, from.toISOString(), until.toISOString(), text].join("\t"));
    },
  },
  "announcements add": {
    options: {
      ...{ text: { type: "string", required: true }, until: { type: "string", required: true }, ...REASON },
      ...{ from: { type: "string" }, level: { type: "string" } },
    },
    async run({ announcements, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const from = parse(time.optional(), "--from", options["from"]) ?? new Date(process.clock.now());
      const until = parse(time, "--until", options["until"]);
      const level = parse(z.enum(ANNOUNCEMENT_LEVELS).default("info"), "--level", options["level"]);
      process.out(await announcements.announce({ text: String(options["text"]), level, from, until }, why));
    },
  },
  "announcements end": {
    options: { id: { type: "string", required: true }, ...REASON },
    run: ({ announcements }, options) =>
      announcements.end(parse(announcementId, "--id", options["id"]), parse(reason, "--reason", options["reason"])),
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
