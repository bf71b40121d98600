/** What the browser opens when the extension is removed from it: the session ends, and the account can go too. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

export function uninstalledPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  // This address is opened by the browser and by nobody's mail reader, so looking at it may end the session.
  pages.get("/uninstalled", async (c) => {
    const { token } = c.req.query();
    const ended = token === undefined ? undefined : await services.uninstall.end(token);
    return show(c, services, { title: "Perch is removed", narrow: true, content: content(ended) });
  });
  return pages;
}

function content(ended: { readonly browser: string; readonly system: string } | undefined): Html {
  const session =
    ended === undefined
      ? html`<p>The session it had in that browser ends by itself within 14 days. Do you want it to end now? <a href="/sign-in">Sign in</a> and sign out everywhere.</p>`
      : html`<p class="notice" role="status">You are signed out in <strong>${ended.browser}</strong> on <strong>${ended.system}</strong>. The token Perch held there is worth nothing any more.</p>`;
  return html`<section class="card"><h1>Perch is removed from this browser</h1>
${session}
<p>What the extension kept in the browser went with it: the session, the last list of phones, drafts, and what it knew of rules.</p>
<p class="secondary">Your account, your phones and your automations are still on this server, for when you come back.</p></section>
<section class="card"><h2>Delete the account too?</h2>
<p>Everything about you is deleted, and you can change your mind for 7 days. What the law makes us keep is named before you confirm.</p>
<p class="row"><a class="button" href="/support?kind=privacy&amp;right=delete">Ask for deletion</a><a class="button quiet" href="/privacy">What we promise</a></p></section>`;
}
