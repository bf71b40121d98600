/**
 * Proving anew who one is, before something that must not be done with a session alone. It renews the web session's
 * token; the extension comes here through `/connect?prompt=login`.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { assurance } from "../../../shared/accounts.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { field, type Html, hidden, problem } from "./layout.ts";
import {
  currentActor,
  type FormProblem,
  formFields,
  isConnect,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  safeNext,
  setWebSession,
  show,
  submit,
} from "./page-context.ts";
import { allowPasskeyScript, answerQuestion, passkeyForm } from "./passkey-form.ts";
import { secondAnswer } from "./sign-in-pages.ts";

const passwordOnly = z.object({
  password: z.string().min(1, "Type your password.").max(1000, "This is not your password."),
});

/** Whether the person proved who they are within the last `ms`, with all that their account asks for. */
export async function isProven(services: PageServices, actor: Actor, ms: number): Promise<boolean> {
  if (services.clock.now() - actor.authenticatedAt.getTime() > ms) return false;
  if (actor.method !== undefined && assurance(actor.method) === 2) return true;
  // An app set up since then: its code was not asked for.
  return (await services.factors.overviewParts(actor.userId)).totp === null;
}

export function provePath(next: string): string {
  return `/prove?${new URLSearchParams({ next })}`;
}

export function provePage(services: PageServices): Hono<PagesEnv> {
  const { accounts, factors, publicUrl } = services;
  const pages = new Hono<PagesEnv>();
  const title = "Confirm that it is you";
  const signInFirst = (c: PageCall, next: string | undefined) =>
    c.redirect(next ? `/sign-in?${new URLSearchParams({ next })}` : "/sign-in", 303);

  /** Runs a proof; its new token takes the place of the session's earlier one. */
  async function prove(
    c: PageCall,
    work: (actor: Actor, fields: Readonly<Record<string, string>>, hasApp: boolean) => Promise<string>,
  ): Promise<Response> {
    const fields = await formFields(c);
    const next = safeNext(fields["next"], publicUrl);
    const actor = await currentActor(c, services);
    if (actor === undefined) return signInFirst(c, next);
    const about = await aboutOf(services, actor);
    allowPasskeyScript(c);
    return submit(
      c,
      services,
      async () => {
        setWebSession(c, services, await work(actor, fields, about.hasApp));
        return c.redirect(next ?? "/", 303);
      },
      (wrong) => ({ title, content: proveContent(c, services, about, next, wrong) }),
    );
  }

  pages.get("/prove", async (c) => {
    const next = safeNext(c.req.query("next"), publicUrl);
    const actor = await currentActor(c, services);
    if (actor === undefined) return signInFirst(c, next);
    allowPasskeyScript(c);
    const content = proveContent(c, services, await aboutOf(services, actor), next);
    return show(c, services, { title, narrow: true, content });
  });
  pages.post("/prove", (c) =>
    prove(c, async (actor, fields, hasApp) => {
      const input = hasApp
        ? parseFields(passwordOnly.extend({ answer: secondAnswer }), fields)
        : parseFields(passwordOnly, fields);
      return accounts.prove(actor, input, c.get("request"));
    }),
  );
  pages.post("/prove/passkey/question", (c) =>
    answerQuestion(c, () => factors.passkeyQuestion("prove", c.get("request"))),
  );
  pages.post("/prove/passkey", (c) =>
    prove(c, (actor, fields) => accounts.proveWithPasskey(actor, fields["response"] ?? "", c.get("request"))),
  );
  return pages;
}

interface About {
  readonly email: string;
  readonly hasApp: boolean;
  readonly hasPasskeys: boolean;
  /** The team wants a second factor and this session was opened without one. */
  readonly lacksSecondFactor: boolean;
}

async function aboutOf({ connect, factors }: PageServices, actor: Actor): Promise<About> {
  const [{ user }, { totp, passkeys }] = await Promise.all([connect.me(actor), factors.overviewParts(actor.userId)]);
  return {
    email: user.email,
    hasApp: totp !== null,
    hasPasskeys: passkeys.length > 0,
    lacksSecondFactor: actor.lacksSecondFactor,
  };
}

function proveContent(
  c: PageCall,
  services: PageServices,
  { email, hasApp, hasPasskeys, lacksSecondFactor }: About,
  next: string | undefined,
  wrong?: FormProblem,
): Html {
  const errors = wrong?.fields ?? {};
  const passkey = hasPasskeys
    ? html`<p class="or">or</p>${passkeyForm(c, services, { kind: "get", action: "/prove/passkey", question: "/prove/passkey/question", button: "Use a passkey", quiet: true, next })}`
    : "";
  return html`<div class="stack"><h1>Confirm that it is you</h1><p class="secondary">${isConnect(next) ? "The extension is about to do" : "You are about to do"} something that needs a fresh proof, so that an unlocked browser is not enough. It counts for ten minutes.</p></div>
${lacksSecondFactor && hasPasskeys && !hasApp ? html`<p class="notice">Your team asks for a second factor. A passkey counts as one, the password alone does not.</p>` : ""}
<section class="card">
<form method="post" action="/prove" novalidate>
${problem(wrong?.message)}${hidden({ next })}
<input type="hidden" name="username" autocomplete="username" value="${email}">
<dl class="facts"><dt>Account</dt><dd><strong>${email}</strong></dd></dl>
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password", error: errors["password"], autofocus: true })}
${hasApp ? field({ name: "answer", label: "Code", autocomplete: "one-time-code", hint: "Six digits from your app, or a backup code.", error: errors["answer"], maxLength: 40 }) : ""}
<button>Confirm</button>
</form>
${passkey}
</section>
<form method="post" action="/sign-out">${hidden({ next })}<p class="secondary">Not your account? <button class="link">Use another one</button></p></form>`;
}
