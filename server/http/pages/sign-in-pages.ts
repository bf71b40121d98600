/** Signing in beyond the password: the page that asks for a code, and signing in with a passkey. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { signInContent } from "./account-pages.ts";
import { field, type Html, hidden, problem } from "./layout.ts";
import {
  type FormProblem,
  formFields,
  type PageServices,
  type PagesEnv,
  parseFields,
  safeNext,
  show,
  startWebSession,
  submit,
} from "./page-context.ts";
import { allowPasskeyScript, answerQuestion, PASSKEY_SCRIPT, PASSKEY_SCRIPT_PATH } from "./passkey-form.ts";
import { heldSecondStep, letGoSecondStep } from "./second-step-cookie.ts";

const ANSWER_MISSING = "Type the code the app shows, or a backup code.";
export const secondAnswer = z
  .string(ANSWER_MISSING)
  .trim()
  .min(1, ANSWER_MISSING)
  .max(40, "This is no code of an app and no backup code.");

export function signInPages(services: PageServices): Hono<PagesEnv> {
  const { accounts, factors, publicUrl } = services;
  const pages = new Hono<PagesEnv>();
  const title = "Type your code";

  pages.get(PASSKEY_SCRIPT_PATH, (c) =>
    c.body(PASSKEY_SCRIPT, 200, {
      "Content-Type": "text/javascript; charset=utf-8",
      "Cache-Control": "public, max-age=31536000, immutable",
    }),
  );

  pages.get("/sign-in/code", async (c) => {
    const next = safeNext(c.req.query("next"), publicUrl);
    const continuation = heldSecondStep(c, services);
    if (continuation === undefined || !(await accounts.isSecondStepOpen(continuation)))
      return c.redirect(next ? `/sign-in?${new URLSearchParams({ next })}` : "/sign-in", 303);
    return show(c, services, { title, narrow: true, content: codeContent(next) });
  });
  pages.post("/sign-in/code", async (c) => {
    const fields = await formFields(c);
    const next = safeNext(fields["next"], publicUrl);
    const continuation = heldSecondStep(c, services) ?? "";
    return submit(
      c,
      services,
      async () => {
        const { answer } = parseFields(z.object({ answer: secondAnswer }), fields);
        const session = await accounts.answerSecondFactor({ continuation, answer }, c.get("request"));
        letGoSecondStep(c, services);
        await startWebSession(c, services, session);
        return c.redirect(next ?? "/", 303);
      },
      (wrong) => ({
        title,
        content: wrong.code === "unauthenticated" ? overContent(next, wrong.message) : codeContent(next, wrong),
      }),
    );
  });

  pages.post("/sign-in/passkey/question", (c) =>
    answerQuestion(c, () => factors.passkeyQuestion("sign_in", c.get("request"))),
  );
  pages.post("/sign-in/passkey", async (c) => {
    const fields = await formFields(c);
    const next = safeNext(fields["next"], publicUrl);
    allowPasskeyScript(c);
    return submit(
      c,
      services,
      async () => {
        const session = await accounts.signInWithPasskey(fields["response"] ?? "", c.get("request"));
        letGoSecondStep(c, services);
        await startWebSession(c, services, session);
        return c.redirect(next ?? "/", 303);
      },
      (wrong) => ({ title: "Sign in", content: signInContent(c, services, {}, next, wrong) }),
    );
  });
  return pages;
}

function codeContent(next: string | undefined, wrong?: FormProblem): Html {
  const error = wrong?.fields["answer"];
  return html`<div class="stack"><h1>Type your code</h1><p class="secondary">The password was right. Now the six digits your app shows for Perch, or one of your backup codes.</p></div>
<form class="card" method="post" action="/sign-in/code" novalidate>
${problem(error === undefined ? wrong?.message : undefined)}${hidden({ next })}
${field({ name: "answer", label: "Code", autocomplete: "one-time-code", error, hint: "Like 123456, or 7KQ2-9XHM-4T0B-ZC5W.", autofocus: true, maxLength: 40 })}
<button>Sign in</button>
<p class="row secondary"><a href="/sign-in${next ? `?${new URLSearchParams({ next })}` : ""}">Start again</a><a href="/recover">I have neither</a></p>
</form>`;
}

function overContent(next: string | undefined, message: string): Html {
  return html`<section class="card"><h1>Sign in again</h1><p>${message}</p><p><a class="button" href="/sign-in${next ? `?${new URLSearchParams({ next })}` : ""}">Sign in</a></p></section>`;
}
