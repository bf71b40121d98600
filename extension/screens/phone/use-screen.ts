/** One phone's live screen in the panel: starts, feeds and ends the screen session as the phone and the person come and go. */
import { type RefObject, useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { PhoneId } from "../../../shared/ids.ts";
import type { Phone } from "../../../shared/phones.ts";
import type { EndReason, ScreenMode, ViewerMessage } from "../../../shared/screen-protocol.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage } from "../../state/app-context.tsx";
import { attachKeyboard } from "./live/keyboard.ts";
import { attachPointer } from "./live/pointer.ts";
import { type BreakReason, createScreenSession, type ScreenSession, type ScreenStatus } from "./live/screen-session.ts";
import type { SoundTrouble } from "./live/sound.ts";
import type { Quality } from "./model/quality.ts";
import {
  initialScreenState,
  reduceScreen,
  type ScreenAction,
  type ScreenLink,
  type ScreenState,
} from "./model/screen-state.ts";
import type { StageHandle } from "./stage.tsx";

const FIRST_PICTURE_LOOK_MS = 10;

export interface ScreenOptions {
  readonly phone: Phone | undefined;
  /** The picture is being looked at; otherwise nothing is sent. */
  readonly active: boolean;
  readonly mode: ScreenMode;
  readonly quality: Quality;
  /** Absent where nobody listens. `onTrouble`: the phone is not heard, though it is on. */
  readonly sound?: { readonly on: boolean; readonly onTrouble: (trouble: SoundTrouble) => void };
  /** What is drawn into and listened on; there before effects run. */
  readonly stage: RefObject<StageHandle | null>;
  /** Takes a message about the picture for itself, so that the phone does not get it, by answering true. */
  readonly intercept?: RefObject<Intercept | undefined>;
}
export type Intercept = (message: ViewerMessage) => boolean;

export interface Screen {
  readonly state: ScreenState;
  readonly dispatch: (action: ScreenAction) => void;
  send(message: ViewerMessage): void;
  readonly stats: () => ReturnType<ScreenSession["stats"]> | undefined;
  /** Connects now, after a break or an ending. */
  reconnect(): void;
  /** Object URL of the last picture seen of a phone while this page is open. */
  lastPicture(id: PhoneId): string | undefined;
}

export function useScreen(options: ScreenOptions): Screen {
  const { phone, active, mode, quality, sound, stage, intercept } = options;
  const { phones } = usePage();
  const [state, dispatch] = useReducer(reduceScreen, initialScreenState);
  const [generation, setGeneration] = useState(0);
  const session = useRef<ScreenSession>(undefined);
  const pictures = useRef(new Map<PhoneId, string>());
  const latest = useRef(state);
  latest.current = state;
  const onSoundTrouble = useRef(sound?.onTrouble);
  onSoundTrouble.current = sound?.onTrouble;
  const soundOn = sound?.on === true;
  const [, setKept] = useState(0);

  const phoneId = phone?.id;
  const running = phone?.state === "running";
  /** A phone that was started again may never have been seen not running: after a crash of the server, say. */
  const startedAt = phone?.startedAt;
  const wanted = running && active;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another phone is another screen
  useEffect(() => dispatch({ type: "reset" }), [phoneId]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `generation` and another start ask for a new session
  useEffect(() => {
    const canvas = stage.current?.canvas ?? null;
    if (!wanted || phoneId === undefined || canvas === null) return;
    const mine = createScreenSession({
      canvas,
      getTicket: async () => {
        const result = await phones.call((api) => api.screen.ticket.mutate({ phoneId, mode }));
        if (!result.ok) throw new TicketFailure(result.failure);
        return result.value;
      },
      endOf: (error) => (error instanceof TicketFailure ? endOf(error.failure) : undefined),
      onStatus: (status) => {
        dispatch({ type: "link", link: linkOf(status) });
        // Asking anything finds that out for the whole panel.
        if (status.state === "ended" && status.reason === "signed_out") void phones.refresh();
      },
      onMessage: (message) => dispatch({ type: "message", message }),
      onPicturesOnly: () => dispatch({ type: "picturesOnly" }),
      onSoundTrouble: (trouble) => onSoundTrouble.current?.(trouble),
    });
    session.current = mine;
    const kept = pictures.current;
    return () => {
      void mine.lastFrame().then((last) => {
        // Nobody is there any more whom it could be shown to.
        if (last === undefined || kept !== pictures.current) return;
        const before = kept.get(phoneId);
        if (before !== undefined) URL.revokeObjectURL(before);
        kept.set(phoneId, URL.createObjectURL(last));
        setKept((count) => count + 1);
      });
      mine.close();
      session.current = undefined;
      // While the phone runs on unseen there is nothing to say about the connection.
      dispatch({ type: "link", link: { kind: "off" } });
    };
  }, [phones, phoneId, wanted, startedAt, mode, generation]);

  // Below the session, which leaves its last picture: whoever is signed out, or left the team, leaves none behind.
  useEffect(
    () => () => {
      for (const picture of pictures.current.values()) URL.revokeObjectURL(picture);
      pictures.current = new Map();
    },
    [],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new session has to be told too
  useEffect(() => {
    session.current?.setQuality(quality.max);
  }, [quality, wanted, startedAt, phoneId, generation]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new session has to be told too
  useEffect(() => {
    session.current?.setSound(soundOn);
  }, [soundOn, wanted, startedAt, phoneId, mode, generation]);

  // The first picture: looked for only until it is there. Not by animation frames, which stand still in a panel that is
  // covered, while its picture is drawn all the same.
  const awaiting = state.link.kind === "live" && !state.hasPicture;
  useEffect(() => {
    if (!awaiting) return;
    const look = () => {
      if ((session.current?.seq() ?? 0) > 0) dispatch({ type: "picture" });
    };
    look();
    const timer = setInterval(look, FIRST_PICTURE_LOOK_MS);
    return () => clearInterval(timer);
  }, [awaiting]);

  const send = useCallback((message: ViewerMessage) => session.current?.send(message), []);

  const drives = state.link.kind === "live" && state.controller;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another phone has another canvas and frame
  useEffect(() => {
    const { frame = null, keys = null } = stage.current ?? {};
    if (!drives || frame === null || keys === null) return;
    const stopPointer = attachPointer(frame, {
      send: (message) => {
        if (intercept?.current?.(message) !== true) send(message);
      },
      size: () => latest.current.size,
      seq: () => session.current?.seq() ?? 0,
      onTouches: (places) => stage.current?.showTouches(places),
    });
    const stopKeyboard = attachKeyboard(keys, { send, onLeave: () => stage.current?.leave() });
    return () => {
      stopPointer();
      stopKeyboard();
    };
  }, [drives, send, phoneId]);

  const reconnect = useCallback(() => {
    if (latest.current.link.kind === "reconnecting") session.current?.retry();
    else setGeneration((value) => value + 1);
  }, []);
  const stats = useCallback(() => session.current?.stats(), []);
  const lastPicture = useCallback((id: PhoneId) => pictures.current.get(id), []);
  return { state, dispatch, send, stats, reconnect, lastPicture };
}

class TicketFailure extends Error {
  override readonly name = "TicketFailure";
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Refusals that will be repeated end the session; everything else is worth another try. */
function endOf(failure: Failure): { reason: EndReason; message: string } | undefined {
  if (failure.kind === "signed_out") return { reason: "signed_out", message: "Sign in to go on." };
  if (failure.kind !== "refused") return undefined;
  const { code, message } = failure.error;
  switch (code) {
    case "forbidden":
      return { reason: "not_allowed", message };
    case "not_found":
      return { reason: "removed", message };
    case "phone_not_running":
      return { reason: "parked", message };
    default:
      return undefined;
  }
}

const BREAK_WORDS: Readonly<Record<BreakReason, string>> = {
  lost: "The connection was lost.",
  offline: "You are offline. It goes on when the network is back.",
  server_restarting: "The server is restarting.",
  slow: "The connection was too slow for the picture.",
  unreachable: "The server does not answer.",
};

function linkOf(status: ScreenStatus): ScreenLink {
  switch (status.state) {
    case "connecting":
    case "live":
      return { kind: status.state };
    case "reconnecting":
      return { kind: "reconnecting", reason: BREAK_WORDS[status.reason] };
    case "ended":
      return { kind: "ended", reason: status.reason, message: status.message };
  }
}
