/**
 * The part of the identity port about second factors and passkeys. As in `identity-provider.ts` a method does its slow
 * part at once and returns a `Step` for our transaction.
 */
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import type { PasskeyView, SignInMethod } from "../../shared/accounts.ts";
import type { PasskeyId, UserId } from "../../shared/ids.ts";
import type { Step } from "./identity-provider.ts";

/** What a provider needs back to check a second answer after a right password; kept beside the continuation. */
export type SecondStep = Readonly<Record<string, string>>;

export interface FactorList {
  readonly totp: { readonly since: Date } | null;
  readonly backupCodesLeft: number;
  readonly passkeys: readonly PasskeyView[];
}

export interface SecondFactors {
  list(userId: UserId): Promise<FactorList>;
  /** A new secret (base32) that counts only once confirmed; the step gives false when an app is in use. */
  beginTotp(userId: UserId): Promise<{ readonly secret: string; readonly step: Step<boolean> }>;
  /** Backup codes to be shown once (none where the provider has none), or `undefined` for a wrong code. */
  confirmTotp(userId: UserId, code: string): Promise<Step<readonly string[] | undefined>>;
  /** With its backup codes; false when there was none. */
  removeTotp(userId: UserId): Promise<Step<boolean>>;
  /** Earlier ones stop working; `undefined` when no app is in use. */
  newBackupCodes(userId: UserId): Promise<Step<readonly string[] | undefined>>;
  /** The app, its backup codes and the passkeys; with `since` only what was added at that time or later. */
  removeAll(userId: UserId, since?: Date): Promise<Step<void>>;
  /**
   * Checks a code of the app or a backup code and uses it up: of many callers with one code exactly one gets in.
   * `undefined`: wrong, used before, or nothing to check it against.
   */
  verify(userId: UserId, answer: string, second: SecondStep): Promise<Step<SignInMethod | undefined>>;
}

/** What a challenge was made for; an answer counts for nothing else. */
export type ChallengeFor = "sign_in" | "prove";

export interface Passkeys {
  readonly mostPerPerson: number;
  registrationOptions(
    userId: UserId,
    shown: { readonly email: string; readonly name: string },
  ): Promise<Step<PublicKeyCredentialCreationOptionsJSON>>;
  /** Checks origin, challenge (once, within its time) and that the person was verified. */
  register(
    userId: UserId,
    response: RegistrationResponseJSON,
    name: string,
  ): Promise<Step<{ readonly id: PasskeyId } | "refused" | "known" | "too_many">>;
  /** For discoverable credentials: no address is asked, and nothing tells who has one. */
  authenticationOptions(what: ChallengeFor): Promise<Step<PublicKeyCredentialRequestOptionsJSON>>;
  /** Checks origin, challenge, signature, counter and that the person was verified. */
  authenticate(
    what: ChallengeFor,
    response: AuthenticationResponseJSON,
  ): Promise<Step<{ readonly subject: string; readonly userId: UserId } | undefined>>;
  /** Gives the name it had, `undefined` when the person has no such passkey. */
  rename(userId: UserId, id: PasskeyId, name: string): Promise<Step<string | undefined>>;
  remove(userId: UserId, id: PasskeyId): Promise<Step<string | undefined>>;
}
