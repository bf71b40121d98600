/** Users, what identifies them and their password hashes. */
import { and, asc, eq, isNull } from "drizzle-orm";
import { newId, type UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { IdentityProvider } from "./identity-provider.ts";

export interface User {
  readonly id: UserId;
  readonly email: string;
  readonly emailShown: string;
  readonly fullName: string | null;
  readonly createdAt: Date;
}

export interface Address {
  /** Lower-cased, NFC: see `lookupEmail`. */
  readonly email: string;
  /** As the person wrote it. */
  readonly emailShown: string;
}

export interface AccountsRepo {
  /** Throws a unique violation when a living account has the address. */
  insert(tx: Writer, user: { email: string; emailShown: string; fullName?: string | undefined }): Promise<User>;
  bindIdentity(tx: Writer, provider: IdentityProvider["name"], subject: string, userId: UserId): Promise<void>;
  findByIdentity(provider: IdentityProvider["name"], subject: string): Promise<User | undefined>;
  find(userId: UserId): Promise<User | undefined>;
  findIn(tx: Writer, userId: UserId): Promise<User | undefined>;
  findByEmail(tx: Writer, email: string): Promise<User | undefined>;
  /** The user of an address and the stored password hash. */
  findPassword(email: string): Promise<{ userId: UserId; phc: string } | undefined>;
  passwordChangedAt(userId: UserId): Promise<Date | undefined>;
  setPassword(tx: Writer, userId: UserId, phc: string): Promise<void>;
  removePassword(tx: Writer, userId: UserId): Promise<void>;
  setName(tx: Writer, userId: UserId, fullName: string): Promise<void>;
  /** Throws a unique violation when a living account has the address. */
  setEmail(tx: Writer, userId: UserId, address: Address): Promise<void>;
  /** Replaces a hash only if it is still the one that was checked. */
  rehash(tx: Writer, userId: UserId, from: string, to: string): Promise<void>;
  isEmpty(tx: Writer): Promise<boolean>;
  list(): Promise<User[]>;
}

export function createAccountsRepo(db: Database, clock: Clock): AccountsRepo {
  const { users, identities, passwordCredentials } = db.t;
  const columns = {
    id: users.id,
    email: users.email,
    emailShown: users.emailShown,
    fullName: users.fullName,
    createdAt: users.createdAt,
  };
  return {
    async insert(tx, { email, emailShown, fullName }) {
      const id = newId("user");
      const user = { id, email, emailShown, fullName: fullName || null, createdAt: new Date(clock.now()) };
      await db.keys.create(tx, id);
      await tx.insert(users).values({ ...(await db.keys.row(tx, users, user)), emailIndex: email });
      return user;
    },
    async bindIdentity(tx, provider, subject, userId) {
      const now = new Date(clock.now());
      const elsewhere = provider === "embedded" ? {} : { checkedAt: now, passwordChangedAt: now };
      await tx.insert(identities).values({ provider, subject, userId, verifiedAt: now, ...elsewhere });
    },
    async findByIdentity(provider, subject) {
      const [row] = await db.read
        .select(columns)
        .from(identities)
        .innerJoin(users, eq(users.id, identities.userId))
        .where(and(eq(identities.provider, provider), eq(identities.subject, subject), isNull(users.deletedAt)));
      return row;
    },
    async find(userId) {
      const [row] = await db.read
        .select(columns)
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.deletedAt)));
      return row;
    },
    async findIn(tx, userId) {
      const [row] = await tx
        .select(columns)
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.deletedAt)));
      return row;
    },
    async findByEmail(tx, email) {
      const [row] = await tx
        .select(columns)
        .from(users)
        .where(and(eq(users.emailIndex, email), isNull(users.deletedAt)));
      return row;
    },
    async findPassword(email) {
      const [row] = await db.read
        .select({ userId: users.id, phc: passwordCredentials.phc })
        .from(users)
        .innerJoin(passwordCredentials, eq(passwordCredentials.userId, users.id))
        .where(and(eq(users.emailIndex, email), isNull(users.deletedAt)));
      return row;
    },
    async passwordChangedAt(userId) {
      const [row] = await db.read
        .select({ changedAt: passwordCredentials.changedAt })
        .from(passwordCredentials)
        .where(eq(passwordCredentials.userId, userId));
      return row?.changedAt;
    },
    async setPassword(tx, userId, phc) {
      const changedAt = new Date(clock.now());
      await tx
        .insert(passwordCredentials)
        .values({ userId, phc, changedAt })
        .onConflictDoUpdate({ target: passwordCredentials.userId, set: { phc, changedAt } });
    },
    async removePassword(tx, userId) {
      await tx.delete(passwordCredentials).where(eq(passwordCredentials.userId, userId));
    },
    async setName(tx, userId, fullName) {
      await tx
        .update(users)
        .set(await db.keys.row(tx, users, { fullName: fullName || null }, userId))
        .where(eq(users.id, userId));
    },
    async setEmail(tx, userId, { email, emailShown }) {
      const address = await db.keys.row(tx, users, { email, emailShown }, userId);
      await tx
        .update(users)
        .set({ ...address, emailIndex: email })
        .where(eq(users.id, userId));
    },
    async rehash(tx, userId, from, to) {
      await tx
        .update(passwordCredentials)
        .set({ phc: to })
        .where(and(eq(passwordCredentials.userId, userId), eq(passwordCredentials.phc, from)));
    },
    async isEmpty(tx) {
      const rows = await tx.select({ id: users.id }).from(users).limit(1);
      return rows.length === 0;
    },
    async list() {
      return db.read.select(columns).from(users).where(isNull(users.deletedAt)).orderBy(asc(users.createdAt));
    },
  };
}
