/** What one screen session has told the panel so far, folded from its status and the server's messages. */
import type { EndReason, ServerMessage } from "../../../../shared/screen-protocol.ts";

export type ScreenLink =
  | { readonly kind: "off" }
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "reconnecting"; readonly reason: string }
  | { readonly kind: "ended"; readonly reason: EndReason; readonly message: string };

export interface ScreenState {
  readonly link: ScreenLink;
  /** True once a picture has been drawn: there is a last picture to dim. */
  readonly hasPicture: boolean;
  /** Of the phone's screen as turned, in CSS pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly controller: boolean;
  readonly controllerName?: string;
  readonly viewers: number;
  /** Who asks this viewer for control. */
  readonly asking?: string;
  /** This viewer may take control from who has it, without asking. */
  readonly mayTake: boolean;
  /** Who took control from this viewer; until control changes again. */
  readonly takenBy?: string;
  /** This viewer's own request for control. */
  readonly request: "none" | "sent" | "declined";
  /** Text last copied on the phone and not yet copied here or dismissed. */
  readonly phoneClipboard?: string;
  readonly keyboardWanted: boolean;
  /** When the phone parks itself unless used, ISO 8601. */
  readonly parksAt?: string;
  /** When the phone is parked because nothing pays for it any more, ISO 8601. */
  readonly coverEnds?: string;
  readonly level?: number;
  readonly roundTripMs?: number;
  /** The phone's sound can be heard. */
  readonly audible: boolean;
  /** This browser cannot play the phone's video; it shows pictures that stand alone. */
  readonly picturesOnly: boolean;
  /** The server lost sight of the phone: what is known of it. */
  readonly unreachable?: string;
}

export type ScreenAction =
  | { readonly type: "link"; readonly link: ScreenLink }
  | { readonly type: "message"; readonly message: ServerMessage }
  | { readonly type: "picture" }
  | { readonly type: "picturesOnly"; readonly said?: true }
  | { readonly type: "askedForControl" }
  | { readonly type: "clipboardTaken" }
  | { readonly type: "keptAwake" }
  /** Another phone is shown: nothing of the last session applies. */
  | { readonly type: "reset" };

export const initialScreenState: ScreenState = {
  link: { kind: "off" },
  hasPicture: false,
  controller: false,
  viewers: 0,
  mayTake: false,
  request: "none",
  keyboardWanted: false,
  audible: false,
  picturesOnly: false,
};

export function reduceScreen(state: ScreenState, action: ScreenAction): ScreenState {
  switch (action.type) {
    case "reset":
      return initialScreenState;
    case "link":
      return withLink(state, action.link);
    case "picture":
      return state.hasPicture ? state : { ...state, hasPicture: true };
    case "picturesOnly":
      return { ...state, picturesOnly: action.said !== true };
    case "askedForControl":
      return { ...state, request: "sent" };
    case "clipboardTaken":
      return without(state, "phoneClipboard");
    case "keptAwake":
      return without(state, "parksAt");
    case "message":
      return withMessage(state, action.message);
  }
}

function withLink(state: ScreenState, link: ScreenLink): ScreenState {
  if (link.kind === "live") return { ...state, link };
  // Who controls, who asks and what was warned of is only known while live.
  const { asking: _asking, parksAt: _parksAt, coverEnds: _coverEnds, unreachable: _unreachable, ...rest } = state;
  return {
    ...rest,
    ...{ link, controller: false, mayTake: false, request: "none" },
    ...{ keyboardWanted: false, audible: false, picturesOnly: false },
  };
}

function withMessage(state: ScreenState, message: ServerMessage): ScreenState {
  switch (message.type) {
    case "hello":
      return {
        ...state,
        controller: message.controller,
        viewers: message.viewers,
        audible: message.audio === true,
        size: { width: message.width, height: message.height },
      };
    case "state":
      return withControl(state, message);
    case "clipboard":
      return message.value === "" ? state : { ...state, phoneClipboard: message.value };
    case "keyboard":
      return { ...state, keyboardWanted: message.open };
    case "stats":
      return { ...state, roundTripMs: message.roundTripMs, level: message.level };
    case "idle_warning":
      return { ...state, parksAt: message.parksAt };
    case "cover_warning":
      return message.parksAt === undefined ? without(state, "coverEnds") : { ...state, coverEnds: message.parksAt };
    case "resize":
      return { ...state, size: { width: message.width, height: message.height } };
    case "unreachable":
      return { ...state, unreachable: message.message };
    case "reachable":
      return without(state, "unreachable");
    case "ended":
      // The session's own status says what the ending means: some are come back from.
      return state;
  }
}

function withControl(state: ScreenState, message: Extract<ServerMessage, { type: "state" }>): ScreenState {
  const { asking: _asking, controllerName: _controllerName, takenBy: _takenBy, ...rest } = state;
  const stillTaken = !message.controller && message.controllerName === state.controllerName ? state.takenBy : undefined;
  const takenBy = message.takenBy ?? stillTaken;
  return {
    ...rest,
    mayTake: message.mayTake === true,
    ...(takenBy === undefined ? {} : { takenBy }),
    controller: message.controller,
    viewers: message.viewers,
    ...(message.controllerName === undefined ? {} : { controllerName: message.controllerName }),
    ...(message.asking === undefined ? {} : { asking: message.asking }),
    request: message.controller ? "none" : message.declined === true ? "declined" : state.request,
  };
}

function without(state: ScreenState, key: "phoneClipboard" | "parksAt" | "coverEnds" | "unreachable"): ScreenState {
  const { [key]: _gone, ...rest } = state;
  return rest;
}
