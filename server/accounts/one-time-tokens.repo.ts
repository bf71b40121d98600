/** Single-use tokens: links in mails and the first-run set-up link. Only hashes are stored. */
import { and, desc, eq, gt, gte, inArray, lte, sql } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { ONE_TIME_KINDS, PendingSignUp } from "./accounts.tables.ts";
import { hashSecret, isSecret, newSecret } from "./secrets.ts";

export type OneTimeKind = (typeof ONE_TIME_KINDS)[number];
const BEGUN_KINDS = ["second_factor", "email_change", "recovery"] as const satisfies readonly OneTimeKind[];

export interface OneTimeToken {
  readonly userId: UserId | null;
  readonly pending: PendingSignUp | null;
  readonly data: Readonly<Record<string, string>> | null;
  /** Wrong answers so far. */
  readonly attempts: number;
}

export interface OneTimeTokensRepo {
  /** A new token, valid for `lifetimeMs`. */
  issue(
    tx: Writer,
    kind: OneTimeKind,
    lifetimeMs: number,
    about: { userId?: UserId; pending?: PendingSignUp; data?: Readonly<Record<string, string>> },
  ): Promise<string>;
  /** Looks without using it up. */
  find(kind: OneTimeKind, token: string): Promise<OneTimeToken | undefined>;
  /** Uses it up: of many callers exactly one gets it. */
  take(tx: Writer, kind: OneTimeKind, token: string): Promise<OneTimeToken | undefined>;
  /** Uses up what was never issued, a code of an app say: of many callers within `lifetimeMs` exactly one gets true. */
  claim(tx: Writer, kind: "used_code", what: { userId: UserId; text: string }, lifetimeMs: number): Promise<boolean>;
  /** Counts a wrong answer; gives how many there were. */
  countAttempt(tx: Writer, kind: OneTimeKind, token: string): Promise<number>;
  /** The newest of a person that is still valid. */
  findOfUser(
    userId: UserId,
    kind: OneTimeKind,
  ): Promise<(Pick<OneTimeToken, "data"> & { readonly expiresAt: Date }) | undefined>;
  /** All of the kind, or those issued at `since` or later. */
  dropOfUser(tx: Writer, kind: OneTimeKind, userId: UserId, since?: Date): Promise<void>;
  /** What was begun with an earlier password: half a sign-in, a change of address, a recovery. Ends with that password. */
  dropBegun(tx: Writer, userId: UserId): Promise<void>;
  dropAll(tx: Writer, kind: OneTimeKind): Promise<void>;
}

export function createOneTimeTokensRepo(db: Database, clock: Clock): OneTimeTokensRepo {
  const { oneTimeTokens } = db.t;
  const valid = (kind: OneTimeKind, token: string) =>
    and(
      eq(oneTimeTokens.hash, hashSecret(token)),
      eq(oneTimeTokens.kind, kind),
      gt(oneTimeTokens.expiresAt, new Date(clock.now())),
    );
  const columns = {
    userId: oneTimeTokens.userId,
    pending: oneTimeTokens.pending,
    data: oneTimeTokens.data,
    attempts: oneTimeTokens.attempts,
  };
  return {
    async issue(tx, kind, lifetimeMs, about) {
      const token = newSecret();
      const now = clock.now();
      await tx.insert(oneTimeTokens).values({
        hash: hashSecret(token),
        kind,
        userId: about.userId ?? null,
        pending: about.pending ?? null,
        data: about.data ?? null,
        createdAt: new Date(now),
        expiresAt: new Date(now + lifetimeMs),
      });
      return token;
    },
    async find(kind, token) {
      if (!isSecret(token)) return undefined;
      const [row] = await db.read.select(columns).from(oneTimeTokens).where(valid(kind, token));
      return row;
    },
    async take(tx, kind, token) {
      if (!isSecret(token)) return undefined;
      const [row] = await tx.delete(oneTimeTokens).where(valid(kind, token)).returning(columns);
      return row;
    },
    async claim(tx, kind, { userId, text }, lifetimeMs) {
      const now = new Date(clock.now());
      const times = { createdAt: now, expiresAt: new Date(clock.now() + lifetimeMs) };
      const claimed = await tx
        .insert(oneTimeTokens)
        .values({ hash: hashSecret(`${kind} ${userId} ${text}`), kind, userId, ...times })
        .onConflictDoUpdate({ target: oneTimeTokens.hash, set: times, setWhere: lte(oneTimeTokens.expiresAt, now) })
        .returning({ hash: oneTimeTokens.hash });
      return claimed.length > 0;
    },
    async countAttempt(tx, kind, token) {
      if (!isSecret(token)) return 0;
      const [row] = await tx
        .update(oneTimeTokens)
        .set({ attempts: sql`${oneTimeTokens.attempts} + 1` })
        .where(valid(kind, token))
        .returning({ attempts: oneTimeTokens.attempts });
      return row?.attempts ?? 0;
    },
    async findOfUser(userId, kind) {
      const [row] = await db.read
        .select({ data: oneTimeTokens.data, expiresAt: oneTimeTokens.expiresAt })
        .from(oneTimeTokens)
        .where(
          and(
            eq(oneTimeTokens.userId, userId),
            eq(oneTimeTokens.kind, kind),
            gt(oneTimeTokens.expiresAt, new Date(clock.now())),
          ),
        )
        .orderBy(desc(oneTimeTokens.createdAt));
      return row;
    },
    async dropOfUser(tx, kind, userId, since) {
      await tx
        .delete(oneTimeTokens)
        .where(
          and(
            eq(oneTimeTokens.kind, kind),
            eq(oneTimeTokens.userId, userId),
            since && gte(oneTimeTokens.createdAt, since),
          ),
        );
    },
    async dropBegun(tx, userId) {
      await tx
        .delete(oneTimeTokens)
        .where(and(inArray(oneTimeTokens.kind, BEGUN_KINDS), eq(oneTimeTokens.userId, userId)));
    },
    async dropAll(tx, kind) {
      await tx.delete(oneTimeTokens).where(eq(oneTimeTokens.kind, kind));
    },
  };
}
