/** Back in without the second factor: asking for it, and what the links of its mail open. A GET changes nothing. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { email } from "../../../shared/accounts.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import { deadLink, field, type Html, hidden, localMailHint, problem } from "./layout.ts";
import {
  clearCookie,
  type Fields,
  type FormProblem,
  formFields,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";

const askForm = z.object({
  email,
  password: z.string().min(1, "Type your password.").max(1000, "This is not your password."),
});
const linkForm = z.object({ token: z.string() });
const DEAD = "This link has expired, was used already, or somebody said no.";

export function recoveryPages(services: PageServices): Hono<PagesEnv> {
  const { recovery, clock, mail } = services;
  const pages = new Hono<PagesEnv>();
  const dead = () => deadLink(DEAD, "/recover", "Start again");

  pages.get("/recover", (c) => show(c, services, { title: "Get back in", narrow: true, content: askContent({}) }));
  pages.post("/recover", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        await recovery.ask(parseFields(askForm, fields), c.get("request"));
        return c.redirect("/recover/sent", 303);
      },
      (wrong) => ({ title: "Get back in", content: askContent(fields, wrong) }),
    );
  });
  pages.get("/recover/sent", (c) =>
    show(c, services, { title: "Check your mail", narrow: true, content: sentContent(mail) }),
  );

  pages.get("/recover/finish", async (c) => {
    const { token = "" } = c.req.query();
    const found = await recovery.find(token);
    if (found === undefined) return show(c, services, { title: "Get back in", narrow: true, content: dead() }, 404);
    const isOpen = found.opensAt.getTime() <= clock.now();
    const content = isOpen ? finishContent(token) : waitContent(token, found.opensAt);
    return show(c, services, { title: "Get back in", narrow: true, content });
  });
  pages.post("/recover/finish", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        await recovery.finish(parseFields(linkForm, fields), c.get("request"));
        clearCookie(c, services);
        const content = html`<section class="card"><h1>You can sign in again</h1><p>The second factors of your account are removed, and everybody was signed out. Your address and password are enough now.</p><p><a class="button" href="/sign-in">Sign in</a></p><p class="secondary">Then set up a new second factor, under Account in the extension.</p></section>`;
        return show(c, services, { title: "Recovered", narrow: true, content });
      },
      (wrong) => ({ title: "Get back in", content: finishContent(fields["token"] ?? "", wrong) }),
    );
  });

  pages.get("/recover/cancel", async (c) => {
    const { token = "" } = c.req.query();
    const isOpen = (await recovery.find(token)) !== undefined;
    const content = isOpen ? cancelContent(token) : dead();
    return show(c, services, { title: "Say no", narrow: true, content }, isOpen ? 200 : 404);
  });
  pages.post("/recover/cancel", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        await recovery.cancel(parseFields(linkForm, fields), c.get("request"));
        const content = html`<section class="card"><h1>Nothing changes</h1><p>The recovery is called off. Your second factors stay as they are.</p><p>Whoever started it knows your password. Set a new one:</p><p><a class="button" href="/reset">Set a new password</a></p></section>`;
        return show(c, services, { title: "Called off", narrow: true, content });
      },
      (wrong) => ({ title: "Say no", content: cancelContent(fields["token"] ?? "", wrong) }),
    );
  });
  return pages;
}

function askContent(fields: Fields, wrong?: FormProblem): Html {
  const errors = wrong?.fields ?? {};
  return html`<div class="stack"><h1>Get back in without your second factor</h1><p class="secondary">For when the device with your codes or passkey is gone and the backup codes too. If you still have one backup code, <a href="/sign-in">sign in with it</a>: that is quicker.</p></div>
<form class="card" method="post" action="/recover" novalidate>
${problem(wrong?.message)}
<ol class="steps"><li><p>Type your address and password.</p></li><li><p>We mail you a link. It works after <strong>24 hours</strong>, so that the owner can say no if this is not you.</p></li><li><p>It removes app codes, backup codes and passkeys, and signs everybody out. Then address and password are enough.</p></li></ol>
${field({ name: "email", label: "E-mail address", type: "email", value: fields["email"], autocomplete: "username", error: errors["email"], autofocus: fields["email"] === undefined })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", error: errors["password"], autofocus: fields["email"] !== undefined })}
<button>Send the link</button>
<p class="secondary">Forgot the password, and have no second factor? <a href="/reset">Set a new password</a> instead.</p>
</form>`;
}

function sentContent(mail: PageServices["mail"]): Html {
  return html`<section class="card"><h1>Check your mail</h1><p>If address and password are right and the account has a second factor, a mail is on its way. Its link works after 24 hours and then for 3 days.</p>${localMailHint(mail.staysLocal)}<p class="secondary">Nothing there? Look in the spam folder, or check what you typed and <a href="/recover">try again</a>. An account without a second factor needs only <a href="/reset">a new password</a>.</p></section>`;
}

function waitContent(token: string, opensAt: Date): Html {
  return html`<section class="card"><h1>Not yet</h1><p>This link works from <strong>${momentWords(opensAt)}</strong> on. Keep the mail and open it again then.</p><p class="secondary">The wait gives the owner of the account the time to say no.</p></section>
<form method="post" action="/recover/cancel">${hidden({ token })}<p class="secondary">It was not you? <button class="link">Call it off</button></p></form>`;
}

function finishContent(token: string, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Remove the second factors?</h1><p class="secondary">The wait is over.</p></div>
<form class="card" method="post" action="/recover/finish">
${problem(wrong?.message)}${hidden({ token })}
<ul class="plain"><li>App codes, backup codes and passkeys of your account are removed.</li><li>Everybody is signed out, everywhere.</li><li>You sign in with address and password, and set up a new second factor.</li></ul>
<button>Remove them</button>
</form>`;
}

function cancelContent(token: string, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Call the recovery off?</h1><p class="secondary">Somebody who knows your password says that they lost your second factor.</p></div>
<form class="card" method="post" action="/recover/cancel">
${problem(wrong?.message)}${hidden({ token })}
<p>Every recovery under way ends, and your second factors stay as they are.</p>
<button>It was not me: call it off</button>
</form>`;
}
