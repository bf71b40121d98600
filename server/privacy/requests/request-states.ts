/** Where a request can go: the states and reasons of the Data Rights Protocol 1.0, §3.03. */
import type { RequestReason, RequestState } from "../../../shared/privacy.ts";
import { PerchError } from "../../errors.ts";

export type DenialReason = Exclude<RequestReason, "need_user_verification">;

export type RequestStatus =
  | { readonly state: Exclude<RequestState, "denied">; readonly reason?: undefined }
  | { readonly state: "in_progress"; readonly reason: "need_user_verification" }
  | { readonly state: "denied"; readonly reason: DenialReason };

export type RequestEvent =
  | { readonly type: "begin" | "ask_who" | "verify" | "fulfil" | "revoke" | "expire" }
  | { readonly type: "deny"; readonly reason: DenialReason };

/** A state together with whether it waits for proof. */
export type Place = RequestState | "unverified";

/** What is missing here cannot happen. Without proof nothing is ever done; with it, nothing expires. */
export const TRANSITIONS = {
  open: { begin: "in_progress", ask_who: "unverified", fulfil: "fulfilled", deny: "denied", revoke: "revoked" },
  unverified: { verify: "in_progress", deny: "denied", revoke: "revoked", expire: "expired" },
  in_progress: { fulfil: "fulfilled", deny: "denied", revoke: "revoked" },
  fulfilled: {},
  denied: {},
  revoked: {},
  expired: {},
} as const satisfies Record<Place, Partial<Record<RequestEvent["type"], Place>>>;

export function placeOf({ state, reason }: Pick<RequestStatus, "state" | "reason">): Place {
  return reason === "need_user_verification" ? "unverified" : state;
}

export function isOver({ state }: { readonly state: RequestState }): boolean {
  return Object.keys(TRANSITIONS[state]).length === 0;
}

/** @throws PerchError `conflict` for what cannot happen */
export function after(status: RequestStatus, event: RequestEvent): RequestStatus {
  const from: Partial<Record<RequestEvent["type"], Place>> = TRANSITIONS[placeOf(status)];
  const to = from[event.type];
  if (to === undefined) throw new PerchError("conflict", WHY_NOT[placeOf(status)]);
  if (to === "unverified") return { state: "in_progress", reason: "need_user_verification" };
  if (to !== "denied") return { state: to };
  if (event.type !== "deny") throw new Error("Only a denial leads to a denial.");
  return { state: "denied", reason: event.reason };
}

const WHY_NOT = {
  open: "This request is open. Confirm first that it is theirs, or answer it.",
  unverified: "Nobody has confirmed yet that this request is theirs, so nothing may be done for it.",
  in_progress: "This request is confirmed and being worked on. Answer it, deny it or close it.",
  fulfilled: "This request is answered already.",
  denied: "This request was denied already.",
  revoked: "This request was taken back already.",
  expired: "Nobody confirmed this request in time. Enter it anew.",
} as const satisfies Record<Place, string>;
