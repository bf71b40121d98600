/** Reports of a run: JUnit XML in Maestro's shape, one HTML file with its pictures, JSON. */
import type { RunDetail, RunReport, RunStep } from "../../shared/automation-model.ts";
import { hasEnded } from "../../shared/automation-model.ts";
import { partWords } from "../../shared/flows/part.ts";

export interface ReportSource {
  readonly run: RunDetail;
  /** The phone's name. */
  readonly phone: string;
  /** Of the flow's header; `junitId` and `junitClassname` name the test case. */
  readonly properties: Readonly<Record<string, string>>;
  readonly picture: (name: string) => Promise<Uint8Array | undefined>;
}

export async function renderReport(kind: RunReport, source: ReportSource): Promise<{ body: string; mimeType: string }> {
  if (kind === "junit.xml") return { body: junit(source), mimeType: "application/xml; charset=utf-8" };
  if (kind === "report.html") return { body: await html(source), mimeType: "text/html; charset=utf-8" };
  const { run, phone, properties } = source;
  return { body: `${JSON.stringify({ phone, properties, ...run }, null, 2)}\n`, mimeType: "application/json" };
}

/** Text for XML and HTML: what neither may hold is replaced. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function durationMs(run: RunDetail): number {
  if (run.startedAt === undefined || run.finishedAt === undefined) return 0;
  return Math.max(0, Date.parse(run.finishedAt) - Date.parse(run.startedAt));
}

const passes = (run: RunDetail) => run.state === "passed" || run.state === "warned";
const STATUS = {
  passed: "SUCCESS",
  warned: "WARNING",
  failed: "ERROR",
  timed_out: "ERROR",
  interrupted: "ERROR",
  cancelled: "CANCELED",
  queued: "PENDING",
  leased: "PENDING",
  running: "RUNNING",
} as const;

const failed = (run: RunDetail) => hasEnded(run.state) && !passes(run);

function attributes(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join("");
}

function junit(source: ReportSource): string {
  return suiteJunit([source], source.phone);
}

/** One report of several runs on one phone, in their order. */
export function suiteJunit(cases: readonly ReportSource[], phone: string): string {
  const [first] = cases;
  const total = cases.reduce((sum, { run }) => sum + durationMs(run), 0);
  const suite = attributes({
    name: "Test Suite",
    device: phone,
    tests: String(cases.length),
    failures: String(cases.filter(({ run }) => failed(run)).length),
    time: (total / 1000).toFixed(3),
    timestamp: (first?.run.startedAt ?? first?.run.createdAt ?? "").replace(/\.\d+Z$/, ""),
  });
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite${suite}>`,
    ...cases.flatMap(testcase),
    "  </testsuite>",
    "</testsuites>",
  ].join("\n")}\n`;
}

function testcase({ run, properties }: ReportSource): readonly string[] {
  const { junitId, junitClassname, ...others } = properties;
  const about = attributes({
    id: junitId ?? run.name,
    name: run.name,
    classname: junitClassname ?? run.name,
    file: run.path ?? run.flowId ?? run.id,
    time: (durationMs(run) / 1000).toFixed(3),
    status: STATUS[run.state],
  });
  const lines = Object.entries(others).map(([name, value]) => `        <property${attributes({ name, value })}/>`);
  const inside = [
    ...(lines.length > 0 ? ["      <properties>", ...lines, "      </properties>"] : []),
    ...(failed(run) ? [`      <failure>${escaped(run.error?.message ?? run.state)}</failure>`] : []),
  ];
  return inside.length === 0 ? [`    <testcase${about}/>`] : [`    <testcase${about}>`, ...inside, "    </testcase>"];
}

const CSS = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; }
dt { opacity: 0.7; }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
td:last-child { text-align: right; white-space: nowrap; }
.passed { color: #187a3c; } .warned, .healed, .skipped { color: #8a6100; } .failed { color: #c02626; }
figure { margin: 1.5rem 0; }
img, video { max-width: 20rem; width: 100%; border: 1px solid #8886; }
pre { overflow-x: auto; padding: 0.8rem; border: 1px solid #8884; }
@media (prefers-color-scheme: dark) { .passed { color: #58c785; } .warned, .healed, .skipped { color: #e2b14a; } .failed { color: #ff7b72; } }
`;

/** A larger recording is left to be read by itself: reports are opened in one piece. */
const LARGEST_VIDEO = 8 * 1024 * 1024;

async function html({ run, phone, picture }: ReportSource): Promise<string> {
  const facts: readonly (readonly [string, string])[] = [
    ["Result", run.state.replace("_", " ")],
    ...(run.part === undefined ? [] : ([["Ran", partWords(run.part)]] as const)),
    ["Phone", phone],
    ["Started", run.startedAt ?? "not yet"],
    ["Took", `${(durationMs(run) / 1000).toFixed(1)} s`],
    ...(run.error === undefined ? [] : ([["Why", run.error.message]] as const)),
  ];
  const pictures: string[] = [];
  for (const { name, kind, mimeType, step, bytes: size } of run.artifacts) {
    if (kind === "recording" && size <= LARGEST_VIDEO) {
      const video = await picture(name);
      if (video === undefined) continue;
      const data = Buffer.from(video).toString("base64");
      pictures.push(
        `<figure><video controls src="data:${mimeType};base64,${data}"></video><figcaption>${escaped(name)}</figcaption></figure>`,
      );
    }
    if (mimeType !== "image/png") continue;
    const bytes = await picture(name);
    if (bytes === undefined) continue;
    const data = Buffer.from(bytes).toString("base64");
    const words = `${kind === "failure_screenshot" ? "When it failed" : name}${step === undefined ? "" : `, step ${step}`}`;
    pictures.push(
      `<figure><img alt="${escaped(words)}" src="data:image/png;base64,${data}"><figcaption>${escaped(words)}</figcaption></figure>`,
    );
  }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>${escaped(run.name)}: ${run.state}</title>
<style>${CSS}</style>
</head>
<body>
<h1>${escaped(run.name)}</h1>
<dl>${facts.map(([term, text]) => `<dt>${term}</dt><dd>${escaped(text)}</dd>`).join("")}</dl>
<table>
<thead><tr><th>Step</th><th>What</th><th>Where</th><th>Result</th><th>Time</th></tr></thead>
<tbody>
${run.steps.map(row).join("\n")}
</tbody>
</table>
${pictures.join("\n")}
${run.steps.map(proposed).join("")}<h2>Flow</h2>
<pre>${escaped(run.source)}</pre>
</body>
</html>
`;
}

/** What would make a step find its target again. */
function proposed({ seq, healing }: RunStep): string {
  if (healing?.diff === undefined) return "";
  return `<h2>Proposed for step ${seq}</h2>\n<pre>${escaped(healing.diff)}</pre>\n`;
}

function row(step: RunStep): string {
  const time = step.durationMs === undefined ? "" : `${(step.durationMs / 1000).toFixed(2)} s`;
  const result = step.healing?.applied === true ? "healed" : step.state;
  const message = step.message === undefined ? "" : `<br>${escaped(step.message)}`;
  const place = `${step.file === undefined ? "" : `${step.file}, `}line ${step.line}`;
  return `<tr><td>${step.seq}</td><td style="padding-left:${step.depth + 0.6}rem">${escaped(step.label)}${message}</td><td>${escaped(place)}</td><td class="${result}">${result}</td><td>${time}</td></tr>`;
}
