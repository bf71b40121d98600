/** What can be switched to go wrong at the emulated partner, one thing at a time or several. */
export interface Faults {
  /** Creations find no phone in stock (44006). */
  inventory: boolean;
  /** Starts find no free device (47002). */
  noDevices: boolean;
  /** So many starts are told to try again (43020). */
  startsBusy: number;
  /** So many stops are refused while somebody else is at the phone (43006). */
  stopsBusy: number;
  /** Every second phone of a call fails with a fault (40006). */
  partial: boolean;
  /** A call of which everything failed says 40009 rather than 0; which it is, the pages do not tell. */
  wholeFailures: boolean;
  /** So many calls are answered with HTTP 500. */
  broken: number;
  /** Every answer waits this long, in milliseconds. */
  slowMs: number;
  /** Calls of this path are done, and their connection ends without an answer; so many. */
  cutOff: { path: string; times: number } | undefined;
  /** Nobody answers. */
  isDown: boolean;
  /** Deletions say they worked and did nothing. */
  keepsDeleted: boolean;
  /** Every phone's status is told as this. */
  status: number | undefined;
  /** Answers that are no JSON, or not of the right form. */
  answer: string | undefined;
  webhooks: "once" | "twice" | "lost";
}

export function noFaults(): Faults {
  return {
    ...{ inventory: false, noDevices: false, startsBusy: 0, stopsBusy: 0, partial: false, wholeFailures: true },
    ...{ broken: 0, slowMs: 0, cutOff: undefined, isDown: false, keepsDeleted: false, status: undefined },
    ...{ answer: undefined, webhooks: "once" },
  };
}
