/**
 * What this browser knows of rules, kept in IndexedDB of the extension's own origin: where a person was, what runs and
 * what they agreed to is nothing a script in a page, or another browser of theirs, should be able to read.
 */
import type { RuleId, RunId } from "../../shared/id-values.ts";
import { emptyGates, type GateState } from "../../shared/rules/gates.ts";
import type { RuleIndexData } from "../../shared/rules/rule-index.ts";
import type { SavedRule } from "../../shared/rules-api.ts";

/** The team's rules as last read, with the index of those that pages can start. */
export interface KnownRules {
  /** Origin of the server they are from. */
  readonly server: string;
  /** `team` of the token they were read with. */
  readonly team: string | undefined;
  readonly version: string;
  readonly saved: readonly SavedRule[];
  readonly index: RuleIndexData;
}

export interface ActiveRun {
  readonly ruleId: RuleId;
  readonly key: string;
  readonly runId: RunId;
}

export interface Records {
  readonly rules: KnownRules | undefined;
  readonly gates: GateState;
  /** By rule: `consentText` of what the person allowed to act by itself in this browser. */
  readonly consents: Readonly<Record<string, string>>;
  /** By site (`shop.example`, `*.shop.example`): until when (Unix ms) no rule acts there by itself. */
  readonly pauses: Readonly<Record<string, number>>;
  /** By host name, of sites with a rule that counts visits alone: when (Unix ms). */
  readonly visits: Readonly<Record<string, readonly number[]>>;
  /** Runs of rules that have not ended as far as is known. */
  readonly runs: readonly ActiveRun[];
  /** Of `dedupe.ts`: 32 random bytes that never leave this browser. */
  readonly secret: Uint8Array<ArrayBuffer>;
}
export type RecordName = keyof Records;

export interface RuleRecords {
  get<K extends RecordName>(name: K): Promise<Records[K]>;
  /** Reads, changes and writes with no other part of the extension in between. */
  update<K extends RecordName>(name: K, change: (value: Records[K]) => Records[K]): Promise<Records[K]>;
}

/** What nothing stored means. */
function initial(now: number): Records {
  return {
    rules: undefined,
    gates: emptyGates(now),
    consents: {},
    pauses: {},
    visits: {},
    runs: [],
    secret: crypto.getRandomValues(new Uint8Array(32)),
  };
}

interface Area {
  get(name: RecordName): Promise<unknown>;
  set(name: RecordName, value: unknown): Promise<void>;
}

function recordsIn(area: Area, now: () => number): RuleRecords {
  // Written by this file alone, so a value has the type its name stands for.
  const get = async <K extends RecordName>(name: K) => {
    const value = await area.get(name);
    return value === undefined ? initial(now())[name] : (value as Records[K]);
  };
  return {
    get,
    update: (name, change) =>
      navigator.locks.request(`perch.rules.${name}`, async () => {
        const next = change(await get(name));
        await area.set(name, next);
        return next;
      }),
  };
}

const DATABASE = "perch-rules";
const STORE = "records";

export function indexedDbRecords(now: () => number = Date.now): RuleRecords {
  const run = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    const database = await settled(request);
    try {
      return await settled(work(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  };
  return recordsIn(
    {
      get: (name) => run<unknown>("readonly", (store) => store.get(name)),
      async set(name, value) {
        await run("readwrite", (store) => store.put(value, name));
      },
    },
    now,
  );
}

/** Records in memory, for tests. */
export function memoryRecords(now: () => number = Date.now): RuleRecords {
  const all = new Map<RecordName, unknown>();
  return recordsIn(
    {
      get: async (name) => structuredClone(all.get(name)),
      async set(name, value) {
        all.set(name, structuredClone(value));
      },
    },
    now,
  );
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed."));
  });
}
