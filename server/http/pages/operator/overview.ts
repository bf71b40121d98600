/** The first of the operator's pages: what needs somebody now, then how everything stands. Nobody is named. */
import { html } from "hono/html";
import { CURRENCY } from "../../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../../shared/billing/words.ts";
import { PRODUCT_VERSION } from "../../../../shared/version.ts";
import type { BackupStatus } from "../../../backup/backups.service.ts";
import type { FaultLine } from "../../../faults/faults.repo.ts";
import type { Readiness } from "../../../health/readiness.ts";
import type { Overview } from "../../../operator/console.service.ts";
import type { DeskFigures } from "../../../privacy/desk/operator-desk.service.ts";
import type { IncidentView } from "../../../privacy/incidents/incidents.service.ts";
import { RETENTION } from "../../../privacy/tags.ts";
import type { Html } from "../layout.ts";
import { at, byCommand, card, many, pathOf, type Section, tag } from "./parts.ts";

export interface Seen {
  readonly overview: Overview;
  readonly faults: readonly FaultLine[];
  readonly figures: DeskFigures;
  readonly backups: BackupStatus;
  readonly readiness: Readiness;
}

export function overviewContent(seen: Seen): Html {
  const { figures } = seen;
  return html`${needsCard(needs(seen))}<div class="board">${nowCard(seen.overview)}${faultsCard(seen.faults)}${readinessCard(seen.readiness)}${backupsCard(seen.backups)}${incidentsCard(figures.incidents)}${requestsCard(figures)}${erasuresCard(figures)}${mailCard(figures)}${billingCard(figures)}${sweepsCard(figures)}${policyCard(figures)}${processorsCard(figures)}</div>`;
}

interface Need {
  readonly what: string;
  readonly words: string;
  readonly to: string;
}

/** What does not go away by itself, the most pressing first. */
function needs({ overview, faults, figures, backups, readiness }: Seen): readonly Need[] {
  const found: Need[] = [];
  const add = (is: boolean, what: string, words: string, to: string) => {
    if (is) found.push({ what, words, to });
  };
  const page = (section: Section, card = "") => pathOf(section) + (card === "" ? "" : `#${card}`);
  for (const { incident, clock } of figures.incidents)
    add(incident.state !== "closed", `Incident: ${incident.title}`, hours(clock.hoursLeft), "#incidents");
  for (const { name, state, says } of readiness.checks)
    add(state !== "ok", state === "fail" ? `Not ready: ${name}` : `Look at: ${name}`, says, "#readiness");
  const late = figures.requests.filter(({ daysLeft }) => daysLeft < 5);
  add(
    late.length > 0,
    many(late.length, "request about data", "requests about data"),
    "due within five days, or late",
    "#requests",
  );
  const stuck = figures.erasures.filter((one) => one.late).length;
  add(stuck > 0, many(stuck, "erasure"), "took longer than promised", "#erasures");
  const kept = figures.oldest.filter((one) => one.late).length;
  add(kept > 0, many(kept, "table"), "holds rows past their time", "#sweeps");
  const gone = overview.nodes.filter(({ living }) => !living).map(({ name }) => name);
  add(gone.length > 0, many(gone.length, "node is gone", "nodes are gone"), gone.join(", "), page("machines", "nodes"));
  const drained = overview.nodes.filter(({ living, draining }) => living && draining !== null).map(({ name }) => name);
  add(
    drained.length > 0,
    many(drained.length, "node is drained", "nodes are drained"),
    drained.join(", "),
    page("machines", "nodes"),
  );
  const { unreachablePhones, diedToday, mail } = overview;
  add(
    unreachablePhones > 0,
    many(unreachablePhones, "phone does not answer", "phones do not answer"),
    "running, and not reached",
    page("machines"),
  );
  add(
    diedToday > 0,
    many(diedToday, "job failed", "jobs failed"),
    "for good, in the last 24 hours",
    page("work", "jobs"),
  );
  const errors = faults.reduce((sum, { count }) => sum + count, 0);
  add(errors > 0, many(errors, "error"), "in the last 24 hours", page("work", "faults"));
  add(mail.failed > 0, many(mail.failed, "mail"), "will never arrive", "#mail");
  const { billing } = figures;
  add(billing.findings > 0, many(billing.findings, "difference"), "in the books", page("billing"));
  add(billing.failedCalls > 0, many(billing.failedCalls, "call"), "to Stripe failed", "#billing");
  const [state, says] = backups.finding;
  add(state !== "ok" && readiness.checks.every(({ name }) => name !== "backups"), "Backups", says, "#backups");
  return found;
}

function needsCard(found: readonly Need[]): Html {
  if (found.length === 0) return card("needs", "Nothing needs you", [], "Everything is ready, in time, and answered.");
  const items = found.map(
    ({ what, words, to }) =>
      html`<li><a href="${to}"><strong>${what}</strong> <span class="secondary">${words}</span></a></li>`,
  );
  return html`<section class="card" id="needs"><h2>What needs you</h2><ul class="needs">${items}</ul></section>`;
}

function nowCard({ phones, unreachablePhones, nodes, hosts, jobs, overdueMs, mail }: Overview): Html {
  const count = (name: string, n: number | string, words: string) =>
    html`<li><strong>${name}</strong><span>${typeof n === "number" ? n.toLocaleString("en") : n}</span><span class="secondary">${words}</span></li>`;
  const room = nodes.reduce((sum, { capacity }) => sum + capacity, 0);
  const taken = nodes.reduce((sum, one) => sum + one.taken, 0);
  const overdue = overdueMs < 1_000 ? "none is overdue" : `overdue by ${Math.round(overdueMs / 1000)} s at most`;
  const kinds = Map.groupBy(phones, ({ driver }) => driver);
  return card(
    "now",
    "Now",
    [
      ...[...kinds].map(([driver, states]) =>
        count(
          `Phones, ${driver}`,
          states.reduce((sum, { count: n }) => sum + n, 0),
          states.map(({ state, count: n }) => `${n} ${state}`).join(" · "),
        ),
      ),
      count(
        "Room for web phones",
        `${taken} of ${room}`,
        `on ${many(nodes.filter(({ living }) => living).length, "node")}, ${many(hosts.length, "host")} of Androids`,
      ),
      count("Phones that do not answer", unreachablePhones, "running, and not reached"),
      count("Jobs under way", jobs["running"] ?? 0, `${jobs["ready"] ?? 0} wait, ${overdue}`),
      count("Mail that waits", mail.waiting, `${mail.failed} failed for good`),
    ],
    "",
  );
}

export function faultsCard(faults: readonly FaultLine[]): Html {
  return card(
    "faults",
    "Errors in 24 hours",
    faults.map(
      ({ place, code, count, reference, lastAt }) =>
        html`<li><strong>${place}</strong><span>${tag(String(count), "bad")}</span><span class="secondary">${code.replaceAll("_", " ")} · last ${at(lastAt)}${reference === null ? "" : html` · reference <code>${reference}</code>`}</span></li>`,
    ),
    "None.",
    faults.length === 0 ? "" : html`<p class="secondary">Search the log for a reference to read why.</p>`,
  );
}

const READY = { ok: "ok", warn: "look at it", fail: "fails" } as const;

function readinessCard({ ready, checks }: Readiness): Html {
  return card(
    "readiness",
    `This process, version ${PRODUCT_VERSION}`,
    [
      html`<li><strong>Takes requests</strong><span>${ready ? tag("ready", "ok") : tag("not ready", "bad")}</span></li>`,
      ...checks.map(
        ({ name, state, says }) =>
          html`<li><strong>${name.charAt(0).toUpperCase() + name.slice(1)}</strong><span>${tag(READY[state], state === "ok" ? "ok" : "bad")}</span><span class="secondary">${says}</span></li>`,
      ),
    ],
    "",
  );
}

function backupsCard({ lastGood, latest, everyHours }: BackupStatus): Html {
  const items = latest.slice(0, 5).map(({ name, node, startedAt, rows, bytes, verifiedAt, failure }) => {
    const state =
      verifiedAt === null ? tag(failure === null ? "not verified" : "failed", "bad") : tag("verified", "ok");
    const size = bytes === null ? "" : ` · ${Math.ceil(bytes / 1024).toLocaleString("en")} kB, ${rows} rows`;
    return html`<li><strong>${failure === null ? name : "Not made"}</strong><span>${state}</span><span class="secondary">${at(startedAt)} · ${node}${size}${failure === null ? "" : ` · ${failure}`}</span></li>`;
  });
  const every =
    everyHours === 0 ? "The server makes none by itself (BACKUP_HOURS is 0)." : `One is due every ${everyHours} hours.`;
  const last =
    lastGood === undefined
      ? html`<p class="secondary">${every} Make one: ${byCommand("backup")}</p>`
      : html`<p class="secondary">${every} The last good one is of ${at(lastGood.startedAt)}.</p>`;
  return card("backups", "Backups", items, "There is none yet.", last);
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
  return card(
    "incidents",
    "Incidents",
    incidents.map(item),
    "None.",
    html`<p class="secondary">Opened and worked on with ${byCommand("incident open")}</p>`,
  );
}

function requestsCard({ requests }: DeskFigures): Html {
  const item = (one: DeskFigures["requests"][number]) =>
    html`<li><strong>${one.number}</strong><span>${one.kind}, by ${one.channel}</span><span>${
      one.daysLeft < 0
        ? tag(`${-one.daysLeft} days late`, "bad")
        : tag(`${one.daysLeft} days left`, one.daysLeft < 5 ? "bad" : "")
    }</span><span class="secondary">${one.state.replace("_", " ")} · arrived ${at(one.receivedAt)} · due ${at(one.dueAt)}</span></li>`;
  return card(
    "requests",
    "Requests about data",
    requests.map(item),
    "None is open.",
    requests.length === 0 ? "" : html`<p class="secondary">Read and answered with ${byCommand("request show")}</p>`,
  );
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
    return html`<li><strong>${RETENTION[rule].words.charAt(0).toUpperCase() + RETENTION[rule].words.slice(1)}</strong><span>${
      late.length > 0 ? tag(`past its time: ${late.join(", ")}`, "bad") : tag("in time", "ok")
    }</span><span class="secondary">oldest row ${at(first.oldestAt)}, in ${first.table}</span></li>`;
  });
  const last = html`<li><strong>Last sweep</strong><span>${lastSweep === undefined ? tag("none yet", "bad") : at(lastSweep)}</span></li>`;
  return card("sweeps", "What goes, and when", [last, ...items], "");
}

const MODES = { stripe: "through Stripe", sandbox: "sandbox: no money moves", off: "off: nobody pays" } as const;

function billingCard({ billing }: DeskFigures): Html {
  const mode = html`<li><strong>Billing</strong><span>${MODES[billing.mode]}</span><span class="secondary">${billing.subscribed} plans, ${billing.customers} customers · paid in 30 days: ${moneyWords(billing.paid, CURRENCY)}</span></li>`;
  if (billing.mode === "off" && billing.customers === 0) return card("billing", "Billing", [mode], "");
  const one = (name: string, count: number, command: Html | string) =>
    html`<li><strong>${name}</strong><span>${count > 0 ? tag(String(count), "bad") : tag("none", "ok")}</span><span class="secondary">${command}</span></li>`;
  const check =
    billing.lastCheck === undefined ? tag("never checked", billing.mode === "off" ? "" : "bad") : at(billing.lastCheck);
  return card(
    "billing",
    "Billing",
    [
      mode,
      one("Past due", billing.pastDue, byCommand("billing customers")),
      one("Balances frozen", billing.frozen, byCommand("billing customers")),
      one("Differences", billing.findings, html`see <a href="${pathOf("billing")}">Billing</a>`),
      one("Calls to Stripe that failed", billing.failedCalls, `${billing.waitingCalls} wait`),
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
  const whose = html`<p class="secondary">Whose: ${byCommand("mail failed")}</p>`;
  return card("mail", "Mail", [counts, ...items], "", items.length === 0 ? "" : whose);
}

function processorsCard({ processors }: DeskFigures): Html {
  const item = (one: DeskFigures["processors"][number]) =>
    html`<li><strong>${one.name}</strong><span>${one.agreement ? tag("agreement", "ok") : tag("no agreement", "bad")}</span><span class="secondary">${one.region} · keeps deleted data up to ${one.retentionDays} days · last contact ${
      one.lastContactAt === undefined ? "none since the start" : at(new Date(one.lastContactAt))
    }</span></li>`;
  return card("processors", "Processors", processors.map(item), "None: everything stays on this machine.");
}
