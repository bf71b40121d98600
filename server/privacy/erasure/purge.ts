/**
 * The purge: one durable step a store, each of them safe to repeat. What was there is counted when it begins, then it is
 * removed, then looked for again; what cannot be reached is tried again until it can. Nothing of it is undone half-way.
 */
import { z } from "zod";
import { type ErasureId, erasureId, teamId, type UserId } from "../../../shared/ids.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import { hashSecret, newSecret } from "../../accounts/secrets.ts";
import type { Sessions } from "../../accounts/sessions.service.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { RunShelf } from "../../automations/run-artifacts.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { UploadShelf } from "../../files/upload-store.ts";
import type { JobHandler } from "../../jobs/jobs.service.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { PhoneCopies } from "../../phones/phone-copies.ts";
import type { ArchiveShelf } from "../export/archive-store.ts";
import type { Receipts } from "../receipts.ts";
import { needlesOf, scanBytes, scanFolder } from "./byte-scan.ts";
import { type Scan, statementOf } from "./certificate.ts";
import type { Act } from "./erasure-plan.repo.ts";
import type { ErasureRows, Leaving } from "./erasure-rows.repo.ts";
import { BATCH } from "./erasure-rows.repo.ts";
import { GONE_MACHINES } from "./erasure-words.ts";
import type { ErasureRow, ErasuresRepo, StepRow } from "./erasures.repo.ts";
import { choicesOf, closing, type ErasureRequests, keptUntil } from "./erasures.service.ts";
import type { LedgerSpread } from "./ledger-spread.ts";
import {
  type ProcessorErasure,
  type PurgePhones,
  removeExports,
  removePhones,
  removeRunFiles,
  removeUploads,
} from "./purge-stores.ts";
import { fatesOf, type TeamDisposer } from "./team-fates.ts";

const LATE_MS = 24 * 3_600_000;
const SETTLE_TRIES = 5;
const SETTLE_PAUSE_MS = 200;

export interface Purge {
  /** Whose grace is over is purged; the rest waits. Throws to be called again. */
  readonly purge: JobHandler;
  /** Purges somebody whom a backup brought back, at once and without mail. */
  again(userId: UserId, teams: Leaving["teams"]): Promise<void>;
  /** Whether anything leads to the person or the teams. */
  isThere(userId: UserId, teams: Leaving["teams"]): Promise<boolean>;
}

export interface PurgeOptions {
  readonly db: Database;
  readonly repo: ErasuresRepo;
  readonly rows: ErasureRows;
  readonly ledger: Pick<LedgerSpread, "append">;
  readonly receipts: Pick<Receipts, "sign">;
  readonly phones: PurgePhones;
  /** Left out where the server is one process: then there is nothing elsewhere. */
  readonly copies?: Pick<PhoneCopies, "clear"> | undefined;
  readonly shelves: { readonly runs: RunShelf; readonly uploads: UploadShelf; readonly exports: ArchiveShelf };
  /** Has other nodes remove what lies on their disks; left out where there is nothing. */
  readonly filesElsewhere?: ((of: Pick<Leaving, "userId" | "teams">) => Promise<void>) | undefined;
  /** Ends what the person's runs do, in the caller's transaction. */
  readonly endRuns: (tx: Writer, userId: UserId) => Promise<() => void>;
  /** Folder with everything but phones; `skip` names what is not looked through. */
  readonly data: { readonly path: string; readonly skip: ReadonlySet<string> };
  readonly processors: readonly ProcessorErasure[];
  readonly disposer: TeamDisposer;
  readonly sessions: Pick<Sessions, "endIn" | "endTokensIn" | "announceEnded">;
  readonly mail: Pick<Mail, "queue" | "wake" | "staysLocal">;
  readonly audit: Audit;
  readonly requests?: ErasureRequests | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly publicUrl: URL;
}

/** What a look at a store found; `also`: what was found of another kind. */
interface StoreFound extends Partial<Pick<StepRow, "before" | "after" | "keptUntil">> {
  readonly also?: { readonly store: string; readonly before: number };
}

const jobInput = z.object({ erasureId });
/** What `choices` holds once the purge began. */
const began = z.object({ teams: z.array(teamId), quiet: z.boolean() });

export function createPurge(options: PurgeOptions): Purge {
  const { db, repo, rows, ledger, mail, audit, clock, log } = options;
  const page = createPageLinks(options.publicUrl);
  const folder = options.data;
  const now = () => new Date(clock.now());
  const lastMail = (id: ErasureId) => `erasure:${id}`;
  /** The users' own row goes last, the mail right before: both say whose the rest was. */
  const late = { mailOutbox: 1, users: 2 } as Partial<Record<string, number>>;
  const acts = rows.plan.acts
    .filter(({ table }) => table.property !== "erasures")
    .map((act, index) => ({ act, order: (late[act.table.property] ?? 0) * 1_000 + index }))
    .sort((a, b) => a.order - b.order)
    .map(({ act }) => act);
  const ownRecord = rows.plan.acts.filter(({ table }) => table.property === "erasures");

  /** From the asking to the first step: decides about teams, counts everything, and lets nobody write any more. */
  async function begin(row: ErasureRow, quiet: boolean, known?: Leaving["teams"]): Promise<void> {
    const { userId } = row;
    if (userId === null) return;
    const decided = async (reader: Reader) => {
      const person = (await repo.person(reader, userId)) ?? { email: "", emailShown: "", fullName: null };
      const teams = await repo.memberships(reader, userId);
      const fates = fatesOf(teams, choicesOf(row));
      return { person, teams, fates, closed: [...new Set([...closing(fates), ...(known ?? [])])] };
    };
    // Counted before the transaction: on PostgreSQL it would conflict with whoever writes to any table meanwhile.
    const counted = await decided(db.read);
    const { email, emailShown } = counted.person;
    const leaving: Leaving = { userId, email, emailShown, teams: counted.closed };
    const steps: { store: string; before: number; keptUntil: Date | null }[] = [];
    for (const act of [...acts, ...ownRecord]) {
      const before = await rows.count(db.read, act, leaving);
      const until =
        act.kind === "keep" && before > 0 ? await keptUntil(rows, db.read, act, leaving, clock.now()) : null;
      steps.push({ store: act.id, before, keptUntil: until });
    }
    const tell = await db.tx(async (tx) => {
      const { person, teams, fates, closed } = await decided(tx);
      if (closed.join() !== counted.closed.join()) {
        throw new PerchError(
          "conflict",
          "The person's teams changed while their data was counted. It is counted again.",
        );
      }
      const waiting = (store: string) => ({ store, before: null, keptUntil: null });
      const outside = [
        "phones",
        // After a restore every node starts, and looks what it has then.
        ...(options.copies === undefined || quiet ? [] : ["phone-copies"]),
        ...(options.filesElsewhere === undefined || quiet ? [] : ["files-elsewhere"]),
        "run-files",
        "uploads",
        "exports",
        ...options.processors.map(({ id }) => `processor:${id}`),
      ];
      await repo.addSteps(tx, row.id, [
        ...[...outside, ...(quiet ? [] : ["last-mail"])].map(waiting),
        ...steps.slice(0, acts.length),
        ...["keys", "settle", "scan"].map(waiting),
        ...steps.slice(acts.length),
      ]);

      const endedRuns = await options.endRuns(tx, userId);
      const disposed = await options.disposer.dispose(tx, userId, teams, fates);
      const sessions = await options.sessions.endIn(tx, userId, "all");
      const tokens = await options.sessions.endTokensIn(tx, { madeBy: userId, since: new Date(0) });
      const link = newSecret();
      if (!quiet && person.emailShown !== "") {
        const data = {
          at: momentWords(now()),
          kept: keptWords(steps),
          certificateLink: page("/erasure", { token: link }),
        };
        const about = { kind: "account_deleted", recipient: person.emailShown, dedupeKey: lastMail(row.id) } as const;
        await mail.queue(tx, { ...about, data });
      }
      const change = { state: "purging", undoHash: null, choices: { teams: closed, quiet } } as const;
      const certificateHash = quiet ? null : hashSecret(link);
      if (!(await repo.change(tx, row.id, "grace", { ...change, certificateHash }))) {
        throw new PerchError("conflict", "The deletion was taken back, or began elsewhere.");
      }
      await repo.fence(tx, userId, now(), closed);
      return () => {
        endedRuns();
        disposed();
        options.sessions.announceEnded([...sessions, ...tokens]);
      };
    });
    tell();
    mail.wake();
  }

  /** One act, with the look afterwards; small ones together with their step in one transaction. */
  async function perform(id: ErasureId, act: Act, step: StepRow, leaving: Leaving): Promise<void> {
    const isLast = act.table.property === "mailOutbox" && mail.staysLocal;
    const done = async (tx: Writer, after: number) => {
      if (after > 0) throw new PerchError("unavailable", `Rows of ${act.table.name} are still there.`);
      await repo.stepDone(tx, id, act.id, now(), { after });
    };
    if ((step.before ?? 0) > BATCH) {
      await rows.perform(act, leaving);
      await db.tx(async (tx) => done(tx, await rows.count(tx, act, leaving)));
      return;
    }
    await db.tx(async (tx) => {
      // On a server without a mail server the last mail stays to be read, and is nobody's.
      if (isLast) await repo.unaddressMail(tx, lastMail(id));
      await rows.performIn(tx, act, leaving);
      await done(tx, await rows.count(tx, act, leaving));
    });
  }

  /** What others wrote about the person stays theirs; a byte that no row accounts for is a fault. */
  async function scan(values: readonly string[]): Promise<Scan> {
    if (values.length === 0) return { state: "not repeated" };
    const needles = needlesOf(values);
    const found = await scanFolder(folder.path, needles, folder.skip);
    const pages = await db.pages();
    const inPages = pages === undefined ? undefined : await scanBytes(pages, needles);
    const elsewhere = inPages === 0 ? 0 : await rows.rowsWith(values);
    if (found.hits > 0 || ((inPages ?? 0) > 0 && elsewhere === 0)) {
      throw new PerchError("unavailable", "Something of the person is still in a file. The search is repeated.");
    }
    return {
      ...{ state: "done", files: found.files, bytes: found.bytes, values: values.length },
      pages: pages === undefined ? "not shown by this database" : "searched",
      rowsOfOthers: elsewhere,
    };
  }

  /** Does what is not done yet. `values`: of the person, taken while they were there. */
  async function work(row: ErasureRow, values: readonly string[], signal?: AbortSignal): Promise<void> {
    const { id, userId } = row;
    if (userId === null) return;
    const { teams, quiet } = began.parse(row.choices);
    const person = await repo.person(db.read, userId);
    const leaving = { userId, email: person?.email ?? "", emailShown: person?.emailShown ?? "", teams };
    // Who is erased again stands there already.
    if (!quiet) await ledger.append({ at: now(), userId, teams });
    let scanned: Scan = { state: "not repeated" };

    const stores: Readonly<Record<string, () => Promise<StoreFound>>> = {
      phones: () => removePhones(repo, options.phones, teams),
      "phone-copies": async () => {
        const { before = 0, forgotten = 0 } = (await options.copies?.clear(teams)) ?? {};
        const also = forgotten === 0 ? {} : { also: { store: GONE_MACHINES, before: forgotten } };
        return { before: before - forgotten, after: 0, ...also };
      },
      "files-elsewhere": async () => {
        await options.filesElsewhere?.({ userId, teams });
        return {};
      },
      "run-files": () => removeRunFiles(repo, options.shelves.runs, teams),
      uploads: () => removeUploads(repo, options.shelves.uploads, userId, teams),
      exports: () => removeExports(repo, options.shelves.exports, userId),
      "last-mail": async () => {
        const state = mail.staysLocal ? "kept" : await repo.mailState(lastMail(id));
        if (state === "waiting") throw new PerchError("unavailable", "The last mail is not sent yet.");
        return {};
      },
      keys: async () => {
        await db.keys.destroy(userId);
        return {};
      },
      settle: async () => {
        await settle(db, [...new Set(acts.map(({ table }) => table.name))]);
        return {};
      },
      scan: async () => {
        scanned = await scan(values);
        return {};
      },
    };
    for (const processor of options.processors) {
      Object.assign(stores, {
        [`processor:${processor.id}`]: async () => {
          const answer = await processor.erase({ userId, email: leaving.email, teams });
          return answer.state === "gone" ? { after: 0 } : { keptUntil: answer.until };
        },
      });
    }

    for (const step of await repo.steps(id)) {
      if (step.state === "done" || ownRecord.some((act) => act.id === step.store)) continue;
      if (signal?.aborted === true) throw new PerchError("unavailable", "The server is stopping.");
      try {
        const act = acts.find((one) => one.id === step.store);
        if (act !== undefined) await perform(id, act, step, leaving);
        else {
          const { also, ...found } = (await stores[step.store]?.()) ?? {};
          if ((found.after ?? 0) > 0) throw new PerchError("unavailable", `Something is left in ${step.store}.`);
          await db.tx(async (tx) => {
            await repo.stepDone(tx, id, step.store, now(), found);
            if (also === undefined) return;
            await repo.addSteps(tx, id, [{ ...also, keptUntil: null }]);
            await repo.stepDone(tx, id, also.store, now(), {});
          });
        }
      } catch (error) {
        const first = step.firstTriedAt?.getTime() ?? clock.now();
        const isLate = clock.now() - first > LATE_MS;
        await db.tx((tx) => repo.stepFailed(tx, id, step.store, now(), isLate));
        const what = isLate ? "An erasure is late" : "A step of an erasure will be tried again";
        log[isLate ? "error" : "warn"](what, { kind: step.store, attempt: step.attempts + 1, ...errorFields(error) });
        throw error;
      }
    }
    await finish(row, leaving, scanned, quiet);
  }

  /** Looks once more everywhere, signs what was done, and cuts the last link. */
  async function finish(row: ErasureRow, leaving: Leaving, scanned: Scan, quiet: boolean): Promise<void> {
    for (const act of acts) {
      if ((await rows.count(db.read, act, leaving)) > 0) await rows.perform(act, leaving);
      if ((await rows.count(db.read, act, leaving)) > 0) {
        throw new PerchError("unavailable", `Rows of ${act.table.name} came back.`);
      }
    }
    const doneAt = now();
    const steps = await repo.steps(row.id);
    const certificate = options.receipts.sign(statementOf({ row, steps, acts: rows.plan.acts, scan: scanned, doneAt }));
    await db.tx(async (tx) => {
      for (const act of ownRecord) {
        await rows.performIn(tx, act, leaving);
        await repo.stepDone(tx, row.id, act.id, doneAt, { after: 0 });
      }
      await repo.change(tx, row.id, "purging", { state: "done", doneAt, certificate, choices: null });
      if (row.requestId !== null && !quiet) {
        await options.requests?.fulfilled(tx, row.requestId, "The account and everything in it is deleted.");
      }
      await audit.record(tx, { chain: "server", actor: "server", action: "privacy.erased" });
    });
    await settle(db, ["erasures"]);
  }

  async function run(row: ErasureRow, quiet: boolean, signal?: AbortSignal, known?: Leaving["teams"]): Promise<void> {
    const { userId } = row;
    if (userId === null || row.state === "done" || row.state === "undone") return;
    const person = await repo.person(db.read, userId);
    const leaving = { userId, email: person?.email ?? "", emailShown: person?.emailShown ?? "", teams: [] };
    // Once their rows are gone nobody can say what to search for; then the search is left out and the certificate says so.
    const values = person === undefined ? [] : await rows.ownValues(leaving);
    if (row.state === "grace") await begin(row, quiet, known);
    const begun = await repo.find(db.read, row.id);
    if (begun?.state === "purging") await work(begun, values, signal);
  }

  const isThere: Purge["isThere"] = async (userId, teams) => {
    const leaving = { userId, email: "", emailShown: "", teams };
    for (const act of rows.plan.acts) if ((await rows.count(db.read, act, leaving)) > 0) return true;
    return false;
  };

  return {
    async purge(input, { signal }) {
      const row = await repo.find(db.read, jobInput.parse(input).erasureId);
      if (row === undefined || (row.state === "grace" && row.purgeAt.getTime() > clock.now())) return;
      await run(row, false, signal);
    },
    async again(userId, teams) {
      const live = await repo.live(db.read, userId);
      const at = now();
      const row = live ?? (await db.tx((tx) => repo.insert(tx, { userId, state: "grace", askedAt: at, purgeAt: at })));
      await run(row, true, undefined, teams);
    },
    isThere,
  };
}

/** @throws PerchError when somebody reads or uses the tables all the time. */
export async function settle(db: Pick<Database, "settle">, tables: readonly string[]): Promise<void> {
  for (let attempt = 1; attempt <= SETTLE_TRIES; attempt += 1) {
    if (await db.settle(tables)) return;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS * attempt));
  }
  throw new PerchError("unavailable", "Somebody reads the database all the time, so its log cannot be emptied.");
}

function keptWords(steps: readonly { before: number | null; keptUntil: Date | null }[]): string {
  const kept = steps.filter(({ before, keptUntil: until }) => (before ?? 0) > 0 && until !== null);
  const last = kept.reduce((most, { keptUntil: until }) => Math.max(most, until?.getTime() ?? 0), 0);
  return kept.length === 0
    ? "The law makes us keep nothing of yours."
    : `Until ${momentWords(new Date(last))} at the latest we keep what the law asks for. The certificate says what that is.`;
}
