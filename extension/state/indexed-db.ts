/**
 * Stores in IndexedDB of the extension's own origin, for what must outlive the browser and stay out of pages' reach:
 * content scripts can read `storage.local` (in Firefox), and `storage.sync` leaves the computer.
 */

export interface IndexedStore {
  run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T>;
}

/** One store in a database of its own, made when it is first used. */
export function indexedStore(options: {
  readonly database: string;
  readonly store: string;
  readonly keyPath: string | string[];
}): IndexedStore {
  const { database, store, keyPath } = options;
  const open = (): Promise<IDBDatabase> => {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath });
    return settled(request);
  };
  return {
    async run(mode, work) {
      const opened = await open();
      try {
        const transaction = opened.transaction(store, mode);
        const result = await settled(work(transaction.objectStore(store)));
        if (mode === "readwrite") await completed(transaction);
        return result;
      } finally {
        opened.close();
      }
    },
  };
}

export interface Announcer {
  /** Tells every part of the extension, this one included. */
  announce(): void;
  /** Calls back when anything was announced; returns how to stop. */
  watch(onChange: () => void): () => void;
}

export function announcer(name: string): Announcer {
  const listeners = new Set<() => void>();
  return {
    // A channel does not deliver to itself, so local listeners are told directly.
    announce() {
      const channel = new BroadcastChannel(name);
      channel.postMessage(null);
      channel.close();
      for (const listener of listeners) listener();
    },
    watch(onChange) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = () => onChange();
      listeners.add(onChange);
      return () => {
        channel.close();
        listeners.delete(onChange);
      };
    },
  };
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed."));
  });
}

/** What is written counts only now: a full disk is found out at the end. */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB failed."));
  });
}
