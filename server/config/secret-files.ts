/**
 * Secrets in files, so that they stand in no process listing and no unit file: `NAME_FILE` names the file, as Docker
 * mounts secrets (/run/secrets/NAME) and systemd credentials (`Environment=NAME_FILE=%d/name`).
 */
import { closeSync, openSync, readSync } from "node:fs";
import { isSecret } from "./variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;
/** What a variable has, and the name it was given under. */
type Given =
  | { readonly value: string | undefined; readonly from: string; readonly warning?: string }
  | { readonly problem: string };

/** Longer than any secret; a file that is not one is not read whole. */
const MAX_BYTES = 16 * 1024;
const SUFFIX = "_FILE";

export function isSecretFile(name: string): boolean {
  return name.endsWith(SUFFIX) && isSecret(name.slice(0, -SUFFIX.length));
}

/** The value of a variable; where both it and its file are set, the file's. */
export function givenFor(name: string, env: Environment): Given {
  const value = env[name]?.trim() || undefined;
  const from = `${name}${SUFFIX}`;
  const path = isSecret(name) ? env[from]?.trim() || undefined : undefined;
  if (path === undefined) return { value, from: name };
  let text: string;
  try {
    text = readBounded(path);
  } catch (error) {
    return { problem: `${from}: ${path} cannot be read (${codeOf(error)}). Check the path and who may read it.` };
  }
  if (text.length > MAX_BYTES) return { problem: `${from}: ${path} is longer than any secret. Name the file with it.` };
  const secret = text.trim();
  if (secret === "") return { problem: `${from}: ${path} is empty. Write the value into it.` };
  if (value === undefined) return { value: secret, from };
  return { value: secret, from, warning: `${name} and ${from} are both set: the file is used. Remove one of them.` };
}

/** One byte more than a secret may have, at most: that tells which is too long. */
function readBounded(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
