/** Flows on this machine: which ones are meant, and the files each of them names. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, join, matchesGlob, relative, resolve, sep } from "node:path";
import { parse as parseYaml } from "yaml";
import type { Flow } from "../shared/flows/model.ts";
import { parseFlow } from "../shared/flows/parse.ts";
import { allSteps } from "../shared/flows/targets.ts";

const MOST_FILES = 200;

/** Something a person has to mend before anything runs. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

export interface LocalFlow {
  /** As the person would name it. */
  readonly file: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly source: string;
  readonly files: readonly { readonly path: string; readonly base64: string }[];
}

export interface Selection {
  readonly includeTags: readonly string[];
  readonly excludeTags: readonly string[];
}

interface Workspace extends Selection {
  readonly flows: readonly string[];
  readonly order: readonly string[];
}

/** The flows of files and folders, in the order they run. @throws Unfit */
export function findFlows(paths: readonly string[], selection: Selection): readonly LocalFlow[] {
  const found = paths.flatMap((path) => {
    if (!existsSync(path)) throw new Unfit(`There is no ${path}.`);
    return statSync(path).isDirectory() ? flowsOf(path) : [readFlow(path)];
  });
  const chosen = found.filter(({ tags }) => fits(tags, selection));
  if (chosen.length === 0) {
    const why = found.length === 0 ? "holds no flow" : "holds no flow with these tags";
    throw new Unfit(`${paths.join(", ")} ${why}.`);
  }
  return chosen;
}

function fits(tags: readonly string[], { includeTags, excludeTags }: Selection): boolean {
  return (
    (includeTags.length === 0 || tags.some((tag) => includeTags.includes(tag))) &&
    !tags.some((tag) => excludeTags.includes(tag))
  );
}

/** As Maestro reads a folder: what stands in it directly, or what its config.yaml says. */
function flowsOf(folder: string): readonly LocalFlow[] {
  const workspace = readWorkspace(folder);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => /\.ya?ml$/i.test(name) && !/^config\.ya?ml$/i.test(basename(name)))
    .sort();
  const wanted = workspace.flows.filter((glob) => !glob.startsWith("!"));
  const unwanted = workspace.flows.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1));
  const matches = (name: string, glob: string) => matchesGlob(name, glob.replace(/^\.\//, ""));
  const chosen = names.filter(
    (name) => wanted.some((glob) => matches(name, glob)) && !unwanted.some((glob) => matches(name, glob)),
  );
  // A pattern of folders also takes in what is no flow, settings say.
  const flows = chosen
    .map((name) => join(folder, name))
    .filter((path) => /^---\s*$/m.test(readFileSync(path, "utf8")))
    .map(readFlow)
    .filter(({ tags }) => fits(tags, workspace));
  const place = ({ file, name }: LocalFlow) => {
    const at = workspace.order.findIndex((one) => one === name || one === basename(file, extname(file)));
    return at === -1 ? workspace.order.length : at;
  };
  return flows.toSorted((a, b) => place(a) - place(b));
}

function readWorkspace(folder: string): Workspace {
  const path = ["config.yaml", "config.yml"].map((name) => join(folder, name)).find(existsSync);
  let config: unknown;
  try {
    config = path === undefined ? undefined : parseYaml(readFileSync(path, "utf8"), { maxAliasCount: 0 });
  } catch {
    throw new Unfit(`${path} is not YAML.`);
  }
  const values = (config ?? {}) as Readonly<Record<string, unknown>>;
  const texts = (value: unknown) =>
    typeof value === "string" ? [value] : Array.isArray(value) ? value.map(String) : [];
  const order = values["executionOrder"];
  const flows = texts(values["flows"]);
  return {
    flows: flows.length === 0 ? ["*"] : flows,
    includeTags: texts(values["includeTags"]),
    excludeTags: texts(values["excludeTags"]),
    order: typeof order === "object" && order !== null && "flowsOrder" in order ? texts(order.flowsOrder) : [],
  };
}

/** @throws Unfit with file, line and column */
function readFlow(path: string): LocalFlow {
  const source = readFileSync(path, "utf8");
  const flow = checked(source, path);
  return {
    file: path,
    name: flow.header.name ?? basename(path, extname(path)),
    tags: flow.header.tags,
    source,
    files: collect(flow, resolve(path)),
  };
}

function checked(source: string, path: string): Flow {
  const { flow, diagnostics } = parseFlow(source);
  if (flow !== undefined) return flow;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  throw new Unfit(errors.map(({ line, column, message }) => `${path}:${line}:${column} ${message}`).join("\n"));
}

/** Every file a flow names, and those that named flows name, below the flow's own folder. @throws Unfit */
function collect(flow: Flow, path: string): LocalFlow["files"] {
  const root = realpathSync(dirname(path));
  const files = new Map<string, string>();
  const take = (of: Flow, from: string) => {
    for (const { command, place } of allSteps(of)) {
      const named = [
        ...(command.name === "runFlow" || command.name === "retry"
          ? "file" in command.steps
            ? [{ name: command.steps.file, flow: true }]
            : []
          : []),
        ...(command.name === "runScript" ? [{ name: command.file, flow: false }] : []),
        ...(command.name === "addMedia" ? command.files.map((name) => ({ name, flow: false })) : []),
        ...(command.name === "assertScreenshot" ? [{ name: pictureOf(command.path), flow: false }] : []),
      ];
      for (const { name, flow: isFlow } of named) {
        // What only the run can know is not sent; the server says so if it needs it.
        if (name.includes("${")) continue;
        const at = `${relative(process.cwd(), from) || from}:${place.line}:${place.column}`;
        const target = resolve(dirname(from), name);
        if (!existsSync(target) || !statSync(target).isFile()) throw new Unfit(`${at} There is no file ${name}.`);
        const real = realpathSync(target);
        const inside = relative(root, real).split(sep).join("/");
        if (inside.startsWith("../") || inside === "..") {
          throw new Unfit(
            `${at} ${name} lies outside of the flow's folder. Move it below, or run the flow from above.`,
          );
        }
        if (real === realpathSync(from)) throw new Unfit(`${at} ${name} is this very file.`);
        if (files.has(inside)) continue;
        const bytes = readFileSync(real);
        files.set(inside, bytes.toString("base64"));
        if (files.size > MOST_FILES) throw new Unfit(`${at} A flow brings at most ${MOST_FILES} files along.`);
        if (isFlow) take(checked(bytes.toString("utf8"), relative(process.cwd(), real) || real), real);
      }
    }
  };
  take(flow, path);
  return [...files].map(([name, base64]) => ({ path: name, base64 }));
}

const pictureOf = (path: string) => (/\.png$/i.test(path) ? path : `${path}.png`);
