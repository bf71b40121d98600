/** `PROCESSORS_FILE`: what the operator agreed with those who process data for them. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { PerchError } from "../../errors.ts";
import { type Processor, type ProcessorsConfig, processorsOf } from "./processors.ts";

const statement = z.strictObject({
  name: z.string("Write its name.").trim().min(1, "Write its name.").max(80).optional(),
  region: z.string("Write where it processes, like “EU (Frankfurt)”.").trim().min(1).max(80),
  agreement: z
    .strictObject({
      reference: z.string("Write where the agreement is found: a number or an address.").trim().min(1).max(300),
      date: z.iso.date("Write the day of the agreement, like 2026-01-31."),
    })
    .optional(),
  retentionDays: z
    .int("Write for how many days at most it keeps what was deleted, as a whole number.")
    .min(0, "Days are not negative."),
  breachContact: z.string("Write whom to ask about an incident.").trim().min(1).max(200).optional(),
});
export type ProcessorStatement = z.output<typeof statement>;
export const processorStatements = z.strictObject({
  database: statement.optional(),
  storage: statement.optional(),
  mail: statement.optional(),
  stripe: statement.optional(),
  geelark: statement.optional(),
  supabase: statement.optional(),
});
export type ProcessorStatements = z.output<typeof processorStatements>;

/** The register of a configuration, the file read. @throws PerchError with a sentence per mistake in it. */
export function readRegister(
  config: ProcessorsConfig & { readonly PROCESSORS_FILE?: string | undefined },
): Processor[] {
  return processorsOf(config, readProcessorsFile(config.PROCESSORS_FILE));
}

/** @throws PerchError with a sentence per mistake. */
export function readProcessorsFile(path: string | undefined): ProcessorStatements {
  if (path === undefined) return {};
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new PerchError("bad_input", `PROCESSORS_FILE ${path} cannot be read. Set it to where the file is.`, {
      cause,
    });
  }
  return parseProcessors(text, path);
}

export function parseProcessors(text: string, path: string): ProcessorStatements {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PerchError("bad_input", `PROCESSORS_FILE ${path} is no JSON.`, { cause });
  }
  const parsed = processorStatements.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "the file"}: ${issue.message}`);
  throw new PerchError("bad_input", `PROCESSORS_FILE ${path} needs a correction:\n${problems.join("\n")}`);
}
