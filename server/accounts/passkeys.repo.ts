/** WebAuthn credentials. */
import { and, asc, eq, lt } from "drizzle-orm";
import { newId, type PasskeyId, type UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";

export interface PasskeyRow {
  readonly id: PasskeyId;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly backedUp: boolean;
  /** base64url. */
  readonly credentialId: string;
  readonly transports: readonly string[];
}
export interface PasskeyKey {
  readonly userId: UserId;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly transports: readonly string[];
}
export interface NewPasskey extends PasskeyKey {
  readonly credentialId: string;
  readonly backedUp: boolean;
  readonly name: string;
}

export interface PasskeysRepo {
  /** The oldest first. */
  list(from: Reader, userId: UserId): Promise<PasskeyRow[]>;
  /** Throws a unique violation when the credential is known. */
  insert(tx: Writer, passkey: NewPasskey): Promise<PasskeyId>;
  findByCredential(from: Reader, credentialId: string): Promise<PasskeyKey | undefined>;
  /** False when the counter did not grow since: somebody has a copy, or the same answer came twice. */
  used(tx: Writer, credentialId: string, counter: number, backedUp: boolean): Promise<boolean>;
  /** Gives the name it had, `undefined` when it is not the person's. */
  rename(tx: Writer, userId: UserId, id: PasskeyId, name: string): Promise<string | undefined>;
  /** Gives the name it had, `undefined` when it is not the person's. */
  remove(tx: Writer, userId: UserId, id: PasskeyId): Promise<string | undefined>;
}

export function createPasskeysRepo(db: Database, clock: Clock): PasskeysRepo {
  const { passkeys } = db.t;
  const nameOf = async (tx: Writer, userId: UserId, id: PasskeyId) => {
    const [row] = await tx
      .select({ name: passkeys.name })
      .from(passkeys)
      .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)));
    return row?.name;
  };
  return {
    async list(from, userId) {
      const { id, name, createdAt, lastUsedAt, backedUp, credentialId, transports } = passkeys;
      return from
        .select({ id, name, createdAt, lastUsedAt, backedUp, credentialId, transports })
        .from(passkeys)
        .where(eq(passkeys.userId, userId))
        .orderBy(asc(createdAt), asc(id));
    },
    async insert(tx, { publicKey, transports, ...rest }) {
      const id = newId("passkey");
      const createdAt = new Date(clock.now());
      await tx
        .insert(passkeys)
        .values({ ...rest, id, createdAt, publicKey: Buffer.from(publicKey), transports: [...transports] });
      return id;
    },
    async findByCredential(from, credentialId) {
      const { userId, publicKey, counter, transports } = passkeys;
      const [row] = await from
        .select({ userId, publicKey, counter, transports })
        .from(passkeys)
        .where(eq(passkeys.credentialId, credentialId));
      return row;
    },
    async used(tx, credentialId, counter, backedUp) {
      // Many authenticators count nothing and say 0 every time (WebAuthn Level 3 §6.1.1).
      const grew = counter === 0 ? eq(passkeys.counter, 0) : lt(passkeys.counter, counter);
      const written = await tx
        .update(passkeys)
        .set({ counter, backedUp, lastUsedAt: new Date(clock.now()) })
        .where(and(eq(passkeys.credentialId, credentialId), grew))
        .returning({ id: passkeys.id });
      return written.length > 0;
    },
    async rename(tx, userId, id, name) {
      const earlier = await nameOf(tx, userId, id);
      await tx
        .update(passkeys)
        .set({ name })
        .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)));
      return earlier;
    },
    async remove(tx, userId, id) {
      const [removed] = await tx
        .delete(passkeys)
        .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
        .returning({ name: passkeys.name });
      return removed?.name;
    },
  };
}
