/**
 * What an invitation's link opens. GET changes nothing: mail scanners follow links. Whoever holds the token reads the
 * invited mailbox, so the page may say whether that address has an account, and a new account needs no second mail.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { fullName, password } from "../../../shared/accounts.ts";
import { lookupEmail } from "../../accounts/identity-provider.ts";
import { PerchError } from "../../errors.ts";
import { type InvitationPage, ROLE_WORDS } from "../../teams/invitations.service.ts";
import { field, type Html, hidden, PASSWORD_HINT, problem } from "./layout.ts";
import {
  currentActor,
  type Fields,
  type FormProblem,
  formFields,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  startWebSession,
  submit,
} from "./page-context.ts";

const newAccountForm = z.object({ token: z.string(), fullName, password });

export function invitePage(services: PageServices): Hono<PagesEnv> {
  const { invitations } = services;
  const pages = new Hono<PagesEnv>();
  const title = "Invitation";

  const dead = (c: PageCall) =>
    show(
      c,
      services,
      {
        title,
        narrow: true,
        content: html`<section class="card"><h1>This invitation no longer works</h1><p>It has expired, was withdrawn or was answered already. Ask who invited you for a new one.</p><p><a class="button quiet" href="/">Go to the start</a></p></section>`,
      },
      404,
    );

  /** Who is signed in and the invitation, when it is for them. */
  const answering = async (c: PageCall, token: string) => {
    const invitation = await invitations.behindLink(token);
    if (invitation === undefined) return undefined;
    const actor = await currentActor(c, services);
    const address = actor && (await services.connect.me(actor)).user.email;
    if (actor === undefined || address === undefined || !isSame(address, invitation.email)) {
      throw new PerchError("forbidden", `This invitation is for ${invitation.email}. Sign in with that address.`);
    }
    return { actor, invitation };
  };

  pages.get("/invite", async (c) => {
    const { token = "" } = c.req.query();
    const invitation = await invitations.behindLink(token);
    if (invitation === undefined) return dead(c);
    const actor = await currentActor(c, services);
    if (actor === undefined) {
      // Browsers keep a Strict cookie back when another site's page (web mail) leads here; asked again from here, they send it.
      if (c.req.header("sec-fetch-site") === "cross-site") c.header("Refresh", `0; url=${pathOf(token)}`);
      return show(c, services, { title, narrow: true, content: signedOutContent(invitation, token) });
    }
    const address = (await services.connect.me(actor)).user.email;
    const content = isSame(address, invitation.email)
      ? answerContent(invitation, token)
      : otherPersonContent(invitation, token, address);
    return show(c, services, { title, narrow: true, content });
  });

  pages.post("/invite/accept", async (c) => {
    const { token = "" } = await formFields(c);
    const found = await answering(c, token);
    if (found === undefined) return dead(c);
    await invitations.accept(found.actor, found.invitation.id);
    return c.redirect(`/invite/done?${new URLSearchParams({ team: found.invitation.teamName })}`, 303);
  });

  pages.post("/invite/decline", async (c) => {
    const { token = "" } = await formFields(c);
    const found = await answering(c, token);
    if (found === undefined) return dead(c);
    await invitations.decline(found.actor, found.invitation.id);
    const content = html`<section class="card"><h1>Declined</h1><p>You did not join “${found.invitation.teamName}”. Nothing else changes.</p><p><a class="button quiet" href="/">Go to the start</a></p></section>`;
    return show(c, services, { title, narrow: true, content });
  });

  pages.post("/invite/join", async (c) => {
    const fields = await formFields(c);
    const token = fields["token"] ?? "";
    const invitation = await invitations.behindLink(token);
    if (invitation === undefined) return dead(c);
    return submit(
      c,
      services,
      async () => {
        const session = await invitations.acceptWithNewAccount(parseFields(newAccountForm, fields), c.get("request"));
        await startWebSession(c, services, session);
        return c.redirect(`/invite/done?${new URLSearchParams({ team: invitation.teamName })}`, 303);
      },
      (wrong) => ({ title, content: signedOutContent(invitation, token, fields, wrong) }),
    );
  });

  pages.get("/invite/done", async (c) => {
    const actor = await currentActor(c, services);
    // Only the name of a team the person is in: the address bar is no place to put words into our mouth.
    const teams = actor === undefined ? [] : await services.teams.list(actor);
    const team = teams.find(({ name }) => name === c.req.query("team"));
    if (team === undefined) return c.redirect("/", 303);
    const content = html`<section class="card"><h1>You are in “${team.name}”</h1><p>Your role: ${ROLE_WORDS[team.role]}.</p><p>Open Perch in your browser's side panel. If it is connected already, choose the team under Account; if not, connect it now.</p><p><a class="button" href="/">How to get the extension</a></p></section>`;
    return show(c, services, { title: "Joined", narrow: true, content });
  });
  return pages;
}

const pathOf = (token: string) => `/invite?${new URLSearchParams({ token })}`;
const isSame = (a: string, b: string) => lookupEmail(a) === lookupEmail(b);

function facts({ teamName, role, invitedBy, email }: InvitationPage): Html {
  return html`<dl class="facts"><dt>Team</dt><dd><strong>${teamName}</strong></dd><dt>Your role</dt><dd>${ROLE_WORDS[role]}</dd><dt>Invited by</dt><dd>${invitedBy}</dd><dt>Sent to</dt><dd>${email}</dd></dl>`;
}

function head(): Html {
  return html`<div class="stack"><h1>You are invited to a team</h1><p class="secondary">A team shares phones and automations. Its members see what you do there; your account stays yours.</p></div>`;
}

function answerContent(invitation: InvitationPage, token: string): Html {
  return html`${head()}
<section class="card">${facts(invitation)}
<div class="row"><form method="post" action="/invite/accept">${hidden({ token })}<button>Accept</button></form>
<form method="post" action="/invite/decline">${hidden({ token })}<button class="quiet">Decline</button></form></div>
</section>`;
}

function otherPersonContent(invitation: InvitationPage, token: string, address: string): Html {
  return html`${head()}
<section class="card">${facts(invitation)}
<p class="notice">You are signed in as ${address}. This invitation is for ${invitation.email}, and only that address can accept it.</p>
<form method="post" action="/sign-out">${hidden({ next: pathOf(token) })}<button>Use another account</button></form>
</section>`;
}

function signedOutContent(invitation: InvitationPage, token: string, fields: Fields = {}, wrong?: FormProblem): Html {
  const next = pathOf(token);
  const errors = wrong?.fields ?? {};
  const form = invitation.hasAccount
    ? html`<form class="card" method="post" action="/sign-in" novalidate>
<h2>Sign in to answer</h2>${hidden({ next })}
${field({ name: "email", label: "E-mail address", type: "email", value: invitation.email, autocomplete: "username" })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "current-password" })}
<button>Sign in</button>
<p class="row secondary"><a href="/sign-in?${new URLSearchParams({ next })}">Other ways to sign in</a><a href="/reset">Forgot the password?</a></p>
</form>`
    : html`<form class="card" method="post" action="/invite/join" novalidate>
<h2>Create an account and join</h2><p class="secondary">For ${invitation.email}. The link came to that address, so it is confirmed already.</p>
${problem(wrong?.message)}${hidden({ token })}
${field({ name: "fullName", label: "Your name (optional)", value: fields["fullName"], autocomplete: "name", error: errors["fullName"], optional: true, maxLength: 100 })}
${field({ name: "password", label: "Password", type: "password", autocomplete: "new-password", hint: PASSWORD_HINT, error: errors["password"], minLength: 12, maxLength: 256 })}
<button>Create account and join</button>
<p class="secondary">What we do with this: <a href="/privacy">privacy policy</a>.</p>
</form>`;
  return html`${head()}
<section class="card">${facts(invitation)}<p class="hint">You do not know who this is? Close this page; nothing happens.</p></section>
${form}`;
}
