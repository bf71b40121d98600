/** The configuration as an operator may see it: what is secret says only whether it is set. */
import type { Config } from "./checks.ts";
import { isSecret, VARIABLES } from "./variables.ts";

export interface ConfigLine {
  readonly name: string;
  readonly value: string;
  readonly about: string;
  readonly secret: boolean;
}

export function configLines(config: Config): readonly ConfigLine[] {
  const values: Readonly<Record<string, unknown>> = { ...config, ...derived(config) };
  return Object.entries(VARIABLES).map(([name, { about }]) => {
    const secret = isSecret(name);
    return { name, about, secret, value: secret ? (isSet(values[name]) ? "set" : "not set") : words(values[name]) };
  });
}

/** Variables that stand in the configuration under another name. */
function derived(config: Config): Readonly<Record<string, unknown>> {
  const { publicUrl, keyFile, backupDir, certificate, s3 } = config;
  return {
    ...{ PUBLIC_URL: publicUrl.href, KEY_FILE: keyFile, BACKUP_DIR: backupDir },
    ...{ TLS_CERT_FILE: certificate?.certFile, TLS_KEY_FILE: certificate?.keyFile },
    S3_PREFIX: s3?.prefix,
    ...Object.fromEntries(
      ["S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"].map((name) => [
        name,
        s3 === undefined ? undefined : "set",
      ]),
    ),
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}

function words(value: unknown): string {
  if (!isSet(value)) return "not set";
  if (Array.isArray(value)) return value.map(String).join(", ");
  return typeof value === "object" ? "set" : String(value);
}
