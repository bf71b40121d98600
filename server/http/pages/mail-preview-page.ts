/**
 * The outbox of a server without a mail server, for the person at the machine itself. Anybody else gets the answer of
 * a page that does not exist: the mails hold sign-in links.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { PerchError } from "../../errors.ts";
import { inScheme } from "../../mail/mail.look.ts";
import type { PreviewMail } from "../../mail/mail.service.ts";
import { isAtTheMachine } from "../at-the-machine.ts";
import type { Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

export function mailPreviewPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  pages.get("/mail", async (c) => {
    if (!services.mail.staysLocal || !isAtTheMachine(c.req, c.get("request").ip))
      throw new PerchError("not_found", "There is no such page.");
    return show(c, services, { title: "Mail", content: mailContent(await services.mail.preview()) });
  });
  pages.get("/mail/:id", async (c) => {
    const isOpen = services.mail.staysLocal && isAtTheMachine(c.req, c.get("request").ip);
    const mail = isOpen && (await services.mail.previewOne(c.req.param("id")));
    if (!mail) throw new PerchError("not_found", "There is no such page.");
    c.header("Content-Security-Policy", LETTER_POLICY);
    return c.html(inScheme(mail.html, c.req.query("look") === "dark" ? "dark" : "light"));
  });
  return pages;
}

/** A letter on its own, as a mail program shows it: nothing runs, loads, frames it or is sent from it. */
const LETTER_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

function mailContent(mails: readonly PreviewMail[]): Html {
  const time = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });
  const one = ({ id, recipient, subject, text, createdAt }: PreviewMail) => html`<article class="card" id="${id}">
<div class="stack"><h2>${subject}</h2><p class="secondary">To ${recipient} · ${time.format(createdAt)} UTC · <a href="/mail/${id}?look=light">light</a> · <a href="/mail/${id}?look=dark">dark</a></p></div>
<pre class="letter">${withLinks(text)}</pre></article>`;
  return html`<div class="stack"><h1>Mail that waits here</h1><p class="secondary">This server has no mail server (<code>SMTP_URL</code>), so its mail is shown here and only on this machine. The newest is first; reload for more. Each look is kept in the audit log.</p></div>
${mails.length === 0 ? html`<p class="notice">No mail yet.</p>` : mails.map(one)}`;
}

function withLinks(text: string): Html {
  const parts = text.split(/(https?:\/\/\S+)/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : part))}`;
}
