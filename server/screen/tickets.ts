/** The single-use tickets that open a screen socket, as the screen needs them stored. */
import type { CredentialId, PhoneId, TeamId, UserId } from "../../shared/ids.ts";
import type { ScreenMode } from "../../shared/screen-protocol.ts";

export interface TicketRow {
  /** The session or API token that asked; ending it closes the socket. */
  readonly credentialId: CredentialId;
  readonly userId: UserId;
  readonly teamId: TeamId;
  readonly phoneId: PhoneId;
  readonly mode: ScreenMode;
  /** Whether the credential belongs to a browser, which always sends an `Origin`. */
  readonly browser: boolean;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** What a ticket allowed, once. */
export interface TicketGrant extends Omit<TicketRow, "expiresAt"> {
  /** The person's name as other viewers see it. */
  readonly name: string;
  /** Whether the person's role lets them take control from another. */
  readonly mayTake: boolean;
}

export interface TicketStore {
  /** Stores a ticket and returns its secret, which is kept nowhere. */
  issue(row: TicketRow): Promise<string>;
  /** Which phone a ticket is for, without redeeming it; undefined when it is unknown. */
  phoneOf(ticket: string): Promise<PhoneId | undefined>;
  /**
   * Redeems a ticket: at most one caller ever gets the grant, none after `expiresAt`, none when the session or
   * token that asked has ended since, or the person's role in the team no longer allows it.
   */
  consume(ticket: string): Promise<TicketGrant | undefined>;
}
