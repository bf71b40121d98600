/**
 * The outbox of calls to Stripe. A call is a row written in the transaction that makes it due, under a key that makes it
 * happen once; a job makes it, or right away whoever waits for it. Lost answers and errors of Stripe's are asked again under
 * the same key; what Stripe refuses is kept with its code.
 */
import { z } from "zod";
import { idSchema, newId, type StripeCallId, type TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { JobHandler, Jobs, Schedule } from "../../jobs/jobs.service.ts";
import { canonicalJson } from "../../limits/idempotency.ts";
import { errorFields, type Log } from "../../log.ts";
import { type CallRow, type CallsRepo, newCallRow } from "./stripe-calls.repo.ts";
import { codeOf, notReached, outcomeOf, refusal, wasAnswered } from "./stripe-errors.ts";

export const CALL_JOB = "stripe.call";
export const CALLS_SWEEP_JOB = "stripe.calls_sweep";
const SWEEP_EVERY_MS = 5 * 60_000;
/** Stripe keeps keys for at least 24 hours; a little earlier we look for the effect instead of trusting the key. */
const KEY_KNOWN_MS = 23 * 3_600_000;
const PAGE = 200;
/** Longer than the SDK asks in all. */
const WAITED_FOR_MS = 90_000;

export interface CallToMake {
  readonly id: StripeCallId;
  readonly teamId: TeamId | null;
  readonly createdAt: Date;
  /** For the SDK's options. */
  readonly idempotencyKey: string;
}

/** One kind of call. What it asks for is worked out from `input` alone, so that every try asks for the same. */
export interface CallKind<I, R extends { readonly id: string | null }> {
  readonly name: string;
  readonly input: z.ZodType<I>;
  make(input: I, call: CallToMake): Promise<R>;
  /** For a call whose key Stripe may have forgotten: what it made, if it did. Left out where asking twice does no harm. */
  find?(input: I, call: CallToMake): Promise<R | undefined>;
  /** What its success changes here, in the transaction that marks it done. */
  done?(tx: Writer, input: I, result: R, call: CallToMake): Promise<void>;
  /** What its refusal changes here. */
  refused?(tx: Writer, input: I, code: string, call: CallToMake): Promise<void>;
  /** True: worth nothing once nobody waits for it. */
  readonly isForNow?: true;
  /**
   * True: moves no money, and `find` sees what was made at once. An error of Stripe's own stays the answer to its key for a
   * day; such a call is looked for, then made under another key, so that nobody waits so long.
   */
  readonly isMadeAnew?: true;
  /** True: not made any more once Stripe may have forgotten the key; who asked for it saw long ago what came of it. */
  readonly isOfItsDay?: true;
}
export interface NewCall<I> {
  readonly teamId: TeamId | null;
  /** Says what makes the call due, and nothing that changes: the same key is the same call. */
  readonly key: string;
  readonly input: I;
  /** Somebody makes it with `now` right after the commit: the job comes only when they do not. */
  readonly isWaitedFor?: true;
  /** True: whoever comes later with another input leaves it at the first one. */
  readonly isFirstAlone?: true;
}

export interface StripeCalls {
  /** In the transaction that makes it due; `wake` after the commit. A call with the same key is not written again. */
  queue<I, R extends { readonly id: string | null }>(
    tx: Writer,
    kind: CallKind<I, R>,
    call: NewCall<I>,
  ): Promise<StripeCallId>;
  /**
   * Makes a queued call now. `undefined` when it was done before.
   * @throws PerchError with what Stripe refused, or `unavailable`: then it goes on by itself.
   */
  now<I, R extends { readonly id: string | null }>(kind: CallKind<I, R>, id: StripeCallId): Promise<R | undefined>;
  /** The call with a key. */
  find(key: string): Promise<Pick<CallRow, "id" | "input"> | undefined>;
  /** The newest call of a kind that was due for a team. */
  lastOf(tx: Writer, teamId: TeamId, kind: string): Promise<Pick<CallRow, "id" | "input"> | undefined>;
  /** Before a team goes: what had to be asked on its behalf is asked still. */
  cut(tx: Writer, teamId: TeamId): Promise<void>;
  wake(): void;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

/** A kind with its types closed over, as the job finds it by name. */
export interface KnownCall {
  readonly name: string;
  readonly isForNow: boolean;
  makeWith(make: <I, R extends { readonly id: string | null }>(kind: CallKind<I, R>) => Promise<void>): Promise<void>;
}
export function knownCall<I, R extends { readonly id: string | null }>(kind: CallKind<I, R>): KnownCall {
  return { name: kind.name, isForNow: kind.isForNow === true, makeWith: (make) => make(kind) };
}

const jobInput = z.strictObject({ callId: idSchema("stripeCall") });
const storedInput = z.record(z.string(), z.unknown());

export function createStripeCalls(options: {
  db: Database;
  repo: CallsRepo;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
  log: Log;
  kinds: readonly KnownCall[];
}): StripeCalls {
  const { db, repo, jobs, clock, log } = options;
  const kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
  const now = () => new Date(clock.now());

  async function enqueue(tx: Writer, { id, teamId }: Pick<CallRow, "id" | "teamId">, delayMs = 0): Promise<void> {
    await jobs.enqueue(tx, {
      ...{ kind: CALL_JOB, input: { callId: id }, dedupeKey: `stripe:${id}`, runAt: new Date(clock.now() + delayMs) },
      ...(teamId !== null && { lockKey: `stripe:${teamId}` }),
    });
  }

  async function attempt<I, R extends { readonly id: string | null }>(
    kind: CallKind<I, R>,
    row: CallRow,
  ): Promise<R | undefined> {
    const { id, teamId, idempotencyKey, createdAt } = row;
    const call: CallToMake = { id, teamId, idempotencyKey, createdAt };
    const input = kind.input.parse(row.input);
    const isOld = clock.now() - createdAt.getTime() > KEY_KNOWN_MS;
    if (isOld && kind.isOfItsDay) {
      await db.tx((tx) => repo.settle(tx, id, { state: "failed", error: "too_late", doneAt: now() }));
      throw refusal("too_late");
    }
    try {
      const isAnew = kind.isMadeAnew === true && row.attempts > 0 && wasAnswered(row.error);
      const asked = isAnew ? { ...call, idempotencyKey: `${idempotencyKey}:${row.attempts}` } : call;
      const earlier = isOld || isAnew ? await kind.find?.(input, call) : undefined;
      const result = earlier ?? (await kind.make(input, asked));
      await db.tx(async (tx) => {
        const change = { state: "done", resultId: result.id, error: null, attempts: row.attempts + 1 } as const;
        if (await repo.settle(tx, id, { ...change, doneAt: now() })) await kind.done?.(tx, input, result, call);
      });
      return result;
    } catch (error) {
      if (error instanceof PerchError) throw error;
      const code = codeOf(error);
      if (outcomeOf(error) === "again" && kind.isForNow === undefined) {
        await db.tx((tx) => repo.tried(tx, row, code));
        log.warn("Stripe gave no clear answer; the call is made again", { kind: row.kind, code });
        throw notReached(error);
      }
      await db.tx(async (tx) => {
        const change = { state: "failed", error: code, attempts: row.attempts + 1, doneAt: now() } as const;
        if (await repo.settle(tx, id, change)) await kind.refused?.(tx, input, code, call);
      });
      log.error("Stripe refused a call", { kind: row.kind, code });
      throw outcomeOf(error) === "again" ? notReached(error) : refusal(code, error);
    }
  }

  return {
    async queue(tx, kind, { teamId, key, input, isWaitedFor, isFirstAlone }) {
      const row = newCallRow({
        ...{ id: newId("stripeCall"), teamId, kind: kind.name, idempotencyKey: key, createdAt: now() },
        input: storedInput.parse(input),
      });
      if (await repo.insert(tx, row)) {
        await enqueue(tx, row, isWaitedFor === true ? WAITED_FOR_MS : 0);
        return row.id;
      }
      const earlier = await repo.byKey(tx, key);
      if (earlier === undefined || earlier.kind !== kind.name) throw new Error(`The key of a ${kind.name} is taken.`);
      if (isFirstAlone !== true && canonicalJson(earlier.input) !== canonicalJson(row.input)) {
        throw new PerchError(
          "idempotency_mismatch",
          "This request key was already used for something else. Use a new key.",
        );
      }
      return earlier.id;
    },
    async now(kind, id) {
      const row = await repo.find(db.read, id);
      if (row === undefined) throw new PerchError("not_found", "There is no such call.");
      if (row.state === "done") return undefined;
      if (row.state === "failed") throw refusal(row.error ?? "refused");
      return attempt(kind, row);
    },
    find: (key) => repo.byKey(db.read, key),
    lastOf: (tx, teamId, kind) => repo.lastOf(tx, teamId, kind),
    cut: (tx, teamId) => repo.cut(tx, teamId),
    wake: () => jobs.wake(),
    jobs: {
      async [CALL_JOB](input) {
        const row = await repo.find(db.read, jobInput.parse(input).callId);
        const kind = row && kinds.get(row.kind);
        if (row?.state !== "queued" || kind === undefined) return;
        if (kind.isForNow) {
          await db.tx((tx) => repo.settle(tx, row.id, { state: "failed", error: "abandoned", doneAt: now() }));
          return;
        }
        await kind.makeWith(async (known) => {
          try {
            await attempt(known, row);
          } catch (error) {
            // A refusal is written down; only what may still happen is tried again.
            if ((await repo.find(db.read, row.id))?.state === "queued") throw error;
          }
        });
      },
      /** Jobs give up after some tries; a call never does. */
      async [CALLS_SWEEP_JOB]() {
        const rows = await repo.waiting(new Date(clock.now() - SWEEP_EVERY_MS), PAGE);
        for (const row of rows) await db.tx((tx) => enqueue(tx, row));
        if (rows.length > 0) log.warn("Calls to Stripe wait", { count: rows.length });
        jobs.wake();
      },
    },
    schedules: [{ kind: CALLS_SWEEP_JOB, everyMs: SWEEP_EVERY_MS }],
  };
}

/** For the log of a caller that goes on without an answer. */
export function unansweredFields(error: unknown) {
  return error instanceof PerchError ? { code: error.code } : errorFields(error);
}
