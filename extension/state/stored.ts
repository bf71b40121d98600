/** One versioned, validated value in the browser's storage. */
import * as z from "zod/mini";
import { readItem, removeItem, type StorageAreaName, watchItem, writeItem } from "../platform/storage.ts";
import "./zod.ts";

export interface StoredOptions<T> {
  readonly area: StorageAreaName;
  readonly key: string;
  readonly version: number;
  readonly schema: z.ZodMiniType<T>;
  /** What to assume when nothing, or nothing readable, is stored. */
  readonly initial: T;
  /** Makes a value of this version out of one of an older version; undefined gives `initial`. */
  readonly migrate?: (value: unknown, fromVersion: number) => unknown;
}

export interface Stored<T> {
  get(): Promise<T>;
  set(value: T): Promise<void>;
  /** Reads, changes and writes without another part of the extension writing in between. */
  update(change: (value: T) => T): Promise<T>;
  clear(): Promise<void>;
  /** Calls back on every write, from any part of the extension; returns how to stop. */
  watch(onChange: (value: T) => void): () => void;
}

const envelope = z.object({ version: z.int(), value: z.unknown() });

export function stored<T>(options: StoredOptions<T>): Stored<T> {
  const { area, key, version, schema, initial } = options;

  const parse = (raw: unknown): T => {
    const wrapped = envelope.safeParse(raw);
    if (!wrapped.success) return initial;
    const { version: from, value } = wrapped.data;
    // A newer version wrote it: this one cannot know what it means.
    if (from > version) return initial;
    const current = from === version ? value : options.migrate?.(value, from);
    const parsed = schema.safeParse(current);
    return parsed.success ? parsed.data : initial;
  };
  const get = async () => parse(await readItem(area, key));
  const set = (value: T) => writeItem(area, key, { version, value });

  return {
    get,
    set,
    update: (change) =>
      navigator.locks.request(`perch.${area}.${key}`, async () => {
        const next = change(await get());
        await set(next);
        return next;
      }),
    clear: () => removeItem(area, key),
    watch: (onChange) => watchItem(area, key, (raw) => onChange(parse(raw))),
  };
}
