/** Requests about one's data on the web: entering one, confirming it by the mailed link, its receipt, and the key of receipts. */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { email } from "../../../shared/accounts.ts";
import { type HeldCategory, REQUEST_KINDS, type RequestView, requestText } from "../../../shared/privacy.ts";
import { lookupEmail } from "../../accounts/identity-provider.ts";
import { newSecret } from "../../accounts/secrets.ts";
import { PerchError } from "../../errors.ts";
import { RECEIPT_KEY_PATH } from "../../privacy/receipts.ts";
import { ASKED, dayWords, stateWords } from "../../privacy/requests/request-words.ts";
import type { RequestRow } from "../../privacy/requests/requests.repo.ts";
import { deadLink, type Html, hidden, localMailHint, problem } from "./layout.ts";
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

const requestForm = z.object({
  email,
  right: z.enum(REQUEST_KINDS, { error: "Choose what we are to do with your data." }),
  message: requestText,
});
const TITLE = "Your request about your data";
const AGAIN = "/support?kind=privacy";
const DEAD = "This link has expired or was used already. If nothing came of it, ask again.";

export function dataRequestPages(services: PageServices): Hono<PagesEnv> {
  const { intake, book, receipts } = services.asked;
  const pages = new Hono<PagesEnv>();

  pages.get("/data-request", async (c) => {
    const { token = "" } = c.req.query();
    const row = await intake.find(token);
    const content = row === undefined ? deadLink(DEAD, AGAIN, "Ask again") : confirmContent(token, row);
    return show(c, services, { title: TITLE, narrow: true, content }, row === undefined ? 404 : 200);
  });
  pages.post("/data-request", async (c) => {
    const { token = "" } = await formFields(c);
    const waiting = await intake.find(token);
    return submit(
      c,
      services,
      async () => {
        const row = await intake.confirm(token, c.get("request"));
        const content = await outcome(services, book.view(row), row, book.receiptToken(row));
        return show(c, services, { title: TITLE, content });
      },
      (wrong) => ({
        title: TITLE,
        content: waiting === undefined ? deadLink(DEAD, AGAIN, "Ask again") : confirmContent(token, waiting, wrong),
      }),
    );
  });

  pages.get("/data-request/receipt", async (c) => {
    const row = await book.findByReceiptToken(c.req.query("token") ?? "");
    const content =
      row === undefined
        ? deadLink("There is no such receipt, or it is not kept any more.", "/support", "Write to us")
        : receiptContent(row);
    return show(c, services, { title: "Receipt", narrow: true, content }, row === undefined ? 404 : 200);
  });
  pages.get(RECEIPT_KEY_PATH, (c) => c.json(receipts.key));
  return pages;
}

/** What the support page does with a message about one's data. */
export async function receiveRequest(c: PageCall, services: PageServices, fields: Fields): Promise<Response> {
  const { email: address, right: kind, message } = parseFields(requestForm, fields);
  const { requests, intake, book } = services.asked;
  const actor = await currentActor(c, services);
  const own = actor && (await services.connect.me(actor)).user.email;
  // Deleting takes more than being signed in: the link in the mail.
  if (actor !== undefined && own !== undefined && lookupEmail(own) === lookupEmail(address) && kind !== "delete") {
    await services.limiter.take("support", actor.userId);
    const view = await requests.make(actor, { kind, text: message, idempotencyKey: newSecret() }, "web");
    const content = await outcome(services, view, { userId: actor.userId }, book.receiptToken(view));
    return show(c, services, { title: TITLE, content });
  }
  const view = await intake.receive({ kind, email: address, text: message }, c.get("request"));
  const content = html`<section class="card"><h1>One step is left</h1><p>Your request has the number <strong>${view.number}</strong>. We sent a mail to <strong>${address}</strong>: open its link, so that we know the request is yours. Nothing happens before.</p>${localMailHint(services.mail.staysLocal)}<p>Once it is confirmed you have our answer by <strong>${dayWords(new Date(view.dueAt))}</strong> at the latest.</p><p><a class="button quiet" href="/">Go to the start</a></p></section>`;
  return show(c, services, { title: TITLE, narrow: true, content });
}

function confirmContent(token: string, { number, kind, receivedAt, dueAt }: RequestRow, wrong?: FormProblem): Html {
  const graces = {
    delete: "Your account is deleted 7 days after you confirm. Until then you can take it back.",
    restrict: "Nothing runs for you then, and your phones are parked. You can allow it again at any time.",
  } as const;
  const more = kind === "delete" || kind === "restrict" ? html`<p>${graces[kind]}</p>` : "";
  return html`<div class="stack"><h1>Is this request yours?</h1><p class="secondary">Nothing happens before you confirm it.</p></div>
<form class="card" method="post" action="/data-request">
${problem(wrong?.message)}${hidden({ token })}
<dl class="facts"><dt>Request</dt><dd><strong>${number}</strong></dd><dt>Asks us</dt><dd>${ASKED[kind]}</dd><dt>Received</dt><dd>${dayWords(receivedAt)}</dd><dt>Answer by</dt><dd>${dayWords(dueAt)}</dd></dl>
${more}
<button>Yes, it is mine</button>
<p class="secondary">You did not ask for this? Close this page. The request then ends by itself.</p>
</form>`;
}

/** What became of a request that is somebody's for sure. */
async function outcome(
  { asked }: PageServices,
  view: RequestView,
  { userId }: Pick<RequestRow, "userId">,
  receiptToken: string,
): Promise<Html> {
  const held = view.kind === "access" && userId !== null ? await asked.held(userId) : undefined;
  const words =
    held !== undefined
      ? "Below is what we hold about you. For a copy of the data itself, ask for one."
      : (view.answer ?? `We have your request and answer by ${dayWords(new Date(view.dueAt))} at the latest, by mail.`);
  const receipt = `/data-request/receipt?${new URLSearchParams({ token: receiptToken })}`;
  return html`<section class="card"><h1>${view.state === "fulfilled" ? "Done" : "Thank you"}</h1><p>You asked us ${ASKED[view.kind]}. The number of your request is <strong>${view.number}</strong>.</p><p>${words}</p><p><a href="${receipt}">See the receipt</a></p></section>
${held === undefined ? "" : heldContent(held)}`;
}

function heldContent(held: readonly HeldCategory[]): Html {
  return html`<section class="card"><h2>What we hold about you</h2>
${held.map(
  ({ label, purpose, items, oldestAt, leaves, place }) =>
    html`<div class="stack"><h3>${label}</h3><dl class="facts"><dt>Entries</dt><dd>${items}</dd>${oldestAt === undefined ? "" : html`<dt>Oldest</dt><dd>${dayWords(new Date(oldestAt))}</dd>`}<dt>Why</dt><dd>${purpose}</dd><dt>Where</dt><dd>${place}</dd><dt>Goes</dt><dd>${leaves}</dd></dl></div>`,
)}</section>`;
}

function receiptContent(row: RequestRow): Html {
  const { number, kind, receivedAt, dueAt, verifiedAt, closedAt, receipt } = row;
  if (receipt === null) throw new PerchError("not_found", "This request has no receipt.");
  const day = (label: string, at: Date | null) => (at === null ? "" : html`<dt>${label}</dt><dd>${dayWords(at)}</dd>`);
  return html`<section class="card"><h1>Receipt of request ${number}</h1>
<dl class="facts"><dt>Asked us</dt><dd>${ASKED[kind]}</dd><dt>State</dt><dd><strong>${stateWords(row)}</strong></dd>${day("Received", receivedAt)}${day("Confirmed", verifiedAt)}${day("Answer due by", dueAt)}${day("Answered", closedAt)}</dl>
<p class="secondary">It names nobody, so you can show it to anybody.</p></section>
<section class="card"><h2>For machines</h2><p>The same, signed by this server. Whoever has it can check it with the key at <a href="${RECEIPT_KEY_PATH}">${RECEIPT_KEY_PATH}</a>: Ed25519 over the statement in the form of RFC 8785.</p><pre><code>${JSON.stringify(receipt, undefined, 2)}</code></pre></section>`;
}
