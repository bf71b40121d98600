/**
 * The consent page of the connect flow. GET is free of side effects (Firefox asks twice); codes are minted by the POST
 * only, and a request that is not from a known extension is never redirected anywhere.
 */
import { Hono } from "hono";
import { html, raw } from "hono/html";
import type { Me } from "../../../shared/accounts.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { ConnectRequest } from "../../accounts/connect.service.ts";
import { deviceWords } from "../../accounts/device-words.ts";
import { PerchError } from "../../errors.ts";
import { STEP_UP_MS } from "../../teams/team-scope.ts";
import { type Html, hidden } from "./layout.ts";
import {
  contentSecurityPolicy,
  currentActor,
  formFields,
  type PageServices,
  type PagesEnv,
  show,
} from "./page-context.ts";
import { isProven, provePath } from "./prove-page.ts";

/** With `prompt=login`: a proof older than this was not given for this request. */
const FRESH_MS = 60_000;

export function connectPage(services: PageServices): Hono<PagesEnv> {
  const { connect } = services;
  const pages = new Hono<PagesEnv>();
  const pathOf = ({ prompt, ...rest }: ConnectRequest) =>
    `/connect?${new URLSearchParams({ ...rest, ...(prompt && { prompt }) })}`;

  pages.get("/connect", async (c) => {
    const request = connect.parse(c.req.query());
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(`/sign-in?${new URLSearchParams({ next: pathOf(request) })}`, 303);
    if (request.prompt === "login" && !(await isProven(services, actor, FRESH_MS)))
      return c.redirect(provePath(pathOf(request)), 303);
    c.header("Content-Security-Policy", contentSecurityPolicy([new URL(request.redirect_uri).origin]));
    const [{ user, team }, teams] = await Promise.all([connect.me(actor), connect.teamsOf(actor)]);
    const content = consentContent(request, c.get("request").userAgent, pathOf(request), {
      email: user.email,
      // A session that only proves itself anew stays in its team.
      teams: request.prompt === undefined ? teams : [],
      current: team.id,
    });
    return show(c, services, { title: "Connect the extension", narrow: true, content });
  });

  pages.post("/connect", async (c) => {
    const { action, team, ...query } = await formFields(c);
    const request = connect.parse(query);
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(`/sign-in?${new URLSearchParams({ next: pathOf(request) })}`, 303);
    c.header("Content-Security-Policy", contentSecurityPolicy([new URL(request.redirect_uri).origin]));
    if (action === "decline") return c.redirect(connect.decline(request), 303);
    if (action !== "approve") throw new PerchError("bad_input", "Press Connect or Not now.");
    // The code carries the time of the proof, so an old one gains nothing; it would only be asked for again.
    if (request.prompt === "login" && !(await isProven(services, actor, STEP_UP_MS)))
      return c.redirect(provePath(pathOf(request)), 303);
    return c.redirect(await connect.approve(request, actor, team), 303);
  });
  return pages;
}

function consentContent(
  request: ConnectRequest,
  userAgent: string,
  here: string,
  { email, teams, current }: { email: string; teams: readonly Me["team"][]; current: TeamId },
): Html {
  const { browser, system } = deviceWords(userAgent);
  const words =
    request.prompt === "login"
      ? html`<h1>Connect again, with your proof?</h1><p class="secondary">The extension asked for a fresh proof that it is you, and you gave one. For ten minutes it may change things such as how you sign in.</p>`
      : html`<h1>Connect Perch in this browser?</h1><p class="secondary">The extension gets a token of its own. You can end it at any time, under Account in the extension.</p>`;
  return html`<div class="stack">${words}</div>
<form class="card" method="post" action="/connect">
${hidden({ ...request })}
<dl class="facts"><dt>Account</dt><dd><strong>${email}</strong></dd><dt>Browser</dt><dd>${browser} on ${system}</dd></dl>
${teams.length > 1 ? teamChoice(teams, current) : ""}
<div class="stack"><h2>It will be able to</h2><ul class="plain"><li>see your phones and their screens</li><li>launch, drive, park and remove phones, and run automations on them</li><li>show and change your account and team; what lets somebody in needs a fresh proof</li><li>show what we hold about you</li></ul></div>
<div class="row"><button name="action" value="approve">Connect</button><button class="quiet" name="action" value="decline">Not now</button></div>
</form>
<form method="post" action="/sign-out">${hidden({ next: here })}<p class="secondary">Not your account? <button class="link">Use another one</button></p></form>`;
}

/** Which team the extension works in; it can switch later. */
function teamChoice(teams: readonly Me["team"][], current: TeamId): Html {
  const choices = teams.map(
    ({ id, name, role }) =>
      html`<label class="choice"><input type="radio" name="team" value="${id}"${id === current ? raw(" checked") : ""}><span>${name}</span><span class="hint">${role}</span></label>`,
  );
  return html`<fieldset><legend>Work in</legend>${choices}<p class="hint">You can switch teams in the extension at any time.</p></fieldset>`;
}
