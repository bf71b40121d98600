/**
 * Who may use the device: AOSP packages/modules/adb/daemon/auth.cpp and libcrypto_utils/android_pubkey.cpp. The host signs
 * a token of 20 bytes as if it were a SHA-1 digest; its public key comes in Android's own form.
 */
import { constants, createPublicKey, type KeyObject, publicDecrypt, randomBytes } from "node:crypto";

export const TOKEN = 1;
export const SIGNATURE = 2;
export const PUBLIC_KEY = 3;

const MODULUS_BYTES = 256;
/** DigestInfo of SHA-1 in front of the digest (RFC 8017 §9.2, note 1). */
const SHA1_PREFIX = Buffer.from("3021300906052b0e03021a05000414", "hex");

export const newToken = (): Buffer => randomBytes(20);

/** @throws Error when it is no key in Android's form */
export function parseAndroidKey(text: string): KeyObject {
  const struct = Buffer.from(text.split(" ")[0] ?? "", "base64");
  if (struct.length !== 4 + 4 + MODULUS_BYTES + MODULUS_BYTES + 4 || struct.readUInt32LE(0) !== MODULUS_BYTES / 4)
    throw new Error("no public key of ADB");
  const modulus = Buffer.from(struct.subarray(8, 8 + MODULUS_BYTES)).reverse();
  const exponent = Buffer.alloc(4);
  exponent.writeUInt32BE(struct.readUInt32LE(8 + 2 * MODULUS_BYTES));
  return createPublicKey({
    format: "jwk",
    key: { kty: "RSA", n: modulus.toString("base64url"), e: exponent.toString("base64url") },
  });
}

export function signed(key: KeyObject, token: Buffer, signature: Buffer): boolean {
  try {
    const digest = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return digest.equals(Buffer.concat([SHA1_PREFIX, token]));
  } catch {
    return false;
  }
}
