/** Phone time that could not be brought into the ledger as a phone stopped: the phone stops all the same, the heartbeat tries again. */
export class NotSettled extends Error {
  override readonly name = "NotSettled";
  constructor(cause: unknown) {
    super("Phone time was not settled.", { cause });
  }
}
