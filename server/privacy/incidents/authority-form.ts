/** What the authority is told (Art. 33(3) GDPR), filled in from the incident; as Markdown or as a page to print. */
import { html } from "hono/html";
import { CATEGORIES } from "../tags.ts";
import type { IncidentView } from "./incidents.service.ts";

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface Controller {
  /** Where people reach the service. */
  readonly publicUrl: URL;
  readonly contact: string | undefined;
}

const OPEN = "To be filled in.";

/** `now`: when the form is made; a form of an unfinished incident says so (Art. 33(4)). */
export function authorityForm(view: IncidentView, controller: Controller, now: number): readonly Section[] {
  const { incident, told, clock, toldLate } = view;
  const { scope } = incident;
  const found = scope?.found;
  const isLate = (incident.authorityToldAt?.getTime() ?? now) >= clock.dueAt.getTime();
  const time = (at: Date) => `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const label = (category: string) => Object.entries(CATEGORIES).find(([key]) => key === category)?.[1] ?? category;
  return [
    {
      title: `Notification of a personal data breach: ${incident.title}`,
      lines: [
        ...(incident.drill ? ["This is a drill. Do not send it."] : []),
        `Reference ${incident.id}. Made ${time(new Date(now))}.`,
        clock.red || incident.state !== "notified"
          ? "First notification; more follows as it becomes known (Art. 33(4))."
          : "Complete notification.",
      ],
    },
    {
      title: "Controller",
      lines: [`Service: ${controller.publicUrl.origin}`, "Name and address of the controller: to be filled in."],
    },
    {
      title: "When",
      lines: [
        `Aware since ${time(incident.awareAt)}. Notification due by ${time(clock.dueAt)}.`,
        `Data was exposed from ${incident.from === null ? "an unknown moment" : time(incident.from)} to ${incident.to === null ? "an unknown moment" : time(incident.to)}.`,
        ...(isLate ? ["Reasons for the delay (Art. 33(1)): to be filled in."] : []),
      ],
    },
    {
      title: "(a) Nature of the breach",
      lines: [
        incident.what ?? OPEN,
        `People concerned: ${incident.peopleCount ?? "not known yet"}. Records concerned: ${found?.records ?? "not known yet"}.`,
        ...Object.entries(found?.categories ?? {}).map(([category, people]) => `${label(category)}: ${people} people.`),
        ...(found !== undefined && found.addressesWithoutAccount > 0
          ? [`Besides ${found.addressesWithoutAccount} e-mail addresses of people without an account.`]
          : []),
        "Data that exists in backups alone is not counted: who erased their account has no address here any more.",
      ],
    },
    { title: "(b) Contact point", lines: [controller.contact ?? new URL("/support", controller.publicUrl).href] },
    { title: "(c) Likely consequences", lines: [incident.consequences ?? OPEN] },
    {
      title: "(d) Measures",
      lines: [
        incident.measures ?? OPEN,
        `People told (Art. 34): ${told.sent} by mail, ${told.shown} in the product; ${told.waiting + told.queued} are being told, ${told.failed} could not be reached by mail and see it in the product. After the 72 hours: ${toldLate}.`,
      ],
    },
  ];
}

export function asMarkdown(sections: readonly Section[]): string {
  return sections
    .map(({ title, lines }, index) => `${index === 0 ? "#" : "##"} ${title}\n\n${lines.join("\n\n")}\n`)
    .join("\n");
}

/** A page without scripts or addresses of elsewhere, for paper. */
export function asHtml(sections: readonly Section[]): string {
  const [first, ...rest] = sections;
  const paragraphs = (lines: readonly string[]) => lines.map((line) => html`<p>${line}</p>`);
  return String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${first?.title ?? ""}</title>
<style>body { font: 12pt/1.5 serif; max-width: 42em; margin: 2em auto; padding: 0 1em } h1 { font-size: 1.4em } h2 { font-size: 1.1em }</style></head>
<body><h1>${first?.title ?? ""}</h1>${paragraphs(first?.lines ?? [])}
${rest.map(({ title, lines }) => html`<h2>${title}</h2>${paragraphs(lines)}`)}
</body></html>
`);
}
