/** What CI reads: the server's reports of single runs put together. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { RunArgs } from "./args.ts";
import type { PerchClient } from "./client.ts";
import type { Outcome, Teller } from "./run.ts";

export async function writeReport(
  { format, output }: RunArgs,
  outcomes: readonly Outcome[],
  client: PerchClient,
  tell: Teller,
): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  if (format === "junit") {
    const suites = await Promise.all(outcomes.map((outcome) => suiteOf(outcome, client)));
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`;
    await writeFile(output, text);
  } else {
    const single = outcomes.length === 1 ? outcomes[0]?.run : undefined;
    await writeFile(
      output,
      single === undefined ? await indexOf(outcomes, output, client) : await client.file(single.id, "report.html"),
    );
  }
  tell.line(`Written to ${output}.`);
}

/** The suite of one run as the server gives it, named by the file it came from. */
async function suiteOf({ flow, phone, run, words }: Outcome, client: PerchClient): Promise<string> {
  const file = escaped(flow.file);
  if (run === undefined) {
    const name = escaped(flow.name);
    return `  <testsuite name="Test Suite" device="${escaped(phone)}" tests="1" failures="1" time="0.000">
    <testcase id="${name}" name="${name}" classname="${name}" file="${file}" time="0.000" status="ERROR">
      <failure>${escaped(words)}</failure>
    </testcase>
  </testsuite>`;
  }
  const xml = (await client.file(run.id, "junit.xml")).toString("utf8");
  const suite = /[ \t]*<testsuite[ >][\s\S]*<\/testsuite>/.exec(xml)?.[0] ?? "";
  const [name, id] = [escaped(flow.name), escaped(run.id)];
  return suite
    .replace(` file="${id}"`, () => ` file="${file}"`)
    .replaceAll(`="${escaped(run.name)}"`, () => `="${name}"`);
}

/** One page a run beside it, and a page that leads to them. */
async function indexOf(outcomes: readonly Outcome[], output: string, client: PerchClient): Promise<string> {
  const rows: string[] = [];
  for (const [at, { flow, phone, run, passed, words }] of outcomes.entries()) {
    const name = `${basename(output, extname(output))}-${at + 1}.html`;
    if (run !== undefined) await writeFile(join(dirname(output), name), await client.file(run.id, "report.html"));
    const title = run === undefined ? escaped(flow.name) : `<a href="${encodeURI(name)}">${escaped(flow.name)}</a>`;
    const state = passed ? "passed" : "failed";
    rows.push(
      `<tr><td>${title}</td><td>${escaped(phone)}</td><td>${state}</td><td>${passed ? "" : escaped(words)}</td></tr>`,
    );
  }
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Runs</title><style>body{font:16px sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left;border-bottom:1px solid #ccc}</style><h1>Runs</h1><table><tr><th>Flow</th><th>Phone</th><th>State</th><th>Why</th></tr>${rows.join("")}</table></html>\n`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
