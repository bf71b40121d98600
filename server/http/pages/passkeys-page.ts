/** `/account/passkeys`: list, add, rename, remove. Everything here needs a proof of the last ten minutes. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { type PasskeyView, passkeyName } from "../../../shared/accounts.ts";
import { passkeyId } from "../../../shared/ids.ts";
import { deviceWords } from "../../accounts/device-words.ts";
import { PASSKEYS_PATH } from "../../accounts/factors.service.ts";
import { type Actor, STEP_UP_MS } from "../../teams/team-scope.ts";
import { field, type Html, hidden, problem } from "./layout.ts";
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
  submit,
} from "./page-context.ts";
import { allowPasskeyScript, answerQuestion, passkeyForm } from "./passkey-form.ts";
import { isProven, provePath } from "./prove-page.ts";

const DONE = {
  added: "The passkey was added. You can sign in with it from now on.",
  renamed: "The passkey has its new name.",
  removed: "The passkey was removed. Nobody can sign in with it any more.",
} as const;
const isDone = (text: string | undefined): text is keyof typeof DONE => text !== undefined && Object.hasOwn(DONE, text);

export function passkeysPage(services: PageServices): Hono<PagesEnv> {
  const { factors } = services;
  const pages = new Hono<PagesEnv>();
  const title = "Passkeys";

  /** Where somebody has to go first, or who they are. */
  async function proven(c: PageCall): Promise<Actor | string> {
    const actor = await currentActor(c, services);
    if (actor === undefined) return `/sign-in?${new URLSearchParams({ next: PASSKEYS_PATH })}`;
    return (await isProven(services, actor, STEP_UP_MS)) ? actor : provePath(PASSKEYS_PATH);
  }

  /** Runs a form of a person with a fresh proof, and comes back to the list. */
  async function change(
    c: PageCall,
    done: keyof typeof DONE,
    work: (actor: Actor, fields: Fields) => Promise<void>,
  ): Promise<Response> {
    const fields = await formFields(c);
    const actor = await proven(c);
    if (typeof actor === "string") return c.redirect(actor, 303);
    allowPasskeyScript(c);
    const { passkeys } = await factors.overviewParts(actor.userId);
    return submit(
      c,
      services,
      async () => {
        await work(actor, fields);
        return c.redirect(`${PASSKEYS_PATH}?${new URLSearchParams({ done })}`, 303);
      },
      (wrong) => ({ title, content: passkeysContent(c, services, passkeys, { fields, wrong }) }),
    );
  }

  pages.get(PASSKEYS_PATH, async (c) => {
    const actor = await proven(c);
    if (typeof actor === "string") return c.redirect(actor, 303);
    allowPasskeyScript(c);
    const { passkeys } = await factors.overviewParts(actor.userId);
    const done = c.req.query("done");
    const content = passkeysContent(c, services, passkeys, { done: isDone(done) ? DONE[done] : undefined });
    return show(c, services, { title, narrow: true, content });
  });
  pages.post(`${PASSKEYS_PATH}/question`, async (c) => {
    const actor = await proven(c);
    if (typeof actor === "string") return c.json({ goTo: actor });
    return answerQuestion(c, () => factors.passkeyRegistration(actor));
  });
  pages.post(PASSKEYS_PATH, (c) =>
    change(c, "added", async (actor, fields) => {
      const { name, response } = parseFields(z.object({ name: passkeyName, response: z.string() }), fields);
      await factors.addPasskey(actor, response, name);
    }),
  );
  pages.post(`${PASSKEYS_PATH}/rename`, (c) =>
    change(c, "renamed", async (actor, fields) => {
      const { id, name } = parseFields(z.object({ id: passkeyId, name: passkeyName }), fields);
      await factors.renamePasskey(actor, id, name);
    }),
  );
  pages.post(`${PASSKEYS_PATH}/remove`, (c) =>
    change(c, "removed", async (actor, fields) => {
      const { id } = parseFields(z.object({ id: passkeyId }), fields);
      await factors.removePasskey(actor, id);
    }),
  );
  return pages;
}

interface Shown {
  readonly done?: string | undefined;
  /** A form that went wrong. */
  readonly fields?: Fields | undefined;
  readonly wrong?: FormProblem | undefined;
}

function passkeysContent(
  c: PageCall,
  services: PageServices,
  passkeys: readonly PasskeyView[],
  { done, fields = {}, wrong }: Shown,
): Html {
  const { browser, system } = deviceWords(c.get("request").userAgent);
  const suggested = `${browser.replace(/ \d+$/, "")} on ${system}`;
  const wrongIn = wrong && fields["id"];
  const addProblem = wrongIn === undefined ? wrong : undefined;
  const known = passkeys.some(({ id }) => id === wrongIn);
  return html`<div class="stack"><h1>Passkeys</h1><p class="secondary">A passkey signs you in with your device's screen lock or a security key: no password, and nothing a fake page could ask you for.</p></div>
${done === undefined ? "" : html`<p class="notice" role="status">${done}</p>`}
${wrongIn !== undefined && !known ? problem(wrong?.message) : ""}
${passkeys.length === 0 ? html`<p class="card secondary">No passkey yet. Add the first one below, and a second on another device, so that losing one does not lock you out.</p>` : html`<ul class="items">${passkeys.map((one) => passkeyItem(one, wrongIn === one.id ? { fields, wrong } : {}))}</ul>`}
<section class="card"><h2>Add a passkey</h2>
${problem(addProblem && Object.keys(addProblem.fields).length === 0 ? addProblem.message : undefined)}
${passkeyForm(c, services, {
  kind: "create",
  action: PASSKEYS_PATH,
  question: `${PASSKEYS_PATH}/question`,
  button: "Add a passkey",
  fields: field({
    name: "name",
    label: "Name",
    value: (addProblem && fields["name"]) ?? suggested,
    hint: "To tell your passkeys apart.",
    error: addProblem?.fields["name"],
    maxLength: 60,
  }),
})}
</section>
<p class="secondary">Something here is not yours? Remove it, then <a href="/reset">set a new password</a>: that signs everybody out.</p>`;
}

function passkeyItem({ id, name, createdAt, lastUsedAt, backedUp }: PasskeyView, { fields, wrong }: Shown): Html {
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
  const used = lastUsedAt === undefined ? "never used" : `last used ${day.format(new Date(lastUsedAt))}`;
  const input = `name-${id}`;
  const error = wrong?.fields["name"];
  return html`<li class="card"><div class="stack"><h2>${name}</h2>
<p class="secondary">Added ${day.format(new Date(createdAt))}, ${used}. ${backedUp ? "Kept in sync by its maker, so it survives the loss of a device." : "On one device only."}</p></div>
<details${wrong === undefined ? "" : html` open`}><summary>Rename</summary>
<form method="post" action="${PASSKEYS_PATH}/rename">${problem(error === undefined ? wrong?.message : undefined)}${hidden({ id })}
<div class="field"><label for="${input}">New name</label><input id="${input}" name="name" value="${fields?.["name"] ?? name}" maxlength="60" required autocomplete="off"${error ? html` aria-invalid="true" aria-describedby="${input}-note"` : ""}>${error ? html`<p class="wrong" id="${input}-note">${error}</p>` : ""}</div>
<button class="quiet">Save the name</button></form></details>
<details><summary>Remove</summary>
<form method="post" action="${PASSKEYS_PATH}/remove">${hidden({ id })}<p>“${name}” will no longer sign you in. Your device may go on offering it; delete it there too.</p><button class="danger">Remove this passkey</button></form></details></li>`;
}
