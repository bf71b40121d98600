/** A storm's report, as it goes into the documents. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Finding } from "./checker.ts";
import type { StormReport } from "./storm.ts";

export function reportOf({ options, known, findings, restedAfterMs, complaints }: StormReport): string {
  const faults = new Map<string, number>();
  for (const { kind } of known.faults) faults.set(kind, (faults.get(kind) ?? 0) + 1);
  const acts = [...known.counts].toSorted().map(([act, outcomes]) => {
    const done = outcomes.get("done") ?? 0;
    const unknown = outcomes.get("unknown") ?? 0;
    const refused = [...outcomes].filter(([name]) => name !== "done" && name !== "unknown");
    return `| ${act} | ${done} | ${refused.map(([name, n]) => `${name} ${n}`).join(", ")} | ${unknown} |`;
  });
  return [
    `Seed ${options.seed}, ${options.nodes} nodes, ${Math.round(options.ms / 1_000)} s, ${known.people.length} people, ${options.workers} at once; lease ${options.lease.leaseMs} ms. At rest ${Math.round(restedAfterMs / 1_000)} s after the last act.`,
    "",
    `Faults: ${[...faults]
      .toSorted()
      .map(([kind, n]) => `${kind} ${n}`)
      .join(", ")}.`,
    "",
    "| Asked | Done | Refused | Outcome unknown to the client |",
    "| --- | --- | --- | --- |",
    ...acts,
    "",
    "| What has to hold | Held against | Result |",
    "| --- | --- | --- |",
    ...findings.map(
      ({ what, seen, wrong }) =>
        `| ${what} | ${seen} | ${wrong.length === 0 ? "holds" : `**${wrong.length} times not**`} |`,
    ),
    "",
    ...(complaints.length > 0 ? [`Said by processes that ended: ${new Set(complaints).size} kinds of lines.`, ""] : []),
    ...findings.flatMap(({ what, wrong }) =>
      wrong.length === 0 ? [] : [`${what}:`, ...wrong.slice(0, 10).map((one) => `- ${one}`), ""],
    ),
  ].join("\n");
}

const HEADING = "## Last report\n";

/** Puts the report under its heading, in the place of the one before. */
export function keepReport(file: string, report: string): void {
  const [head = ""] = (existsSync(file) ? readFileSync(file, "utf8") : "").split(HEADING);
  writeFileSync(file, `${head}${HEADING}\n${report.trimEnd()}\n`);
}

export function failuresOf(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ what, wrong }) => wrong.map((one) => `${what}: ${one}`));
}
