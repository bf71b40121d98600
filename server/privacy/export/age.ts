/**
 * Files with a passphrase, in the age format (age-encryption.org/v1): any age program opens them. The passphrase is
 * stretched by Node's scrypt, which works beside the server's own thread, one at a time: each takes 128 MB.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { Decrypter, Encrypter, type Identity, type Recipient, Stanza } from "age-encryption";
import { PerchError } from "../../errors.ts";

/** log2 of scrypt's work factor: OWASP's advice for passwords. */
const WORK = 17;
/** Of files from elsewhere: age's own default is 18. */
const MOST_WORK = 18;
const SALT_LABEL = "age-encryption.org/v1/scrypt";
const FILE_KEY_BYTES = 16;

export interface Age {
  withPassphrase(content: ReadableStream<Uint8Array>, passphrase: string): Promise<ReadableStream<Uint8Array>>;
  /** @throws PerchError `bad_input` for another passphrase, or a file that is damaged or was made for something else */
  openPassphrase(bytes: Uint8Array, passphrase: string): Promise<Uint8Array>;
}

export function createAge(): Age {
  let turn: Promise<unknown> = Promise.resolve();
  const stretch: Stretch = (passphrase, salt, work) => {
    const mine = turn.then(() => stretched(passphrase, salt, work));
    turn = mine.catch(() => {});
    return mine;
  };
  return {
    async withPassphrase(content, passphrase) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipientOf(passphrase, stretch));
      return encrypter.encrypt(content);
    },
    async openPassphrase(bytes, passphrase) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identityOf(passphrase, stretch));
      try {
        return await decrypter.decrypt(bytes);
      } catch (cause) {
        if (cause instanceof PerchError) throw cause;
        throw new PerchError("bad_input", "This file does not open with this passphrase, or it is damaged.", { cause });
      }
    },
  };
}

type Stretch = (passphrase: string, salt: Uint8Array, work: number) => Promise<Buffer>;

function stretched(passphrase: string, salt: Uint8Array, work: number): Promise<Buffer> {
  const options = { N: 2 ** work, r: 8, p: 1, maxmem: 2 ** (work + 10) + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(SALT_LABEL), salt]), 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function recipientOf(passphrase: string, stretch: Stretch): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const cipher = createCipheriv("chacha20-poly1305", await stretch(passphrase, salt, WORK), Buffer.alloc(12), {
        authTagLength: 16,
      });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(["scrypt", salt.toString("base64").replace(/=+$/, ""), String(WORK)], body)];
    },
  };
}

/** True for bytes that begin as an age file does. */
export function isAge(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 21)).toString("latin1") === "age-encryption.org/v1";
}

function identityOf(passphrase: string, stretch: Stretch): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const [stanza] = stanzas;
      const [kind, salt = "", work = ""] = stanza?.args ?? [];
      if (stanza === undefined || kind !== "scrypt" || stanzas.length !== 1 || !/^[1-9]\d?$/.test(work)) return null;
      if (Number(work) > MOST_WORK) {
        throw new PerchError(
          "bad_input",
          `This file asks for too much work to open. Make it with at most ${MOST_WORK}.`,
        );
      }
      const { body } = stanza;
      const key = await stretch(passphrase, Buffer.from(salt, "base64"), Number(work));
      if (body.length !== FILE_KEY_BYTES + 16) return null;
      try {
        const decipher = createDecipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
        decipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
        return new Uint8Array(Buffer.concat([decipher.update(body.subarray(0, FILE_KEY_BYTES)), decipher.final()]));
      } catch {
        return null;
      }
    },
  };
}
