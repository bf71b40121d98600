/** Second factors and passkeys: an app's codes (RFC 6238), backup codes, WebAuthn credentials. */
import type { BackupCodes, TotpEnrolment } from "../../shared/accounts.ts";
import type { PasskeyId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Actor } from "../teams/team-scope.ts";

export interface Factors {
  /** A new secret, asked for at sign-in only once `confirmTotp` saw a code of it. Throws `conflict` when one is in use. */
  beginTotp(actor: Actor): Promise<TotpEnrolment>;
  /** Gives the first backup codes. */
  confirmTotp(actor: Actor, code: string): Promise<BackupCodes>;
  removeTotp(actor: Actor): Promise<void>;
  /** Earlier codes stop working. */
  newBackupCodes(actor: Actor): Promise<BackupCodes>;
  renamePasskey(actor: Actor, id: PasskeyId, name: string): Promise<void>;
  removePasskey(actor: Actor, id: PasskeyId): Promise<void>;
}

export function createFactors(): Factors {
  return {
    beginTotp: later,
    confirmTotp: later,
    removeTotp: later,
    newBackupCodes: later,
    renamePasskey: later,
    removePasskey: later,
  };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
