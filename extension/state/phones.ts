/**
 * The team's phones as a page knows them: the stored list at once, then the server's, then every change as it happens.
 * An external store for React (`subscribe`, `snapshot`); the popup and the panel each run one of their own.
 */
import type { PhoneId } from "../../shared/id-values.ts";
import type { Phone, PhoneEvent } from "../../shared/phone-model.ts";
import type { Api } from "../api/client.ts";
import { classifyFailure, type Failure, withReason } from "../api/errors.ts";
import type { App } from "./compose-app.ts";
import type { TokenRecord } from "./tokens.ts";

export interface PhonesSnapshot {
  /** Origin of the server; undefined before the welcome page found one. */
  readonly server: string | undefined;
  readonly phones: readonly Phone[];
  /** `loading`: nothing known yet. `stored`: last known, being checked. `live`: current. `stale`: last known, see `failure`. */
  readonly status: "loading" | "no_server" | "stored" | "live" | "stale";
  readonly failure: Failure | undefined;
  /** The person's choice for "Open on phone". */
  readonly defaultPhoneId: PhoneId | undefined;
}

export interface PhonesStore {
  subscribe(listener: () => void): () => void;
  snapshot(): PhonesSnapshot;
  /** Reads what is stored, and nothing else: enough for a first frame. */
  hydrate(): Promise<void>;
  /** Reads what is stored, then asks the server and follows its events (or asks again and again) until `stop`. */
  start(): Promise<void>;
  stop(): void;
  /** Asks the server again, e.g. after a sign-in. */
  refresh(): Promise<void>;
  /** The client of the current server; undefined before there is one. */
  api(): Api | undefined;
  /**
   * Runs a call and puts its answer in; a phone in the answer replaces ours. Failures come back as values; one that
   * says "signed out" also forgets the token.
   */
  call<T>(work: (api: Api) => Promise<T>): Promise<CallResult<T>>;
}

export type CallResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/** Between attempts to follow events again, growing from the first to the last. */
const RETRY_MS = [1_000, 2_000, 5_000, 10_000] as const;

/** Without events: how soon to ask again, while a phone is on its way and while nothing moves. */
const POLL_MOVING_MS = 700;
const POLL_RESTING_MS = 4_000;

export function createPhonesStore(app: App): PhonesStore {
  let state: PhonesSnapshot = {
    server: undefined,
    phones: [],
    status: "loading",
    failure: undefined,
    defaultPhoneId: undefined,
  };
  let api: Api | undefined;
  let running = false;
  let unfollow: (() => void) | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  let run = 0;
  let heard = 0;
  /** `team` of the token what is shown was read with. */
  let team: string | undefined;
  const listeners = new Set<() => void>();
  const stops: (() => void)[] = [];

  const put = (change: Partial<PhonesSnapshot>) => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  const remember = async () => {
    const { server, phones, status, failure } = state;
    if (server === undefined) return;
    const signedIn = failure?.kind !== "signed_out";
    if (status === "live" || !signedIn) {
      const known = signedIn ? { phones } : { why: failure.why, phones: [] };
      await app.phonesCache.set({ server, team, signedIn, ...known, seenAtMs: Date.now() });
    }
  };

  /** `refused` is the token the server did not take; one stored since, by a sign-in elsewhere, stays. */
  const fail = async (failure: Failure, refused?: string) => {
    if (failure.kind === "signed_out") {
      unfollow?.();
      unfollow = undefined;
      // A call that goes out once the token is gone is refused without a reason; the first reason stays.
      put({ status: "stale", failure: { ...state.failure, ...failure }, phones: [] });
      // Before the token goes: who finds it gone says why.
      await remember();
      if (refused !== undefined) await app.tokens.delete(state.server ?? "", refused);
    } else put({ status: "stale", failure });
  };

  /** Why a token is gone is known to whoever removed it, and left by them: the worker, or the person's own sign-out. */
  const goneToken = async (server: string): Promise<Failure> => {
    const cache = await app.phonesCache.get();
    return { kind: "signed_out", ...(cache?.server === server && cache.why && { why: cache.why }) };
  };

  /**
   * `sent`: what the call was made with. Undefined when another token has taken its place meanwhile, by a renewal, say:
   * the server refuses the earlier one before it does anything, so the call can be made again.
   */
  const judge = async (error: unknown, sent: TokenRecord | undefined): Promise<Failure | undefined> => {
    const failure = classifyFailure(error, state.server ?? "", navigator.onLine);
    if (failure.kind !== "signed_out" || sent === undefined) return failure;
    const stored = await app.tokens.get(sent.server);
    if (stored === undefined) return goneToken(sent.server);
    return stored.token === sent.token ? withReason(failure, sent) : undefined;
  };

  const upsert = (phone: Phone) => {
    const others = state.phones.filter((other) => other.id !== phone.id);
    if (phone.state === "removed") put({ phones: others });
    else if (others.length === state.phones.length) put({ phones: [...others, phone] });
    else put({ phones: state.phones.map((other) => (other.id === phone.id ? phone : other)) });
  };

  const apply = (event: PhoneEvent) => {
    heard += 1;
    if (event.type === "phone") upsert(event.phone);
    else if (event.type === "removed") put({ phones: state.phones.filter((phone) => phone.id !== event.phoneId) });
    else if (event.type === "idle_warning") {
      put({
        phones: state.phones.map((phone) =>
          phone.id === event.phoneId ? { ...phone, parksAt: event.parksAt } : phone,
        ),
      });
    }
    void remember();
  };

  const follow = (server: string) => {
    const mine = run;
    unfollow = app.follow?.(server, {
      // What happened between the list and the stream is in neither: the list is read once more.
      onOpen: () => {
        if (mine === run) void refresh();
      },
      onEvent: (event) => {
        if (mine === run) apply(event);
      },
      onLost: () => {
        if (mine !== run || !running) return;
        unfollow = undefined;
        // Reading the list finds out what is the matter. Not at once: a server that lists but cannot stream would be
        // asked without end.
        scheduleRefresh();
      },
    });
  };

  const scheduleRefresh = () => {
    clearTimeout(retry);
    if (!running || state.failure?.kind === "signed_out") return;
    const wait = RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)];
    attempts += 1;
    retry = setTimeout(() => void refresh(), wait);
  };

  const scheduleSoon = () => {
    clearTimeout(retry);
    retry = setTimeout(() => void refresh(), POLL_MOVING_MS);
  };

  const refresh = async () => {
    const client = api;
    const { server } = state;
    if (client === undefined || server === undefined) return;
    clearTimeout(retry);
    const sent = await app.tokens.get(server);
    // The server was forgotten or changed meanwhile: what is known of this one is not said of the other.
    if (api !== client) return;
    if (sent === undefined) {
      const gone = await goneToken(server);
      if (api === client) await fail(gone);
      return;
    }
    team ??= sent.team;
    try {
      const before = heard;
      const phones = await client.phones.list.query();
      if (api !== client) return;
      // An event or an answer overtook the list, which may be older: it is read again.
      if (heard !== before) return void refresh();
      attempts = 0;
      put({ phones, status: "live", failure: undefined });
      void remember();
      if (!running) return;
      if (app.follow === undefined)
        retry = setTimeout(() => void refresh(), phones.some(isMoving) ? POLL_MOVING_MS : POLL_RESTING_MS);
      else if (unfollow === undefined) follow(server);
    } catch (error) {
      if (api !== client) return;
      const failure = await judge(error, sent);
      if (failure === undefined) return void refresh();
      await fail(failure, sent.token);
      scheduleRefresh();
    }
  };

  /** Shows what is stored of a server, for the team the session works in. */
  const showStored = async (server: string | undefined) => {
    run += 1;
    unfollow?.();
    unfollow = undefined;
    attempts = 0;
    if (server === undefined) {
      api = undefined;
      put({ server, phones: [], status: "no_server", failure: undefined });
      return;
    }
    api = app.api(server);
    const [cache, token] = await Promise.all([app.phonesCache.get(), app.tokens.get(server)]);
    team = token?.team;
    if (cache?.server !== server || cache.team !== team)
      put({ server, phones: [], status: "loading", failure: undefined });
    else if (cache.signedIn) put({ server, phones: cache.phones, status: "stored", failure: undefined });
    else put({ server, phones: [], status: "stale", failure: { kind: "signed_out" } });
  };

  const hydrate = async () => {
    const { server, defaultPhoneId } = await app.settings.get();
    put({ defaultPhoneId });
    await showStored(server);
  };

  const store: PhonesStore = {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => state,
    api: () => api,
    refresh,
    hydrate,
    async start() {
      if (running) return;
      running = true;
      stops.push(
        app.settings.watch(({ server, defaultPhoneId }) => {
          put({ defaultPhoneId });
          if (server !== state.server) void showStored(server).then(refresh);
        }),
        app.tokens.watch(async () => {
          const token = await app.tokens.get(state.server ?? "");
          if (token !== undefined && team !== undefined && token.team !== team)
            void showStored(token.server).then(refresh);
          else if (state.status !== "loading") void refresh();
        }),
      );
      if (typeof window !== "undefined") {
        const online = () => void refresh();
        window.addEventListener("online", online);
        stops.push(() => window.removeEventListener("online", online));
      }
      await hydrate();
      await refresh();
    },
    stop() {
      running = false;
      run += 1;
      clearTimeout(retry);
      unfollow?.();
      unfollow = undefined;
      for (const stop of stops.splice(0)) stop();
    },
    async call(work) {
      const client = api;
      if (client === undefined) return { ok: false, failure: { kind: "server_unreachable", server: "" } };
      const sent = await app.tokens.get(state.server ?? "");
      const before = heard;
      try {
        const value = await work(client);
        // A phone of the team, or the server, that was left meanwhile is not shown.
        if (isPhone(value) && api === client) {
          // An event overtook the answer, which may be older: "starting" of a phone that runs by now, say.
          if (heard !== before) void refresh();
          else upsert(value);
          heard += 1;
          void remember();
          if (running && app.follow === undefined && isMoving(value)) scheduleSoon();
        }
        return { ok: true, value };
      } catch (error) {
        const failure = await judge(error, sent);
        if (failure === undefined) return store.call(work);
        if (failure.kind !== "refused") await fail(failure, sent?.token);
        return { ok: false, failure };
      }
    },
  };
  return store;
}

function isMoving(phone: Phone): boolean {
  return phone.state === "creating" || phone.state === "starting" || phone.state === "parking";
}

/** Of all answers only phones have both an id with this prefix and a state (`shared/id-values.ts`). */
function isPhone(value: unknown): value is Phone {
  return value instanceof Object && "id" in value && String(value.id).startsWith("ph_") && "state" in value;
}
