/** What every page and the worker are made of. Composed once per page in its `main.tsx` and passed down. */
import { type Api, createApi, type EventLink } from "../api/client.ts";
import { type Intents, intentStore } from "./intents.ts";
import { type PhonesCache, phonesCache } from "./phones-cache.ts";
import { type Settings, settingsStore } from "./settings.ts";
import type { Stored } from "./stored.ts";
import { indexedDbTokens, type TokenStore } from "./tokens.ts";

export interface App {
  readonly settings: Stored<Settings>;
  readonly tokens: TokenStore;
  readonly phonesCache: Stored<PhonesCache | undefined>;
  readonly intents: Intents;
  /** Whether `api` can subscribe to events. */
  readonly followsEvents: boolean;
  /** A client of one server; sends that server's token and no other. */
  api(server: string): Api;
}

export interface AppParts {
  readonly tokens?: TokenStore;
}

export function composeApp(parts: AppParts & { readonly events?: EventLink }): App {
  const { tokens = indexedDbTokens(), events } = parts;
  return {
    settings: settingsStore(),
    tokens,
    phonesCache: phonesCache(),
    intents: intentStore(),
    followsEvents: events !== undefined,
    api: (server) =>
      createApi({
        server,
        token: async () => (await tokens.get(server))?.token,
        ...(events !== undefined && { events }),
      }),
  };
}
