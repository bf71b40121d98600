/** `/trust/records`: the records of processing and the information sheet, read off the data map. */
import { Hono } from "hono";
import { html } from "hono/html";
import { informationSheet, type ProcessingActivity, recordsOfProcessing } from "../../privacy/map/records.ts";
import type { Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

export function recordsPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  const made = () => ({
    records: recordsOfProcessing(services.register),
    sheet: informationSheet(services.register),
  });
  pages.get("/trust/records", (c) =>
    show(c, services, { title: "What is processed", content: recordsContent(made()) }),
  );
  pages.get("/trust/records.json", (c) => c.json(made()));
  return pages;
}

function recordsContent({
  records,
  sheet,
}: {
  readonly records: ReturnType<typeof recordsOfProcessing>;
  readonly sheet: ReturnType<typeof informationSheet>;
}): Html {
  return html`<div class="stack"><h1>What is processed</h1>
<p class="lead">What is kept about people, why, for how long, and who else gets it. Made from the same map the server deletes and exports by, so it cannot say anything else than what is done.</p>
<p class="secondary">These are the records of processing (Art. 30 GDPR) and the information that goes with your data (Art. 15). Also as <a href="/trust/records.json">JSON</a>.</p></div>
${records.activities.map(activity)}
<section class="card"><h2>Who else gets it</h2>
${
  sheet.recipients.length === 0
    ? html`<p>Nobody. Everything is on this server.</p>`
    : html`<ul class="plain">${sheet.recipients.map(
        ({ name, purpose, region, retentionDays }) =>
          html`<li>${name}: ${purpose}. Region: ${region}. Keeps what we delete for at most ${retentionDays} days.</li>`,
      )}</ul>`
}</section>
<section class="card"><h2>How it is kept safe</h2><ul class="plain">${records.safeguards.map((one) => html`<li>${one}</li>`)}</ul></section>
<section class="card"><h2>Where it comes from</h2><p>${sheet.source}</p></section>
<section class="card"><h2>What you can ask for</h2><ul class="plain">${sheet.rights.map((one) => html`<li>${one}</li>`)}</ul>
<p>${sheet.complaint}</p><p>Write to us through the <a href="/support">contact page</a>; you do not need to be signed in.</p></section>
<section class="card"><h2>Decisions by machine</h2><p>${sheet.automatedDecisions}</p></section>`;
}

function activity({ purpose, basis, clauses, people, categories, recipients }: ProcessingActivity): Html {
  const clause = (id: string) => html`<a href="/privacy#${id}">${id}</a>`;
  return html`<section class="card"><h2>${sentence(purpose)}</h2>
<dl class="facts"><dt>About</dt><dd>${people.join("; ")}</dd>
<dt>Basis</dt><dd>${basis.join("; ")}</dd>
<dt>Clauses</dt><dd>${clauses.map((id, index) => html`${index === 0 ? "" : ", "}${clause(id)}`)}</dd>
<dt>Given to</dt><dd>${recipients.length === 0 ? "nobody" : recipients.join("; ")}</dd></dl>
<h3>What, and when it goes</h3>
<ul class="plain">${categories.map(({ label, leaves }) => html`<li>${label}: ${leaves.join("; ")}.</li>`)}</ul></section>`;
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
