/** Announcements on the operator's pages: those there are, and the form for another. */
import { html, raw } from "hono/html";
import { z } from "zod";
import { ANNOUNCEMENT_LEVELS, ANNOUNCEMENT_LONGEST, type AnnouncementLevel } from "../../../../shared/announcements.ts";
import { reason } from "../../../admin/command.ts";
import type { AnnouncementRow } from "../../../announcements/announcements.repo.ts";
import { describedBy, fieldNotes, type Html, problem } from "../layout.ts";
import type { Fields, FormProblem } from "../page-context.ts";
import { at, card, change, tag } from "./parts.ts";

/** As `datetime-local` sends it; taken for UTC. */
const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/, "Choose a day and a time.")
  .transform((text) => new Date(`${text}Z`));

export const announceForm = z.strictObject({
  text: z.string(),
  level: z.enum(ANNOUNCEMENT_LEVELS),
  from: z
    .literal("")
    .transform(() => undefined)
    .or(moment)
    .optional(),
  until: moment,
  reason,
});

const LEVELS = {
  info: "Something is new or comes",
  warning: "Something does not work as it should",
} as const satisfies Record<AnnouncementLevel, string>;

export function announcementsContent(
  rows: readonly AnnouncementRow[],
  may: { readonly change: boolean; readonly now: Date },
): Html {
  const items = rows.map(({ id, level, text, from, until }) => {
    const isOver = until <= may.now;
    const state = isOver ? tag("over") : from > may.now ? tag("to come") : tag("shown now", "ok");
    const what = level === "warning" ? tag("warning", "bad") : tag("info");
    const end =
      may.change && !isOver
        ? change(
            "End it",
            { action: "announcement.end", target: id, section: "announcements" },
            "It is shown no more from now on.",
          )
        : "";
    return html`<li><strong>${text}</strong><span class="tags">${what} ${state}</span><span class="secondary">${at(from)} until ${at(until)}</span>${end}</li>`;
  });
  return html`<div class="pair">${may.change ? announceCard({}) : ""}${card("announcements", "Made so far", items, "None.")}</div>`;
}

export function announceCard(given: Fields, wrong?: FormProblem): Html {
  const errors = wrong?.fields ?? {};
  const time = (name: string, label: string, hint: string, required: boolean) =>
    html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" type="datetime-local" value="${given[name] ?? ""}"${required ? raw(" required") : ""}${describedBy(name, hint, errors[name])}>${fieldNotes(name, hint, errors[name])}</div>`;
  const choices = ANNOUNCEMENT_LEVELS.map(
    (level) =>
      html`<label class="choice"><input type="radio" name="level" value="${level}"${(given["level"] ?? "info") === level ? raw(" checked") : ""}><span>${LEVELS[level]}</span></label>`,
  );
  return html`<section class="card"><h2>Tell everybody</h2><form method="post" action="/operator/announce" novalidate>${problem(wrong?.message)}
<div class="field"><label for="text">Text</label><textarea id="text" class="short" name="text" maxlength="${ANNOUNCEMENT_LONGEST}" required${describedBy("text", "One line, plain text, in English.", errors["text"])}>${given["text"] ?? ""}</textarea>${fieldNotes("text", "One line, plain text, in English.", errors["text"])}</div>
<fieldset><legend>What it is</legend>${choices}</fieldset>
${time("from", "From", "UTC. Empty: from now on.", false)}${time("until", "Until", "UTC. Not longer than 90 days.", true)}
<div class="field"><label for="why">Why</label><input id="why" name="reason" value="${given["reason"] ?? ""}" maxlength="200" required autocomplete="off"${describedBy("why", "Stands in the log.", errors["reason"])}>${fieldNotes("why", "Stands in the log.", errors["reason"])}</div>
<button>Announce it</button></form></section>`;
}
