/**
 * Receipts of what was asked, done and erased: JSON in canonical form (RFC 8785), signed with Ed25519 (RFC 8032). Whoever
 * has one can check it without us, with the public key at `/trust/key`.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import type { SignedReceipt } from "../../shared/privacy.ts";

export const RECEIPT_KEY_PATH = "/trust/key";

/** What `/trust/key` answers. */
export interface ReceiptKey {
  /** The key's JWK thumbprint (RFC 7638, RFC 8037). */
  readonly keyId: string;
  readonly algorithm: "Ed25519";
  /** 32 bytes as base64url. */
  readonly publicKey: string;
  readonly pem: string;
}

export interface Receipts {
  readonly key: ReceiptKey;
  /** Signs what JSON keeps of the statement; throws for what JSON cannot say, like NaN or half a surrogate pair. */
  sign(statement: Readonly<Record<string, unknown>>): SignedReceipt;
  /** Whether it was signed here and is unchanged. */
  verify(receipt: SignedReceipt): boolean;
}

/** A receipt as it comes from outside: a file, a form. */
export const signedReceipt = z.strictObject({
  statement: z.record(z.string(), z.unknown()),
  signature: z.string().max(100),
  keyId: z.string().max(100),
});

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
/** SubjectPublicKeyInfo of one up to its 32 bytes. */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** `seed`: the 32 secret bytes of the key, derived from the master key. */
export function createReceipts(seed: Buffer): Receipts {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
  const open = createPublicKey(secret);
  const raw = open.export({ format: "der", type: "spki" }).subarray(SPKI_HEAD.length);
  const key: ReceiptKey = {
    keyId: thumbprint(raw),
    algorithm: "Ed25519",
    publicKey: raw.toString("base64url"),
    pem: open.export({ format: "pem", type: "spki" }).toString(),
  };
  return {
    key,
    sign(statement) {
      const text = canonicalJson(statement);
      const signature = sign(null, Buffer.from(text), secret).toString("base64url");
      return { statement: JSON.parse(text), signature, keyId: key.keyId };
    },
    verify: (receipt) => isSignedWith(open, key.keyId, receipt),
  };
}

/** Checks a receipt against a published key, knowing nothing else. */
export function verifyReceipt(receipt: SignedReceipt, publicKey: string): boolean {
  const raw = Buffer.from(publicKey, "base64url");
  if (raw.length !== 32) return false;
  const open = createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: "der", type: "spki" });
  return isSignedWith(open, thumbprint(raw), receipt);
}

function isSignedWith(open: KeyObject, keyId: string, receipt: SignedReceipt): boolean {
  if (receipt.keyId !== keyId) return false;
  const signature = Buffer.from(receipt.signature, "base64url");
  // One signature has one text: what decodes to the same bytes is not the same receipt.
  if (signature.length !== 64 || signature.toString("base64url") !== receipt.signature) return false;
  let text: string;
  try {
    text = canonicalJson(receipt.statement);
  } catch {
    return false;
  }
  return verify(null, Buffer.from(text), open, signature);
}

function canonicalJson(statement: Readonly<Record<string, unknown>>): string {
  const text = canonicalize(statement);
  if (text === undefined) throw new Error("A receipt has to say something.");
  return text;
}

function thumbprint(raw: Buffer): string {
  const jwk = canonicalJson({ crv: "Ed25519", kty: "OKP", x: raw.toString("base64url") });
  return createHash("sha256").update(jwk).digest("base64url");
}
