/**
 * The port behind which people prove who they are. Perch's own users, teams, sessions and audit are the same rows
 * whatever provider stands here; `identity-provider.contract.ts` is what an adapter has to pass.
 *
 * A method does its slow part (hashing, network) at once and returns a `Step`: what it must write in our transaction.
 * What a provider on another machine was told stays told when the transaction fails; doing it again comes to the same.
 */
import type { UserId } from "../../shared/ids.ts";
import type { FormSignal } from "../abuse/signals.ts";
import type { Writer } from "../db/database.ts";
import type { Address } from "./accounts.repo.ts";
import type { IDENTITY_PROVIDERS } from "./accounts.tables.ts";
import type { Passkeys, SecondFactors, SecondStep } from "./identity-factors.ts";

/** Runs in the caller's transaction, perhaps more than once; it does nothing outside the database. */
export type Step<T> = (tx: Writer) => Promise<T>;

export interface SignUpInput {
  /** Lower-cased, NFC: see `lookupEmail`. */
  readonly email: string;
  /** As the person wrote it. */
  readonly emailShown: string;
  readonly fullName?: string | undefined;
  readonly password: string;
  /** What the sign-up form said of who sent it; comes back when the address is confirmed. */
  readonly form?: readonly FormSignal[] | undefined;
}

export type SignUpOutcome =
  | { readonly result: "confirm" /** Goes into the mail. */; readonly token: string }
  | { readonly result: "exists"; readonly userId: UserId };

/** Of an account that needs no mail: who is asked, and by whom, was settled before. */
export interface NewIdentity {
  readonly email: string;
  readonly password: string;
}

/** A right password. */
export interface PasswordProof {
  readonly subject: string;
  /** The address the provider has confirmed, where it can have become another one there. */
  readonly email?: string;
  /** The password is not enough: hand this to `factors.verify` together with what the person answers. */
  readonly second?: SecondStep;
}

/** What a provider on another machine keeps of people. */
export interface Elsewhere {
  /** Removes it and looks that it is gone; nothing to remove is no fault. Throws otherwise, to be called again. */
  erase(userId: UserId): Promise<void>;
  /** For the person's copy of their data; `undefined` when it holds nothing. */
  copy(userId: UserId): Promise<unknown>;
  /** Throws with what to do where signing in could never work with these settings. One that does not answer is no fault. */
  demandUsable(): Promise<void>;
}

/** A person who proved both the address (token from the mail) and the password chosen at sign-up. */
export interface Confirmed {
  readonly email: string;
  readonly emailShown: string;
  readonly fullName?: string | undefined;
  /** What was noted at sign-up. */
  readonly form?: readonly FormSignal[] | undefined;
  /** Binds the new user to the identity; gives the provider's own name for it. */
  readonly bind: (tx: Writer, userId: UserId) => Promise<string>;
}

export interface IdentityProvider {
  readonly name: (typeof IDENTITY_PROVIDERS)[number];
  /** What this provider cannot do is not offered. */
  readonly capabilities: { readonly backupCodes: boolean; readonly passkeys: boolean };
  readonly factors: SecondFactors;
  readonly passkeys: Passkeys;
  /** Left out where everything is in our own rows. */
  readonly elsewhere?: Elsewhere;
  /** Nothing of an account exists until it is confirmed. Takes as long for an address that has one. */
  signUp(input: SignUpInput): Promise<Step<SignUpOutcome>>;
  /** Whether a link of this kind would still work. Free of side effects: mail scanners follow links. */
  isLinkOpen(kind: "sign_up" | "reset", token: string): Promise<boolean>;
  /**
   * `wrong_password` leaves the link open; the step gives `undefined` when the link is used up. The password is asked
   * again so that nobody can choose one for somebody else's address (pre-hijacking).
   */
  confirmSignUp(token: string, password: string): Promise<Step<Confirmed | undefined> | "wrong_password" | "no_link">;
  /** `undefined` for a wrong one; takes as long when there is no such account. `ip`: of who asks. */
  authenticate(email: string, password: string, ip?: string): Promise<PasswordProof | undefined>;
  /** The step takes as long, and writes as much, when there is no such account. */
  requestReset(email: string): Promise<Step<{ readonly token: string; readonly userId: UserId } | undefined>>;
  /** Whose an open reset link is. */
  resetOwner(token: string): Promise<UserId | undefined>;
  /** Sets the new password once; every other open reset link of the person ends. */
  completeReset(token: string, password: string): Promise<Step<{ readonly userId: UserId } | undefined>>;
  /** `undefined` when there is no password. */
  passwordChangedAt(userId: UserId): Promise<Date | undefined>;
  /** For a person who proved who they are; every open reset link ends. */
  changePassword(userId: UserId, password: string): Promise<Step<void>>;
  /** No password lets the person in until a reset sets one. */
  withdrawPassword(userId: UserId): Promise<Step<void>>;
  /**
   * From now on the person signs in with this address. Every open reset link ends: they went to the earlier one. The
   * step throws a unique violation when a living account has the address.
   */
  changeEmail(userId: UserId, to: Address): Promise<Step<void>>;
  /**
   * For accounts made without mail (first-run set-up, operator, invited people): what confirmed people have, at once.
   * Called only for who may have the account and for an address without one.
   */
  register(person: NewIdentity): Promise<Confirmed["bind"]>;
}

/** How an address is looked up: NFC and lower case, nothing else, so that two people never share one account. */
export function lookupEmail(email: string): string {
  return email.trim().normalize("NFC").toLowerCase();
}
