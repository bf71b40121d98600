/**
 * A flow with the files it names: which they are, whether they are there, and what is wrong in them. Every finding has
 * the file, line and column it is about. Reads each file once; whatever the files hold, it ends.
 */
import { baseName, isWithin, MAX_RUN_BYTES, MAX_RUN_FILES, resolvePath, topFolder } from "../workspace-model.ts";
import type { Command, Diagnostic, Flow, ParsedFlow, Step } from "./model.ts";
import { nearest } from "./suggestions.ts";
import { allSteps } from "./targets.ts";

/** The files a flow may name, by path. */
export interface FileTree {
  /** Sizes in bytes of everything there is, flows included. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The text of one of them. */
  text(path: string): Promise<string>;
}

export interface LinkedFlow extends ParsedFlow {
  /** Flows that it runs, by path. */
  readonly flows: ReadonlyMap<string, Flow>;
  /** Everything it may reach while it runs, by path. */
  readonly reached: ReadonlySet<string>;
}

export interface FileReference {
  readonly command: Command["name"];
  readonly name: string;
  readonly use: "flow" | "script" | "media" | "baseline";
}

/** A flow or script of a run is read as a whole, over and over: what all of them may hold together. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** The file a picture is compared with. */
export function baselinePath(path: string): string {
  return /\.png$/i.test(path) ? path : `${path}.png`;
}

/** The files a command itself names, as it writes them. */
export function fileReferences(command: Command): readonly FileReference[] {
  switch (command.name) {
    case "runFlow":
    case "retry":
      return "file" in command.steps ? [{ command: command.name, name: command.steps.file, use: "flow" }] : [];
    case "runScript":
      return [{ command: command.name, name: command.file, use: "script" }];
    case "addMedia":
      return command.files.map((name) => ({ command: command.name, name, use: "media" }));
    case "assertScreenshot":
      return [{ command: command.name, name: baselinePath(command.path), use: "baseline" }];
    default:
      return [];
  }
}

/** Reads a flow and all it may reach. `path` is where it stands, "" at the top; the tree is opened when it is needed. */
export async function linkFlow(
  root: { readonly source: string; readonly path: string },
  open: () => Promise<FileTree>,
  parse: (source: string) => ParsedFlow,
): Promise<LinkedFlow> {
  const parsed = parse(root.source);
  if (parsed.flow === undefined || !allSteps(parsed.flow).some(({ command }) => fileReferences(command).length > 0)) {
    return { ...parsed, flows: new Map(), reached: new Set() };
  }
  const linking = new Linking(await open(), parse, root.path);
  await linking.follow(parsed.flow, root.path, root.path === "" ? [] : [root.path]);
  const found = linking.diagnostics;
  const { flow, ...rest } = parsed;
  return {
    ...rest,
    ...(found.every(({ severity }) => severity !== "error") && { flow }),
    diagnostics: [...parsed.diagnostics, ...found].sort(
      (a, b) =>
        Number(a.file !== undefined) - Number(b.file !== undefined) ||
        (a.file ?? "").localeCompare(b.file ?? "") ||
        a.line - b.line ||
        a.column - b.column,
    ),
    flows: linking.flows,
    reached: linking.reached,
  };
}

class Linking {
  readonly flows = new Map<string, Flow>();
  readonly reached = new Set<string>();
  readonly diagnostics: Diagnostic[] = [];
  readonly #tree: FileTree;
  readonly #parse: (source: string) => ParsedFlow;
  readonly #root: string;
  readonly #followed = new Set<string>();
  #bytes = 0;
  #textBytes = 0;
  #full = false;

  constructor(tree: FileTree, parse: (source: string) => ParsedFlow, root: string) {
    this.#tree = tree;
    this.#parse = parse;
    this.#root = root;
  }

  /** `callers`: the files on the way here, the flow's own last. */
  async follow(flow: Flow, path: string, callers: readonly string[]): Promise<void> {
    for (const step of allSteps(flow)) {
      for (const reference of fileReferences(step.command)) {
        if (this.#full) return;
        await this.#reference(reference, step, path, callers);
      }
    }
  }

  async #reference(reference: FileReference, step: Step, from: string, callers: readonly string[]): Promise<void> {
    const { command, name, use } = reference;
    const say = (message: string) => this.#say(step, from, message);
    if (name.includes("${")) return this.#anyOf(step, from);
    const shown = name.slice(0, 80);
    const path = resolvePath(from, name);
    if (path === undefined) {
      return say(
        `\`${shown}\` leads out of the workspace. Name a file in it, relative to the folder this flow stands in.`,
      );
    }
    if (use === "baseline") {
      if (this.#tree.sizes.has(path)) this.#reach(path, step, from);
      return;
    }
    if (use === "flow" && path === callers.at(-1)) {
      return say(`\`${command}\` runs the file it stands in. Use \`repeat\` to do steps again.`);
    }
    if (use === "flow" && callers.includes(path)) {
      const round = [...callers.slice(callers.indexOf(path)), path].map(baseName).join(", then ");
      return say(`These files run each other for ever: ${round}. Use \`repeat\` to do steps again.`);
    }
    if (!this.#tree.sizes.has(path)) return say(this.#missing(path, shown));
    if (use === "flow" && !/\.ya?ml$/i.test(path)) return say(`\`${shown}\` is not a flow. Name a .yaml file.`);
    if (use === "script" && !/\.js$/i.test(path)) return say(`\`${shown}\` is not a script. Name a .js file.`);
    if (this.#reach(path, step, from) && use === "flow") await this.#flow(path, step, from, callers);
  }

  /** Once for each file: one that was followed to its end leads back to none of today's callers. */
  async #flow(path: string, step: Step, from: string, callers: readonly string[]): Promise<void> {
    if (this.#followed.has(path)) return;
    this.#followed.add(path);
    this.#textBytes += this.#tree.sizes.get(path) ?? 0;
    if (this.#textBytes > MAX_TEXT_BYTES) {
      this.#full = true;
      return this.#say(step, from, "The flows that this one runs are more than 1 MB together. Split it into several.");
    }
    const { flow, diagnostics } = this.#parse(await this.#tree.text(path));
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    this.diagnostics.push(...errors.map((diagnostic) => ({ ...diagnostic, file: path })));
    if (flow === undefined) {
      if (errors.length === 0) this.#say(step, from, `\`${path}\` cannot be read as a flow.`);
      return;
    }
    this.flows.set(path, flow);
    await this.follow(flow, path, [...callers, path]);
  }

  /** A name that is made while it runs may be any file of the workspace. */
  #anyOf(step: Step, from: string): undefined {
    const folders = [topFolder(this.#root), topFolder(from)];
    for (const path of this.#tree.sizes.keys()) {
      if (this.#full) return;
      if (folders.some((folder) => isWithin(path, folder)) && path !== this.#root) this.#reach(path, step, from);
    }
  }

  #reach(path: string, step: Step, from: string): boolean {
    if (this.reached.has(path)) return true;
    this.reached.add(path);
    this.#bytes += this.#tree.sizes.get(path) ?? 0;
    if (this.reached.size <= MAX_RUN_FILES && this.#bytes <= MAX_RUN_BYTES) return true;
    this.#full = true;
    this.#say(
      step,
      from,
      `With this step the flow may reach more than ${MAX_RUN_FILES} files or 8 MB. A name made of \${…} stands for every file of the workspace.`,
    );
    return false;
  }

  #missing(path: string, shown: string): string {
    const paths = [...this.#tree.sizes.keys()];
    if (paths.some((known) => isWithin(known, path))) return `\`${shown}\` is a folder. Name a file in it.`;
    const folder = path.slice(0, path.length - baseName(path).length);
    const beside = paths.filter((known) => known.startsWith(folder)).map((known) => known.slice(folder.length));
    const meant = nearest(baseName(path), beside);
    const help = meant === undefined ? "Add it, or change the name." : `Did you mean \`${meant}\`?`;
    return `There is no file \`${shown}\` (${path} in the workspace). ${help}`;
  }

  #say({ place }: Step, from: string, message: string): undefined {
    const file = from === this.#root ? undefined : from;
    this.diagnostics.push({ ...place, severity: "error", message, ...(file !== undefined && { file }) });
  }
}
