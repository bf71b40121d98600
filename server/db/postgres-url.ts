/** `DATABASE_URL` and `DATABASE_DIRECT_URL` as the driver takes them: TLS 1.3 with a checked certificate to another machine, plain to this one. */
import { readFileSync } from "node:fs";
import type { ClientConfig } from "pg";
import { PerchError } from "../errors.ts";

const LOOPBACK = new Set(["", "localhost", "127.0.0.1", "::1"]);
/** Parameters of the address that name files, and what the driver calls them. */
const FILES = { sslrootcert: "ca", sslcert: "cert", sslkey: "key" } as const;
const MODES_THAT_CHECK = new Set(["require", "verify-ca", "verify-full"]);

/** @throws PerchError for an address that asks for less; `name` is the setting it is from. */
export function postgresConfig(url: string, name = "DATABASE_URL"): ClientConfig {
  const address = new URL(url);
  const host = address.hostname.replace(/^\[|\]$/g, "");
  if (LOOPBACK.has(host) || address.searchParams.get("host")?.startsWith("/")) return { connectionString: url };
  const mode = address.searchParams.get("sslmode") ?? "verify-full";
  if (!MODES_THAT_CHECK.has(mode) || address.searchParams.get("ssl") === "false") {
    throw new PerchError(
      "bad_input",
      `${name} asks for less than TLS 1.3 with a checked certificate. To another machine nothing less is used: leave sslmode out, and name the certificate that vouches for the server with sslrootcert=FILE when it is your own.`,
    );
  }
  const files = Object.entries(FILES).flatMap(([parameter, option]) => {
    const path = address.searchParams.get(parameter);
    return path === null ? [] : [[option, readCertificate(path, name)]];
  });
  for (const one of ["ssl", "sslmode", ...Object.keys(FILES)]) address.searchParams.delete(one);
  return {
    connectionString: address.href,
    ssl: { ...Object.fromEntries(files), servername: host, rejectUnauthorized: true, minVersion: "TLSv1.3" },
  };
}

function readCertificate(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new PerchError("bad_input", `${name} names ${path}, which cannot be read.`, { cause });
  }
}
