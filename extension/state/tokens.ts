/** Session tokens, one per server, so that a change of server can never send one to another. */
import * as z from "zod/mini";
import "./zod.ts";
import { type Announcer, announcer, indexedStore } from "./indexed-db.ts";

const recordSchema = z.object({
  /** Origin of the server. */
  server: z.string(),
  token: z.string(),
  /** ISO 8601. */
  expiresAt: z.string(),
  /** Id of the team the session works in, as far as this browser was told: what is shown is that team's. */
  team: z.optional(z.string()),
  /** What the browser opens when the extension is removed: it ends this session, and can do nothing else. */
  uninstall: z.optional(z.string()),
});
export type TokenRecord = Readonly<z.infer<typeof recordSchema>>;

export interface TokenStore {
  /** Waits for a renewal that is under way: the earlier token may be worth nothing any more. */
  get(server: string): Promise<TokenRecord | undefined>;
  set(record: TokenRecord): Promise<void>;
  /** With `only` that token alone, and none that was stored in its place meanwhile. */
  delete(server: string, only?: string): Promise<void>;
  /** Puts what `work` gives in the place of the present record; nobody reads or writes one in between. */
  renew(server: string, work: (present: TokenRecord | undefined) => Promise<TokenRecord | undefined>): Promise<void>;
  /** Removes the record once `work` is through, and keeps it when that throws; nobody reads it in between. */
  end(server: string, work: (present: TokenRecord) => Promise<void>): Promise<void>;
  /** Calls back after a sign-in or sign-out anywhere in the extension; returns how to stop. */
  watch(onChange: () => void): () => void;
}

interface Records {
  read(server: string): Promise<TokenRecord | undefined>;
  put(record: TokenRecord): Promise<unknown>;
  remove(server: string): Promise<unknown>;
}

export function indexedDbTokens(): TokenStore {
  const store = indexedStore({ database: "perch", store: "tokens", keyPath: "server" });
  return storeOf(announcer("perch.tokens"), {
    read: async (server) =>
      recordSchema.safeParse(await store.run<unknown>("readonly", (tokens) => tokens.get(server))).data,
    put: (record) => store.run("readwrite", (tokens) => tokens.put(record)),
    remove: (server) => store.run("readwrite", (tokens) => tokens.delete(server)),
  });
}

/** One lock for all parts of the extension: whoever reads waits for whoever writes. */
function storeOf({ announce, watch }: Announcer, { read, put, remove }: Records): TokenStore {
  const alone = async (work: () => Promise<unknown>) => {
    await navigator.locks.request("perch.tokens", work);
    announce();
  };
  return {
    get: (server) => navigator.locks.request("perch.tokens", { mode: "shared" }, () => read(server)),
    set: (record) => alone(() => put(record)),
    delete: (server, only) =>
      alone(async () => (only === undefined || (await read(server))?.token === only) && remove(server)),
    renew: (server, work) =>
      alone(async () => {
        const next = await work(await read(server));
        return next && put(next);
      }),
    end: (server, work) =>
      alone(async () => {
        const present = await read(server);
        if (present === undefined) return;
        await work(present);
        await remove(server);
      }),
    watch,
  };
}

/** A store in memory, for tests. */
export function memoryTokens(...records: readonly TokenRecord[]): TokenStore {
  const all = new Map(records.map((record) => [record.server, record]));
  const listeners = new Set<() => void>();
  const here: Announcer = {
    announce() {
      for (const listener of listeners) listener();
    },
    watch(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
  };
  return storeOf(here, {
    read: async (server) => all.get(server),
    put: async (record) => all.set(record.server, record),
    remove: async (server) => all.delete(server),
  });
}
