/**
 * How personal fields look in the database: `v1.<subject>.<AES-256-GCM>`, bound to the column and to the person whose key
 * sealed them, so that a value moved elsewhere does not open. The columns of `dialect.ts` open and check values here.
 */
import { createHmac } from "node:crypto";
import { lookupEmail } from "../accounts/identity-provider.ts";
import { PerchError } from "../errors.ts";
import { deriveKey } from "../keys.ts";
import { seal, unseal } from "../seal.ts";

/** What a field reads as once its key was destroyed. */
export const ERASED = "erased";

/** Stands for the person in what is sealed with the server's key. */
const SERVER = "server";
const SHAPE = /^v1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{38,})$/;

/** What a sealed column does with its values; `place` is `table.column`. */
export interface FieldCodec {
  /** `ERASED` when the key is gone. Throws for what does not belong there. */
  open(place: string, stored: string): string;
  /** Gives the value back when it was sealed for this column; throws for anything else, plain text above all. */
  demandSealed(place: string, stored: string): string;
  sealForServer(place: string, text: string): string;
  /** HMAC-SHA-256 of an address with a key of this installation: equal addresses have equal fingerprints. */
  fingerprint(address: string): string;
}

/** The codec before there are keys: everything throws. The migration generator works with it. */
export const NO_KEYS: FieldCodec = {
  open: locked,
  demandSealed: locked,
  sealForServer: locked,
  fingerprint: locked,
};

function locked(): never {
  throw new Error("Personal fields were used before their keys were opened.");
}

/** The keys of people in memory; where they are kept is the store's business (`subject-keys.ts`). */
export interface Keyring extends FieldCodec {
  unlock(master: Buffer): void;
  sealFor(subject: string, place: string, text: string): string;
  /** Whether the stored value opens in this place, or would if its key were still there. */
  isSealed(place: string, stored: string): boolean;
  /** A person's key as the store keeps it. */
  wrap(subject: string, key: Buffer): string;
  /** Takes keys the store gave; those forgotten before stay forgotten. */
  remember(wrapped: Iterable<readonly [subject: string, wrapped: string]>): void;
  /** A key that was just made. */
  add(subject: string, key: Buffer): void;
  has(subject: string): boolean;
  /** The people whose fields are among these values. */
  subjectsAmong(rows: readonly unknown[]): Set<string>;
  /** Keeps what is needed of the cache while keys are fetched; `undefined` for those it does not have. */
  hold(subjects: Iterable<string>): { readonly missing: string[]; release(): void };
  forget(subject: string): void;
  forgetAll(): void;
}

interface Held {
  readonly key: Buffer;
  /** Values opened before, by place and stored value. Goes with the key. */
  readonly opened: Map<string, string>;
}

const MOST_KEYS = 10_000;
const MOST_OPENED = 1_024;

/** `findNow` reads a wrapped key from the store where that can be done at once; `isStale` says that another process wrote. */
export function createKeyring(
  store: { findNow?(subject: string): string | undefined; isStale?(): boolean } = {},
): Keyring {
  let keys: { wrapping: Buffer; server: Held; index: Buffer } | undefined;
  const cache = new Map<string, Held>();
  /** Destroyed here: a key that was on its way from the store is not taken any more. */
  const destroyed = new Set<string>();
  let trimming = false;

  const opened = () => keys ?? locked();
  const put = (subject: string, held: Held) => {
    cache.delete(subject);
    cache.set(subject, held);
    if (cache.size <= MOST_KEYS || trimming) return;
    trimming = true;
    // Later, because rows that were just brought are mapped in this turn.
    setImmediate(() => {
      trimming = false;
      for (const oldest of cache.keys()) {
        if (cache.size <= MOST_KEYS) break;
        cache.delete(oldest);
      }
    }).unref();
  };
  const take = (subject: string, wrapped: string): Held => {
    const hex = unseal(opened().wrapping, subject, wrapped);
    if (hex === undefined) {
      throw new PerchError("unavailable", "A key of a person does not open. Restore the keys from a backup.");
    }
    const held = { key: Buffer.from(hex, "hex"), opened: new Map<string, string>() };
    put(subject, held);
    return held;
  };
  const find = (subject: string): Held | undefined => {
    if (subject === SERVER) return opened().server;
    if (store.isStale?.() === true) cache.clear();
    const held = cache.get(subject);
    if (held !== undefined) return held;
    const wrapped = store.findNow?.(subject);
    return wrapped === undefined ? undefined : take(subject, wrapped);
  };
  const keep = (held: Held, name: string, text: string) => {
    if (held.opened.size >= MOST_OPENED) held.opened.clear();
    held.opened.set(name, text);
  };
  /** The text; `undefined`: not sealed for this place; `null`: its key is gone. */
  const read = (place: string, stored: string): string | undefined | null => {
    const [, subject, body] = SHAPE.exec(stored) ?? [];
    if (subject === undefined || body === undefined) return undefined;
    const held = find(subject);
    if (held === undefined) return null;
    const name = `${place} ${stored}`;
    const before = held.opened.get(name);
    if (before !== undefined) return before;
    const text = unseal(held.key, bound(place, subject), body);
    if (text !== undefined) keep(held, name, text);
    return text;
  };
  const sealWith = (subject: string, held: Held, place: string, text: string) => {
    const stored = `v1.${subject}.${seal(held.key, bound(place, subject), text)}`;
    keep(held, `${place} ${stored}`, text);
    return stored;
  };

  return {
    unlock(master) {
      keys = {
        wrapping: deriveKey(master, "subject keys"),
        server: { key: deriveKey(master, "personal fields"), opened: new Map() },
        index: deriveKey(master, "address index"),
      };
    },
    open(place, stored) {
      const text = read(place, stored);
      if (text === null) return ERASED;
      if (text !== undefined) return text;
      throw new PerchError(
        "unavailable",
        `A value of ${place} was changed outside Perch and does not open. Restore the database from a backup.`,
      );
    },
    demandSealed(place, stored) {
      if (typeof read(place, stored) !== "string") throw new Error(`${place} takes only what was sealed for it.`);
      return stored;
    },
    isSealed: (place, stored) => read(place, stored) !== undefined,
    sealForServer: (place, text) => sealWith(SERVER, opened().server, place, text),
    sealFor(subject, place, text) {
      const held = find(subject);
      if (held === undefined) throw new Error(`There is no key to seal ${place} with.`);
      return sealWith(subject, held, place, text);
    },
    fingerprint: (address) => createHmac("sha256", opened().index).update(lookupEmail(address)).digest("base64url"),
    wrap: (subject, key) => seal(opened().wrapping, subject, key.toString("hex")),
    remember(wrapped) {
      for (const [subject, text] of wrapped) if (!destroyed.has(subject)) take(subject, text);
    },
    add(subject, key) {
      destroyed.delete(subject);
      put(subject, { key, opened: new Map() });
    },
    has: (subject) => find(subject) !== undefined,
    subjectsAmong(rows) {
      const found = new Set<string>();
      for (const row of rows) {
        for (const value of Object.values(row as object)) {
          if (typeof value !== "string" || !value.startsWith("v1.")) continue;
          const subject = SHAPE.exec(value)?.[1];
          if (subject !== undefined && subject !== SERVER) found.add(subject);
        }
      }
      return found;
    },
    hold(subjects) {
      const held: [string, Held][] = [];
      const missing: string[] = [];
      for (const subject of subjects) {
        const one = cache.get(subject);
        if (one === undefined) missing.push(subject);
        else held.push([subject, one]);
      }
      return {
        missing,
        release: () => {
          for (const [subject, one] of held) if (!destroyed.has(subject)) put(subject, one);
        },
      };
    },
    forget(subject) {
      destroyed.add(subject);
      cache.get(subject)?.key.fill(0);
      cache.delete(subject);
    },
    forgetAll: () => cache.clear(),
  };
}

function bound(place: string, subject: string): string {
  return `${place} ${subject}`;
}
