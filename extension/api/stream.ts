/** Server-sent events with the token in a header; the browser's own EventSource could only put it in the address. */
import { httpSubscriptionLink, type TRPCLink } from "@trpc/client";
import { EventSource, type EventSourceInit } from "eventsource";
import type { AppRouter } from "./app-router.ts";
import type { Token } from "./client.ts";

/** `url` is the tRPC endpoint; `token` is read again at every reconnection. */
export function eventLink(url: string, token: Token): TRPCLink<AppRouter> {
  return httpSubscriptionLink({
    url,
    EventSource,
    eventSourceOptions: (): EventSourceInit => ({
      fetch: async (address, init) => {
        const current = await token();
        return fetch(address, {
          signal: init.signal,
          cache: "no-store",
          credentials: "omit",
          redirect: "error",
          referrerPolicy: "no-referrer",
          headers: { ...init.headers, ...(current === undefined ? {} : { Authorization: `Bearer ${current}` }) },
        });
      },
    }),
  });
}
