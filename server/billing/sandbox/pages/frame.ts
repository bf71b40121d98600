/** The frame of the sandbox's pages, and the parts they share. Each says that no money moves. */
import { html, raw } from "hono/html";
import { type Html, layout } from "../../../http/pages/layout.ts";
import type { PageCall } from "../../../http/pages/page-context.ts";
import { WAYS, type Way } from "../ways.ts";

export const BANNER = "Sandbox billing: no money moves.";

export function sandboxPage(
  c: PageCall,
  title: string,
  content: Html,
  status: 200 | 402 | 409 = 200,
): Response | Promise<Response> {
  const banner = html`<p class="notice" role="note"><strong>${BANNER}</strong> This stands in for Stripe on your own machine.</p>`;
  return c.html(layout({ title, narrow: true, content: html`${banner}${content}` }), status);
}

export function money(amount: number, currency: string): string {
  return new Intl.NumberFormat("en-US", { style: "currency", currency }).format(amount / 100);
}

const DAY_WORDS = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const MOMENT_WORDS = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
/** Of Unix seconds. */
export const day = (at: number): string => DAY_WORDS.format(at * 1_000);
export const moment = (at: number): string => `${MOMENT_WORDS.format(at * 1_000)} UTC`;

/** How the payment goes: names, where Stripe would ask for a card. */
export function wayChoice(chosen: Way = "pays"): Html {
  const one = (way: Way) => {
    const { label, says } = WAYS[way];
    return html`<label class="choice"><input type="radio" name="way" value="${way}"${way === chosen ? raw(" checked") : ""}><span>${label}<br><span class="hint">${says}</span></span></label>`;
  };
  return html`<fieldset><legend>How the payment goes</legend><p class="hint">Nothing is typed here: pick what the bank does.</p>${(Object.keys(WAYS) as Way[]).map(one)}</fieldset>`;
}

/** The bank's question, where 3D Secure would open. */
export function bankCard(action: string, amount: string, fields: Html): Html {
  return html`<section class="card"><h1>Your bank asks</h1><p>Do you want to pay ${amount}? In the sandbox, you are the bank's app too.</p>
<form method="post" action="${action}">${fields}<div class="row"><button name="answer" value="yes">Yes, confirm</button><button class="quiet" name="answer" value="no">No</button></div></form></section>`;
}

export function stamp(): Html {
  return html`<span class="tag bad">TEST</span>`;
}
