import { isSecret, VARIABLES } from "./variables.ts";

/** The text of `.env.example`. */
export function envExample(): string {
  const lines = Object.entries(VARIABLES).map(([name, { schema, about }]) => {
    const fallback = schema.safeParse(undefined);
    const shown =
      fallback.success && (typeof fallback.data === "string" || typeof fallback.data === "number") ? fallback.data : "";
    const file = isSecret(name) ? `\n#${name}_FILE=` : "";
    return `# ${about}\n#${name}=${shown}${file}`;
  });
  return `# Settings of the Perch server. Every line is optional; copy to .env and change what you need.\n# NAME_FILE names a file with the value instead, as of Docker secrets and systemd credentials.\n\n${lines.join("\n")}\n`;
}
