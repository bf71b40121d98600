/** Behind the links of mails about a deletion: taking it back, and how far it is. No sign-in; a GET changes nothing. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import type { SignedReceipt } from "../../../shared/privacy.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import type { ErasureProgress } from "../../privacy/erasure/erasures.service.ts";
import { deadLink, type Html, hidden, problem } from "./layout.ts";
import {
  type FormProblem,
  formFields,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";

const undoForm = z.object({ token: z.string() });
const counted = z.array(z.object({ label: z.string(), items: z.number() }));
/** What the page shows of a certificate; all of it is below, as it was signed. */
const certificate = z.object({
  doneAt: z.string(),
  erased: counted,
  staysWithTeams: counted,
  kept: z.array(z.object({ label: z.string(), items: z.number(), until: z.string(), law: z.string() })),
});

export function deletionPages(services: PageServices): Hono<PagesEnv> {
  const { erasures } = services;
  const pages = new Hono<PagesEnv>();

  pages.get("/account-deletion/undo", async (c) => {
    const { token = "" } = c.req.query();
    const found = await erasures.findUndo(token);
    const content =
      found === undefined
        ? deadLink(
            "The deletion was taken back already, or it has begun. What has begun cannot be stopped.",
            "/",
            "Go to the start",
          )
        : undoContent(token, found.purgeAt);
    return show(c, services, { title: "Keep the account", narrow: true, content }, found ? 200 : 404);
  });
  pages.post("/account-deletion/undo", async (c) => {
    const fields = await formFields(c);
    const token = fields["token"] ?? "";
    const found = await erasures.findUndo(token);
    return submit(
      c,
      services,
      async () => {
        await erasures.undoByLink(parseFields(undoForm, fields).token);
        const content = html`<section class="card"><h1>The account stays</h1><p>Everything is as it was. You were signed out everywhere; API tokens have to be made anew.</p><p><a class="button" href="/sign-in">Sign in</a></p></section>`;
        return show(c, services, { title: "The account stays", narrow: true, content });
      },
      (wrong) => ({ title: "Keep the account", content: undoContent(token, found?.purgeAt, wrong) }),
    );
  });

  pages.get("/erasure", async (c) => {
    const { token = "" } = c.req.query();
    const found = await erasures.progress(token);
    const content =
      found === undefined
        ? deadLink("It worked for 60 days after the deletion, or was not copied whole.", "/", "Go to the start")
        : progressContent(found);
    return show(c, services, { title: "Deletion of an account", narrow: true, content }, found ? 200 : 404);
  });
  return pages;
}

function undoContent(token: string, purgeAt: string | undefined, wrong?: FormProblem): Html {
  const when = purgeAt === undefined ? "" : html` Everything in it goes <strong>${day(purgeAt)}</strong>.`;
  return html`<div class="stack"><h1>Keep your account?</h1><p class="secondary">Somebody, probably you, asked to delete it.${when}</p></div>
<form class="card" method="post" action="/account-deletion/undo">
${problem(wrong?.message)}${hidden({ token })}
<p>The deletion is called off. Phones, automations and settings are as they were. You sign in anew.</p>
<button>Keep the account</button>
</form>`;
}

function progressContent({ view, certificate: receipt }: ErasureProgress): Html {
  if (receipt !== undefined) return certificateContent(receipt);
  const words = { waiting: "waits", done: "done", late: "late, tried again" } as const;
  const steps = view.steps.map(({ label, state }) => html`<li><p><strong>${label}</strong>: ${words[state]}</p></li>`);
  return html`<section class="card"><h1>An account is being deleted</h1><p class="secondary">Asked for ${day(view.askedAt)}. Everything, backups included, is gone ${day(view.goneBy)} at the latest.</p><ul class="plain">${steps}</ul><p class="hint">Open this page again later: then it shows the signed certificate.</p></section>`;
}

function certificateContent(receipt: SignedReceipt): Html {
  const { erased, staysWithTeams, kept, doneAt } = certificate.parse(receipt.statement);
  const list = (items: z.output<typeof counted>) => items.map(({ label, items: n }) => html`<li>${label}: ${n}</li>`);
  const stays =
    staysWithTeams.length === 0
      ? ""
      : html`<h2>Stays with teams, without a name</h2><ul class="plain">${list(staysWithTeams)}</ul>`;
  const law =
    kept.length === 0
      ? ""
      : html`<h2>Kept because the law asks for it</h2><ul class="plain">${kept.map((one) => html`<li>${one.label}: ${one.items}, until ${day(one.until)}. ${one.law}.</li>`)}</ul>`;
  return html`<section class="card"><h1>The account is deleted</h1><p>Done ${day(doneAt)}, and looked for again afterwards.</p><h2>Deleted</h2><ul class="plain">${list(erased)}</ul>${stays}${law}<details><summary>The signed certificate</summary><pre><code>${JSON.stringify(receipt, null, 2)}</code></pre><p class="hint">Ed25519 over the statement in canonical form (RFC 8785). The key is at <a href="/trust/key">/trust/key</a>.</p></details></section>`;
}

function day(iso: string): string {
  return momentWords(new Date(iso));
}
