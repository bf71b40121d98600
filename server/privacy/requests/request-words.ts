/** Sentences about requests, for mails, pages and answers. */
import type { RequestKind, RequestReason, RequestState } from "../../../shared/privacy.ts";
import type { DenialReason } from "./request-states.ts";

/** After "You asked us" and the like. */
export const ASKED = {
  access: "to show you what we hold about you",
  export: "for a copy of your data",
  rectify: "to correct what we hold about you",
  delete: "to delete your account and your data",
  restrict: "to stop using your data and only keep it",
  object: "to leave your use out of our numbers",
} as const satisfies Record<RequestKind, string>;

/** What a person chooses from. */
export const RIGHT_LABELS = {
  access: "See it",
  rectify: "Correct it",
  export: "Get a copy of it",
  delete: "Delete it, with the account",
  restrict: "Stop using it, only keep it",
  object: "Leave my use out of your numbers",
} as const satisfies Record<RequestKind, string>;

/** What is answered when nothing is left to do. */
export const DONE = {
  access: "What we hold about you is shown under Privacy in the extension.",
  restrict:
    "Your data is only kept from now on: nothing runs for you. You can allow its use again under Privacy at any time.",
  object: "Your use no longer counts in our anonymised numbers. You can join them again under Privacy at any time.",
} as const;

/** Why a request was denied, before what the operator adds. */
export const DENIED = {
  suspected_fraud: "We have reason to believe that this request was not made by you.",
  insufficient_verification: "We could not make sure that this request is yours.",
  no_match: "We hold nothing that leads to this address.",
  claim_not_covered: "The law does not give this right for what you asked.",
  outside_jurisdiction: "The law you named does not apply here.",
  too_many_requests:
    "You made the same request many times in a short while, and nothing changed since our last answer.",
  other: "We could not do what you asked.",
} as const satisfies Record<DenialReason, string>;

/** Art. 12(4) GDPR: who refuses says where one may complain. */
export const MAY_COMPLAIN =
  "If you think this is wrong, answer this mail, complain to the data protection authority where you live or work, or go to court.";

export const STATE_WORDS = {
  open: "Received",
  in_progress: "Being worked on",
  fulfilled: "Done",
  denied: "Denied",
  revoked: "Taken back",
  expired: "Never confirmed",
} as const satisfies Record<RequestState, string>;

export function stateWords({ state, reason }: { state: RequestState; reason: RequestReason | null }): string {
  return reason === "need_user_verification" ? "Waiting for your confirmation" : STATE_WORDS[state];
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

export function dayWords(at: Date): string {
  return DAY.format(at);
}
