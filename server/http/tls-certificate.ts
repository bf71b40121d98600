/** The server's own certificate: read at the start, read again when its files are renewed, refused when it cannot serve. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { Server } from "node:https";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";

export interface CertificateFiles {
  /** PEM, the server's certificate first and then those that vouch for it. */
  readonly certFile: string;
  /** PEM, without a passphrase. */
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * What every connection is held to. TLS 1.3 has no weak cipher to choose; browsers have had it since 2018. Of its key
 * exchanges the old finite fields are left out, and one that holds against quantum computers comes first.
 */
export const TLS = {
  minVersion: "TLSv1.3",
  ecdhCurve: "X25519MLKEM768:X25519:P-256:P-384",
} as const;

/** Renewed certificates come weeks before the old one ends. Files are looked at by time: renewers swap links. */
const LOOK_EVERY_MS = 30_000;

/** @throws PerchError that names the file, and says what is wrong with it. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): Certificate {
  const cert = read("TLS_CERT_FILE", certFile);
  const key = read("TLS_KEY_FILE", keyFile);
  const certificate = parse("TLS_CERT_FILE", certFile, "a certificate in PEM", () => new X509Certificate(cert));
  const privateKey = parse("TLS_KEY_FILE", keyFile, "a private key in PEM, without a passphrase", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw refusal(`TLS_KEY_FILE ${keyFile} is not the key of the certificate in TLS_CERT_FILE ${certFile}.`);
  }
  return { cert, key };
}

/**
 * Takes the certificate into use whenever one of its files changes; connections that are open stay as they are. What
 * cannot be read, a half-written pair above all, changes nothing and is logged. Returns how to stop looking.
 */
export function keepCertificate(
  server: Pick<Server, "setSecureContext">,
  files: CertificateFiles,
  log: Log,
  everyMs = LOOK_EVERY_MS,
): () => void {
  const renew = () => {
    try {
      server.setSecureContext({ ...TLS, ...readCertificate(files) });
      log.info("The renewed certificate is in use");
    } catch (error) {
      log.error("The changed certificate cannot be used; the one before it still is", errorFields(error));
    }
  };
  const paths = [files.certFile, files.keyFile];
  for (const path of paths) watchFile(path, { interval: everyMs, persistent: false }, renew);
  return () => {
    for (const path of paths) unwatchFile(path, renew);
  };
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw refusal(`${name} ${file} cannot be read. Check that it exists and that this user may read it.`, error);
  }
}

function parse<T>(name: string, file: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw refusal(`${name} ${file} does not hold ${what}.`, error);
  }
}

function refusal(message: string, cause?: unknown): PerchError {
  return new PerchError("bad_input", message, { cause });
}
