/**
 * What may speak for abuse, how much each counts, and from where on something is done. All of it is in this one table,
 * and every word a person is told about a decision is made from it.
 *
 * Left out on purpose: anything about where a person is, which language they speak or which time zone they live in.
 * Those change with a journey, a VPN or daylight saving, and would single people out by origin.
 */
import type { DecisionAction, DecisionKind } from "../../shared/accounts.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Points of a hundred, and the sentence the person reads. */
export const SIGNALS = {
  disposable_address: { weight: 40, words: "The e-mail address is one of a service for throw-away addresses." },
  mailbox_seen: { weight: 30, words: "Another account was made with the same mailbox within a week." },
  mailbox_seen_often: { weight: 45, words: "Several accounts were made with the same mailbox within a week." },
  network_busy: { weight: 15, words: "Many accounts were made from the same network within a day." },
  network_flooded: { weight: 25, words: "Very many accounts were made from the same network within a day." },
  device_often: {
    weight: 10,
    words: "Many accounts were made with the same kind of browser in the same part of the network within a day.",
  },
  language_missing: { weight: 10, words: "The browser named no language, which browsers do." },
  form_skipped: { weight: 25, words: "The sign-up form was sent without having been opened." },
  form_too_fast: { weight: 20, words: "The sign-up form was sent faster than a person can fill it in." },
  launches_many: { weight: 40, words: "An account of a few days launched more than a dozen phones within an hour." },
  launches_flood: { weight: 60, words: "An account of a few days launched more than forty phones within an hour." },
  sign_up_doubtful: { weight: 30, words: "There were doubts when the account was made." },
  cards_declined: { weight: 40, words: "Several payment cards were declined." },
  unpaid_use: { weight: 30, words: "Phones ran for many hours before anything was paid." },
} as const satisfies Record<string, { weight: number; words: string }>;
export type Signal = keyof typeof SIGNALS;
/** The ones that are seen when the sign-up form comes; the others when the account is made. */
export type FormSignal = Extract<Signal, "language_missing" | "form_skipped" | "form_too_fast">;

/**
 * From which score on what is done. What one network does to its people (30 in an office, a carrier's or VPN's shared
 * address: flooded, same browsers) adds up to 35 and asks nothing; with a throw-away address to 75: a proof, never a hold.
 */
export const ACTION_FROM = { verify_first: 40, hold: 80 } as const satisfies Record<
  Exclude<DecisionAction, "allow" | "suspend">,
  number
>;

/** From how many on a count becomes a signal; the thing itself is counted too. */
export const COUNTS_FROM = {
  /** Accounts of one mailbox in a week: the second, and from the third on. */
  mailbox_seen: 2,
  mailbox_seen_often: 3,
  /** Accounts from one IPv4 address or /64 in a day. */
  network_busy: 10,
  network_flooded: 30,
  /** Accounts with one browser family and system from one /24 or /48 in a day. */
  device_often: 20,
  /** Launches of one new account in an hour. */
  launches_many: 13,
  launches_flood: 41,
  cards_declined: 3,
} as const satisfies Partial<Record<Signal, number>>;

/** Nobody types a name, an address and a long password in less; password managers take about that. */
export const FASTEST_FORM_MS = 2_000;
/** A form that waited longer than this counts as never opened: its stamp could be an old one, used again. */
export const OLDEST_FORM_MS = DAY_MS;
export const UNPAID_USE_FROM_MS = 10 * HOUR_MS;
/**
 * A server with fewer accounts is somebody's own: a family, a team, a first try. Nobody is held there.
 * A farm gets this many accounts before the rules begin, which the limits per team bound all the same.
 */
export const SMALL_SERVER_ACCOUNTS = 10;

/** How long things are remembered, in `buckets` of `bucketMs`: a count forgets with its oldest bucket. */
export const WINDOWS = {
  mailbox: { bucketMs: DAY_MS, buckets: 7 },
  network: { bucketMs: HOUR_MS, buckets: 24 },
  device: { bucketMs: HOUR_MS, buckets: 24 },
  launches: { bucketMs: 10 * MINUTE_MS, buckets: 6 },
  /** Accounts that signed up themselves are new for three days; those of a set-up link or an operator never are. */
  newcomer: { bucketMs: DAY_MS, buckets: 3 },
  /** Unusual use that was told today. */
  unusual_use: { bucketMs: HOUR_MS, buckets: 24 },
  /** Payments of the person's teams that a bank refused. */
  cards_declined: { bucketMs: DAY_MS, buckets: 7 },
} as const satisfies Record<string, { bucketMs: number; buckets: number }>;
export type Sighting = keyof typeof WINDOWS;

export const KIND_WORDS = {
  sign_up: "Your sign-up looks like those of programs that make many accounts.",
  launch: "The launches of your account look like those of a program that makes use of free phones.",
  operator: "An operator of this server suspended your account or a team you are in.",
} as const satisfies Record<DecisionKind, string>;

/** The sentence of a stored signal; one of an earlier version has none of its own any more. */
export function reasonOf(signal: string): string {
  return Object.hasOwn(SIGNALS, signal) ? SIGNALS[signal as Signal].words : "A rule that no longer exists.";
}
