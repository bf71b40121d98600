/** Certificates for loopback TLS servers, made on the spot (RFC 5280), so that no key stands in the repository. */
import { createSign, generateKeyPairSync } from "node:crypto";

const der = (tag: number, ...parts: readonly (Buffer | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const text = (tag: number, value: string) => der(tag, Buffer.from(value));
const COMMON_NAME = der(0x06, [0x55, 0x04, 0x03]);
const SUBJECT_ALT_NAME = der(0x06, [0x55, 0x1d, 0x11]);
const ECDSA_SHA256 = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));

/** A certificate for a DNS name, signed by itself, good from 2020 to 2049 (or when told, as UTCTime); PEM. */
export function selfSigned(name: string, from = "200101000000Z", to = "491231235959Z"): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const owner = sequence(der(0x31, sequence(COMMON_NAME, text(0x0c, name))));
  const names = sequence(SUBJECT_ALT_NAME, der(0x04, sequence(text(0x82, name))));
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1]),
    ECDSA_SHA256,
    owner,
    sequence(text(0x17, from), text(0x17, to)),
    owner,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(names)),
  );
  const signature = createSign("SHA256").update(body).sign(privateKey);
  const whole = sequence(body, ECDSA_SHA256, der(0x03, [0], signature));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}
