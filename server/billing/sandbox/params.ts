/** The parameters a route takes, read from a form's texts; what is wrong with them becomes Stripe's own error. */
import { z } from "zod";
import { SandboxError } from "./errors.ts";
import type { Param, Params } from "./form.ts";

export const text = z.string().min(1).max(5_000);
export const int = z
  .string()
  .regex(/^-?\d{1,15}$/, "integer")
  .transform(Number);
export const natural = int.refine((value) => value >= 0, "natural");
export const bool = z.enum(["true", "false"], "boolean").transform((value) => value === "true");
export const list = <S extends z.ZodType>(of: S) => z.array(of);
export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) => z.enum(values);
export const object = z.strictObject;
/** May be emptied: `""` becomes null. */
export const clearable = <S extends z.ZodType>(of: S) =>
  z.preprocess((value) => (value === "" ? null : value), of.nullable());
/** Accepted because Stripe takes it and it changes nothing the sandbox models: shown back nowhere. */
export const ignored = z.unknown();

const metadataMap = z
  .record(z.string().max(40), z.string().max(500))
  .refine((map) => Object.keys(map).length <= 50, "metadata");
export const metadata = clearable(metadataMap);
export type MetadataParam = z.output<typeof metadata> | undefined;

/** As Stripe merges: a key with an empty value goes, an empty text empties all. */
export function mergeMetadata(had: Record<string, string> | null, given: MetadataParam): Record<string, string> {
  if (given === undefined) return had ?? {};
  if (given === null) return {};
  const merged = { ...had, ...given };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ""));
}

export const payload = z.record(z.string(), z.string());
const range = z.strictObject({ gt: int.optional(), gte: int.optional(), lt: int.optional(), lte: int.optional() });
/** A moment or a range of them. */
export const created = z.preprocess((value) => (typeof value === "string" ? { gte: value, lte: value } : value), range);
export const paging = {
  limit: natural.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
  expand: list(text).optional(),
};
export const expand = list(text).optional();

/** Reads `params` or throws what Stripe would answer. */
export function read<S extends z.ZodType>(schema: S, params: Params): z.output<S> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  const unknown = issues.find((issue) => issue.code === "unrecognized_keys");
  if (unknown?.code === "unrecognized_keys") {
    const name = bracketed([...unknown.path, unknown.keys[0] ?? ""]);
    throw parameterError(`Received unknown parameter: ${name}`, name, "parameter_unknown");
  }
  const issue = issues[0];
  const name = bracketed(issue?.path ?? []);
  const given = valueAt(params, issue?.path ?? []);
  if (given === undefined) throw parameterError(`Missing required param: ${name}.`, name, "parameter_missing");
  if (given === "") {
    throw parameterError(
      `You passed an empty string for '${name}'. Give a value or leave it out.`,
      name,
      "parameter_invalid_empty",
    );
  }
  if (issue?.message === "integer")
    throw parameterError(`Invalid integer: ${String(given)}`, name, "parameter_invalid_integer");
  if (issue?.message === "natural") {
    throw parameterError("This value must be greater than or equal to 0.", name, "parameter_invalid_integer");
  }
  if (issue?.message === "boolean") throw parameterError(`Invalid boolean: ${String(given)}`, name);
  if (issue?.code === "invalid_value") {
    throw parameterError(`Invalid ${name}: must be one of ${issue.values.join(", ")}`, name);
  }
  if (issue?.code === "invalid_type")
    throw parameterError(`Invalid ${issue.expected === "record" ? "object" : issue.expected}`, name);
  throw parameterError(`Invalid value for ${name}`, name);
}

function parameterError(message: string, param: string, code?: string): SandboxError {
  return new SandboxError(400, { type: "invalid_request_error", message, param, ...(code && { code }) }, "unread");
}

function bracketed(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  return `${first ?? ""}${rest.map((part) => `[${part}]`).join("")}`;
}

function valueAt(params: Param | undefined, path: readonly PropertyKey[]): Param | undefined {
  let at = params;
  for (const part of path) {
    if (at === undefined || typeof at === "string") return undefined;
    at = Array.isArray(at) ? at[Number(part)] : at[String(part)];
  }
  return at;
}

/** A number where the parameter may also be a word. */
export function wholeNumber(value: string, param: string): number {
  if (!/^\d{1,15}$/.test(value)) throw parameterError(`Invalid integer: ${value}`, param, "parameter_invalid_integer");
  return Number(value);
}
