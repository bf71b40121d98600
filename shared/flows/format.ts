/** One way to write a flow: two spaces, one blank line at most, comments and quotes as they were. */
import { type Document, isMap, isScalar, parseAllDocuments } from "yaml";
import type { Flow } from "./model.ts";
import { parseFlow } from "./parse.ts";
import { allSteps, stepKey } from "./targets.ts";

/**
 * The flow means the same afterwards, and formatting again changes nothing. Recorded targets of steps that are no longer
 * there are left out. A text with errors, or one this cannot be promised for, comes back as it is.
 */
export function formatFlow(source: string): string {
  const before = parseFlow(source).flow;
  if (before === undefined) return source;
  const live = new Set(allSteps(before).map(stepKey));
  const once = write(source, live);
  const after = once === undefined ? undefined : parseFlow(once).flow;
  if (once === undefined || after === undefined) return source;
  const same = meaning(after, live) === meaning(before, live) && write(once, live) === once;
  return same ? once : source;
}

/** Without places, which formatting moves, and without stale targets. */
function meaning(flow: Flow, live: ReadonlySet<string>): string {
  const targets = flow.header.targets.filter(({ key }) => live.has(key));
  return JSON.stringify({ ...flow, header: { ...flow.header, targets } }, (key, value: unknown) =>
    key === "place" ? undefined : value,
  );
}

function write(source: string, live: ReadonlySet<string>): string | undefined {
  const text = source.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  // Failsafe: numbers and the like stay as written.
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
  });
  if (!Array.isArray(documents)) return undefined;
  const parts = documents.map((document, index) => {
    if (index === 0) dropStaleTargets(document, live);
    if (document.directives !== undefined) document.directives.docStart = index > 0 ? true : null;
    return document.toString({ indent: 2, lineWidth: 0, flowCollectionPadding: false });
  });
  return parts.join("");
}

function dropStaleTargets(header: Document.Parsed, live: ReadonlySet<string>): void {
  const targets = header.get("x-targets");
  if (!isMap(targets)) return;
  targets.items = targets.items.filter(({ key }) => isScalar(key) && live.has(String(key.value)));
  if (targets.items.length === 0) header.delete("x-targets");
}
