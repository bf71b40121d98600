/** What every page and the worker are made of. Composed once per page in its `main.tsx` and passed down. */
import { type Api, type ApiOptions, createApi } from "../api/client.ts";
import type {
  EventHandlers,
  FollowEvents,
  FollowRecording,
  FollowRun,
  RecordingHandlers,
  RecordingPosition,
  RunHandlers,
  RunPosition,
} from "../api/stream.ts";
import type { ClockSkew } from "./clock-skew.ts";
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
  /** Follows a server's phone events and returns how to stop; absent in what lives for seconds. */
  readonly follow: ((server: string, handlers: EventHandlers) => () => void) | undefined;
  /** Follows one run and returns how to stop; absent where `follow` is. */
  readonly followRun: ((server: string, run: RunPosition, handlers: RunHandlers) => () => void) | undefined;
  /** Follows one recording and returns how to stop; absent where `follow` is. */
  readonly followRecording:
    | ((server: string, recording: RecordingPosition, handlers: RecordingHandlers) => () => void)
    | undefined;
  /** Of the computer's clock; absent in what lives for seconds. */
  readonly skew?: ClockSkew;
  /** A client of one server; sends that server's token and no other. */
  api(server: string): Api;
}

export interface AppParts {
  readonly tokens?: TokenStore;
}

interface PageParts {
  /** How a client is made; absent: `createApi`. */
  readonly createApi?: (options: ApiOptions) => Api;
  readonly follow?: FollowEvents;
  readonly followRun?: FollowRun;
  readonly followRecording?: FollowRecording;
}

export function composeApp(parts: AppParts & PageParts): App {
  const { tokens = indexedDbTokens(), follow, followRun, followRecording, createApi: create = createApi } = parts;
  const token = (server: string) => async () => (await tokens.get(server))?.token;
  return {
    settings: settingsStore(),
    tokens,
    phonesCache: phonesCache(),
    intents: intentStore(),
    follow: follow && ((server, handlers) => follow(server, token(server), handlers)),
    followRun: followRun && ((server, run, handlers) => followRun(server, token(server), run, handlers)),
    followRecording:
      followRecording && ((server, recording, handlers) => followRecording(server, token(server), recording, handlers)),
    api: (server) => create({ server, token: token(server) }),
  };
}
