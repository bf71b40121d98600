/**
 * The one thing on these pages that needs a script: asking the browser for a passkey (WebAuthn Level 3). The script asks
 * the server for a question, the browser answers it, and the answer goes with a plain form, so that what follows is a
 * page like any other.
 */
import { createHash } from "node:crypto";
import { html } from "hono/html";
import { HTTP_STATUS, PerchError } from "../../errors.ts";
import { type Html, hidden } from "./layout.ts";
import { contentSecurityPolicy, type PageCall, type PageServices } from "./page-context.ts";

export const PASSKEY_SCRIPT = `"use strict";
(() => {
  const words = {
    NotAllowedError: "Nothing happened: the question was closed, took too long, or this device could not make sure that it is you. Try again.",
    InvalidStateError: "This device holds a passkey of this account already.",
    SecurityError: "Passkeys do not work at this address. Open Perch under its own address.",
    NotSupportedError: "This device cannot make the kind of passkey that is needed. Use another one.",
  };
  const works =
    typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function" &&
    typeof PublicKeyCredential.prototype.toJSON === "function";

  async function answer(form) {
    const asked = await fetch(form.dataset.question, { method: "POST", body: new URLSearchParams() }).catch(() => undefined);
    const body = await asked?.json().catch(() => undefined);
    if (!asked?.ok) throw new Error(body?.message ?? "The server does not answer. Try again in a moment.");
    if (body.goTo !== undefined) return location.assign(body.goTo);
    const credential =
      form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(body) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(body) });
    form.elements.namedItem("response").value = JSON.stringify(credential.toJSON());
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const note = form.querySelector("[data-note]");
    const button = form.querySelector("button");
    const say = (text) => {
      note.textContent = text;
      note.hidden = text === "";
    };
    form.hidden = false;
    if (!works) {
      button.hidden = true;
      say("This browser is too old for passkeys here. Update it, or use another way.");
      continue;
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      say("");
      button.disabled = true;
      answer(form)
        .catch((error) => say(words[error.name] ?? error.message))
        .finally(() => {
          button.disabled = false;
        });
    });
  }
})();
`;

/** Changes with the content, so that browsers may keep the file for good. */
export const PASSKEY_SCRIPT_PATH = `/assets/passkeys-${createHash("sha256").update(PASSKEY_SCRIPT).digest("hex").slice(0, 12)}.js`;

/** Lets the page run our own script and nothing else. */
export function allowPasskeyScript(c: PageCall): void {
  c.header("Content-Security-Policy", contentSecurityPolicy([], { ownScripts: true }));
}

export interface PasskeyFormOptions {
  readonly kind: "create" | "get";
  readonly action: string;
  /** Where the question comes from. */
  readonly question: string;
  readonly button: string;
  readonly quiet?: boolean;
  readonly next?: string | undefined;
  /** Fields before the button. */
  readonly fields?: Html | "";
}

/** A form that shows once the script runs; where passkeys cannot work, a sentence that says why. */
export function passkeyForm(c: PageCall, services: PageServices, options: PasskeyFormOptions): Html | "" {
  const { publicUrl, factors } = services;
  const { kind, action, question, button, quiet = false, next, fields = "" } = options;
  if (!factors.passkeysWork)
    return html`<p class="hint">Passkeys do not work at an address of numbers. Whoever runs this server can give it a name; on this machine, open it as <code>localhost</code>.</p>`;
  const here = new URL(c.req.url);
  if (here.hostname !== publicUrl.hostname) {
    const there = new URL(here.pathname + here.search, publicUrl).href;
    return html`<p class="hint">Passkeys work only at <a href="${there}">${publicUrl.host}</a>, not at ${here.host}. Open the page there to use one.</p>`;
  }
  return html`<form method="post" action="${action}" data-passkey="${kind}" data-question="${question}" hidden>
${hidden({ next })}<input type="hidden" name="response" value="">${fields}
<p class="notice bad" role="alert" data-note hidden></p>
<button${quiet ? html` class="quiet"` : ""}>${button}</button>
</form>
<noscript><p class="hint">Passkeys need JavaScript, and it is off in this browser.</p></noscript>
<script src="${PASSKEY_SCRIPT_PATH}" defer></script>`;
}

/** The question as JSON for the script, or what went wrong in words. */
export async function answerQuestion(c: PageCall, question: () => Promise<object>): Promise<Response> {
  try {
    return c.json(await question());
  } catch (error) {
    if (!(error instanceof PerchError)) throw error;
    return c.json({ message: error.message }, HTTP_STATUS[error.code]);
  }
}
