/** Session tokens, one per server, so that a change of server can never send one to another. */
import { announcer, indexedStore } from "./indexed-db.ts";

export interface TokenRecord {
  /** Origin of the server. */
  readonly server: string;
  readonly token: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface TokenStore {
  get(server: string): Promise<TokenRecord | undefined>;
  set(record: TokenRecord): Promise<void>;
  delete(server: string): Promise<void>;
  /** Calls back after a sign-in or sign-out anywhere in the extension; returns how to stop. */
  watch(onChange: () => void): () => void;
}

export function indexedDbTokens(): TokenStore {
  const store = indexedStore({ database: "perch", store: "tokens", keyPath: "server" });
  const { announce, watch } = announcer("perch.tokens");
  return {
    get: async (server) => recordOf(await store.run<unknown>("readonly", (tokens) => tokens.get(server))),
    async set(record) {
      await store.run("readwrite", (tokens) => tokens.put(record));
      announce();
    },
    async delete(server) {
      await store.run("readwrite", (tokens) => tokens.delete(server));
      announce();
    },
    watch,
  };
}

/** A store in memory, for tests. */
export function memoryTokens(...records: readonly TokenRecord[]): TokenStore {
  const all = new Map(records.map((record) => [record.server, record]));
  const listeners = new Set<() => void>();
  const announce = () => {
    for (const listener of listeners) listener();
  };
  return {
    get: async (server) => all.get(server),
    async set(record) {
      all.set(record.server, record);
      announce();
    },
    async delete(server) {
      all.delete(server);
      announce();
    },
    watch(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
  };
}

function recordOf(value: unknown): TokenRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { server, token, expiresAt } = value as Partial<Record<keyof TokenRecord, unknown>>;
  if (typeof server !== "string" || typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  return { server, token, expiresAt };
}
