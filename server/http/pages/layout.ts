/** The frame every page stands in, and the parts forms are made of. Everything interpolated is escaped by `html`. */
import { html, raw } from "hono/html";
import type { AnnouncementView } from "../../../shared/announcements.ts";
import { MARK, MARK_PATH, STYLESHEET_PATH } from "./stylesheet.ts";

export type Html = ReturnType<typeof html>;

export interface PageFrame {
  readonly title: string;
  readonly content: Html;
  /** A form or a short message: one narrow column. */
  readonly narrow?: boolean;
  /** Tables and many cards: as much room as there is. */
  readonly wide?: boolean;
  /** Path of the page, to mark it in the navigation. */
  readonly path?: string;
  /** The address of who is signed in, if anybody is. */
  readonly signedInAs?: string | undefined;
  /** What the operator tells everybody and this browser did not close. */
  readonly announcements?: readonly AnnouncementView[];
}

export function layout({
  title,
  content,
  narrow = false,
  wide = false,
  path,
  signedInAs,
  announcements = [],
}: PageFrame): Html {
  const link = (to: string, label: string) =>
    html`<a href="${to}"${to === path ? raw(' aria-current="page"') : ""}>${label}</a>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title === "Perch" ? "Perch: cloud phones in the side panel" : `${title} · Perch`}</title>
<link rel="icon" type="image/svg+xml" href="${MARK_PATH}">
<link rel="stylesheet" href="${STYLESHEET_PATH}">
</head>
<body${wide ? raw(' class="wide"') : ""}>
<header class="bar">
<a class="brand" href="/">${raw(MARK.replace("<svg ", '<svg aria-hidden="true" '))}Perch</a>
<nav aria-label="Site">${link("/privacy", "Privacy")}${link("/support", "Contact")}${
    signedInAs === undefined
      ? link("/sign-in", "Sign in")
      : html`<form method="post" action="/sign-out"><button class="link" title="Signed in as ${signedInAs}">Sign out</button></form>`
  }</nav>
</header>
${announcements.length === 0 ? "" : html`<aside aria-label="Announcements">${announcements.map((one) => announcementLine(one, path))}</aside>`}<main${narrow && !wide ? raw(' class="narrow"') : ""}>
${content}
</main>
<footer class="foot"><a href="/privacy">Privacy policy</a><a href="/trust">Kept promises</a><a href="/support">Contact and support</a></footer>
</body>
</html>`;
}

function announcementLine({ id, level, text }: AnnouncementView, path = "/"): Html {
  return html`<div class="told ${level}"><p>${text}</p><form method="post" action="/announcement/close">${hidden({ id, next: path })}<button class="link" aria-label="Close this announcement">Close</button></form></div>
`;
}

/** What went wrong with the form as a whole. */
export function problem(message: string | undefined): Html | "" {
  return message === undefined ? "" : html`<p class="notice bad" role="alert">${message}</p>`;
}

export interface FieldOptions {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password";
  readonly value?: string | undefined;
  readonly autocomplete?: string;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly optional?: boolean;
  readonly autofocus?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** A labelled input whose hint and error are read with it. */
export function field(options: FieldOptions): Html {
  const {
    name,
    label,
    type = "text",
    value,
    autocomplete,
    hint,
    error,
    optional,
    autofocus,
    minLength,
    maxLength,
  } = options;
  return html`<div class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" value="${value ?? ""}" autocomplete="${autocomplete ?? "off"}"${optional ? "" : raw(" required")}${
    autofocus ? raw(" autofocus") : ""
  }${minLength ? html` minlength="${minLength}"` : ""}${maxLength ? html` maxlength="${maxLength}"` : ""}${describedBy(name, hint, error)}>
${fieldNotes(name, hint, error)}</div>`;
}

export function describedBy(name: string, hint: string | undefined, error: string | undefined): Html | "" {
  if (hint === undefined && error === undefined) return "";
  return html` aria-describedby="${name}-note"${error ? raw(' aria-invalid="true"') : ""}`;
}

export function fieldNotes(name: string, hint: string | undefined, error: string | undefined): Html | "" {
  if (error !== undefined) return html`<p class="wrong" id="${name}-note">${error}</p>`;
  return hint === undefined ? "" : html`<p class="hint" id="${name}-note">${hint}</p>`;
}

export function hidden(values: Readonly<Record<string, string | undefined>>): Html {
  const inputs = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  );
  return html`${inputs}`;
}

/** Instead of the page behind a link that works no more. */
export function deadLink(message: string, to: string, label: string): Html {
  return html`<section class="card"><h1>This link no longer works</h1><p>${message}</p><p><a class="button" href="${to}">${label}</a></p></section>`;
}

/** Mail without a mail server: where to look for it. */
export function localMailHint(staysLocal: boolean): Html | "" {
  return staysLocal
    ? html`<p class="notice">This server has no mail server yet. On the machine it runs on, the mail is shown at <a href="/mail">/mail</a>.</p>`
    : "";
}

export const PASSWORD_HINT = "At least 12 characters. A few words in a row are easy to remember.";

/** A page that says what went wrong. */
export function errorFrame(title: string, message: string, requestId: string): PageFrame {
  return {
    title,
    narrow: true,
    content: html`<section class="card"><h1>${title}</h1><p>${message}</p><p class="row"><a class="button quiet" href="/">Go to the start</a><a href="/support">Contact us</a></p><p class="hint">Reference <code>${requestId}</code></p></section>`,
  };
}
