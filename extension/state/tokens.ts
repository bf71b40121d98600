/**
 * Session tokens, one per server, so that a change of server can never send one to another. They live in IndexedDB of
 * the extension's own origin: content scripts can read `storage.local` (in Firefox) and `storage.sync` leaves the
 * computer; neither can happen here.
 */

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

const DATABASE = "perch";
const STORE = "tokens";
const CHANNEL = "perch.tokens";

export function indexedDbTokens(): TokenStore {
  const run = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await openDatabase();
    try {
      const transaction = database.transaction(STORE, mode);
      const result = await settled(work(transaction.objectStore(STORE)));
      return result;
    } finally {
      database.close();
    }
  };
  const listeners = new Set<() => void>();
  // A channel does not deliver to itself, so local listeners are told directly.
  const announce = () => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage(null);
    channel.close();
    for (const listener of listeners) listener();
  };
  return {
    get: async (server) => recordOf(await run<unknown>("readonly", (store) => store.get(server))),
    async set(record) {
      await run("readwrite", (store) => store.put(record));
      announce();
    },
    async delete(server) {
      await run("readwrite", (store) => store.delete(server));
      announce();
    },
    watch(onChange) {
      const channel = new BroadcastChannel(CHANNEL);
      channel.onmessage = () => onChange();
      listeners.add(onChange);
      return () => {
        channel.close();
        listeners.delete(onChange);
      };
    },
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

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "server" });
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed."));
  });
}

function recordOf(value: unknown): TokenRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { server, token, expiresAt } = value as Partial<Record<keyof TokenRecord, unknown>>;
  if (typeof server !== "string" || typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  return { server, token, expiresAt };
}
