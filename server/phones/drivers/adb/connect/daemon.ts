/** ADB spoken to a device itself, over any stream of bytes, with the product's own key. */
import { constants, createPrivateKey, privateEncrypt } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  Adb,
  type AdbAuthenticator,
  AdbAuthType,
  AdbCommand,
  AdbDaemonTransport,
  AdbPublicKeyAuthenticator,
} from "@yume-chan/adb";
import { PerchError } from "../../../../errors.ts";
import { within } from "./bounded.ts";
import { byteStreams } from "./byte-streams.ts";
import type { AdbKeys } from "./keys.ts";
import { packetConnection } from "./packets.ts";
import { BoundedTransport, CLIENT_FEATURES } from "./transport.ts";
import { AdbUnavailable } from "./unavailable.ts";

const HANDSHAKE_MS = 10_000;
/** What a device gives to be signed (`TOKEN_SIZE`); anything else is not signed with our key. */
const TOKEN_BYTES = 20;
/** DER of DigestInfo with SHA-1, RFC 8017 §9.2 note 1: `RSA_sign(NID_sha1, …)` in adb's auth.cpp. */
const SHA1_INFO = Buffer.from("3021300906052b0e03021a05000414", "hex");

/** `duplex` is closed with the connection, and when there is none. */
export async function openDaemon(
  duplex: Duplex,
  options: { readonly words: string; readonly keys: AdbKeys; readonly signal: AbortSignal },
): Promise<Adb> {
  const { words, keys, signal } = options;
  let asked = false;
  const signed: AdbAuthenticator = async function* (store, next) {
    for await (const key of store.iterateKeys()) {
      const { arg0, payload } = await next();
      if (arg0 !== AdbAuthType.Token || payload.byteLength !== TOKEN_BYTES) return;
      const der = createPrivateKey({ key: Buffer.from(key.buffer), format: "der", type: "pkcs8" });
      const signature = privateEncrypt(
        { key: der, padding: constants.RSA_PKCS1_PADDING },
        Buffer.concat([SHA1_INFO, payload]),
      );
      yield { command: AdbCommand.Auth, arg0: AdbAuthType.Signature, arg1: 0, payload: signature };
    }
  };
  const introduced: AdbAuthenticator = async function* (store, next) {
    asked = true;
    yield* AdbPublicKeyAuthenticator(store, next);
  };
  try {
    const transport = await within(
      HANDSHAKE_MS,
      words,
      AdbDaemonTransport.authenticate({
        serial: words,
        connection: packetConnection(byteStreams(duplex)),
        credentialStore: keys.store,
        authenticators: [signed, introduced],
        features: CLIENT_FEATURES,
        // With more than one packet on its way the library loses what waits when the device closes the socket behind it, and
        // breaks the connection over it (2.6.4, `AdbDaemonSocketController.dispose`).
        initialDelayedAckBytes: 0,
      }),
      signal,
    );
    return new Adb(new BoundedTransport(transport, words, () => duplex.destroy()));
  } catch (error) {
    duplex.destroy();
    if (signal.aborted) throw signal.reason;
    if (asked) throw unauthorized(words);
    if (error instanceof PerchError) throw error;
    throw new AdbUnavailable("device_gone", `${words} closed the connection before ADB was spoken.`, { cause: error });
  }
}

export function unauthorized(words: string): AdbUnavailable {
  return new AdbUnavailable(
    "device_unauthorized",
    `${words} does not trust this server yet. Allow USB debugging on its screen, and tick “Always allow from this computer”.`,
  );
}
