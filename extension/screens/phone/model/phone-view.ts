/** What the phone screen shows, derived from the phone as the server lists it and the state of the screen session. */
import { PHONE_REASON_WORDS } from "../../../../shared/phone-words.ts";
import type { Phone, PhoneReason } from "../../../../shared/phones.ts";
import { timeAgo } from "./run-time.ts";
import type { ScreenState } from "./screen-state.ts";

/** One thing over, or instead of, the live picture. `dimmed` keeps the last picture visible underneath. */
export type PhoneView =
  | { readonly kind: "first_use" }
  | { readonly kind: "starting"; readonly title: string; readonly detail: string }
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "parking" }
  | { readonly kind: "parked"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string; readonly canStart: boolean }
  | { readonly kind: "reconnecting"; readonly detail: string }
  /** The server lost sight of it. `since`: ISO 8601, once the list says; `why`: what is known. */
  | { readonly kind: "unreachable"; readonly since: string | undefined; readonly why: string | undefined }
  | { readonly kind: "ended"; readonly title: string; readonly detail: string; readonly action: EndedAction };

/** The one step that helps after an ending. */
export type EndedAction = "start" | "reconnect" | "sign_in" | "none";

export function phoneView(phone: Phone | undefined, screen: ScreenState): PhoneView {
  if (phone === undefined) return { kind: "first_use" };
  switch (phone.state) {
    case "creating":
      return {
        kind: "starting",
        title: "Making the phone",
        detail: isAndroid(phone) ? "Android gets its own storage." : "It gets its own storage and browser.",
      };
    case "starting":
      return {
        kind: "starting",
        title: "Starting",
        detail: isAndroid(phone) ? "Android starts. This may take a minute." : "Opening what was on the screen.",
      };
    case "parking":
      return { kind: "parking" };
    case "parked":
      return { kind: "parked", detail: parkedWords(phone) };
    case "failed":
      return {
        kind: "failed",
        detail: phone.reason === undefined ? PHONE_REASON_WORDS.start_failed : PHONE_REASON_WORDS[phone.reason],
        canStart: phone.reason !== "no_browser" && phone.reason !== "disk_full",
      };
    case "removed":
      return { kind: "ended", title: "This phone was removed", detail: "Everything on it is gone.", action: "none" };
    case "running":
      return runningView(phone, screen);
  }
}

/** Whether it is real Android, as against a browser that presents itself as a phone. */
export function isAndroid(phone: Phone): boolean {
  return phone.capabilities.android;
}

function runningView(phone: Phone, screen: ScreenState): PhoneView {
  const { kind } = screen.link;
  const lost = phone.unreachableSince !== undefined || screen.unreachable !== undefined;
  // Where the server itself is away, or sends the person away, that is what there is to say.
  if (lost && kind !== "reconnecting" && kind !== "ended") {
    const why = screen.unreachable ?? (phone.reason && LOST_WORDS[phone.reason]);
    return { kind: "unreachable", since: phone.unreachableSince, why };
  }
  switch (screen.link.kind) {
    case "live":
      return screen.hasPicture ? { kind: "live" } : { kind: "connecting" };
    case "off":
    case "connecting":
      return { kind: "connecting" };
    case "reconnecting":
      return { kind: "reconnecting", detail: screen.link.reason };
    case "ended":
      return {
        kind: "ended",
        title: endedTitle(screen.link.reason),
        detail: screen.link.message,
        action: endedAction(screen.link.reason),
      };
  }
}

/** Why a phone that runs is out of sight; it is looked for, so nothing has to be started. */
const LOST_WORDS: Partial<Readonly<Record<PhoneReason, string>>> = {
  device_gone: "It was unplugged or switched off, or its network is gone.",
  device_unauthorized: "The device no longer trusts the server. Allow USB debugging on its screen.",
  device_busy: "Another phone of this server uses the device.",
  host_gone: "The machine it runs on does not answer.",
  partner_down: "The cloud-phone partner does not answer.",
};

/** "The server lost sight of this phone 2 min ago and keeps trying." */
export function lostSentence(since: string | undefined, nowMs: number): string {
  return `The server lost sight of this phone${since === undefined ? "" : ` ${timeAgo(since, nowMs)}`} and keeps trying. Nothing is billed meanwhile.`;
}

function parkedWords(phone: Phone): string {
  const why = phone.reason === undefined ? PHONE_REASON_WORDS.asked : PHONE_REASON_WORDS[phone.reason];
  return phone.startedAt === undefined && phone.lastUsedAt === undefined ? "It has not been started yet." : why;
}

type EndedReason = Extract<ScreenState["link"], { kind: "ended" }>["reason"];

function endedTitle(reason: EndedReason): string {
  switch (reason) {
    case "parked":
      return "Parked";
    case "removed":
      return "This phone was removed";
    case "failed":
      return "The phone stopped";
    case "signed_out":
      return "Signed out";
    case "not_allowed":
      return "You may not see this phone";
    case "server_stopping":
      return "The server is stopping";
    case "too_slow":
      return "The connection is too slow";
    case "protocol_error":
      return "The picture stopped";
  }
}

function endedAction(reason: EndedReason): EndedAction {
  switch (reason) {
    case "parked":
    case "failed":
      return "start";
    case "signed_out":
      return "sign_in";
    case "not_allowed":
    case "removed":
      return "none";
    case "server_stopping":
    case "too_slow":
    case "protocol_error":
      return "reconnect";
  }
}

/** The short state in the header: what the dot means and what the words beside it say. */
export type PhoneTone = "running" | "busy" | "parked" | "failed";

export function phoneTone(phone: Phone): PhoneTone {
  switch (phone.state) {
    case "running":
      return "running";
    case "creating":
    case "starting":
    case "parking":
      return "busy";
    case "parked":
      return "parked";
    case "failed":
    case "removed":
      return "failed";
  }
}

/** One sentence for the live region when what is shown changes; empty when there is nothing new to say. */
export function announcement(phone: Phone | undefined, view: PhoneView): string {
  if (phone === undefined) return "";
  switch (view.kind) {
    case "first_use":
      return "";
    case "starting":
      return `${phone.name}: ${view.title.toLowerCase()}.`;
    case "connecting":
      return `${phone.name}: connecting.`;
    case "live":
      return `${phone.name}: live.`;
    case "parking":
      return `${phone.name}: parking.`;
    case "parked":
      return `${phone.name} is parked. ${view.detail}`;
    case "failed":
      return `${phone.name} failed. ${view.detail}`;
    case "reconnecting":
      return `${phone.name}: reconnecting. ${view.detail}`;
    case "unreachable":
      return `${phone.name} is out of reach. The server keeps trying.`;
    case "ended":
      return `${phone.name}: ${view.title}. ${view.detail}`;
  }
}
