/**
 * Reads Maestro flow YAML (https://docs.maestro.dev): a header, `---`, a list of commands. A superset only by header keys
 * that Maestro ignores. Works in the browser and on the server; never throws, whatever the text is.
 */
import { readHeader } from "./header.ts";
import type { Diagnostic, ParsedFlow, Place } from "./model.ts";
import { FlowReader } from "./reader.ts";
import { isNothing, readSource, type SourcePart } from "./source.ts";
import { readStepList } from "./steps.ts";

/** Diagnostics come in the order of the text. */
export function parseFlow(source: string): ParsedFlow {
  try {
    return read(source);
  } catch (error) {
    const cause = error instanceof RangeError ? "it is nested too deep" : "of a fault in the reader";
    return refused([{ line: 1, column: 1, severity: "error", message: `This flow cannot be read: ${cause}.` }]);
  }
}

function refused(diagnostics: readonly Diagnostic[], commands = 0, portable = false): ParsedFlow {
  return { diagnostics: [...diagnostics].sort(byPlace), commands, portable };
}

function byPlace(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}

function read(source: string): ParsedFlow {
  const { parts, end, diagnostics } = readSource(source);
  if (diagnostics.some(({ severity }) => severity === "error")) return refused(diagnostics);
  const reader = new FlowReader();
  const [first, second, third] = parts;
  const header = readHeaderPart(reader, first, second?.start ?? end);
  if (first !== undefined && first.node.kind === "map" && second === undefined) {
    reader.error(end, "The commands are missing: add a line `---` and below it a list, for example `- launchApp`.");
  }
  if (second !== undefined && isNothing(second.node)) {
    reader.error(second.start, "The commands are missing below this `---`: add a list, for example `- launchApp`.");
  }
  const steps = second === undefined || isNothing(second.node) ? [] : readStepList(reader, second.node, "");
  if (second?.node.kind === "list" && second.node.items.length === 0) {
    reader.warn(second.node.place, "This flow has no commands.");
  }
  if (third !== undefined) reader.warn(third.start, "A flow has two parts; what follows this `---` is not read.");

  if (reader.failed || header === undefined) return refused(reader.diagnostics, reader.commands);
  return {
    flow: { header, steps },
    diagnostics: [...reader.diagnostics].sort(byPlace),
    commands: reader.commands,
    portable: reader.portable,
  };
}

function readHeaderPart(reader: FlowReader, part: SourcePart | undefined, end: Place) {
  if (part?.node.kind === "map") return readHeader(reader, part.node, end);
  return reader.error(
    part?.node.place ?? { line: 1, column: 1 },
    "A flow begins with a header: `appId: com.example.app` or `url: https://example.com`, then a line `---`, then the commands.",
  );
}
