/** The operator's page: what waits, with its clocks. Opened by a link that an admin command makes; nothing can be changed here. */
import { Hono } from "hono";
import { html } from "hono/html";
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { PerchError } from "../../errors.ts";
import type { DeskFigures } from "../../privacy/desk/operator-desk.service.ts";
import type { IncidentView } from "../../privacy/incidents/incidents.service.ts";
import { RETENTION } from "../../privacy/tags.ts";
import { isFetchedByScript } from "../at-the-machine.ts";
import { readCookie, writeCookie } from "../cookies.ts";
import { deadLink, type Html, hidden } from "./layout.ts";
import { formFields, type PageServices, type PagesEnv, show } from "./page-context.ts";

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const title = "Operator";

export function operatorPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();

  pages.get("/operator", async (c) => {
    const { desk, publicUrl } = services;
    const token = c.req.query("token");
    if (token !== undefined) return show(c, services, { title, narrow: true, content: openContent(token) });
    if (isFetchedByScript(c.req) || !desk.isOpen(readCookie(c, "desk", publicUrl))) {
      throw new PerchError(
        "forbidden",
        "This page is the operator's. Make a link to it on the machine: npm run admin -- desk open --reason “why”.",
      );
    }
    return show(c, services, { title, content: deskContent(await desk.figures()) });
  });

  pages.post("/operator", async (c) => {
    const { desk, publicUrl } = services;
    const { token = "" } = await formFields(c);
    try {
      writeCookie(c, "desk", publicUrl, await desk.open(token));
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      return show(c, services, { title, narrow: true, content: deadLink(error.message, "/", "Go to the start") }, 404);
    }
    return c.redirect("/operator", 303);
  });
  return pages;
}

function openContent(token: string): Html {
  return html`<section class="card"><h1>Operator</h1><p>The page stays open in this browser for 30 minutes. That it was opened is kept in the audit log.</p>
<form method="post" action="/operator">${hidden({ token })}<button>Open the operator page</button></form></section>`;
}

function deskContent(figures: DeskFigures): Html {
  return html`<div class="stack"><h1>Operator</h1><p class="lead">What waits, and until when. Names are shown by the commands alone, with a reason.</p></div>
${incidentsCard(figures.incidents)}${requestsCard(figures)}${erasuresCard(figures)}${policyCard(figures)}${sweepsCard(figures)}${billingCard(figures)}${mailCard(figures)}${processorsCard(figures)}`;
}

/** A state in words and colour, never in colour alone. */
function tag(words: string, tone: "ok" | "bad" | "" = ""): Html {
  return html`<span class="${`tag ${tone}`.trim()}">${words}</span>`;
}

function card(id: string, heading: string, items: readonly Html[], none: string): Html {
  return html`<section class="card" id="${id}"><h2>${heading}</h2>${
    items.length === 0 ? html`<p class="secondary">${none}</p>` : html`<ul class="rows">${items}</ul>`
  }</section>`;
}

const at = (moment: Date) => html`<time datetime="${moment.toISOString()}">${MOMENT.format(moment)} UTC</time>`;

function hours(left: number): string {
  if (left < 0) return `${Math.ceil(-left)} h over`;
  return `${Math.floor(left)} h left`;
}

function incidentsCard(incidents: readonly IncidentView[]): Html {
  const item = ({ incident, told, clock, toldLate }: IncidentView) => {
    const isClosed = incident.state === "closed";
    const state = isClosed
      ? tag("closed")
      : clock.red
        ? tag(`red: ${hours(clock.hoursLeft)}`, "bad")
        : tag(hours(clock.hoursLeft), clock.hoursLeft < 12 ? "bad" : "");
    const people =
      incident.peopleCount === null
        ? "whom it concerns is not known yet"
        : `${incident.peopleCount} people: ${told.sent} told by mail, ${told.shown} in the product, ${told.waiting + told.queued} waiting, ${told.failed} not reached by mail${toldLate > 0 ? `, ${toldLate} told late` : ""}`;
    const authority =
      incident.authorityToldAt !== null
        ? html`authority told ${at(incident.authorityToldAt)}`
        : isClosed
          ? "authority not told, see the register"
          : clock.authorityLate
            ? tag("authority not told in time", "bad")
            : "authority not told yet";
    return html`<li><strong>${incident.title}</strong><span>${incident.drill ? tag("drill") : ""} ${state}</span><span>${people}</span><span class="secondary">${incident.state} · aware ${at(incident.awareAt)} · due ${at(clock.dueAt)} · ${authority}</span></li>`;
  };
  return card("incidents", "Incidents", incidents.map(item), "None.");
}

function requestsCard({ requests }: DeskFigures): Html {
  const item = (one: DeskFigures["requests"][number]) =>
    html`<li><strong>${one.number}</strong><span>${one.kind}, by ${one.channel}</span><span>${
      one.daysLeft < 0
        ? tag(`${-one.daysLeft} days late`, "bad")
        : tag(`${one.daysLeft} days left`, one.daysLeft < 5 ? "bad" : "")
    }</span><span class="secondary">${one.state.replace("_", " ")} · arrived ${at(one.receivedAt)} · due ${at(one.dueAt)}</span></li>`;
  return card("requests", "Requests about data", requests.map(item), "None is open.");
}

function erasuresCard({ erasures }: DeskFigures): Html {
  const item = (one: DeskFigures["erasures"][number]) =>
    html`<li><strong>Asked ${at(one.askedAt)}</strong><span>${one.late ? tag("late", "bad") : tag(one.state === "grace" ? "waits out its grace" : "being erased")}</span><span class="secondary">purged from ${at(one.purgeAt)}${
      one.lateStores.length > 0 ? html` · does not answer: ${one.lateStores.join(", ")}` : ""
    }</span></li>`;
  return card("erasures", "Erasures", erasures.map(item), "None is at work.");
}

function policyCard({ policies }: DeskFigures): Html {
  const item = (one: DeskFigures["policies"][number]) =>
    html`<li><strong>Version ${one.version}</strong><span>${
      one.effectiveAt === null ? "notices are on their way" : html`in force from ${at(one.effectiveAt)}`
    }</span><span class="secondary">announced ${at(one.announcedAt)} · ${one.people} notices: ${one.mailed} by mail, ${one.failed} without, ${one.objected} objected</span></li>`;
  return card("policy", "Policy announcements", policies.map(item), "None.");
}

function sweepsCard({ lastSweep, oldest }: DeskFigures): Html {
  const rules = Map.groupBy(oldest, ({ rule }) => rule);
  const items = [...rules].map(([rule, rows]) => {
    const first = rows.reduce((a, b) => (a.oldestAt < b.oldestAt ? a : b));
    const late = rows.filter((row) => row.late).map(({ table }) => table);
    return html`<li><strong>${RETENTION[rule].words}</strong><span>${
      late.length > 0 ? tag(`past its time: ${late.join(", ")}`, "bad") : tag("kept", "ok")
    }</span><span class="secondary">oldest row ${at(first.oldestAt)}, in ${first.table}</span></li>`;
  });
  const last = html`<li><strong>Last sweep</strong><span>${lastSweep === undefined ? tag("none yet", "bad") : at(lastSweep)}</span></li>`;
  return card("sweeps", "Retention", [last, ...items], "");
}

const MODES = { stripe: "through Stripe", sandbox: "sandbox: no money moves", off: "off: nobody pays" } as const;

function billingCard({ billing }: DeskFigures): Html {
  const mode = html`<li><strong>Billing</strong><span>${MODES[billing.mode]}</span><span class="secondary">${billing.subscribed} plans, ${billing.customers} customers · paid in 30 days: ${moneyWords(billing.paid, CURRENCY)}</span></li>`;
  if (billing.mode === "off" && billing.customers === 0) return card("billing", "Billing", [mode], "");
  const one = (name: string, count: number, command: string) =>
    html`<li><strong>${name}</strong><span>${count > 0 ? tag(String(count), "bad") : tag("none", "ok")}</span><span class="secondary">${command}</span></li>`;
  const check =
    billing.lastCheck === undefined ? tag("never checked", billing.mode === "off" ? "" : "bad") : at(billing.lastCheck);
  return card(
    "billing",
    "Billing",
    [
      mode,
      one("Past due", billing.pastDue, "billing customers"),
      one("Balances frozen", billing.frozen, "billing customers"),
      one("Findings", billing.findings, "billing findings"),
      one("Calls that failed", billing.failedCalls, `${billing.waitingCalls} waiting`),
      html`<li><strong>Books compared</strong><span>${check}</span></li>`,
    ],
    "",
  );
}

function mailCard({ mail, mailFailures }: DeskFigures): Html {
  const counts = html`<li><strong>Outbox</strong><span>${mail.waiting} waiting, ${mail.failed} failed for good</span></li>`;
  const items = mailFailures.map(
    ({ kind, failure, mails }) =>
      html`<li><strong>${kind.replaceAll("_", " ")}</strong><span>${tag(`${mails} failed`, "bad")}</span><span class="secondary">${failure ?? "no reason given"}</span></li>`,
  );
  return card("mail", "Mail", [counts, ...items], "");
}

function processorsCard({ processors }: DeskFigures): Html {
  const item = (one: DeskFigures["processors"][number]) =>
    html`<li><strong>${one.name}</strong><span>${one.agreement ? tag("agreement", "ok") : tag("no agreement", "bad")}</span><span class="secondary">${one.region} · keeps deleted data up to ${one.retentionDays} days · last contact ${
      one.lastContactAt === undefined ? "none since the start" : at(new Date(one.lastContactAt))
    }</span></li>`;
  return card("processors", "Processors", processors.map(item), "None: everything stays on this machine.");
}
