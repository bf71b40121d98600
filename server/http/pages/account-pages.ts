/**
 * Sign-up, confirmation, sign-in, sign-out, reset and first-run set-up. A GET never changes anything: mail scanners
 * and prefetching browsers follow links. Links carry their token to a page with a button, and the POST uses it.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { email, fullName, password } from "../../../shared/accounts.ts";
import { deadLink, field, type Html, hidden, localMailHint, PASSWORD_HINT, problem } from "./layout.ts";
import {
  clearCookie,
  currentActor,
  type Fields,
  type FormProblem,
  formFields,
  isConnect,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  safeNext,
  show,
  startWebSession,
  submit,
} from "./page-context.ts";
import { allowPasskeyScript, passkeyForm } from "./passkey-form.ts";
import { holdSecondStep } from "./second-step-cookie.ts";

const signInForm = z.object({
  email,
  password: z.string().min(1, "Type your password.").max(1000, "This is not your password."),
});
const newAccountForm = z.object({ email, fullName, password });
const emailForm = z.object({ email });
const newPasswordForm = z.object({ password, token: z.string() });
const confirmForm = z.object({
  password: z.string().min(1, "Type the password you chose.").max(1000, "This is not the password."),
  token: z.string(),
});

export function accountPages(services: PageServices): Hono<PagesEnv> {
  const { accounts, sessions, formStamps, publicUrl } = services;
  const pages = new Hono<PagesEnv>();
  const nextOf = (fields: Fields) => safeNext(fields["next"], publicUrl);
  const withNext = (path: string, next: string | undefined) =>
    next ? `${path}?${new URLSearchParams({ next })}` : path;
  const goOn = (c: PageCall, next: string | undefined) => c.redirect(next ?? "/", 303);

  pages.get("/sign-in", async (c) => {
    const next = nextOf(c.req.query());
    if ((await currentActor(c, services)) !== undefined) return goOn(c, next);
    allowPasskeyScript(c);
    return show(c, services, { title: "Sign in", narrow: true, content: signInContent(c, services, {}, next) });
  });
  pages.post("/sign-in", async (c) => {
    const fields = await formFields(c);
    const next = nextOf(fields);
    allowPasskeyScript(c);
    return submit(
      c,
      services,
      async () => {
        const signedIn = await accounts.signIn(parseFields(signInForm, fields), c.get("request"));
        if ("continuation" in signedIn) {
          holdSecondStep(c, services, signedIn.continuation);
          return c.redirect(withNext("/sign-in/code", next), 303);
        }
        await startWebSession(c, services, signedIn);
        return goOn(c, next);
      },
      (wrong) => ({ title: "Sign in", content: signInContent(c, services, fields, next, wrong) }),
    );
  });

  pages.post("/sign-out", async (c) => {
    const actor = await currentActor(c, services);
    if (actor !== undefined) await sessions.signOut(actor);
    clearCookie(c, services);
    const next = nextOf(await formFields(c));
    return goOn(c, next);
  });

  pages.get("/sign-up", async (c) => {
    const fields = { opened: formStamps.issue() };
    const content = signUpContent(fields, nextOf(c.req.query()), await policyLine(services));
    return show(c, services, { title: "Create an account", narrow: true, content });
  });
  pages.post("/sign-up", async (c) => {
    const fields = await formFields(c);
    const next = nextOf(fields);
    const policy = await policyLine(services);
    return submit(
      c,
      services,
      async () => {
        const form = { stamp: fields["opened"], language: c.req.header("accept-language") };
        await accounts.signUp({ ...parseFields(newAccountForm, fields), next, form }, c.get("request"));
        return c.redirect(withNext("/check-mail", next), 303);
      },
      (wrong) => ({ title: "Create an account", content: signUpContent(fields, next, policy, wrong) }),
    );
  });
  pages.get("/check-mail", (c) =>
    show(c, services, {
      title: "Check your mail",
      narrow: true,
      content: checkMailContent(services, nextOf(c.req.query())),
    }),
  );

  pages.get("/confirm", async (c) => {
    const { token = "" } = c.req.query();
    const open = await accounts.isLinkOpen("sign_up", token);
    const next = nextOf(c.req.query());
    const content = open
      ? confirmContent(token, next)
      : deadLink(
          "This link has expired or was used already. If you confirmed before, sign in; otherwise sign up again.",
          "/sign-in",
          "Sign in",
        );
    return show(c, services, { title: "Confirm your address", narrow: true, content }, open ? 200 : 404);
  });
  pages.post("/confirm", async (c) => {
    const fields = await formFields(c);
    const next = nextOf(fields);
    return submit(
      c,
      services,
      async () => {
        const session = await accounts.confirm(parseFields(confirmForm, fields), c.get("request"));
        await startWebSession(c, services, session);
        return goOn(c, next);
      },
      (wrong) => ({ title: "Confirm your address", content: confirmContent(fields["token"] ?? "", next, wrong) }),
    );
  });

  pages.get("/reset", (c) =>
    show(c, services, { title: "Set a new password", narrow: true, content: resetContent({}) }),
  );
  pages.post("/reset", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        await accounts.requestReset(parseFields(emailForm, fields), c.get("request"));
        return c.redirect("/reset/sent", 303);
      },
      (wrong) => ({ title: "Set a new password", content: resetContent(fields, wrong) }),
    );
  });
  pages.get("/reset/sent", (c) =>
    show(c, services, { title: "Check your mail", narrow: true, content: resetSentContent(services) }),
  );
  pages.get("/reset/new", async (c) => {
    const { token = "" } = c.req.query();
    const open = await accounts.isLinkOpen("reset", token);
    const content = open
      ? newPasswordContent(token)
      : deadLink("This link has expired or was used already.", "/reset", "Ask for a new one");
    return show(c, services, { title: "Set a new password", narrow: true, content }, open ? 200 : 404);
  });
  pages.post("/reset/new", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        await accounts.reset(parseFields(newPasswordForm, fields), c.get("request"));
        clearCookie(c, services);
        const content = html`<section class="card"><h1>Your password is changed</h1><p>You were signed out everywhere. Sign in with the new password.</p><p><a class="button" href="/sign-in">Sign in</a></p><p class="secondary">API tokens go on working. If somebody else was in your account, revoke those you do not know, under Account in the extension.</p></section>`;
        return show(c, services, { title: "Password changed", narrow: true, content });
      },
      (wrong) => ({ title: "Set a new password", content: newPasswordContent(fields["token"] ?? "", wrong) }),
    );
  });

  pages.get("/setup", async (c) => {
    const { token = "" } = c.req.query();
    const open = await accounts.isLinkOpen("setup", token);
    const content = open
      ? setupContent(token, {})
      : deadLink(
          "This set-up link has expired or was used already. Restart the server for a new one, or sign in.",
          "/sign-in",
          "Sign in",
        );
    return show(c, services, { title: "Set up Perch", narrow: true, content }, open ? 200 : 404);
  });
  pages.post("/setup", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        const input = parseFields(newAccountForm.extend({ token: z.string() }), fields);
        const session = await accounts.setUp(input, c.get("request"));
        await startWebSession(c, services, session);
        return goOn(c, undefined);
      },
      (wrong) => ({ title: "Set up Perch", content: setupContent(fields["token"] ?? "", fields, wrong) }),
    );
  });
  return pages;
}

export function signInContent(
  c: PageCall,
  services: PageServices,
  fields: Fields,
  next: string | undefined,
  wrong?: FormProblem,
): Html {
  const errors = wrong?.fields ?? {};
  const query = next ? `?${new URLSearchParams({ next })}` : "";
  const passkey = passkeyForm(c, services, {
    kind: "get",
    action: "/sign-in/passkey",
    question: "/sign-in/passkey/question",
    button: "Sign in with a passkey",
    quiet: true,
    next,
  });
  return html`<div class="stack"><h1>Sign in</h1>${isConnect(next) ? html`<p class="secondary">To connect the extension in your browser.</p>` : ""}</div>
<section class="card">
<form method="post" action="/sign-in" novalidate>
${problem(wrong?.message)}${hidden({ next })}
${field({ name: "email", label: "E-mail address", type: "email", value: fields["email"], autocomplete: "username", error: errors["email"], autofocus: fields["email"] === undefined })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", error: errors["password"], autofocus: fields["email"] !== undefined })}
<button>Sign in</button>
</form>
<p class="or">or</p>
${passkey}
<p class="row secondary"><a href="/sign-up${query}">Create an account</a><a href="/reset">Forgot the password?</a></p>
</section>`;
}

/** The three fields of a new account. */
function newAccountFields(fields: Fields, errors: FormProblem["fields"]): Html {
  const isPasswordWrong = errors["password"] !== undefined && errors["email"] === undefined;
  return html`${field({ name: "email", label: "E-mail address", type: "email", value: fields["email"], autocomplete: "username", error: errors["email"], autofocus: !isPasswordWrong, maxLength: 254 })}
${field({ name: "fullName", label: "Your name (optional)", value: fields["fullName"], autocomplete: "name", error: errors["fullName"], optional: true, maxLength: 100 })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "new-password", hint: PASSWORD_HINT, error: errors["password"], autofocus: isPasswordWrong, minLength: 12, maxLength: 256 })}`;
}

/** Which policy a new account is under: both versions, while a change is announced. */
async function policyLine({ policy }: PageServices): Promise<Html> {
  const next = await policy.announcedNext();
  if (next === undefined) return html`What we do with this: <a href="/privacy">privacy policy</a>.`;
  const { version } = await policy.current();
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(next.effectiveAt);
  return html`What we do with this: <a href="/privacy">privacy policy, version ${version}</a>. A new version is announced and applies from ${day} at the earliest: <a href="/privacy/versions/${next.policy.version}">version ${next.policy.version}</a>. With an account you agree to both, each in its time.`;
}

function signUpContent(fields: Fields, next: string | undefined, policy: Html, wrong?: FormProblem): Html {
  const query = next ? `?${new URLSearchParams({ next })}` : "";
  return html`<div class="stack"><h1>Create an account</h1><p class="secondary">You get a mail to confirm the address. We use it for that, for receipts and for warnings, never for advertising.</p></div>
<form class="card" method="post" action="/sign-up" novalidate>
${problem(wrong?.message)}${hidden({ next, opened: fields["opened"] })}
${newAccountFields(fields, wrong?.fields ?? {})}
<button>Create account</button>
<p class="secondary">${policy} Have an account? <a href="/sign-in${query}">Sign in</a>.</p>
</form>`;
}

function checkMailContent(services: PageServices, next: string | undefined): Html {
  return html`<section class="card"><h1>Check your mail</h1>
<p>We sent you a link. Open it, type the password you chose once more, and you are done. The link works for 24 hours.</p>
${localMailHint(services.mail.staysLocal)}
${next ? html`<p>Then come back here:</p><p><a class="button" href="/sign-in?${new URLSearchParams({ next })}">I have confirmed, go on</a></p>` : ""}
<p class="secondary">Nothing there? Look in the spam folder, or <a href="/sign-up">try again</a>.</p></section>`;
}

function confirmContent(token: string, next: string | undefined, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Confirm your address</h1><p class="secondary">Type the password you chose when you signed up, so that nobody else can finish this in your name.</p></div>
<form class="card" method="post" action="/confirm" novalidate>
${problem(wrong && Object.keys(wrong.fields).length === 0 ? wrong.message : undefined)}${hidden({ token, next })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", error: wrong?.fields["password"], autofocus: true })}
<button>Confirm and sign in</button>
<p class="secondary">You did not sign up? Close this page; without the password nothing happens.</p>
</form>`;
}

function resetContent(fields: Fields, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Set a new password</h1><p class="secondary">We send a link to your address. It works once and for 30 minutes.</p></div>
<form class="card" method="post" action="/reset" novalidate>
${problem(wrong?.message)}
${field({ name: "email", label: "E-mail address", type: "email", value: fields["email"], autocomplete: "username", error: wrong?.fields["email"], autofocus: true })}
<button>Send the link</button>
</form>`;
}

function resetSentContent(services: PageServices): Html {
  return html`<section class="card"><h1>Check your mail</h1><p>If this address has an account, a link to set a new password is on its way.</p>${localMailHint(services.mail.staysLocal)}<p class="secondary">Nothing there? Look in the spam folder, or check the address and <a href="/reset">try again</a>.</p></section>`;
}

function newPasswordContent(token: string, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Set a new password</h1><p class="secondary">This signs you out everywhere, the extension too.</p></div>
<form class="card" method="post" action="/reset/new" novalidate>
${problem(wrong && Object.keys(wrong.fields).length === 0 ? wrong.message : undefined)}${hidden({ token })}
${field({ name: "password", label: "New password", type: "password", autocomplete: "new-password", hint: PASSWORD_HINT, error: wrong?.fields["password"], autofocus: true, minLength: 12, maxLength: 256 })}
<button>Set password</button>
</form>`;
}

function setupContent(token: string, fields: Fields, wrong?: FormProblem): Html {
  return html`<div class="stack"><h1>Set up Perch</h1><p class="secondary">Make the first account of this server. It is yours at once, without a confirmation mail.</p></div>
<form class="card" method="post" action="/setup" novalidate>
${problem(wrong?.message)}${hidden({ token })}
${newAccountFields(fields, wrong?.fields ?? {})}
<button>Create account</button>
</form>`;
}
