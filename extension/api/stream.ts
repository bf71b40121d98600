/**
 * The team's phone events as they happen: the `phones.events` subscription over server-sent events. The token travels
 * in a header; the browser's own EventSource could only put it in the address, where it would end in logs. Spoken
 * without tRPC's own link, which would cost the popup 3 kB although only the panel listens.
 */
import { EventSource } from "eventsource";
import type { PhoneEvent } from "../../shared/phone-model.ts";
import { authorization, PRIVATE_REQUEST, type Token } from "./client.ts";

export interface EventHandlers {
  /** The stream is there; what happened before is not in it. */
  readonly onOpen: () => void;
  readonly onEvent: (event: PhoneEvent) => void;
  /** The stream ended or never came; called once, after which nothing follows. */
  readonly onLost: () => void;
}

export type FollowEvents = (server: string, token: Token, handlers: EventHandlers) => () => void;

/** The server says something (a ping at least) every 15 s; after this long the connection is dead without knowing it. */
export const SILENCE_MS = 40_000;

/** Returns how to stop. */
export const followPhoneEvents: FollowEvents = (server, token, handlers) => {
  let open = true;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const source = new EventSource(`${server}/trpc/phones.events`, {
    fetch: async (address, init) =>
      fetch(address, {
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
  const lose = () => {
    if (!open) return;
    close();
    handlers.onLost();
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lose, SILENCE_MS);
  };
  heard();
  source.addEventListener("connected", () => {
    heard();
    if (open) handlers.onOpen();
  });
  source.addEventListener("ping", heard);
  source.addEventListener("message", (message) => {
    heard();
    const event = phoneEvent(message.data);
    if (open && event !== undefined) handlers.onEvent(event);
  });
  for (const end of ["error", "serialized-error", "return"]) source.addEventListener(end, lose);
  return close;
};

/**
 * The server's own words, checked where its types are made (`phones.router.ts`). Kinds of events a newer server may
 * send are passed over.
 */
function phoneEvent(data: unknown): PhoneEvent | undefined {
  if (typeof data !== "string") return undefined;
  const parsed = JSON.parse(data) as PhoneEvent;
  return parsed.type === "phone" || parsed.type === "removed" || parsed.type === "idle_warning" ? parsed : undefined;
}
