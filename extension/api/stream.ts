/**
 * What happens to phones and in runs, as it happens: subscriptions over server-sent events. The token travels in a
 * header; the browser's own EventSource could only put it in the address, where it would end in logs. Spoken without
 * tRPC's own link, which would cost the popup 3 kB although only the panel listens.
 */
import { EventSource } from "eventsource";
import type { RunEvent } from "../../shared/automation-model.ts";
import type { RecordingId, RunId } from "../../shared/id-values.ts";
import type { PhoneEvent } from "../../shared/phone-model.ts";
import type { RecordingEvent } from "../../shared/recording-model.ts";
import { authorization, PRIVATE_REQUEST, type Token } from "./client.ts";

export interface StreamHandlers {
  /** The stream is there. */
  readonly onOpen: () => void;
  /** The stream ended or never came; called once, after which nothing follows. `finished`: the server said it is all. */
  readonly onLost: (finished: boolean) => void;
}

/** What happened before the stream opened is not in it. */
export interface EventHandlers extends StreamHandlers {
  readonly onEvent: (event: PhoneEvent) => void;
}
export type FollowEvents = (server: string, token: Token, handlers: EventHandlers) => () => void;

export interface RunHandlers extends StreamHandlers {
  /** `seq` counts a run's events from 1 without gaps. */
  readonly onEvent: (seq: number, event: RunEvent) => void;
}
/** Gives every event after number `after`, those of the past too. The stream of an ended run ends. */
export type FollowRun = (server: string, token: Token, run: RunPosition, handlers: RunHandlers) => () => void;
export interface RunPosition {
  readonly runId: RunId;
  readonly after: number;
}

export interface RecordingHandlers extends StreamHandlers {
  readonly onEvent: (seq: number, event: RecordingEvent) => void;
}
export interface RecordingPosition {
  readonly recordingId: RecordingId;
  readonly after: number;
}
/** Gives the newest state of everything that changed after event number `after`. */
export type FollowRecording = (
  server: string,
  token: Token,
  recording: RecordingPosition,
  handlers: RecordingHandlers,
) => () => void;

/** The server says something (a ping at least) every 15 s; after this long the connection is dead without knowing it. */
export const SILENCE_MS = 40_000;

/** Returns how to stop. */
export const followPhoneEvents: FollowEvents = (server, token, handlers) =>
  follow(`${server}/trpc/phones.events`, token, {
    ...handlers,
    onMessage: (message) => {
      const event = phoneEvent(message.data);
      if (event !== undefined) handlers.onEvent(event);
    },
  });

/** Returns how to stop. */
export const followRunEvents: FollowRun = (server, token, { runId, after }, handlers) => {
  const input = JSON.stringify({ runId, lastEventId: String(after) });
  return follow(`${server}/trpc/runs.events?input=${encodeURIComponent(input)}`, token, {
    ...handlers,
    onMessage: (message) => {
      const event = runEvent(message.data);
      if (event !== undefined) handlers.onEvent(Number(message.lastEventId), event);
    },
  });
};

/** Returns how to stop. */
export const followRecordingEvents: FollowRecording = (server, token, { recordingId, after }, handlers) => {
  const input = JSON.stringify({ recordingId, lastEventId: String(after) });
  return follow(`${server}/trpc/recordings.events?input=${encodeURIComponent(input)}`, token, {
    ...handlers,
    onMessage: (message) => {
      const event = recordingEvent(message.data);
      if (event !== undefined) handlers.onEvent(Number(message.lastEventId), event);
    },
  });
};

function follow(
  address: string,
  token: Token,
  handlers: StreamHandlers & { readonly onMessage: (message: MessageEvent) => void },
): () => void {
  let open = true;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const source = new EventSource(address, {
    fetch: async (url, init) =>
      fetch(url, {
        ...PRIVATE_REQUEST,
        signal: init.signal,
        headers: { ...init.headers, ...authorization(await token()) },
      }),
  });
  const close = () => {
    open = false;
    clearTimeout(silence);
    source.close();
  };
  const lose = (finished: boolean) => {
    if (!open) return;
    close();
    handlers.onLost(finished);
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => lose(false), SILENCE_MS);
  };
  heard();
  source.addEventListener("connected", () => {
    heard();
    if (open) handlers.onOpen();
  });
  source.addEventListener("ping", heard);
  source.addEventListener("message", (message) => {
    heard();
    if (open) handlers.onMessage(message);
  });
  for (const end of ["error", "serialized-error"]) source.addEventListener(end, () => lose(false));
  source.addEventListener("return", () => lose(true));
  return close;
}

/**
 * The server's own words, checked where its types are made (`phones.router.ts`). Kinds of events a newer server may
 * send are passed over.
 */
function phoneEvent(data: unknown): PhoneEvent | undefined {
  if (typeof data !== "string") return undefined;
  const parsed = JSON.parse(data) as PhoneEvent;
  return parsed.type === "phone" || parsed.type === "removed" || parsed.type === "idle_warning" ? parsed : undefined;
}

/** As `phoneEvent`, for `runs.router.ts`. */
function runEvent(data: unknown): RunEvent | undefined {
  if (typeof data !== "string") return undefined;
  const parsed = JSON.parse(data) as RunEvent;
  return ["run", "step", "log", "artifact"].includes(parsed.type) ? parsed : undefined;
}

/** As `phoneEvent`, for `recordings.router.ts`. */
function recordingEvent(data: unknown): RecordingEvent | undefined {
  if (typeof data !== "string") return undefined;
  const parsed = JSON.parse(data) as RecordingEvent;
  return ["step", "removed", "state"].includes(parsed.type) ? parsed : undefined;
}
