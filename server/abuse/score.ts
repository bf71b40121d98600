/** From what was seen to what is done: pure functions over the table of signals. */
import type { DecisionAction } from "../../shared/accounts.ts";
import {
  ACTION_FROM,
  COUNTS_FROM,
  type FormSignal,
  SIGNALS,
  type Signal,
  SMALL_SERVER_ACCOUNTS,
  UNPAID_USE_FROM_MS,
} from "./signals.ts";

/** Numbers of accounts include the one that is judged. */
export interface SignUpFacts {
  readonly isDisposable: boolean;
  readonly ofMailbox: number;
  readonly ofNetwork: number;
  readonly ofDevice: number;
  readonly form: readonly FormSignal[];
}

export interface LaunchFacts {
  /** Within the hour, this one included. */
  readonly launches: number;
  readonly isSignUpDoubtful: boolean;
  readonly payment: PaymentFacts | undefined;
}

/** What is known of a person's payments; nothing where the server bills nobody. */
export interface PaymentFacts {
  readonly declinedCards: number;
  readonly hasPaid: boolean;
  /** How long phones of the person ran so far. */
  readonly usedMs: number;
}

export interface Verdict {
  readonly action: Exclude<DecisionAction, "suspend">;
  /** 0 to 100. */
  readonly score: number;
  /** The weightiest first. */
  readonly signals: readonly { readonly signal: Signal; readonly weight: number }[];
}

export function signUpSignals(facts: SignUpFacts): readonly Signal[] {
  return [
    ...when("disposable_address", facts.isDisposable),
    ...step(facts.ofMailbox, "mailbox_seen", "mailbox_seen_often"),
    ...step(facts.ofNetwork, "network_busy", "network_flooded"),
    ...when("device_often", facts.ofDevice >= COUNTS_FROM.device_often),
    ...facts.form,
  ];
}

export function launchSignals({ launches, isSignUpDoubtful, payment }: LaunchFacts): readonly Signal[] {
  return [
    ...step(launches, "launches_many", "launches_flood"),
    ...when("sign_up_doubtful", isSignUpDoubtful),
    ...when("cards_declined", (payment?.declinedCards ?? 0) >= COUNTS_FROM.cards_declined),
    ...when("unpaid_use", payment !== undefined && !payment.hasPaid && payment.usedMs >= UNPAID_USE_FROM_MS),
  ];
}

/** On a server of a few accounts nobody is held. */
export function judge(signals: readonly Signal[], accountsOnServer: number): Verdict {
  const weighed = signals
    .map((signal) => ({ signal, weight: SIGNALS[signal].weight }))
    .sort((a, b) => b.weight - a.weight);
  const score = Math.min(
    100,
    weighed.reduce((sum, { weight }) => sum + weight, 0),
  );
  const mayHold = accountsOnServer > SMALL_SERVER_ACCOUNTS;
  const action =
    score < ACTION_FROM.verify_first ? "allow" : score < ACTION_FROM.hold || !mayHold ? "verify_first" : "hold";
  return { action, score, signals: weighed };
}

function when(signal: Signal, holds: boolean): readonly Signal[] {
  return holds ? [signal] : [];
}

/** Of two signals about one count, the one it reaches. */
function step(
  count: number,
  first: "mailbox_seen" | "network_busy" | "launches_many",
  second: "mailbox_seen_often" | "network_flooded" | "launches_flood",
): readonly Signal[] {
  return count >= COUNTS_FROM[second] ? [second] : when(first, count >= COUNTS_FROM[first]);
}
