/** Parts the operator's pages are made of. */
import { html, raw } from "hono/html";
import { type Html, hidden } from "../layout.ts";

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** A state in words and colour, never in colour alone. */
export function tag(words: string, tone: "ok" | "bad" | "" = ""): Html {
  return html`<span class="${`tag ${tone}`.trim()}">${words}</span>`;
}

export function card(id: string, heading: string, items: readonly Html[], none: string, after: Html | "" = ""): Html {
  return html`<section class="card" id="${id}"><h2>${heading}</h2>${
    items.length === 0 ? html`<p class="secondary">${none}</p>` : html`<ul class="rows">${items}</ul>`
  }${after}</section>`;
}

export const at = (moment: Date) => html`<time datetime="${moment.toISOString()}">${MOMENT.format(moment)} UTC</time>`;

export const many = (n: number, one: string, others = `${one}s`) =>
  `${n.toLocaleString("en")} ${n === 1 ? one : others}`;

/** What is done at the machine: the command in full. */
export const byCommand = (command: string) => html`<code>npm run admin -- ${command}</code>`;

export const SECTIONS = {
  "": "Overview",
  people: "People",
  machines: "Machines",
  work: "Work",
  announcements: "Announcements",
  billing: "Billing",
  log: "Log",
  settings: "Settings",
} as const;
export type Section = keyof typeof SECTIONS;
export const isSection = (name: string): name is Section => Object.hasOwn(SECTIONS, name);
export const pathOf = (section: Section) => (section === "" ? "/operator" : `/operator/${section}`);

/** The heading and the way to the other pages. */
export function head(section: Section, lead: string, done = false): Html {
  const links = (Object.keys(SECTIONS) as Section[]).map(
    (one) => html`<a href="${pathOf(one)}"${one === section ? raw(' aria-current="page"') : ""}>${SECTIONS[one]}</a>`,
  );
  return html`<div class="stack"><h1>${section === "" ? "Operator" : SECTIONS[section]}</h1><nav class="tabs" aria-label="Operator">${links}</nav><p class="lead">${lead}</p></div>${
    done ? html`<p class="notice" role="status">Done. It stands in the log with your reason.</p>` : ""
  }`;
}

/** A change, folded away until it is wanted: what it does, why, and the button. */
export function change(
  label: string,
  about: { readonly action: string; readonly target: string; readonly section: Section },
  says: string,
  danger = false,
): Html {
  const id = `reason-${about.action}-${about.target}`;
  return html`<details><summary>${label}</summary><form method="post" action="/operator/do">${hidden(about)}<p class="secondary">${says}</p><div class="field"><label for="${id}">Why</label><input id="${id}" name="reason" maxlength="200" required autocomplete="off"></div><button${danger ? raw(' class="danger"') : ""}>${label}</button></form></details>`;
}

/** A look at what names somebody. */
export function look(name: string, button: string, extra: Html | "", hint: string): Html {
  const id = `reason-${name}`;
  return html`<form method="post" action="/operator/look">${hidden({ look: name })}${extra}<div class="field"><label for="${id}">Why you look</label><input id="${id}" name="reason" maxlength="200" required autocomplete="off" aria-describedby="${id}-note"><p class="hint" id="${id}-note">${hint}</p></div><button>${button}</button></form>`;
}
