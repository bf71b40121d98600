/** Behind the links of a change of address: confirming it, and taking it back. A GET changes nothing. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { deadLink, field, type Html, hidden, localMailHint, problem } from "./layout.ts";
import {
  clearCookie,
  type FormProblem,
  formFields,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";

const confirmForm = z.object({
  password: z.string().min(1, "Type your password.").max(1000, "This is not your password."),
  token: z.string(),
});
const undoForm = z.object({ token: z.string() });

export function emailPages(services: PageServices): Hono<PagesEnv> {
  const { emailChange, mail } = services;
  const pages = new Hono<PagesEnv>();

  pages.get("/email/confirm", async (c) => {
    const { token = "" } = c.req.query();
    const address = await emailChange.find("email_change", token);
    const content =
      address === undefined
        ? deadLink(
            "This link has expired or was used already. Change the address again, under Account in the extension.",
            "/",
            "Go to the start",
          )
        : confirmContent(token, address);
    return show(c, services, { title: "Confirm your new address", narrow: true, content }, address ? 200 : 404);
  });
  pages.post("/email/confirm", async (c) => {
    const fields = await formFields(c);
    const token = fields["token"] ?? "";
    const address = await emailChange.find("email_change", token);
    return submit(
      c,
      services,
      async () => {
        await emailChange.confirm(parseFields(confirmForm, fields), c.get("request"));
        const content = html`<section class="card"><h1>Your address is changed</h1><p>From now on sign in with <strong>${address}</strong>. Mail goes there too.</p><p class="secondary">The earlier address got a mail with which the change can be taken back for 7 days. You can close this page.</p></section>`;
        return show(c, services, { title: "Address changed", narrow: true, content });
      },
      (wrong) => ({ title: "Confirm your new address", content: confirmContent(token, address, wrong) }),
    );
  });

  pages.get("/email/undo", async (c) => {
    const { token = "" } = c.req.query();
    const address = await emailChange.find("email_undo", token);
    const content =
      address === undefined
        ? deadLink(
            "This link has expired or was used already. If the account is not in your hands, write to us.",
            "/support",
            "Write to us",
          )
        : undoContent(token, address);
    return show(c, services, { title: "Take the change back", narrow: true, content }, address ? 200 : 404);
  });
  pages.post("/email/undo", async (c) => {
    const fields = await formFields(c);
    const token = fields["token"] ?? "";
    const before = await emailChange.find("email_undo", token);
    return submit(
      c,
      services,
      async () => {
        const address = await emailChange.undo(parseFields(undoForm, fields), c.get("request"));
        clearCookie(c, services);
        return show(c, services, { title: "Address restored", narrow: true, content: undoneContent(address, mail) });
      },
      (wrong) => ({ title: "Take the change back", content: undoContent(token, before, wrong) }),
    );
  });
  return pages;
}

function confirmContent(token: string, address: string | undefined, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Confirm your new address</h1><p class="secondary">Type the password of your account, so that nobody else can finish this.</p></div>
<form class="card" method="post" action="/email/confirm" novalidate>
${problem(wrong && Object.keys(wrong.fields).length === 0 ? wrong.message : undefined)}${hidden({ token })}
${address === undefined ? "" : html`<dl class="facts"><dt>New address</dt><dd><strong>${address}</strong></dd></dl>`}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", error: wrong?.fields["password"], autofocus: true })}
<button>Confirm the address</button>
<p class="secondary">You did not ask for this? Close this page; without the password nothing happens.</p>
</form>`;
}

function undoContent(token: string, address: string | undefined, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Take the change back?</h1><p class="secondary">For when somebody else changed the address of your account.</p></div>
<form class="card" method="post" action="/email/undo">
${problem(wrong?.message)}${hidden({ token })}
<ul class="plain"><li>The account has ${address === undefined ? "the earlier address" : html`the address <strong>${address}</strong>`} again.</li><li>Everybody is signed out, everywhere.</li><li>The present password stops working. You get a mail to set a new one.</li><li>Passkeys, codes of an app and API tokens that were added since the change was asked for are removed.</li></ul>
<button>Take it back</button>
<p class="secondary">You changed the address yourself? Close this page, and it stays as it is.</p>
</form>`;
}

function undoneContent(address: string, mail: PageServices["mail"]): Html {
  return html`<section class="card"><h1>The account is yours again</h1><p>Its address is <strong>${address}</strong>, and everybody was signed out.</p><p>One step is left: open the mail we just sent there and set a new password.</p>${localMailHint(mail.staysLocal)}<p class="secondary">Nothing there? <a href="/reset">Ask for another one</a>. Once you are in, look at passkeys, sessions and API tokens under Account, and remove what is not yours.</p></section>`;
}
