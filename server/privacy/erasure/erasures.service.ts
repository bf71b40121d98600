/** Deleting an account: preview, grace with undo, a durable purge, a certificate. */
import { z } from "zod";
import type { DataRequestId, ErasureId, UserId } from "../../../shared/ids.ts";
import {
  type DeletePreview,
  type DeletionView,
  type deleteInput,
  type SignedReceipt,
  teamChoice,
} from "../../../shared/privacy.ts";
import { lookupEmail } from "../../accounts/identity-provider.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import { hashSecret, isSecret, newSecret } from "../../accounts/secrets.ts";
import type { Sessions } from "../../accounts/sessions.service.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import { type Database, isUniqueViolation, type Reader, type Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { NewJob } from "../../jobs/jobs.repo.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { STOP_JOB } from "../preferences/stop-work.ts";
import { GRACE_DAYS, PROMISED_DAYS } from "../retention/budget.ts";
import { RETENTION } from "../tags.ts";
import type { ErasureRows, Leaving } from "./erasure-rows.repo.ts";
import { LAW_WORDS, storeOf, TABLE_WORDS } from "./erasure-words.ts";
import type { ErasureRow, ErasuresRepo, StepRow } from "./erasures.repo.ts";
import { demandChoices, fatesOf, heirsOf, needsChoice, type TeamFate } from "./team-fates.ts";

const DAY_MS = 24 * 3_600_000;
export const CERTIFICATE_DAYS = 60;

/** The purge itself; `{erasureId}`. */
export const PURGE_JOB = "erasure.purge";

/** What the records of requests have to know of a deletion; left out, none are kept. */
export interface ErasureRequests {
  /** The person's open request, or a new one. */
  opened(
    tx: Writer,
    about: { readonly userId: UserId; readonly kind: "delete" },
  ): Promise<{ readonly id: DataRequestId }>;
  revoked(tx: Writer, id: DataRequestId): Promise<unknown>;
  /** When the person is gone: nothing of them is in the record by then. */
  fulfilled(tx: Writer, id: DataRequestId, answer: string): Promise<unknown>;
}

export interface Erasures {
  preview(actor: Actor): Promise<DeletePreview>;
  /** @throws PerchError when the address is not the person's, or a team needs a choice. */
  ask(actor: Actor, input: z.output<typeof deleteInput>): Promise<DeletionView>;
  undo(actor: Actor): Promise<void>;
  /** The one in grace or at work. */
  current(userId: UserId): Promise<DeletionView | undefined>;
  /** For a request that came through the support channel: as `ask`, by the operator. */
  enter(userId: UserId, about: { readonly now: boolean; readonly reason: string }): Promise<DeletionView>;
  /** For a request that turned out to be theirs, in the transaction that says so. What it gives is called after the commit. */
  start(tx: Writer, request: { readonly id: DataRequestId; readonly userId: UserId }): Promise<() => void>;
  /** For an account nobody uses any more, in the given transaction. What it gives is called after the commit. */
  startUnasked(tx: Writer, userId: UserId): Promise<() => void>;
  /** What the undo link is about; undefined when it is too late, or was used. */
  findUndo(token: string): Promise<DeletionView | undefined>;
  undoByLink(token: string): Promise<void>;
  /** What the link in the last mail shows: how far it is, then the certificate. It names nobody. */
  progress(token: string): Promise<ErasureProgress | undefined>;
}

export interface ErasureProgress {
  readonly view: DeletionView;
  readonly certificate?: SignedReceipt;
}

const chosen = z.object({ choices: z.array(teamChoice) });

/** What the person chose, as it is stored. */
export function choicesOf(row: Pick<ErasureRow, "choices">): z.output<typeof chosen>["choices"] {
  return chosen.safeParse(row.choices).data?.choices ?? [];
}

export function closing(fates: readonly TeamFate[]): Leaving["teams"] {
  return fates.filter(({ fate }) => fate === "close").map(({ teamId }) => teamId);
}

export function createErasures(options: {
  db: Database;
  repo: ErasuresRepo;
  rows: ErasureRows;
  jobs: { enqueue(tx: Writer, job: NewJob): Promise<boolean>; wake(): void };
  sessions: Pick<Sessions, "endIn" | "endTokensIn" | "announceEnded">;
  mail: Pick<Mail, "queue" | "wake">;
  audit: Audit;
  requests?: ErasureRequests | undefined;
  clock: Clock;
  publicUrl: URL;
}): Erasures {
  const { db, repo, rows, jobs, sessions, mail, audit, requests, clock } = options;
  const page = createPageLinks(options.publicUrl);
  const inDays = (from: number, days: number) => new Date(from + days * DAY_MS);

  async function leavingOf(reader: Reader, userId: UserId, choices: ReturnType<typeof choicesOf>): Promise<Leaving> {
    const person = await repo.person(reader, userId);
    if (person === undefined) throw gone();
    const teams = closing(fatesOf(await repo.memberships(reader, userId), choices));
    return { userId, email: person.email, emailShown: person.emailShown, teams };
  }

  const viewOf = (row: ErasureRow, steps: readonly StepRow[]): DeletionView => ({
    id: row.id,
    state: row.state,
    askedAt: row.askedAt.toISOString(),
    purgeAt: row.purgeAt.toISOString(),
    goneBy: inDays(row.askedAt.getTime(), PROMISED_DAYS).toISOString(),
    steps: byStore(steps),
  });
  const view = async (row: ErasureRow) => viewOf(row, await repo.steps(row.id));

  /** Everything that starts at once, in the caller's transaction; it gives what is told after the commit. */
  async function begin(
    tx: Writer,
    userId: UserId,
    about: {
      now: boolean;
      choices: ReturnType<typeof choicesOf>;
      key: string | null;
      requestId?: DataRequestId;
      /** The session that goes on, where the person asks. */
      session?: Parameters<Sessions["endIn"]>[2];
    },
  ) {
    const person = await repo.person(tx, userId);
    if (person === undefined) throw gone();
    const asked = clock.now();
    const purgeAt = about.now ? new Date(asked) : inDays(asked, GRACE_DAYS);
    const undo = newSecret();
    const requestId = about.requestId ?? (await requests?.opened(tx, { userId, kind: "delete" }))?.id ?? null;
    const row = await repo.insert(tx, {
      ...{ userId, requestId, state: "grace", askedAt: new Date(asked), purgeAt },
      ...{ choices: { choices: about.choices }, undoHash: hashSecret(undo), idempotencyKey: about.key },
    });
    const ended = await sessions.endIn(tx, userId, about.session ?? "all");
    const tokens = await sessions.endTokensIn(tx, { madeBy: userId, since: new Date(0) });
    if (!about.now) {
      const data = {
        at: momentWords(new Date(asked)),
        deletedAt: momentWords(purgeAt),
        undoLink: page("/account-deletion/undo", { token: undo }),
      };
      await mail.queue(tx, { kind: "account_deletion", userId, recipient: person.emailShown, data });
    }
    await jobs.enqueue(tx, { kind: STOP_JOB, input: { userId } });
    await jobs.enqueue(tx, purgeJob(row.id, purgeAt));
    const tell = () => {
      sessions.announceEnded([...ended, ...tokens]);
      mail.wake();
      jobs.wake();
    };
    return { row, tell };
  }

  async function takeBack(row: ErasureRow, actor: UserId, chain: string): Promise<void> {
    const { userId } = row;
    if (userId === null) throw tooLate();
    await db.tx(async (tx) => {
      const person = await repo.person(tx, userId);
      if (person === undefined || !(await repo.change(tx, row.id, "grace", UNDONE))) throw tooLate();
      if (row.requestId !== null) await requests?.revoked(tx, row.requestId);
      await audit.record(tx, { chain, actor, action: "privacy.deletion_undone", object: userId });
      const data = { at: momentWords(new Date(clock.now())), signInLink: page("/sign-in") };
      await mail.queue(tx, { kind: "account_deletion_undone", userId, recipient: person.emailShown, data });
    });
    mail.wake();
  }

  return {
    async preview(actor) {
      const { userId } = actor;
      const live = await repo.live(db.read, userId);
      const teams = await repo.memberships(db.read, userId);
      const choices = live === undefined ? [] : choicesOf(live);
      const leaving = await leavingOf(db.read, userId, choices);
      const goes: Counted[] = [];
      const stays: Counted[] = [];
      const kept: { label: string; items: number; until: string; law: string }[] = [];
      for (const act of rows.plan.acts) {
        const items = await rows.count(db.read, act, leaving);
        if (items === 0) continue;
        const label = TABLE_WORDS[act.table.property];
        if (act.kind === "cut") stays.push({ label, items });
        else if (act.kind !== "keep") goes.push({ label, items });
        else {
          const until = await keptUntil(rows, db.read, act, leaving, clock.now());
          kept.push({ label, items, until: until.toISOString(), law: LAW_WORDS[act.retain ?? "service"] ?? "" });
        }
      }
      return {
        goes: byLabel(goes),
        staysWithTeams: byLabel(stays),
        kept,
        teams: teams.filter(needsChoice).map((team) => ({
          teamId: team.teamId,
          name: team.name,
          heirs: heirsOf(team).map(({ userId: heir, fullName, email }) => ({ userId: heir, name: fullName ?? email })),
        })),
        graceDays: GRACE_DAYS,
        goneBy: inDays(live?.askedAt.getTime() ?? clock.now(), PROMISED_DAYS).toISOString(),
      };
    },

    async ask(actor, input) {
      const { userId, credential } = actor;
      const earlier = await repo.byKey(db.read, userId, input.idempotencyKey);
      if (earlier !== undefined && earlier.state !== "undone") return view(earlier);
      const person = await repo.person(db.read, userId);
      if (person === undefined) throw gone();
      if (lookupEmail(input.confirmation) !== person.email) {
        const message = `Type ${person.emailShown} to confirm that this account is deleted.`;
        throw new PerchError("bad_input", message, { fields: { confirmation: message } });
      }
      const live = await repo.live(db.read, userId);
      if (live !== undefined) {
        if (!input.now || live.state !== "grace") {
          throw new PerchError("conflict", "This account is being deleted already. Take it back first to ask anew.");
        }
        return view(await hurry(live, actor));
      }
      const made = await db
        .tx(async (tx) => {
          demandChoices(await repo.memberships(tx, userId), input.teams);
          await audit.record(tx, {
            chain: actor.teamId,
            actor: userId,
            action: "privacy.deletion_asked",
            object: userId,
          });
          return begin(tx, userId, {
            ...{ now: input.now, choices: input.teams, key: input.idempotencyKey },
            ...(credential.kind === "session" && { session: { except: credential.id } }),
          });
        })
        .catch(async (error: unknown) => {
          const twice = isUniqueViolation(error) ? await repo.live(db.read, userId) : undefined;
          if (twice === undefined) throw error;
          return { row: twice, tell() {} };
        });
      made.tell();
      return view(made.row);
    },

    async undo(actor) {
      const live = await repo.live(db.read, actor.userId);
      if (live === undefined) throw new PerchError("not_found", "Nothing is being deleted.");
      await takeBack(live, actor.userId, actor.teamId);
    },

    async current(userId) {
      const live = await repo.live(db.read, userId);
      return live && view(live);
    },

    async enter(userId, { now, reason }) {
      if ((await repo.live(db.read, userId)) !== undefined) {
        throw new PerchError("conflict", "This account is being deleted already.");
      }
      const made = await db.tx(async (tx) => {
        await audit.record(tx, {
          ...{ chain: "server", actor: "operator", action: "admin.erasure_asked", object: userId, detail: { reason } },
        });
        return begin(tx, userId, { now, choices: [], key: null });
      });
      made.tell();
      return view(made.row);
    },
    async start(tx, { id, userId }) {
      if ((await repo.live(tx, userId)) !== undefined) return () => {};
      return (await begin(tx, userId, { now: false, choices: [], key: null, requestId: id })).tell;
    },

    async startUnasked(tx, userId) {
      if ((await repo.live(tx, userId)) !== undefined) return () => {};
      return (await begin(tx, userId, { now: false, choices: [], key: null })).tell;
    },

    async findUndo(token) {
      const row = isSecret(token) ? await repo.byUndo(db.read, hashSecret(token)) : undefined;
      return row && view(row);
    },
    async undoByLink(token) {
      const row = isSecret(token) ? await repo.byUndo(db.read, hashSecret(token)) : undefined;
      if (row?.userId == null) throw tooLate();
      await takeBack(row, row.userId, "server");
    },
    async progress(token) {
      const row = isSecret(token) ? await repo.byCertificate(db.read, hashSecret(token)) : undefined;
      if (row === undefined) return undefined;
      if (row.doneAt !== null && clock.now() > inDays(row.doneAt.getTime(), CERTIFICATE_DAYS).getTime())
        return undefined;
      return { view: await view(row), ...(row.certificate !== null && { certificate: row.certificate }) };
    },
  };

  /** Ends the grace of a deletion that was asked for. */
  async function hurry(live: ErasureRow, actor: Actor): Promise<ErasureRow> {
    const purgeAt = new Date(clock.now());
    await db.tx(async (tx) => {
      if (!(await repo.change(tx, live.id, "grace", { purgeAt }))) throw tooLate();
      const detail = { now: true };
      await audit.record(tx, {
        ...{ chain: actor.teamId, actor: actor.userId, action: "privacy.deletion_asked", object: actor.userId, detail },
      });
      await jobs.enqueue(tx, { ...purgeJob(live.id, purgeAt), dedupeKey: `erasure-now:${live.id}` });
    });
    jobs.wake();
    return { ...live, purgeAt };
  }
}

/** It goes on for as long as it takes: a store that cannot be reached is late, not forgotten. */
export function purgeJob(id: ErasureId, runAt: Date): NewJob {
  return {
    ...{ kind: PURGE_JOB, input: { erasureId: id }, runAt },
    ...{ dedupeKey: `erasure:${id}`, lockKey: `erasure:${id}`, maxAttempts: 1_000_000 },
  };
}

/** Until when what the law keeps stays: what the row itself says, else the rule from now on. */
export async function keptUntil(
  rows: ErasureRows,
  reader: Reader,
  act: ErasureRows["plan"]["acts"][number],
  leaving: Leaving,
  now: number,
): Promise<Date> {
  const said = await rows.keptUntil(reader, act, leaving);
  if (said !== undefined && said.getTime() > now) return said;
  const rule = RETENTION[act.retain ?? "service"];
  return new Date(now + ("days" in rule ? rule.days : 0) * DAY_MS);
}

const UNDONE = { state: "undone", undoHash: null, choices: null } as const;

interface Counted {
  readonly label: string;
  readonly items: number;
}
export function byLabel(counted: readonly Counted[]): Counted[] {
  const sums = new Map<string, number>();
  for (const { label, items } of counted) sums.set(label, (sums.get(label) ?? 0) + items);
  return [...sums]
    .map(([label, items]) => ({ label, items }))
    .sort((a, b) => b.items - a.items || (a.label < b.label ? -1 : 1));
}

/** One line a store: late when any of it is, done when all of it is. */
function byStore(steps: readonly StepRow[]): DeletionView["steps"] {
  const lines = new Map<string, { store: string; label: string; state: StepRow["state"] }>();
  for (const { store: step, state } of steps) {
    const { store, label } = storeOf(step);
    const before = lines.get(store)?.state ?? state;
    const worst = [before, state].includes("late") ? "late" : before === "done" ? state : before;
    lines.set(store, { store, label, state: worst });
  }
  return [...lines.values()];
}

function gone(): PerchError {
  return new PerchError("not_found", "There is no such account.");
}
function tooLate(): PerchError {
  return new PerchError("conflict", "The deletion has begun, or was taken back already. Nothing can be changed now.");
}
