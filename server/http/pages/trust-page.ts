/** `/trust`: each promise of the policy, what keeps it, and what the last look at it found. Honest about the rest. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { TrustClause, TrustReport } from "../../privacy/trust/trust.service.ts";
import type { Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

export function trustPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  pages.get("/trust", async (c) =>
    show(c, services, { title: "Kept promises", content: trustContent(await services.trust.report()) }),
  );
  pages.get("/trust.json", async (c) => c.json(await services.trust.report()));
  return pages;
}

const STATES = {
  kept: "Kept",
  broken: "Not kept",
  unknown: "Not tested here",
  attested: "Partly by contract",
} as const satisfies Record<TrustClause["state"], string>;

const TESTS = {
  passed: "passed",
  failed: "failed",
  not_run: "was not run",
  unknown: "not run with this build",
} as const;
const LIVE = { kept: "now: kept", broken: "now: not kept", outside: "now: cannot be seen from here" } as const;

function trustContent(report: TrustReport): Html {
  const count = (state: TrustClause["state"]) => report.clauses.filter((clause) => clause.state === state).length;
  const summary = (Object.keys(STATES) as (keyof typeof STATES)[]).flatMap((state) => {
    const many = count(state);
    return many === 0 ? [] : [html`<li><span class="mark ${state}">${STATES[state]}</span> ${many}</li>`];
  });
  const tests = report.clauses.reduce((sum, clause) => sum + clause.tests.length, 0);
  const sections = Map.groupBy(report.clauses, ({ section }) => section);
  return html`<div class="stack"><h1>Kept promises</h1>
<p class="lead">Every sentence of our <a href="/privacy">privacy policy</a>, what keeps it, and what the last look found.</p>
<ul class="tally" aria-label="Promises by state">${summary}</ul>
<p class="secondary">Policy version ${report.policyVersion}. ${
    report.tested === undefined
      ? "The tests were not run with this build, so they say nothing about it here. What can be looked at in the running server is."
      : `${tests} tests, last run ${moment(report.tested.at)} with version ${report.tested.version}. What can be looked at in the running server was looked at just now.`
  } As <a href="/trust.json">JSON</a>. <a href="/trust/records">What is processed, why and for how long</a>.</p></div>
${[...sections].map(
  ([title, clauses]) =>
    html`<section class="card"><h2>${title}</h2><ul class="promises">${clauses.map(promise)}</ul></section>`,
)}
<section class="card"><h2>What nobody can measure</h2><p>That a contract binds somebody, what a partner does on its own machines, and what lies on the disk below a phone while it runs: there the operator of this server stands for it, and this page says so instead of showing a tick.</p></section>`;
}

function promise({ id, text, control, tests, live, attested, state }: TrustClause): Html {
  return html`<li id="${id}"><div class="row"><a href="/privacy#${id}">${id}</a><span class="mark ${state}">${STATES[state]}</span></div>
<p>${text}</p><p class="secondary">${control}</p>
${live.map((one) => html`<p class="found"><span class="mark ${one.state === "outside" ? "unknown" : one.state}">${LIVE[one.state]}</span> ${one.words}</p>`)}
${attested === undefined ? "" : html`<p class="found"><span class="mark attested">by contract</span> ${attested}</p>`}
${
  tests.length === 0
    ? ""
    : html`<details><summary>${tests.length === 1 ? "1 test" : `${tests.length} tests`}</summary><ul class="plain">${tests.map(
        (test) =>
          html`<li>“${test.title}” <span class="secondary">${TESTS[test.state]} · <code>${test.file}</code></span></li>`,
      )}</ul></details>`
}</li>`;
}

function moment(at: string): Html {
  return html`${at.slice(0, 16).replace("T", " ")} UTC`;
}
