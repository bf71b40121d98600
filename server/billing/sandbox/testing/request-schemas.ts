/**
 * Checks requests against what the SDK's own types say: JSON schemas made of its declarations, once per version of the SDK,
 * kept beside the dependencies. One line in a test: `createBillingSandbox({ …, onRequest: checkedRequest })`, which `openSandbox` does by itself.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv, type ValidateFunction } from "ajv";
import Stripe from "stripe";
import { createGenerator } from "ts-json-schema-generator";
import type { ApiRequest } from "../api.ts";
import { invalid } from "../errors.ts";
import { ROUTES } from "../routes.ts";

const SDK = dirname(fileURLToPath(import.meta.resolve("stripe")));
const CACHE = join(SDK, "../../.cache/perch");
/** Changes when this file makes other schemas of the same types. */
const MAKE = 1;

type Schema = { [name: string]: unknown };
type Schemas = Readonly<Record<string, Schema>>;

/** `"POST /v1/customers/:id"` to the name of its parameters' type, read from the SDK's own calls. */
export function requestTypes(): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  for (const file of globSync("resources/**/*.js", { cwd: SDK })) {
    const code = readFileSync(join(SDK, file), "utf8");
    const declared = readFileSync(join(SDK, file.replace(/\.js$/, ".d.ts")), "utf8");
    for (const [, method = "", verb = "", template = ""] of code.matchAll(
      /^ {4}(\w+)\([^)]*\) \{\s*return this\._makeRequest\('(\w+)', [`']([^`']+)[`']/gm,
    )) {
      const type = new RegExp(`^ {4}${method}\\([^)]*params\\??: ([\\w.]+)`, "m").exec(declared)?.[1];
      if (type !== undefined) types.set(`${verb} ${shape(template.replace(/\$\{[^}]*\}/g, ":"))}`, type);
    }
  }
  return types;
}

const shape = (path: string): string => path.replace(/:\w*/g, ":");

/** Of every route the sandbox has and the SDK takes parameters for. */
export function requestSchemas(): Schemas {
  const known = requestTypes();
  const types = new Map(
    Object.keys(ROUTES).flatMap((route) => {
      const type = known.get(shape(route));
      return type === undefined ? [] : [[route, type] as const];
    }),
  );
  const name = createHash("sha256")
    .update(JSON.stringify([Stripe.PACKAGE_VERSION, MAKE, ...types]))
    .digest("hex")
    .slice(0, 16);
  const file = join(CACHE, `stripe-requests-${name}.json`);
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    const made = generate([...new Set(types.values())]);
    const schemas = Object.fromEntries([...types].map(([route, type]) => [route, made.get(type)]));
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(schemas));
    renameSync(`${file}.${process.pid}`, file);
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** One type with all of them, so that the declarations are gone through once. */
function generate(types: readonly string[]): Map<string, Schema> {
  const entry = join(CACHE, `requests-${process.pid}.ts`);
  const lines = types.map((type) => `  ${JSON.stringify(type)}: Stripe.${type};`);
  const importing = `import type { Stripe } from "${SDK}/stripe.esm.node.js";`;
  writeFileSync(entry, [importing, "export interface All {", ...lines, "}", ""].join("\n"));
  const generator = createGenerator({
    path: entry,
    topRef: false,
    expose: "none",
    jsDoc: "none",
    skipTypeCheck: true,
    additionalProperties: false,
  });
  const { properties = {}, definitions } = generator.createSchema("All");
  rmSync(entry);
  if (definitions !== undefined && Object.keys(definitions).length > 0)
    throw new Error("A request's type refers to itself.");
  return new Map(Object.entries(properties).map(([type, schema]) => [type, strict(schema) as Schema]));
}

/**
 * Without the `string` that the SDK's `OtherString` puts beside each list of words: a word that is none of them is a
 * mistake here. Values come as texts from a form, so an exact decimal is one too.
 */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const made: Schema = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  const { anyOf } = made;
  if (!Array.isArray(anyOf)) return made;
  const isWords = (one: Schema) =>
    one["type"] === "string" && (one["enum"] !== undefined || one["const"] !== undefined);
  const isAny = (one: Schema) => one["type"] === "string" && Object.keys(one).length === 1;
  return anyOf.some(isWords) ? { ...made, anyOf: anyOf.filter((one) => !isAny(one)) } : made;
}

let check: ReturnType<typeof createCheck> | undefined;

/** Refuses, as Stripe would, what the SDK's types do not know. Made once a process, at the first request. */
export function checkedRequest(request: ApiRequest): void {
  check ??= createCheck();
  check(request);
}

function createCheck(): (request: ApiRequest) => void {
  const schemas = requestSchemas();
  const ajv = new Ajv({ coerceTypes: true, strict: false, allErrors: false });
  const validators = new Map<string, ValidateFunction>();
  const routes = Object.keys(schemas).map((route) => ({
    route,
    matches: new RegExp(`^${route.replace(/:\w+/g, "[^/]+")}$`),
  }));
  return ({ method, path, params }) => {
    // The most exact first: `search` is not an id.
    const { route } = routes.find(({ matches }) => matches.test(`${method} ${path}`)) ?? {};
    if (route === undefined) return;
    const validate = validators.get(route) ?? ajv.compile(schemas[route] ?? {});
    validators.set(route, validate);
    if (validate(structuredClone(params))) return;
    const [error] = validate.errors ?? [];
    throw invalid(
      `By the types of the SDK this is no ${route}: ${error?.instancePath ?? ""} ${error?.message ?? ""} ${JSON.stringify(error?.params)}`,
      undefined,
      "request_schema",
    );
  };
}
