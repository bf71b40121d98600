/**
 * The operator's pages. Whoever is named in OPERATORS and has a second factor reads and, freshly proven, changes here; a link
 * that an admin command makes shows the same without names and without changing anything.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { PerchError } from "../../errors.ts";
import type { DeskFigures } from "../../privacy/desk/operator-desk.service.ts";
import type { IncidentView } from "../../privacy/incidents/incidents.service.ts";
import { RETENTION } from "../../privacy/tags.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { isFetchedByScript } from "../at-the-machine.ts";
import { readCookie, writeCookie } from "../cookies.ts";
import { deadLink, type Html, hidden, problem } from "./layout.ts";
import { ACTIONS, changes, LEADS, LOOKS, looked, looks, sectionContent } from "./operator/actions.ts";
import { announceCard, announceForm } from "./operator/announcements-part.ts";
import { at, card, head, isSection, pathOf, type Section, tag } from "./operator/parts.ts";
import { backupsCard, countsCard, peopleContent, readinessCard } from "./operator/sections.ts";
import {
  currentActor,
  formFields,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";
import { isProven, provePath } from "./prove-page.ts";

const title = "Operator";
const PROVEN_MS = 10 * 60_000;

/** Who looks: an operator by their account, or whoever opened the link that was made on the machine. */
type Visitor = { readonly by: string; readonly actor: Actor } | { readonly by: undefined };

export function operatorPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  const { desk, publicUrl, operator } = services;

  async function visitorOf(c: PageCall): Promise<Visitor> {
    const actor = await currentActor(c, services);
    if (actor !== undefined) {
      const { email } = (await services.connect.me(actor)).user;
      if (operator.isOperator(email)) {
        const { totp, passkeys } = await services.factors.overviewParts(actor.userId);
        if (totp === null && passkeys.length === 0) {
          throw new PerchError("forbidden", "Operators need a second factor. Add a passkey or codes of an app first.");
        }
        return { by: email.split("@")[0] ?? "", actor };
      }
    }
    if (isFetchedByScript(c.req) || !desk.isOpen(readCookie(c, "desk", publicUrl))) {
      throw new PerchError(
        "forbidden",
        "This page is the operator's. Sign in with an account named in OPERATORS, or make a link on the machine: npm run admin -- desk open --reason “why”.",
      );
    }
    return { by: undefined };
  }

  /** An operator who proved within ten minutes that it is them; otherwise where to do that. */
  async function provenOperator(c: PageCall, section: Section): Promise<string | Response> {
    const visitor = await visitorOf(c);
    if (visitor.by === undefined) {
      throw new PerchError("forbidden", "The link only shows. Sign in with an account named in OPERATORS to do this.");
    }
    if (await isProven(services, visitor.actor, PROVEN_MS)) return visitor.by;
    return c.redirect(provePath(pathOf(section)), 303);
  }

  pages.get("/operator", async (c) => {
    const token = c.req.query("token");
    if (token !== undefined) return show(c, services, { title, narrow: true, content: openContent(token) });
    const { by = "link" } = await visitorOf(c);
    const [overview, figures, backups, readiness] = await Promise.all([
      ...([operator.as(by).console.overview(), desk.figures()] as const),
      ...([operator.backups(), operator.readiness()] as const),
    ]);
    const content = html`${head("", "What is, what waits, and until when. Names are shown only with a reason.")}${readinessCard(readiness)}${countsCard(overview)}${backupsCard(backups)}${deskContent(figures)}`;
    return show(c, services, { title, content });
  });

  pages.get("/operator/:section", async (c) => {
    const { section } = c.req.param();
    if (!isSection(section) || section === "") throw new PerchError("not_found", "There is no such page.");
    const visitor = await visitorOf(c);
    const content = await sectionContent(operator.as(visitor.by ?? "link"), section, visitor.by !== undefined);
    const done = c.req.query("done") !== undefined;
    return show(c, services, { title, content: html`${head(section, LEADS[section], done)}${content}` });
  });

  pages.post("/operator/look", async (c) => {
    const fields = await formFields(c);
    const wanted = parseFields(looks, fields);
    const section = LOOKS[wanted.look];
    const by = await provenOperator(c, section);
    if (typeof by !== "string") return by;
    const again = ({ message }: { message: string }) => ({
      title,
      content: html`${head(section, LEADS[section])}${problem(message)}${section === "people" ? peopleContent({ change: true }) : ""}`,
    });
    return submit(
      c,
      services,
      async () => {
        const content = await looked(operator.as(by), wanted);
        return show(c, services, { title, content: html`${head(section, LEADS[section])}${content}` });
      },
      again,
    );
  });

  pages.post("/operator/do", async (c) => {
    const { action, target, reason, section } = parseFields(changes, await formFields(c));
    const by = await provenOperator(c, section);
    if (typeof by !== "string") return by;
    await ACTIONS[action](operator.as(by), target, reason);
    return c.redirect(`${pathOf(section)}?done=1`, 303);
  });

  pages.post("/operator/announce", async (c) => {
    const fields = await formFields(c);
    const by = await provenOperator(c, "announcements");
    if (typeof by !== "string") return by;
    const { announcements } = operator.as(by);
    return submit(
      c,
      services,
      async () => {
        const { text, level, from, until, reason } = parseFields(announceForm, fields);
        await announcements.announce({ text, level, from: from ?? new Date(services.clock.now()), until }, reason);
        return c.redirect(`${pathOf("announcements")}?done=1`, 303);
      },
      (wrong) => ({
        title,
        content: html`${head("announcements", LEADS.announcements)}${announceCard(fields, wrong)}`,
      }),
    );
  });

  pages.post("/operator", async (c) => {
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
  return html`${incidentsCard(figures.incidents)}${requestsCard(figures)}${erasuresCard(figures)}${policyCard(figures)}${sweepsCard(figures)}${billingCard(figures)}${mailCard(figures)}${processorsCard(figures)}`;
}

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
