/** Pages anyone may read: home, support, and what machines look for. */
import { Hono } from "hono";
import { html, raw } from "hono/html";
import { z } from "zod";
import { email } from "../../../shared/accounts.ts";
import { REQUEST_KINDS } from "../../../shared/privacy.ts";
import { RIGHT_LABELS } from "../../privacy/requests/request-words.ts";
import { SUPPORT_KINDS } from "../../support/support.tables.ts";
import { receiveRequest } from "./data-request-pages.ts";
import { describedBy, field, fieldNotes, type Html, problem } from "./layout.ts";
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
import { MARK, MARK_PATH, STYLESHEET, STYLESHEET_PATH } from "./stylesheet.ts";

const DAY_MS = 24 * 60 * 60_000;
const FOR_GOOD = "public, max-age=31536000, immutable";

const SUPPORT_WORDS: Readonly<Record<(typeof SUPPORT_KINDS)[number], string>> = {
  question: "A question or a problem",
  privacy: "My personal data",
  security: "A security problem in Perch",
  billing: "A bill or a payment",
};

const supportForm = z.object({
  email,
  kind: z.enum(SUPPORT_KINDS, { error: "Choose what it is about." }),
  message: z.string().trim().min(1, "Write your message.").max(5000, "A message has at most 5,000 characters."),
});

export function publicPages(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  const at = (path: string) => new URL(path, services.publicUrl).href;

  pages.get(STYLESHEET_PATH, (c) =>
    c.body(STYLESHEET, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": FOR_GOOD }),
  );
  pages.get(MARK_PATH, (c) =>
    c.body(MARK, 200, { "Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=86400" }),
  );

  pages.get("/", async (c) => {
    const actor = await currentActor(c, services);
    const me = actor && (await services.connect.me(actor));
    return show(c, services, { title: "Perch", content: homeContent(me?.user.email, services) });
  });

  pages.get("/support", (c) =>
    show(c, services, {
      title: "Contact and support",
      narrow: true,
      content: supportContent(services, preselected(c)),
    }),
  );
  pages.post("/support", async (c) => {
    const fields = await formFields(c);
    return submit(
      c,
      services,
      async () => {
        if (fields["kind"] === "privacy") return receiveRequest(c, services, fields);
        const { dueAt } = await services.support.receive(parseFields(supportForm, fields), c.get("request"));
        const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(dueAt);
        const content = html`<section class="card"><h1>Thank you, we have your message</h1><p>A person reads it and answers by <strong>${day}</strong> at the latest. A copy of this promise is on its way to your mailbox.</p><p><a class="button quiet" href="/">Go to the start</a></p></section>`;
        return show(c, services, { title: "Message received", narrow: true, content });
      },
      (wrong) => ({ title: "Contact and support", content: supportContent(services, fields, wrong) }),
    );
  });

  pages.get("/security", (c) =>
    show(c, services, { title: "Report a security problem", content: securityContent(services) }),
  );
  // RFC 9116. Made anew each day for as long as this server runs, so it never lies about being current.
  pages.get("/.well-known/security.txt", (c) => {
    const contact = services.supportEmail === undefined ? at("/support") : `mailto:${services.supportEmail}`;
    const expires = new Date(Math.floor(services.clock.now() / DAY_MS) * DAY_MS + 180 * DAY_MS).toISOString();
    return c.text(
      `Contact: ${contact}\nExpires: ${expires}\nPreferred-Languages: en\nCanonical: ${at("/.well-known/security.txt")}\nPolicy: ${at("/security")}\n`,
    );
  });
  pages.get("/.well-known/gpc.json", async (c) =>
    c.json({ gpc: true, lastUpdate: (await services.policy.current()).effectiveAt }),
  );
  return pages;
}

const HERO = `<svg viewBox="0 0 148 220" aria-hidden="true" fill="none"><rect x="34" y="6" width="80" height="160" rx="16" fill="var(--raised)" stroke="var(--line-control)" stroke-width="2"/><rect x="42" y="18" width="64" height="128" rx="6" fill="var(--accent-soft)"/><rect x="50" y="28" width="48" height="8" rx="4" fill="var(--accent)"/><rect x="50" y="46" width="48" height="36" rx="4" fill="var(--raised)"/><rect x="50" y="90" width="30" height="6" rx="3" fill="var(--line-control)"/><rect x="50" y="102" width="40" height="6" rx="3" fill="var(--line)"/><rect x="50" y="124" width="48" height="14" rx="7" fill="var(--accent)"/><circle cx="74" cy="156" r="3.5" fill="var(--line-control)"/><rect x="4" y="178" width="140" height="10" rx="5" fill="var(--accent)"/></svg>`;

function homeContent(signedInAs: string | undefined, { mail }: PageServices): Html {
  const account =
    signedInAs === undefined
      ? html`<p class="row"><a class="button" href="/sign-up">Create an account</a><a class="button quiet" href="/sign-in">Sign in</a></p>`
      : html`<p class="notice">You are signed in as <strong>${signedInAs}</strong>. Open Perch from your browser's toolbar and press Connect.</p>`;
  return html`<section class="hero"><div>
<h1>Cloud phones in your browser's side panel</h1>
<p class="lead">Open the page you are on, on a phone, beside the page. The phone runs on this server, keeps its state when you park it, and answers to your mouse and keyboard.</p>
${account}
</div>${raw(HERO)}</section>
<section class="card"><h2>Three steps to your first phone</h2>
<ol class="steps">
<li><div><h3>Load the extension</h3><p class="secondary">Build it once with <code>npm run build:extension</code>. <strong>Chrome:</strong> open <code>chrome://extensions</code>, switch on Developer mode, choose “Load unpacked” and pick <code>dist/extension/chrome-mv3</code>. <strong>Firefox:</strong> open <code>about:debugging#/runtime/this-firefox</code>, choose “Load Temporary Add-on” and pick <code>dist/extension/firefox-mv3/manifest.json</code>.</p></div></li>
<li><div><h3>Connect it</h3><p class="secondary">The extension finds this server by itself, asks you to sign in here, and gets a token of its own that you can take back at any time.</p></div></li>
<li><div><h3>Open a page on a phone</h3><p class="secondary">Press the Perch button in any tab, then “Open on phone”. The side panel shows the phone, live.</p></div></li>
</ol></section>
<section class="card"><h2>Your data</h2>
<p>We hold the least we need, never the addresses of the pages you visit in your own tabs, and nobody buys it. <a href="/privacy">What we promise</a>, clause by clause, and <a href="/trust">which check proves it</a>.</p>
<p>To see, correct, export or delete your data, or for anything else, <a href="/support">contact us</a>. We answer within 30 days.</p>
${mail.staysLocal ? html`<p class="hint">This server has no mail server. Mail it would send is shown at <a href="/mail">/mail</a>, on the machine it runs on.</p>` : ""}
</section>`;
}

/** The same promises stand in SECURITY.md. */
function securityContent({ supportEmail }: PageServices): Html {
  return html`<div class="stack"><h1>Report a security problem</h1>
<p class="lead">Thank you for looking. Tell us first, and we put it right before it hurts anybody.</p></div>
<section class="card"><h2>How</h2><p>Write to us through <a href="/support">the contact page</a> and choose “A security problem in Perch”${supportEmail ? html`, or to <a href="mailto:${supportEmail}">${supportEmail}</a>` : ""}. Say what you did, what happened and what it would let somebody do. No account is needed. Leave out other people's data: a description of it is enough.</p></section>
<section class="card"><h2>What we promise</h2><ul><li>A person answers within 3 days, and says within 10 what we found.</li><li>Problems that let somebody into another person's account or phone are put right within 30 days, others within 90.</li><li>We tell you when it is done, and name you if you wish.</li><li>Nobody takes you to court or closes your account for research in good faith that keeps to the next section.</li></ul></section>
<section class="card"><h2>What we ask</h2><ul><li>Use accounts, phones and teams of your own. Stop at the first sign of somebody else's.</li><li>No load tests, no spam, no tricking of people, nothing that breaks the service for others.</li><li>Give us the time above before you publish.</li></ul></section>`;
}

/** `/support?kind=privacy&right=delete`: what a link leads to. */
function preselected(c: PageCall): Fields {
  const { kind, right } = c.req.query();
  return { ...(kind !== undefined && { kind }), ...(right !== undefined && { right }) };
}

function supportContent({ supportEmail }: PageServices, fields: Fields, wrong?: FormProblem): Html {
  const chosen = fields["kind"];
  const errors = wrong?.fields ?? {};
  return html`<div class="stack"><h1>Contact and support</h1>
<p class="secondary">Write to us about anything, and above all about your personal data. No account needed; a person answers within 30 days.${supportEmail ? html` You can also write to <a href="mailto:${supportEmail}">${supportEmail}</a>.` : ""}</p></div>
<form class="card" method="post" action="/support" novalidate>
${problem(wrong?.message)}
${field({ name: "email", label: "Your e-mail address", type: "email", value: fields["email"], autocomplete: "email", error: errors["email"], hint: "So that we can answer.", maxLength: 254 })}
<div class="field"><label for="kind">What is it about?</label><select id="kind" name="kind"${describedBy("kind", undefined, errors["kind"])}>${SUPPORT_KINDS.map(
    (kind) => html`<option value="${kind}"${kind === chosen ? raw(" selected") : ""}>${SUPPORT_WORDS[kind]}</option>`,
  )}</select>${fieldNotes("kind", undefined, errors["kind"])}</div>
<div class="field of-privacy"><label for="right">What are we to do with your data?</label><select id="right" name="right"${describedBy("right", undefined, errors["right"])}>${REQUEST_KINDS.map(
    (kind) =>
      html`<option value="${kind}"${kind === fields["right"] ? raw(" selected") : ""}>${RIGHT_LABELS[kind]}</option>`,
  )}</select>${fieldNotes("right", "You then get a number, and the day by which we answer.", errors["right"])}</div>
<div class="field"><label for="message">Your message</label><textarea id="message" name="message" maxlength="5000" required${describedBy("message", "-", errors["message"] ?? errors["text"])}>${fields["message"] ?? ""}</textarea>${fieldNotes("message", "Leave out passwords and card numbers; we never need them.", errors["message"] ?? errors["text"])}</div>
<button>Send message</button>
</form>`;
}
