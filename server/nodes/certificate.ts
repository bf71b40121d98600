/**
 * The certificate of one boot: a key of its own, signed by itself. Nobody vouches for it; other nodes know it because its
 * fingerprint stands in the register of nodes, which only nodes can write.
 */
import { randomBytes, X509Certificate } from "node:crypto";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface NodeCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** SHA-256 as Node prints it: `AB:CD:…`. */
  readonly fingerprint: string;
}

const DAY_MS = 24 * 3_600_000;
/** Pinned, so its dates decide nothing; wide enough for clocks that disagree. */
const GOOD_FOR_MS = 3_650 * DAY_MS;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export async function makeNodeCertificate(): Promise<NodeCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomBytes(16).toString("hex"),
      name: "CN=Perch node",
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + GOOD_FOR_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ],
    },
    crypto,
  );
  const cert = certificate.toString("pem");
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = key.match(/.{1,64}/g) ?? [];
  return {
    cert,
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
    fingerprint: new X509Certificate(cert).fingerprint256,
  };
}
