/** `incident …`: the breach desk. Nothing of these names a person but `unreached`, which those it names can see. */
import { z } from "zod";
import { incidentId } from "../../shared/ids.ts";
import type { IncidentScope } from "../../shared/incidents.ts";
import { asHtml, asMarkdown, authorityForm } from "../privacy/incidents/authority-form.ts";
import type { IncidentView } from "../privacy/incidents/incidents.service.ts";
import { CATEGORIES } from "../privacy/tags.ts";
import { type Commands, type Options, oneLine, parse, reason } from "./command.ts";

const REASON = { reason: { type: "string", required: true } } as const;
const ID = { id: { type: "string", required: true } } as const;
const TEXTS = {
  what: { type: "string" },
  consequences: { type: "string" },
  measures: { type: "string" },
  todo: { type: "string" },
} as const;

const text = z.string().trim().min(1, "Write it in a sentence or two.").max(2_000, "Use at most 2,000 characters.");
const moment = z
  .string()
  .refine((given) => /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(given) && !Number.isNaN(Date.parse(given)), {
    error: "Write a moment in UTC, like 2026-11-26T09:30:00Z.",
  })
  .transform((given) => new Date(given));
const listed = (given: Options[string]) =>
  typeof given === "string" ? given.split(",").flatMap((part) => part.trim() || []) : [];
const idOf = (options: Options) => parse(incidentId, "--id", options["id"]);
const why = (options: Options) => parse(reason, "--reason", options["reason"]);
const textsOf = (options: Options) => ({
  what: parse(text.optional(), "--what", options["what"]),
  consequences: parse(text.optional(), "--consequences", options["consequences"]),
  measures: parse(text.optional(), "--measures", options["measures"]),
  todo: parse(text.optional(), "--todo", options["todo"]),
});

export const INCIDENT_COMMANDS: Commands = {
  "incident open": {
    options: {
      title: { type: "string", required: true },
      "aware-at": { type: "string", required: true },
      drill: { type: "boolean" },
      ...TEXTS,
      ...REASON,
    },
    async run({ desks, process }, options) {
      const id = await desks.incidents.open(
        {
          title: parse(text, "--title", options["title"]),
          awareAt: parse(moment, "--aware-at", options["aware-at"]),
          drill: options["drill"] === true,
          ...textsOf(options),
        },
        why(options),
      );
      process.out(id);
    },
  },
  "incident describe": {
    options: { ...ID, ...TEXTS, ...REASON },
    async run({ desks }, options) {
      await desks.incidents.describe(idOf(options), textsOf(options), why(options));
    },
  },
  "incident scope": {
    options: {
      ...ID,
      exposed: { type: "string", required: true },
      users: { type: "string" },
      teams: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      ...REASON,
    },
    async run({ desks, process }, options) {
      const [users, teams] = [listed(options["users"]), listed(options["teams"])];
      const only = users.length + teams.length === 0 ? undefined : { users, teams };
      const view = await desks.incidents.scope(
        idOf(options),
        {
          columns: exposedOf(listed(options["exposed"])),
          ...(only !== undefined && { only }),
          from: parse(moment.optional(), "--from", options["from"]),
          to: parse(moment.optional(), "--to", options["to"]),
        },
        why(options),
      );
      for (const line of linesOf(view)) process.out(line);
    },
  },
  "incident show": {
    options: ID,
    async run({ desks, process }, options) {
      for (const line of linesOf(await desks.incidents.get(idOf(options)))) process.out(line);
    },
  },
  "incident form": {
    options: { ...ID, format: { type: "string" } },
    async run({ desks, process }, options) {
      const format = parse(z.enum(["markdown", "html"]).default("markdown"), "--format", options["format"]);
      const { publicUrl, SUPPORT_EMAIL } = process.config();
      const view = await desks.incidents.get(idOf(options));
      const form = authorityForm(view, { publicUrl, contact: SUPPORT_EMAIL }, process.clock.now());
      process.out(format === "html" ? asHtml(form) : asMarkdown(form));
    },
  },
  "incident notify": {
    options: { ...ID, ...REASON },
    async run({ desks, process }, options) {
      await desks.incidents.notify(idOf(options), why(options));
      process.out("The running server tells them now. See how far it is: incident show.");
    },
  },
  "incident unreached": {
    options: { ...ID, ...REASON },
    async run({ desks, process }, options) {
      for (const { userId, email, categories } of await desks.incidents.unreached(idOf(options), why(options))) {
        process.out([userId, oneLine(email), categories.join(",")].join("\t"));
      }
    },
  },
  "incident told-authority": {
    options: { ...ID, at: { type: "string", required: true }, ...REASON },
    async run({ desks }, options) {
      await desks.incidents.toldAuthority(idOf(options), parse(moment, "--at", options["at"]), why(options));
    },
  },
  "incident close": {
    options: { ...ID, "authority-not-needed": { type: "string" }, ...REASON },
    async run({ desks }, options) {
      const notNeeded = parse(text.optional(), "--authority-not-needed", options["authority-not-needed"]);
      await desks.incidents.close(idOf(options), why(options), notNeeded);
    },
  },
  "incident register": {
    options: {},
    async run({ desks, process }) {
      for (const { incident, clock, toldLate } of await desks.incidents.register()) {
        const { id, title, state, drill, awareAt, peopleCount, authorityToldAt, what, consequences, measures } =
          incident;
        const late = clock.red ? "RED" : toldLate > 0 ? `${toldLate} told late` : "in time";
        const authority = authorityToldAt?.toISOString() ?? "authority not told";
        process.out(
          [
            id,
            drill ? `${state}, drill` : state,
            late,
            awareAt.toISOString(),
            `${peopleCount ?? "?"} people`,
            authority,
          ]
            .concat([title, what ?? "", consequences ?? "", measures ?? ""].map(oneLine))
            .join("\t"),
        );
      }
    },
  },
};

/** `users.email` is a column, `sessions` a whole table. */
function exposedOf(names: readonly string[]): IncidentScope["columns"] {
  const tables = Map.groupBy(names, (name) => name.split(".")[0] ?? "");
  return [...tables].map(([table, those]) => {
    const columns = those.flatMap((name) => (name.includes(".") ? [name.slice(table.length + 1)] : []));
    return { table, columns: columns.length < those.length ? "all" : columns };
  });
}

function linesOf({ incident, told, clock, toldLate }: IncidentView): string[] {
  const { id, title, state, drill, awareAt, peopleCount, authorityToldAt, scope } = incident;
  const left = clock.hoursLeft < 0 ? `${Math.ceil(-clock.hoursLeft)} h over` : `${Math.floor(clock.hoursLeft)} h left`;
  const label = (category: string) => Object.entries(CATEGORIES).find(([key]) => key === category)?.[1] ?? category;
  return [
    [id, drill ? `${state}, drill` : state, oneLine(title)].join("\t"),
    `aware\t${awareAt.toISOString()}`,
    `due\t${clock.dueAt.toISOString()}\t${left}${clock.red ? "\tRED: somebody is not told" : ""}`,
    `people\t${peopleCount ?? "not known yet"}`,
    ...Object.entries(told).map(([how, people]) => `  ${how}\t${people}`),
    ...(toldLate > 0 ? [`  told late\t${toldLate}`] : []),
    ...Object.entries(scope?.found?.categories ?? {}).map(([category, people]) => `  ${label(category)}\t${people}`),
    ...(scope?.found === undefined ? [] : [`records\t${scope.found.records}`]),
    ...(scope?.found?.addressesWithoutAccount
      ? [`addresses without an account\t${scope.found.addressesWithoutAccount}`]
      : []),
    `authority\t${authorityToldAt?.toISOString() ?? (clock.authorityLate ? "NOT TOLD IN TIME" : "not told yet")}`,
  ];
}
