/** Who wants to know what goes on on phones' screens. Called in passing: nothing here may hold anything up. */
import type { PhoneId } from "../../shared/ids.ts";
import type { ConnectionMessage, ViewerMessage } from "../../shared/screen-protocol.ts";
import type { TicketGrant } from "./tickets.ts";

export interface ScreenTap {
  /** A picture of this number was given to the viewers. */
  frame(phoneId: PhoneId, seq: number): void;
  /** The controller's message, right before the phone gets it. What it returns is called when the phone took it. */
  input(
    phoneId: PhoneId,
    grant: TicketGrant,
    message: Exclude<ViewerMessage, ConnectionMessage | { type: "control" }>,
  ): (() => void) | undefined;
}
