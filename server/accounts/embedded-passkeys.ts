/**
 * Passkeys of the embedded identity provider (WebAuthn Level 3). A challenge is a single-use token of ours: its hash is
 * stored, so whoever reads the database cannot answer one that is open.
 */
import { isIP } from "node:net";
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { UserId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import type { Passkeys } from "./identity-factors.ts";
import type { OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PasskeysRepo } from "./passkeys.repo.ts";

const CHALLENGE_MS = 5 * 60_000;
const MOST_PASSKEYS = 20;
/** EdDSA, ES256, RS256: what authenticators in use can do. */
const ALGORITHMS = [-8, -7, -257];

/** Browsers take a name and no address of numbers for a passkey's home, "localhost" included. */
export function passkeysWork(publicUrl: URL): boolean {
  return isIP(publicUrl.hostname.replace(/^\[|\]$/g, "")) === 0;
}

export function createEmbeddedPasskeys(options: {
  db: Database;
  repo: PasskeysRepo;
  tokens: OneTimeTokensRepo;
  publicUrl: URL;
}): Passkeys {
  const { db, repo, tokens } = options;
  const rpID = options.publicUrl.hostname;
  const expectedOrigin = options.publicUrl.origin;

  return {
    mostPerPerson: MOST_PASSKEYS,
    async registrationOptions(userId, { email, name }) {
      return async (tx) => {
        const challenge = await tokens.issue(tx, "passkey", CHALLENGE_MS, { userId, data: { for: "register" } });
        const known = await repo.list(tx, userId);
        return generateRegistrationOptions({
          rpName: "Perch",
          rpID,
          userID: Uint8Array.from(Buffer.from(userId)),
          userName: email,
          userDisplayName: name,
          challenge: bytesOf(challenge),
          timeout: CHALLENGE_MS,
          attestationType: "none",
          excludeCredentials: known.map(({ credentialId, transports }) => ({
            id: credentialId,
            transports: [...transports],
          })),
          authenticatorSelection: { residentKey: "required", userVerification: "required" },
          supportedAlgorithmIDs: ALGORITHMS,
        });
      };
    },
    async register(userId, response, name) {
      let challenge = "";
      const verified = await verifyRegistrationResponse({
        response,
        expectedChallenge: (given) => {
          challenge = given;
          return true;
        },
        expectedOrigin,
        expectedRPID: rpID,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch(() => undefined);
      return async (tx) => {
        const asked = await tokens.take(tx, "passkey", challenge);
        if (asked?.userId !== userId || asked.data?.["for"] !== "register" || !verified?.verified) return "refused";
        const { credential, credentialBackedUp } = verified.registrationInfo;
        if ((await repo.findByCredential(tx, credential.id)) !== undefined) return "known";
        if ((await repo.list(tx, userId)).length >= MOST_PASSKEYS) return "too_many";
        const id = await repo.insert(tx, {
          userId,
          credentialId: credential.id,
          publicKey: credential.publicKey,
          counter: credential.counter,
          transports: credential.transports ?? [],
          backedUp: credentialBackedUp,
          name,
        });
        return { id };
      };
    },
    async authenticationOptions(what) {
      return async (tx) => {
        const challenge = await tokens.issue(tx, "passkey", CHALLENGE_MS, { data: { for: what } });
        return generateAuthenticationOptions({
          rpID,
          challenge: bytesOf(challenge),
          timeout: CHALLENGE_MS,
          userVerification: "required",
        });
      };
    },
    async authenticate(what, response) {
      const known = await repo.findByCredential(db.read, response.id);
      let challenge = "";
      const verified =
        known && response.response.userHandle === handleOf(known.userId)
          ? await verifyAuthenticationResponse({
              response,
              expectedChallenge: (given) => {
                challenge = given;
                return true;
              },
              expectedOrigin,
              expectedRPID: rpID,
              requireUserVerification: true,
              credential: {
                id: response.id,
                publicKey: Uint8Array.from(known.publicKey),
                counter: known.counter,
              },
            }).catch(() => undefined)
          : undefined;
      return async (tx) => {
        const asked = await tokens.take(tx, "passkey", challenge);
        if (asked?.data?.["for"] !== what || known === undefined || verified?.verified !== true) return undefined;
        const { newCounter, credentialBackedUp } = verified.authenticationInfo;
        const counts = await repo.used(tx, response.id, newCounter, credentialBackedUp);
        return counts ? { subject: known.userId, userId: known.userId } : undefined;
      };
    },
    async rename(userId, id, name) {
      return (tx) => repo.rename(tx, userId, id, name);
    },
    async remove(userId, id) {
      return (tx) => repo.remove(tx, userId, id);
    },
  };
}

/** The token is base64url of the challenge, so a browser's answer names it as it was issued. */
function bytesOf(challenge: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(challenge, "base64url"));
}

function handleOf(userId: UserId): string {
  return Buffer.from(userId).toString("base64url");
}
