/** `README.html` of an export: what Article 15 GDPR asks for, to be read by people. One file, no script, nothing from elsewhere. */
import { html, raw } from "hono/html";
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import { PRODUCT_VERSION } from "../../../shared/version.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import type { Person } from "../map/rows-of.repo.ts";
import type { Processor } from "../processors/processors.ts";
import { type Basis, CATEGORIES, type Category, RETENTION, USES } from "../tags.ts";
import type { ExportPlan, ExportTable } from "./export-plan.ts";
import { labelOf } from "./export-plan.ts";
import type { ManifestEntry } from "./manifest.ts";

export interface ReportFacts {
  readonly plan: ExportPlan;
  readonly person: Person;
  readonly madeAt: Date;
  readonly policy: Policy;
  readonly processors: readonly Processor[];
  readonly files: readonly ManifestEntry[];
  readonly missing: readonly string[];
  readonly place: string;
  readonly publicUrl: URL;
}

const BASIS_WORDS = {
  contract: "to keep our contract with you (Art. 6(1)(b) GDPR)",
  legitimate_interests: "a legitimate interest: security and reliability (Art. 6(1)(f) GDPR)",
  legal_obligation: "the law asks for it (Art. 6(1)(c) GDPR)",
  none_not_personal: "not about you by itself; it makes sense of the rest",
} as const satisfies Record<Basis, string>;

const RIGHTS = [
  ["See it", "What we hold, since when and until when: in the side panel under Privacy, at any time."],
  [
    "Correct it",
    "Names, addresses and contents where they are shown; anything else through support. What cannot be changed gets your statement attached.",
  ],
  [
    "Delete it",
    "In the side panel under Privacy. You see before what goes and what the law makes us keep, and have 7 days to undo it.",
  ],
  ["Restrict and object", "Have us keep your data and do nothing with it, or leave the anonymised numbers."],
  ["Take it along", "This file. Another Perch server takes it in under “Move here”."],
  ["Complain", "To the data protection authority where you live, work, or where you think the law was broken."],
] as const;

export async function reportOf(facts: ReportFacts): Promise<string> {
  const { plan, person, madeAt, policy, processors, files, missing, place, publicUrl } = facts;
  const rows = new Map(
    files.flatMap(({ kind, table, rows: count = 0 }) => (kind === "lines" && table ? [[table, count]] : [])),
  );
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const total = [...rows.values()].reduce((sum, count) => sum + count, 0);
  const own = files.filter(({ kind }) => kind === "file");
  const categories = categoriesOf(plan.tables, rows);
  const left = plan.omissions.filter(({ reason }) => reason !== "Not about a person.");
  const list = (items: readonly string[]) => html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
  return String(
    await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Your data at Perch</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<header><p class="brand">Perch</p><h1>Your data</h1>
<p class="lead">A copy of what ${publicUrl.host} holds about ${person.email}, made on ${momentWords(madeAt)}.</p></header>
<dl class="facts">
<div><dt>Records</dt><dd>${number(total)}</dd></div>
<div><dt>Files</dt><dd>${number(own.length)}</dd></div>
<div><dt>Size unpacked</dt><dd>${size(bytes)}</dd></div>
<div><dt>Policy</dt><dd>version ${policy.version}</dd></div>
</dl>
${missing.length === 0 ? "" : html`<section class="warn"><h2>What could not be read</h2>${list(missing)}<p>Make a new export later, or write to us.</p></section>`}
<section><h2>What we hold, why, and until when</h2>
<table><thead><tr><th scope="col">Data</th><th scope="col">Used</th><th scope="col">On what ground</th><th scope="col">Goes</th><th scope="col" class="number">Records</th></tr></thead>
<tbody>${categories.map(
      (one) =>
        html`<tr><th scope="row">${CATEGORIES[one.category]}</th><td>${list(one.uses)}</td><td>${list(one.bases)}</td><td>${list(one.leaves)}</td><td class="number">${number(one.rows)}</td></tr>`,
    )}</tbody></table>
<p>It comes from you, from what you do here, and from who invited you to a team. It lives: ${place.toLowerCase()}.</p></section>
<section><h2>Who else gets it</h2>
${
  processors.length === 0
    ? html`<p>Nobody. This server works without anybody else.</p>`
    : html`<table><thead><tr><th scope="col">Who</th><th scope="col">What for</th><th scope="col">Where</th><th scope="col">Keeps it at most</th></tr></thead><tbody>${processors.map((one) => html`<tr><th scope="row">${one.name}</th><td>${one.purpose}</td><td>${one.region}</td><td>${one.retentionDays} days</td></tr>`)}</tbody></table>`
}
<p>Nothing is sold, rented or shown to advertisers. Members of your teams see what you do there. No decision with legal effect is made by programs alone: a hold by the rules against abuse is reviewed by a person when you ask.</p></section>
<section><h2>Your rights</h2><dl class="rights">${RIGHTS.map(([what, how]) => html`<div><dt>${what}</dt><dd>${how}</dd></div>`)}</dl>
<p>Write to us at ${new URL("/support", publicUrl).href}. We answer within 30 days. What we promise: ${new URL("/privacy", publicUrl).href}.</p></section>
<section><h2>What is in this archive</h2>
<p>Each table is there twice: <code>data/….ndjson</code> for programs, one JSON object a line, described by <code>schema/….json</code>; and <code>data/….csv</code> for spreadsheets, where a cell that could be taken for a formula begins with an apostrophe. <code>manifest.json</code> has the SHA-256 of every file. People other than you are shown as “Member 2”, their addresses as a•••@d•••.</p>
<table><thead><tr><th scope="col">Table</th><th scope="col">Columns</th><th scope="col" class="number">Records</th></tr></thead>
<tbody>${plan.tables.map(
      ({ name, label, columns }) =>
        html`<tr><th scope="row"><a href="data/${name}.csv">${label}</a></th><td>${columns.map(({ property }) => property).join(", ")}</td><td class="number">${number(rows.get(name) ?? 0)}</td></tr>`,
    )}</tbody></table>
${own.length === 0 ? "" : html`<h3>Files</h3><ul class="files">${own.slice(0, MOST_LISTED).map(({ path, bytes: length }) => html`<li><a href="${encodeURI(path)}">${path}</a> ${size(length)}</li>`)}</ul>${own.length > MOST_LISTED ? html`<p>And ${number(own.length - MOST_LISTED)} more, in the folder files.</p>` : ""}`}
</section>
<section><h2>What is left out, and why</h2>
<table><thead><tr><th scope="col">Table</th><th scope="col">Column</th><th scope="col">Why</th></tr></thead>
<tbody>${left.map(({ table, column, reason }) => html`<tr><th scope="row">${labelOf(table)}</th><td>${column}</td><td>${reason}</td></tr>`)}</tbody></table>
<p>Columns that are about the service and not about you are in <code>manifest.json</code>.</p></section>
<footer>Perch ${PRODUCT_VERSION}</footer>
</main>
</body>
</html>`,
  );
}

const MOST_LISTED = 500;

interface HeldCategory {
  readonly category: Category;
  readonly uses: readonly string[];
  readonly bases: readonly string[];
  readonly leaves: readonly string[];
  readonly rows: number;
}

function categoriesOf(tables: readonly ExportTable[], rows: ReadonlyMap<string, number>): HeldCategory[] {
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  return (Object.keys(CATEGORIES) as Category[]).flatMap((category): HeldCategory[] => {
    if (category === "system.operations") return [];
    const columns = tables.flatMap(({ name, columns: all }) =>
      all.filter(({ tag }) => tag.category === category).map(({ tag }) => ({ name, tag })),
    );
    const held = columns.filter(({ name }) => (rows.get(name) ?? 0) > 0);
    if (held.length === 0) return [];
    return [
      {
        category,
        uses: unique(held.flatMap(({ tag }) => tag.use.map((use) => USES[use]))),
        bases: unique(held.map(({ tag }) => BASIS_WORDS[tag.basis])),
        leaves: unique(held.map(({ tag }) => RETENTION[tag.retain].words)),
        rows: unique(held.map(({ name }) => name)).reduce((sum, name) => sum + (rows.get(name) ?? 0), 0),
      },
    ];
  });
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const STYLE = `
:root { color-scheme: light dark; --surface: light-dark(#f4f7f8, #101a1e); --raised: light-dark(#fff, #17242a); --text: light-dark(#1b2a31, #eaf1f4); --text-2: light-dark(#52646d, #a9bac2); --line: light-dark(#dbe3e7, #2f4048); --accent: light-dark(#0b7f9c, #5cc6e0); --warn: light-dark(#fdecea, #3d2020); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--surface); color: var(--text); font: 15px/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 900px; margin: 0 auto; padding: 32px 16px 48px; display: grid; gap: 24px; }
h1 { font-size: 28px; margin: 0; } h2 { font-size: 18px; margin: 0 0 12px; } h3 { font-size: 15px; margin: 16px 0 8px; } p { margin: 8px 0; }
.brand { margin: 0; color: var(--accent); font-weight: 650; } .lead { color: var(--text-2); font-size: 17px; }
section { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 20px; overflow-x: auto; }
.warn { background: var(--warn); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 0; }
.facts div { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
dt { color: var(--text-2); font-size: 13px; } .facts dd { margin: 0; font-size: 20px; font-weight: 600; }
.rights { display: grid; gap: 12px; margin: 0; } .rights dt { color: var(--text); font-weight: 600; font-size: 15px; } .rights dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th, td { text-align: left; vertical-align: top; padding: 8px 10px 8px 0; border-top: 1px solid var(--line); } thead th { border: 0; color: var(--text-2); font-weight: 500; }
tbody th { font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
ul { margin: 0; padding-left: 18px; } td ul { list-style: none; padding: 0; } a { color: var(--accent); } code { font: 13px ui-monospace, monospace; } footer { color: var(--text-2); font-size: 13px; }
@media print { body { background: none; } section { break-inside: avoid-page; } }
`;
