/** The sandbox's controls: for whoever runs the server, at the machine itself. */
import type { Hono } from "hono";
import { html, raw } from "hono/html";
import { PerchError } from "../../../errors.ts";
import { isAtTheMachine } from "../../../http/at-the-machine.ts";
import { type Html, hidden } from "../../../http/pages/layout.ts";
import { formFields, type PageCall, type PagesEnv } from "../../../http/pages/page-context.ts";
import type { FaultSettings } from "../faults.ts";
import type { Obj, SandboxEvent } from "../objects.ts";
import type { Settings } from "../settings.ts";
import { moment, money, sandboxPage } from "./frame.ts";
import type { PageParts } from "./pages.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MOVES = {
  hour: ["An hour", HOUR],
  day: ["A day", DAY],
  week: ["A week", 7 * DAY],
  month: ["A month", 31 * DAY],
} as const;
const CHANCES = {
  failCalls: "Calls that fail (500)",
  loseAnswers: "Answers that get lost",
  duplicateWebhooks: "Webhooks sent twice",
  dropWebhooks: "Webhooks never sent",
} as const satisfies Partial<Record<keyof FaultSettings, string>>;
const ENDS = {
  cancel: "The subscription is canceled",
  mark_unpaid: "It is marked unpaid",
  leave_past_due: "It stays past due",
} as const satisfies Record<Settings["afterRetries"], string>;
const SHOWN = 20;

export function controlsPage(pages: Hono<PagesEnv>, { controls, acts }: PageParts): void {
  /** Anybody else gets what a page that is not there gets. */
  const mustBeThere = (c: PageCall) => {
    if (!isAtTheMachine(c.req, c.get("request").ip)) throw new PerchError("not_found", "There is no such page.");
  };

  pages.get("/", async (c) => {
    mustBeThere(c);
    const { events, charges, disputes, customers } = await acts.look(async (view) => ({
      events: (await view.list("event")).reverse().slice(0, SHOWN),
      charges: (await view.list("charge"))
        .filter(({ paid }) => paid)
        .reverse()
        .slice(0, 10),
      disputes: (await view.list("dispute")).filter(({ status }) => status !== "won" && status !== "lost"),
      customers: (await view.list("customer")).length,
    }));
    const settings = await controls.settings();
    return sandboxPage(
      c,
      "Billing sandbox",
      html`<div class="stack"><h1>Billing sandbox</h1><p class="secondary">${customers} ${customers === 1 ? "customer" : "customers"}. Only shown on the machine the server runs on.</p></div>
${clockCard(await controls.now())}${faultsCard(controls.faults.settings, settings)}${disputesCard(disputes)}${chargesCard(charges)}${eventsCard(events)}`,
    );
  });

  pages.post("/", async (c) => {
    mustBeThere(c);
    const fields = await formFields(c);
    const { do: what, by = "", id = "" } = fields;
    const move = Object.entries(MOVES).find(([name]) => name === by);
    if (what === "move" && move !== undefined) await controls.moveClock(move[1][1]);
    else if (what === "faults") {
      const percent = (name: string) => Math.min(100, Math.max(0, Number.parseInt(fields[name] ?? "0", 10) || 0)) / 100;
      controls.faults.set({
        failCalls: percent("failCalls"),
        loseAnswers: percent("loseAnswers"),
        duplicateWebhooks: percent("duplicateWebhooks"),
        dropWebhooks: percent("dropWebhooks"),
        reorderWebhooks: fields["reorderWebhooks"] === "on",
        delayWebhooksMs: Math.min(DAY, Math.max(0, Number.parseInt(fields["delay"] ?? "0", 10) || 0) * 1_000),
      });
      const end = (Object.keys(ENDS) as Settings["afterRetries"][]).find((one) => one === fields["afterRetries"]);
      if (end !== undefined) await controls.settings({ afterRetries: end });
    } else if (what === "redeliver") await controls.redeliver(id);
    else if (what === "dispute") await controls.dispute(id);
    else if (what === "warn") await controls.warnOfFraud(id);
    else if (what === "won" || what === "lost") await controls.closeDispute(id, what);
    else throw new PerchError("bad_input", "Open the page again and pick what to do.");
    await controls.tick();
    return c.redirect("/sandbox", 303);
  });
}

function clockCard(now: number): Html {
  const one = ([name, [label]]: [string, readonly [string, number]]) =>
    html`<button class="quiet" name="by" value="${name}">${label}</button>`;
  return html`<section class="card"><h2>Clock</h2><p>The sandbox's time is <strong>${moment(now / 1_000)}</strong>. It goes forward alone; what is due on the way happens in order: renewals, payments tried again, ends.</p>
<form method="post" action="/sandbox">${hidden({ do: "move" })}<fieldset><legend>Go on by</legend><div class="row">${Object.entries(MOVES).map(one)}</div></fieldset></form></section>`;
}

function faultsCard(faults: FaultSettings, { afterRetries }: Settings): Html {
  const chance = ([name, label]: [string, string], value: number) =>
    html`<div class="field"><label for="${name}">${label}, in percent</label><input id="${name}" name="${name}" type="number" min="0" max="100" value="${Math.round(value * 100)}"></div>`;
  const end = ([value, label]: [string, string]) =>
    html`<option value="${value}"${value === afterRetries ? raw(" selected") : ""}>${label}</option>`;
  return html`<section class="card"><h2>What goes wrong</h2><form method="post" action="/sandbox">${hidden({ do: "faults" })}
${(Object.keys(CHANCES) as (keyof typeof CHANCES)[]).map((name) => chance([name, CHANCES[name]], faults[name]))}
<div class="field"><label for="delay">Webhooks come late by, in seconds</label><input id="delay" name="delay" type="number" min="0" max="86400" value="${faults.delayWebhooksMs / 1_000}"></div>
<label class="choice"><input type="checkbox" name="reorderWebhooks"${faults.reorderWebhooks ? raw(" checked") : ""}><span>Webhooks come in another order</span></label>
<div class="field"><label for="afterRetries">When the last try to collect fails</label><select id="afterRetries" name="afterRetries">${Object.entries(ENDS).map(end)}</select></div>
<button>Set</button></form></section>`;
}

function button(what: string, id: string, label: string): Html {
  return html`<form method="post" action="/sandbox">${hidden({ do: what, id })}<button class="link">${label}</button></form>`;
}

function disputesCard(disputes: readonly Obj<"dispute">[]): Html | "" {
  if (disputes.length === 0) return "";
  const one = (dispute: Obj<"dispute">) =>
    html`<li><span>${money(dispute.amount, dispute.currency)} of ${moment(dispute.created)}</span>${button("won", dispute.id, "We win")}${button("lost", dispute.id, "We lose")}</li>`;
  return html`<section class="card"><h2>Open disputes</h2><ul class="rows">${disputes.map(one)}</ul></section>`;
}

function chargesCard(charges: readonly Obj<"charge">[]): Html {
  const one = (charge: Obj<"charge">) =>
    html`<li><span>${money(charge.amount, charge.currency)} · ${moment(charge.created)}</span>${
      charge.disputed
        ? html`<span>disputed</span>`
        : html`${button("dispute", charge.id, "Dispute it")}${button("warn", charge.id, "Warn of fraud")}`
    }</li>`;
  return html`<section class="card"><h2>Last payments</h2>${charges.length === 0 ? html`<p>None yet.</p>` : html`<ul class="rows">${charges.map(one)}</ul>`}</section>`;
}

function eventsCard(events: readonly SandboxEvent[]): Html {
  const one = (event: SandboxEvent) =>
    html`<li><span>${event.type}</span><span>${event.pending_webhooks > 0 ? html`<span class="mark unknown">waits</span>` : html`<span class="mark kept">sent</span>`}</span>${button("redeliver", event.id, "Send again")}<span class="secondary">${moment(event.created)}</span></li>`;
  return html`<section class="card"><h2>Last events</h2>${events.length === 0 ? html`<p>None yet.</p>` : html`<ul class="rows">${events.map(one)}</ul>`}</section>`;
}
