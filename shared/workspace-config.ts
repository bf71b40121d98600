/**
 * A workspace's `config.yaml`, as Maestro has it: which flows of the folder run, by which tags, in which order. It is
 * known by its content, not by its name. What is not about that is kept in the file and means nothing here.
 */
import type { Diagnostic } from "./flows/model.ts";
import { Fields, FlowReader } from "./flows/reader.ts";
import { isNothing, readSource, type SourceNode } from "./flows/source.ts";
import { matchesStars } from "./rules/glob.ts";

export interface WorkspaceConfig {
  /** Globs relative to the folder of the file; `!` before one takes out. */
  readonly flows: readonly string[];
  readonly includeTags: readonly string[];
  readonly excludeTags: readonly string[];
  /** Names of flows that run first, one after the other. */
  readonly flowsOrder: readonly string[];
  /** Whether those after a failed one of `flowsOrder` run. */
  readonly continueOnFailure: boolean;
}

/** Maestro's default: the flows of the folder itself. */
export const DEFAULT_CONFIG: WorkspaceConfig = {
  flows: ["*"],
  includeTags: [],
  excludeTags: [],
  flowsOrder: [],
  continueOnFailure: true,
};

const CONFIG_KEYS = [
  ...["flows", "includeTags", "excludeTags", "executionOrder", "platform", "testOutputDir", "notifications"],
  ...["baselineBranch", "local", "disableRetries", "deterministicOrder"],
];

/** What a YAML text is: a flow, also one with mistakes; a workspace's settings; or neither. */
export function yamlKind(source: string): "flow" | "config" | "other" {
  const { parts } = readSource(source);
  const [first, second] = parts;
  // Text that is no YAML is kept as a flow when it looks like one: its mistakes are then said with their line.
  if (first === undefined) return /^(appId|url)\s*:|^---/m.test(source) ? "flow" : "other";
  const keys = first.node.kind === "map" ? first.node.entries.map(({ key }) => key) : [];
  if (second !== undefined || keys.includes("appId") || keys.includes("url")) return "flow";
  if (first.node.kind === "list") return "flow";
  return keys.some((key) => CONFIG_KEYS.includes(key)) ? "config" : "other";
}

export function readConfig(source: string): {
  readonly config?: WorkspaceConfig;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { parts, diagnostics } = readSource(source);
  const node = parts[0]?.node;
  if (node === undefined) return diagnostics.length > 0 ? { diagnostics } : { config: DEFAULT_CONFIG, diagnostics };
  const reader = new FlowReader();
  if (node.kind !== "map") {
    reader.error(node.place, "The settings of a workspace are names with values, such as `flows:` and `includeTags:`.");
    return { diagnostics: reader.diagnostics };
  }
  const fields = new Fields(reader, "config.yaml", node);
  const order = fields.node("executionOrder");
  const orderFields =
    order?.kind === "map" ? new Fields(reader, "executionOrder", order) : order && reader.error(order.place, ORDER);
  const flows = texts(fields, "flows");
  if (flows !== undefined && flows.length > 0 && flows.every((glob) => glob.startsWith("!"))) {
    reader.error(
      fields.node("flows")?.place ?? node.place,
      "`flows:` only takes flows out; add what it takes in, like `**`.",
    );
  }
  const config = {
    flows: flows ?? DEFAULT_CONFIG.flows,
    includeTags: texts(fields, "includeTags") ?? [],
    excludeTags: texts(fields, "excludeTags") ?? [],
    flowsOrder: (orderFields && texts(orderFields, "flowsOrder")) ?? [],
    continueOnFailure: orderFields?.flag("continueOnFailure") ?? true,
  };
  return reader.failed ? { diagnostics: reader.diagnostics } : { config, diagnostics: reader.diagnostics };
}

const ORDER = "`executionOrder:` needs `flowsOrder:` with names of flows below it.";

/** A list of texts; one text alone is a list of one. */
function texts(fields: Fields, name: string): readonly string[] | undefined {
  const node = fields.node(name);
  if (node === undefined) return undefined;
  const items: readonly SourceNode[] =
    node.kind === "scalar" ? [node] : (fields.reader.list(node, fields.what(name)) ?? []);
  return items.flatMap((item) =>
    isNothing(item) ? [] : (fields.reader.text(item, `An entry of ${fields.what(name)}`) ?? []),
  );
}

export interface SuiteFlow {
  /** Relative to the folder. */
  readonly path: string;
  /** Of the header, or the file's without its ending. */
  readonly name: string;
  readonly tags: readonly string[];
}

export interface SuitePlan<F> {
  readonly flows: readonly F[];
  /** How many of them, from the first, end when one of them fails. */
  readonly stopsWithin: number;
}

/** Which flows run, in which order; a sentence when that cannot be. Without an order they go by path. */
export function planSuite<F extends SuiteFlow>(config: WorkspaceConfig, flows: readonly F[]): SuitePlan<F> | string {
  if (flows.length === 0) return "There are no flows in this folder.";
  const taken = config.flows.filter((glob) => !glob.startsWith("!"));
  const out = config.flows.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1));
  const fits = ({ path }: F) =>
    taken.some((glob) => matchesPath(glob, path)) && !out.some((glob) => matchesPath(glob, path));
  const here = flows.filter(fits);
  if (here.length === 0) {
    const where = config.flows.map((glob) => `\`${glob}\``).join(", ");
    return `No flow of this folder fits ${where}. List what to run under \`flows:\` in its config.yaml, like \`**\` for all.`;
  }
  const { includeTags, excludeTags } = config;
  const has = ({ tags }: F, some: readonly string[]) => tags.some((tag) => some.includes(tag));
  const left = here
    .filter((flow) => (includeTags.length === 0 || has(flow, includeTags)) && !has(flow, excludeTags))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (left.length === 0) return "The tags in config.yaml leave no flow to run.";
  const first: F[] = [];
  for (const name of config.flowsOrder) {
    const flow = left.find(
      (one) => one.name === name || one.path === name || one.path.replace(/\.ya?ml$/i, "") === name,
    );
    if (flow === undefined)
      return `\`flowsOrder\` in config.yaml names "${name.slice(0, 80)}", and no flow that runs is called so.`;
    if (!first.includes(flow)) first.push(flow);
  }
  return {
    flows: [...first, ...left.filter((flow) => !first.includes(flow))],
    stopsWithin: config.continueOnFailure ? 0 : first.length,
  };
}

/** `*` stands for any part of a name, `**` for any folders. Its time grows with pattern × path and no further. */
export function matchesPath(glob: string, path: string): boolean {
  const parts = glob
    .replace(/^\.?\/+/, "")
    .replace(/\/+$/, "")
    .split("/")
    .slice(0, 40);
  const names = path.split("/");
  // reach[j]: the parts so far can stand for the first j names.
  let reach = names.map(() => false);
  reach.unshift(true);
  for (const part of parts) {
    const next = reach.map(() => false);
    for (let j = 0; j < reach.length; j += 1) {
      if (part === "**") next[j] = reach[j] === true || (j > 0 && next[j - 1] === true);
      else if (j > 0) next[j] = reach[j - 1] === true && matchesName(part, names[j - 1] ?? "");
    }
    reach = next;
  }
  return reach.at(-1) === true;
}

function matchesName(pattern: string, name: string): boolean {
  // Flows are meant by their names with or without the ending.
  return matchesStars(pattern, name) || matchesStars(pattern, name.replace(/\.ya?ml$/i, ""));
}
