/** What the rules against abuse decided about one's account, and one's word against it. Plain forms, no script. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { contestText, type DecisionView } from "../../../shared/accounts.ts";
import { decisionId } from "../../../shared/ids.ts";
import { describedBy, fieldNotes, type Html, hidden, problem } from "./layout.ts";
import {
  currentActor,
  type Fields,
  type FormProblem,
  formFields,
  type PageServices,
  type PagesEnv,
  parseFields,
  STANDING_PATH,
  show,
  submit,
} from "./page-context.ts";

const contestForm = z.object({ decisionId, text: contestText });
const TITLE = "Standing of your account";

export function standingPage(services: PageServices): Hono<PagesEnv> {
  const { standing } = services;
  const pages = new Hono<PagesEnv>();
  const signIn = `/sign-in?${new URLSearchParams({ next: STANDING_PATH })}`;

  pages.get(STANDING_PATH, async (c) => {
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(signIn, 303);
    return show(c, services, { title: TITLE, narrow: true, content: content(await standing.list(actor.userId), {}) });
  });
  pages.post(STANDING_PATH, async (c) => {
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(signIn, 303);
    const fields = await formFields(c);
    const decisions = await standing.list(actor.userId);
    return submit(
      c,
      services,
      async () => {
        const { decisionId: id, text } = parseFields(contestForm, fields);
        await standing.contest(actor, id, text);
        return c.redirect(STANDING_PATH, 303);
      },
      (wrong) => ({ title: TITLE, content: content(decisions, fields, wrong) }),
    );
  });
  return pages;
}

function content(decisions: readonly DecisionView[], fields: Fields, wrong?: FormProblem): Html {
  if (decisions.length === 0) {
    return html`<section class="card"><h1>${TITLE}</h1><p>Nothing speaks against your account.</p><p><a class="button quiet" href="/">Go to the start</a></p></section>`;
  }
  return html`<div class="stack"><h1>${TITLE}</h1>
<p class="secondary">Rules look at new accounts and their launches, to keep programs from making accounts by the hundred. They can be wrong. Say so, and a person decides.</p></div>
${problem(wrong !== undefined && wrong.fields["text"] === undefined ? wrong.message : undefined)}
${decisions.map((decision) => card(decision, decision.id === fields["decisionId"] ? fields : {}, wrong))}`;
}

const KINDS = {
  sign_up: "Your sign-up",
  launch: "Your launches of phones",
  operator: "Suspended",
} as const satisfies Record<DecisionView["kind"], string>;
const WHAT = {
  allow: "Nothing was asked.",
  verify_first: "Confirm that it is you before you launch a phone: sign in again in the extension when it asks.",
  suspend:
    "An operator suspended your account or a team you are in: no phone and no automation runs. Nothing is deleted.",
  hold: "You may not launch new phones until a person has looked at it. Phones you have go on.",
} as const satisfies Record<DecisionView["action"], string>;
const STATES = {
  in_force: "",
  contested: "We have your word. A person looks at it, and you get a mail.",
  lifted: "This was lifted. Nothing is asked of you any more.",
  upheld: "A person looked at it and decided that it stays. If that is wrong, write to us through the contact page.",
} as const satisfies Record<DecisionView["state"], string>;

function card(
  { id, kind, action, state, reasons, at, contest }: DecisionView,
  fields: Fields,
  wrong?: FormProblem,
): Html {
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(new Date(at));
  const error = fields["decisionId"] === id ? wrong?.fields["text"] : undefined;
  const name = `text-${id}`;
  return html`<section class="card"><h2>${KINDS[kind]}, ${day}</h2>
<p>${state === "lifted" ? STATES.lifted : WHAT[action]}</p>
<div class="stack"><h3>Why</h3><ul class="plain">${reasons.map((reason) => html`<li>${reason}</li>`)}</ul></div>
${state === "contested" || state === "upheld" ? html`<p class="notice">${STATES[state]}</p>` : ""}
${contest === undefined ? "" : html`<div class="stack"><h3>What you wrote</h3><p>${contest}</p></div>`}
${
  state === "in_force" || state === "contested"
    ? html`<form method="post" action="${STANDING_PATH}" novalidate>${hidden({ decisionId: id })}
<div class="field"><label for="${name}">${contest === undefined ? "Say why this is wrong" : "Say it another way"}</label>
<textarea id="${name}" name="text" maxlength="2000" required${describedBy(name, undefined, error)}>${fields["text"] ?? ""}</textarea>${fieldNotes(name, undefined, error)}</div>
<button>Send to a person</button></form>`
    : ""
}</section>`;
}
