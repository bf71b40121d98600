/** Configuration: parsed once from the environment, passed in as a value. `.env.example` is generated from this. */
import { type Config, complete, LOOPBACK } from "./config/checks.ts";
import { givenFor, isSecretFile } from "./config/secret-files.ts";
import { OWN_PREFIXES, VARIABLES, type Variables } from "./config/variables.ts";
import { PerchError } from "./errors.ts";

export type { Config, S3Config, SupabaseConfig } from "./config/checks.ts";
export { envExample } from "./config/env-example.ts";
export { OPERATOR_ROLES } from "./config/people-variables.ts";

/** Parses the environment. Throws `PerchError` that names each bad variable, why, and what to write. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, { schema }] of Object.entries(VARIABLES)) {
    const given = givenFor(name, env);
    if ("problem" in given) {
      problems.push(given.problem);
      continue;
    }
    if (given.warning !== undefined) warnings.push(given.warning);
    const parsed = schema.safeParse(given.value);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${given.from}: ${parsed.error.issues[0]?.message ?? "not valid"}`);
  }
  for (const name of Object.keys(env)) {
    if (
      name in VARIABLES ||
      isSecretFile(name) ||
      !OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
      name.startsWith("PERCH_E2E")
    )
      continue;
    problems.push(`${name}: there is no such setting. The known ones are in .env.example.`);
  }
  if (problems.length > 0) {
    throw new PerchError(
      "bad_input",
      `These settings need a correction:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
  }
  return complete(asVariables(values), warnings);
}

/** Each value was parsed by its own schema just before. */
function asVariables(values: Record<string, unknown>): Variables {
  return values as Variables;
}

/** One line about billing for the start of the server. */
export function billingLine({ billingMode: mode, STRIPE_SECRET_KEY: key, publicUrl }: Config): string {
  if (mode === "off") return "Billing is off: nobody pays, and phones run within the plan everybody has.";
  if (mode === "sandbox") return "Billing is a sandbox on this machine: no money moves. Set STRIPE_SECRET_KEY to bill.";
  const isTest = key?.includes("_test_") ?? false;
  if (!isTest) return "Billing goes through Stripe.";
  const public_ = publicUrl.protocol === "https:" && !LOOPBACK.has(publicUrl.hostname);
  return `Billing goes through Stripe's test mode: no money moves${public_ ? ", though people reach this server" : ""}.`;
}
