/** What the phone screen shows, derived from the phone as the server lists it and the state of the screen session. */
import { PHONE_REASON_WORDS } from "../../../../shared/phone-words.ts";
import type { Phone } from "../../../../shared/phones.ts";
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
  | { readonly kind: "ended"; readonly title: string; readonly detail: string; readonly action: EndedAction };

/** The one step that helps after an ending. */
export type EndedAction = "start" | "reconnect" | "sign_in" | "none";

export function phoneView(phone: Phone | undefined, screen: ScreenState): PhoneView {
  if (phone === undefined) return { kind: "first_use" };
  switch (phone.state) {
    case "creating":
      return { kind: "starting", title: "Making the phone", detail: "It gets its own storage and browser." };
    case "starting":
      return { kind: "starting", title: "Starting", detail: "Opening what was on the screen." };
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
      return runningView(screen);
  }
}

function runningView(screen: ScreenState): PhoneView {
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
    case "ended":
      return `${phone.name}: ${view.title}. ${view.detail}`;
  }
}
