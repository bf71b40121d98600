/** The privacy policy: what is in force, what was announced with every changed word, and every version there ever was. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { PolicyClause } from "../../../shared/policy/policy-v1.ts";
import type { PolicyVersion } from "../../../shared/policy/versions.ts";
import { type ClauseChange, policyDiff } from "../../../shared/policy/word-diff.ts";
import type { ProcessorView } from "../../../shared/privacy.ts";
import { PerchError } from "../../errors.ts";
import type { PublishedVersion } from "../../privacy/policy/policy.service.ts";
import { COOKIES, cookieNamed } from "../cookies.ts";
import type { Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const DAY_S = 24 * 60 * 60;

export function privacyPages(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();

  pages.get("/privacy", async (c) => {
    const versions = await services.policy.published();
    const current = versions.find(({ state }) => state === "in force");
    if (current === undefined) throw new Error("No version of the policy is in force.");
    return show(c, services, { title: "Privacy policy", content: currentContent(services, versions, current.policy) });
  });

  pages.get("/privacy/versions/:version", async (c) => {
    const versions = await services.policy.published();
    const asked = versions.find(({ policy }) => String(policy.version) === c.req.param("version"));
    if (asked === undefined) throw new PerchError("not_found", "There is no such version of the privacy policy.");
    const before = versions.find(({ policy }) => policy.version < asked.policy.version)?.policy;
    const title = `Privacy policy, version ${asked.policy.version}`;
    return show(c, services, { title, content: versionContent(asked, before, versions) });
  });
  return pages;
}

function currentContent(services: PageServices, versions: readonly PublishedVersion[], policy: PolicyVersion): Html {
  const next = versions.find(({ state }) => state === "announced");
  return html`<div class="stack"><h1>Privacy policy</h1>
<p class="lead">Every sentence is a promise with a number, so that you can hold us to it.</p>
<p class="secondary">Version ${policy.version} · last updated ${DAY.format(new Date(`${policy.effectiveAt}T00:00:00Z`))}</p></div>
${next === undefined ? "" : announcement(next, policy)}
${sections(policy.clauses, clauseItem)}
${processorsCard(services.processors())}
${cookiesCard(services.publicUrl)}
<section class="card"><h2>Use your rights</h2><p>Write to us through the <a href="/support">contact page</a>; you do not need to be signed in. What we hold about you is shown in the extension, under Privacy. Which check proves which sentence is shown on <a href="/trust">the trust page</a>.</p></section>
${versionsCard(versions)}`;
}

function announcement({ policy, effectiveAt }: PublishedVersion, before: PolicyVersion): Html {
  const changes = policyDiff(before, policy).filter(({ kind }) => kind !== "same");
  return html`<section class="card" id="next"><h2>Version ${policy.version} comes</h2>
<p class="notice">It applies from ${DAY.format(effectiveAt)} at the earliest, and not before everybody has known of it for 14 days. Until then version ${before.version} below stands. ${policy.summary}</p>
<ul class="clauses">${changes.map((change) => changeItem(change, false))}</ul>
<p>If you do not agree, say so in the extension, under Privacy, and take your data with you or delete your account before then. What you paid ahead is given back.</p>
<p><a href="/privacy/versions/${policy.version}">Read the whole of version ${policy.version}</a></p></section>`;
}

function versionContent(
  { policy, state, effectiveAt }: PublishedVersion,
  before: PolicyVersion | undefined,
  versions: readonly PublishedVersion[],
): Html {
  const stands = {
    announced: `Announced; applies from ${DAY.format(effectiveAt)} at the earliest.`,
    "in force": `In force since ${DAY.format(effectiveAt)}.`,
    earlier: `An earlier version, in force from ${DAY.format(effectiveAt)}.`,
  }[state];
  const changes = before && policyDiff(before, policy);
  const isChanged = changes?.some(({ kind }) => kind !== "same") === true;
  return html`<div class="stack"><h1>Privacy policy, version ${policy.version}</h1>
<p class="lead">${stands}</p><p class="secondary">${policy.summary}</p>
${isChanged ? html`<p class="secondary">What was <ins>added</ins> and what was <del>removed</del> since version ${before?.version} is marked.</p>` : ""}</div>
${changes === undefined ? sections(policy.clauses, clauseItem) : sections(changes, (change) => changeItem(change, true))}
${versionsCard(versions)}`;
}

function sections<T extends { readonly section: string }>(clauses: readonly T[], item: (clause: T) => Html): Html {
  const bySection = Map.groupBy(clauses, (clause) => clause.section);
  return html`${[...bySection].map(
    ([title, those]) =>
      html`<section class="card"><h2>${title}</h2><ul class="clauses">${those.map(item)}</ul></section>`,
  )}`;
}

function clauseItem({ id, text }: PolicyClause): Html {
  return html`<li id="${id}"><a href="#${id}" aria-label="Clause ${id}">${id}</a><p>${text}</p></li>`;
}

/** `anchored`: its id may stand on the page, where the clause itself does not. */
function changeItem({ id, parts }: ClauseChange, anchored: boolean): Html {
  const words = parts.map(({ kind, text }) =>
    kind === "same" ? html`${text} ` : kind === "added" ? html`<ins>${text}</ins> ` : html`<del>${text}</del> `,
  );
  return html`<li${anchored ? html` id="${id}"` : ""}><a href="#${id}" aria-label="Clause ${id}">${id}</a><p>${words}</p></li>`;
}

function processorsCard(processors: readonly ProcessorView[]): Html {
  const item = (one: ProcessorView) =>
    html`<li><strong>${one.name}</strong><span>${one.purpose}</span><span class="secondary">Region: ${one.region} · keeps deleted data for up to ${one.retentionDays} days · ${one.agreement ? "under a data processing agreement" : "no agreement named"}</span></li>`;
  return html`<section class="card" id="processors"><h2>Who works for this server</h2>${
    processors.length === 0
      ? html`<p>Nobody: everything stays on the machine this server runs on.</p>`
      : html`<ul class="rows">${processors.map(item)}</ul>`
  }<p class="secondary">The server connects to these and to no other host by itself.</p></section>`;
}

function cookiesCard(publicUrl: URL): Html {
  const items = (Object.keys(COOKIES) as (keyof typeof COOKIES)[]).map((id) => {
    const { purpose, kind, maxAge } = COOKIES[id];
    const life = maxAge >= DAY_S ? `${maxAge / DAY_S} days` : `${maxAge / 60} minutes`;
    return html`<li><strong><code>${cookieNamed(id, publicUrl)}</code></strong><span>${purpose}</span><span class="secondary">${kind} · at most ${life} · for this server alone, not read by scripts</span></li>`;
  });
  return html`<section class="card" id="cookies"><h2>Every cookie there is</h2><ul class="rows">${items}</ul></section>`;
}

function versionsCard(versions: readonly PublishedVersion[]): Html {
  return html`<section class="card" id="versions"><h2>All versions</h2><ul class="rows">${versions.map(
    ({ policy, state, effectiveAt }) =>
      html`<li><a href="/privacy/versions/${policy.version}">Version ${policy.version}</a><span>${state}</span><span class="secondary">from ${DAY.format(effectiveAt)}</span></li>`,
  )}</ul></section>`;
}
