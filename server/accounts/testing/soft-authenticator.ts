/** An authenticator in memory for tests: makes ES256 passkeys and answers as browsers do (WebAuthn Level 3 §6, §7). */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface SoftAnswer {
  readonly origin?: string;
  /** Whether the authenticator made sure who holds it. */
  readonly verified?: boolean;
  /** The signature counter; 0 for one that does not count. */
  readonly counter?: number;
}

export class SoftAuthenticator {
  readonly credentialId = randomBytes(16);
  readonly #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly #origin: string;
  #userHandle = "";

  constructor(origin: string) {
    this.#origin = origin;
    this.#keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  /** Answers `navigator.credentials.create`; gives the JSON a page would send. */
  create(options: { challenge: string; user: { id: string } }, answer: SoftAnswer = {}): string {
    this.#userHandle = options.user.id;
    const { x = "", y = "" } = this.#keys.publicKey.export({ format: "jwk" });
    // COSE key: kty EC2, alg ES256, crv P-256, x, y.
    const key = Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      cborBytes(Buffer.from(x, "base64url")),
      Buffer.from([0x22]),
      cborBytes(Buffer.from(y, "base64url")),
    ]);
    const length = Buffer.from([0, this.credentialId.length]);
    const attested = Buffer.concat([Buffer.alloc(16), length, this.credentialId, key]);
    const data = Buffer.concat([this.#data(answer, 0x40), attested]);
    const attestation = Buffer.concat([
      Buffer.from([0xa3]),
      ...[cborText("fmt"), cborText("none"), cborText("attStmt"), Buffer.from([0xa0])],
      ...[cborText("authData"), cborBytes(data)],
    ]);
    return this.#json({
      clientDataJSON: this.#clientData("webauthn.create", options.challenge, answer),
      attestationObject: attestation.toString("base64url"),
      transports: ["internal"],
    });
  }

  /** Answers `navigator.credentials.get`; gives the JSON a page would send. */
  get(options: { challenge: string }, answer: SoftAnswer = {}): string {
    const client = this.#clientData("webauthn.get", options.challenge, answer);
    const data = this.#data(answer, 0);
    const hash = createHash("sha256").update(Buffer.from(client, "base64url")).digest();
    return this.#json({
      clientDataJSON: client,
      authenticatorData: data.toString("base64url"),
      signature: sign("sha256", Buffer.concat([data, hash]), this.#keys.privateKey).toString("base64url"),
      userHandle: this.#userHandle,
    });
  }

  /** Relying party, flags (present, perhaps verified, what else), counter. */
  #data({ verified = true, counter = 0 }: SoftAnswer, flags: number): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags | 0x01 | (verified ? 0x04 : 0));
    head.writeUInt32BE(counter, 1);
    return Buffer.concat([createHash("sha256").update(new URL(this.#origin).hostname).digest(), head]);
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: SoftAnswer): string {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString("base64url");
  }

  #json(response: object): string {
    const id = this.credentialId.toString("base64url");
    return JSON.stringify({ id, rawId: id, type: "public-key", clientExtensionResults: {}, response });
  }
}

/** CBOR (RFC 8949) byte string of at most 65,535 bytes. */
function cborBytes(bytes: Buffer): Buffer {
  const head =
    bytes.length < 24
      ? [0x40 | bytes.length]
      : bytes.length < 256
        ? [0x58, bytes.length]
        : [0x59, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** CBOR text of at most 23 bytes. */
function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 | text.length]), Buffer.from(text)]);
}
