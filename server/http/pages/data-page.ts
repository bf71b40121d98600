/** A copy of one's data on the web: asking for it, its progress, downloading, removing, and bringing one from elsewhere. No script. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { dataExportId } from "../../../shared/ids.ts";
import {
  type DataImport,
  type ExportEstimate,
  type ExportView,
  type ImportItem,
  importMode,
} from "../../../shared/privacy.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import { newSecret } from "../../accounts/secrets.ts";
import { DATA_IMPORT_PATH, DATA_PATH, MOST_DOWNLOADS, passphraseInput } from "../../privacy/export/exports.service.ts";
import { type Actor, STEP_UP_MS } from "../../teams/team-scope.ts";
import { importForm, importScope, sendExport } from "../moving-data.ts";
import { describedBy, field, fieldNotes, type Html, hidden, problem } from "./layout.ts";
import {
  currentActor,
  type FormProblem,
  formFields,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";
import { isProven, provePath } from "./prove-page.ts";

const TITLE = "Your data";
const startForm = z.object({ key: z.string().min(8).max(128) });
const refForm = z.object({ id: dataExportId });
const downloadForm = refForm.extend({ passphrase: passphraseInput });
/** How often a page with an export in the making looks again, in seconds. */
const LOOK_AGAIN_S = 3;

export function dataPage(services: PageServices): Hono<PagesEnv> {
  const { copies, imports } = services;
  const pages = new Hono<PagesEnv>();
  const signIn = `/sign-in?${new URLSearchParams({ next: DATA_PATH })}`;

  async function content(actor: Actor): Promise<Html> {
    const [exports, estimate] = await Promise.all([copies.list(actor.userId), copies.estimate(actor.userId)]);
    return dataContent(exports, estimate);
  }

  /** Runs a form of somebody who is signed in; `proven`: and has proved it just now. */
  async function change(c: PageCall, proven: boolean, work: (actor: Actor) => Promise<Response>): Promise<Response> {
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(signIn, 303);
    if (proven && !(await isProven(services, actor, STEP_UP_MS))) return c.redirect(provePath(DATA_PATH), 303);
    const before = await content(actor);
    return submit(
      c,
      services,
      () => work(actor),
      (wrong) => ({ title: TITLE, content: html`${problem(sentenceOf(wrong))}${before}` }),
    );
  }

  pages.get(DATA_PATH, async (c) => {
    const actor = await currentActor(c, services);
    if (actor === undefined) return c.redirect(signIn, 303);
    // Looked at before the page is made: a copy that gets ready meanwhile is looked at once more, never left as unfinished.
    if ((await copies.list(actor.userId)).some(isInTheMaking)) c.header("Refresh", String(LOOK_AGAIN_S));
    return show(c, services, { title: TITLE, content: await content(actor) });
  });
  pages.post(`${DATA_PATH}/export`, (c) =>
    change(c, false, async (actor) => {
      await copies.start(actor, parseFields(startForm, await formFields(c)).key);
      return c.redirect(DATA_PATH, 303);
    }),
  );
  pages.post(`${DATA_PATH}/remove`, (c) =>
    change(c, false, async (actor) => {
      await copies.revoke(actor, parseFields(refForm, await formFields(c)).id);
      return c.redirect(DATA_PATH, 303);
    }),
  );
  pages.post(`${DATA_PATH}/download`, (c) =>
    change(c, true, async (actor) => {
      const { url } = await copies.download(actor, parseFields(downloadForm, await formFields(c)).id);
      return sendExport(c, copies, new URL(url).pathname.split("/").at(-1) ?? "");
    }),
  );
  pages.post(DATA_IMPORT_PATH, (c) =>
    change(c, false, async (actor) => {
      const scope = importScope(actor);
      await services.limiter.take("write", actor.userId);
      const mode = importMode.catch("preview").parse((await formFields(c))["mode"]);
      const imported = await importForm(c, imports, scope, mode);
      return show(c, services, { title: TITLE, content: importContent(imported) });
    }),
  );
  return pages;
}

function sentenceOf({ message, fields }: FormProblem): string {
  return Object.values(fields)[0] ?? message;
}

function isInTheMaking({ state }: ExportView): boolean {
  return state === "waiting" || state === "running";
}

function dataContent(exports: readonly ExportView[], estimate: ExportEstimate): Html {
  const busy = exports.some(isInTheMaking);
  return html`<div class="stack"><h1>${TITLE}</h1>
<p class="secondary">A copy of everything we hold about you: a report to read, tables for spreadsheets, and files for programs. Another Perch takes it in as it is.</p></div>
${exports.map(exportCard)}
${
  busy
    ? ""
    : html`<section class="card"><h2>Make a copy</h2>
<dl class="facts"><dt>Records</dt><dd>${estimate.rows.toLocaleString("en")}</dd><dt>About</dt><dd>${size(estimate.bytes)}, ${duration(estimate.seconds)}</dd></dl>
<form method="post" action="${DATA_PATH}/export">${hidden({ key: newSecret() })}<button>Make a copy</button></form>
<p class="hint">You get a mail when it is ready. It is kept encrypted for 7 days, then removed.</p></section>`
}
${importCard()}`;
}

function exportCard(view: ExportView): Html {
  const made = momentWords(new Date(view.askedAt));
  const remove = (label: string) =>
    html`<form method="post" action="${DATA_PATH}/remove">${hidden({ id: view.id })}<button class="quiet">${label}</button></form>`;
  if (isInTheMaking(view)) {
    const { rows, rowsExpected } = view;
    const words =
      rowsExpected === 0
        ? "It begins in a moment."
        : `${rows.toLocaleString("en")} of about ${rowsExpected.toLocaleString("en")} records.`;
    return html`<section class="card"><h2>Your copy is being made</h2>
<progress aria-label="Progress" max="${Math.max(1, rowsExpected)}" value="${Math.min(rows, rowsExpected)}"></progress>
<p role="status">${words} This page looks again by itself.</p>${remove("Stop")}</section>`;
  }
  if (view.state === "ready") {
    const name = `passphrase-${view.id}`;
    const left = MOST_DOWNLOADS - view.downloads;
    const hint =
      "With a passphrase you get an age file (.zip.age), which opens with any age program. We do not keep it: forgotten, it is lost.";
    return html`<section class="card"><h2>Your copy is ready</h2>
<dl class="facts"><dt>Asked for</dt><dd>${made}</dd><dt>Size</dt><dd>${size(view.bytes ?? 0)}, ${view.rows.toLocaleString("en")} records</dd><dt>Goes</dt><dd>${momentWords(new Date(view.expiresAt ?? view.askedAt))}</dd><dt>Downloads left</dt><dd>${left}</dd></dl>
${
  left <= 0
    ? ""
    : html`<form method="post" action="${DATA_PATH}/download" novalidate>${hidden({ id: view.id })}
<div class="field"><label for="${name}">Passphrase (optional)</label><input id="${name}" name="passphrase" type="password" autocomplete="new-password" maxlength="1000"${describedBy(name, hint, undefined)}>${fieldNotes(name, hint, undefined)}</div>
<button>Download</button></form>`
}
${remove("Remove this copy")}</section>`;
  }
  const over = {
    failed: "It could not be made",
    revoked: "You removed it",
    expired: "It was removed after 7 days",
  } as const;
  const words = view.state === "failed" || view.state === "revoked" || view.state === "expired" ? over[view.state] : "";
  return html`<section class="card"><h2>Copy of ${made}</h2><p>${view.failure ?? `${words}.`}</p></section>`;
}

function importCard(): Html {
  return html`<section class="card" id="move"><h2>Move here</h2>
<p>Bring flows, files, rules and phone settings from a copy that another Perch made. Passwords, tokens, secrets and roles never come along.</p>
${importFormContent("preview", "See what would come")}</section>`;
}

function importFormContent(mode: "preview" | "apply", button: string): Html {
  const hint = "The .zip or .zip.age as you downloaded it, at most 64 MB.";
  return html`<form method="post" action="${DATA_IMPORT_PATH}" enctype="multipart/form-data">${hidden({ mode })}
<div class="field"><label for="file">Copy from another Perch</label><input id="file" name="file" type="file" accept=".zip,.age" required${describedBy("file", hint, undefined)}>${fieldNotes("file", hint, undefined)}</div>
${field({ name: "passphrase", label: "Its passphrase, if it has one", type: "password", autocomplete: "off", optional: true, maxLength: 1_000 })}
<button>${button}</button></form>`;
}

const KIND_LABELS = {
  phone: "Phones",
  flow: "Automations",
  file: "Files",
  rule: "Rules",
  profile: "Profile",
  statement: "Statements",
  preference: "Choices",
} as const satisfies Record<ImportItem["kind"], string>;
const MOST_SHOWN = 200;

function importContent({ items, again, applied, madeAt, email }: DataImport): Html {
  const kinds = Object.entries(KIND_LABELS).flatMap(([kind, label]) => {
    const some = items.filter((item) => item.kind === kind);
    return some.length === 0 ? [] : [{ label, some }];
  });
  const coming = items.filter(({ change }) => change === "new").length;
  const words = { new: applied ? "came" : "comes", here: "is here already", left_out: "stays out" } as const;
  return html`<div class="stack"><h1>${applied ? "It is here" : "What would come"}</h1>
<p class="secondary">A copy of ${email}, made on ${momentWords(new Date(madeAt))}. ${coming === 0 ? "Nothing new is in it." : `${coming.toLocaleString("en")} things ${applied ? "came" : "would come"}.`}</p></div>
${kinds.map(
  ({ label, some }) =>
    html`<section class="card"><h2>${label}</h2><ul class="plain">${some
      .slice(0, MOST_SHOWN)
      .map(
        ({ name, change, reason }) =>
          html`<li><strong>${name}</strong> ${words[change]}.${reason === undefined ? "" : ` ${reason}`}</li>`,
      )}</ul>${some.length > MOST_SHOWN ? html`<p class="hint">And ${(some.length - MOST_SHOWN).toLocaleString("en")} more.</p>` : ""}</section>`,
)}
<section class="card"><h2>What you make anew</h2><ul class="plain">${again.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>
${
  applied || coming === 0
    ? html`<p><a class="button" href="${DATA_PATH}">Go on</a></p>`
    : html`<section class="card"><h2>Bring it here</h2><p>Choose the same file again: it is not kept between the two steps.</p>${importFormContent("apply", "Bring it here")}</section>`
}`;
}

function size(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1_000))} kB`;
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}
