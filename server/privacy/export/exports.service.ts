/** A copy of everything exportable about a person, as the data map says: asked for, made in the background, downloaded, gone. */
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { type DataExportId, type DataRequestId, dataExportId, newId, type UserId } from "../../../shared/ids.ts";
import type { ExportDownload, ExportEstimate, ExportView } from "../../../shared/privacy.ts";
import type { AccountsRepo } from "../../accounts/accounts.repo.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import { hashSecret, isSecret, newSecret } from "../../accounts/secrets.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { JobHandler, Jobs } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { seal, unseal } from "../../seal.ts";
import type { Actor } from "../../teams/team-scope.ts";
import type { Person } from "../map/rows-of.repo.ts";
import { RETENTION } from "../tags.ts";
import type { Age } from "./age.ts";
import { type ArchiveParts, writeArchive } from "./archive.ts";
import type { ArchiveStore } from "./archive-store.ts";
import type { ExportRow, ExportsRepo } from "./exports.repo.ts";

export interface DataExports {
  estimate(userId: UserId): Promise<ExportEstimate>;
  /** The newest first. */
  list(userId: UserId): Promise<ExportView[]>;
  start(actor: Pick<Actor, "userId">, idempotencyKey: string): Promise<ExportView>;
  /** Removes the archive. */
  revoke(actor: Pick<Actor, "userId">, id: DataExportId): Promise<void>;
  download(actor: Pick<Actor, "userId">, id: DataExportId): Promise<ExportDownload>;
}

/** An archive on its way to who asked for it. */
export interface ExportStream {
  readonly fileName: string;
  /** Left out where it is encrypted on the way. */
  readonly bytes?: number;
  readonly mimeType: string;
  readonly content: ReadableStream<Uint8Array>;
}

/** What is not for calls: the archive itself, and the work in the background. */
export interface ExportArchives {
  /** Uses a ticket up. @throws PerchError `not_found` for one that is used, too old, or never was */
  redeem(ticket: string, passphrase: string | undefined): Promise<ExportStream>;
  /** For a confirmed request; call what it gives after the commit. */
  startFor(tx: Writer, request: { readonly id: DataRequestId; readonly userId: UserId }): Promise<() => void>;
  /** Removes archives of the person: for erasure. Gives how many there were. */
  removeAllOf(userId: UserId): Promise<number>;
  /** Ends what is over and removes files that nothing leads to. */
  sweep(): Promise<void>;
  readonly jobs: Readonly<Record<string, JobHandler>>;
}

/** The person's request that an export answers, where requests are kept. */
export interface ExportRequests {
  opened(
    tx: Writer,
    about: { readonly userId: UserId; readonly kind: "export" },
  ): Promise<{ readonly id: DataRequestId }>;
  fulfilled(tx: Writer, id: DataRequestId, answer: string): Promise<unknown>;
  revoked(tx: Writer, id: DataRequestId): Promise<void>;
}

export const EXPORT_JOB = "privacy.export";
export const EXPORT_SWEEP_JOB = "privacy.export_sweep";
export const DATA_PATH = "/account/data";
export const DATA_IMPORT_PATH = `${DATA_PATH}/import`;
export const MOST_DOWNLOADS = 5;
const MOST_KEPT = 3;
const MOST_ATTEMPTS = 5;
const TICKET_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const KEPT_MS = RETENTION.week.days * DAY_MS;
/** How often progress is written down. */
const TELL_EVERY_MS = 300;
/** Of one row, packed twice, and of a second of work: from `npm run bench -- export`. */
const BYTES_A_ROW = 50;
const ROWS_A_SECOND = 80_000;
const BYTES_A_SECOND = 40_000_000;

export const passphraseInput = z
  .string()
  .max(1_000, "A passphrase has at most 1,000 characters.")
  .refine((text) => text === "" || text.length >= 8, "Use at least 8 characters, or none for a file without one.")
  .transform((text) => (text === "" ? undefined : text));

export function createExports(options: {
  db: Database;
  repo: ExportsRepo;
  store: ArchiveStore;
  parts: ArchiveParts;
  age: Age;
  people: Pick<AccountsRepo, "find" | "findIn">;
  /** 32 bytes; seals the archives' keys. */
  key: Buffer;
  audit: Audit;
  mail: Pick<Mail, "queue" | "wake">;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  requests: ExportRequests | undefined;
  clock: Clock;
  publicUrl: URL;
}): DataExports & ExportArchives {
  const { db, repo, store, parts, people, key, mail, jobs, requests, clock, publicUrl } = options;
  const now = () => new Date(clock.now());
  const record = (tx: Writer, userId: UserId, action: AuditAction, id: DataExportId) =>
    options.audit.record(tx, { chain: "server", actor: userId, action, object: id });

  async function personOf(userId: UserId): Promise<Person | undefined> {
    const user = await people.find(userId);
    return user && { userId, email: user.email };
  }

  async function startIn(
    tx: Writer,
    userId: UserId,
    idempotencyKey: string,
    request?: DataRequestId,
  ): Promise<ExportRow> {
    if ((await repo.countIn(tx, userId, ["waiting", "running"])) > 0) {
      throw new PerchError("conflict", "A copy of your data is being made already. Wait for it, or remove it first.");
    }
    if ((await repo.countIn(tx, userId, ["ready"])) >= MOST_KEPT) {
      throw new PerchError("limit_reached", `You have ${MOST_KEPT} copies already. Remove one first.`);
    }
    const row = await repo.insert(tx, {
      id: newId("dataExport"),
      userId,
      requestId: request ?? (await requests?.opened(tx, { userId, kind: "export" }))?.id ?? null,
      state: "waiting",
      askedAt: now(),
      idempotencyKey,
    });
    await jobs.enqueue(tx, {
      kind: EXPORT_JOB,
      input: { exportId: row.id },
      dedupeKey: `export:${row.id}`,
      lockKey: `export:${userId}`,
      maxAttempts: MOST_ATTEMPTS,
    });
    await record(tx, userId, "privacy.export_asked", row.id);
    return row;
  }

  async function counts(person: Person): Promise<ExportEstimate["parts"]> {
    const found: { id: string; label: string; rows: number }[] = [];
    for (const { mapped, name, label } of parts.plan.tables) {
      const rows = await parts.pages.count(person, mapped);
      if (rows > 0) found.push({ id: name, label, rows });
    }
    return found;
  }

  /** Makes the archive; a later attempt begins anew. */
  const make: JobHandler = async (input, { signal, finish, isLastAttempt }) => {
    const { exportId: id } = z.object({ exportId: dataExportId }).parse(input);
    const row = await repo.findAnywhere(id);
    if (row === undefined || (row.state !== "waiting" && row.state !== "running")) return;
    const { userId } = row;
    const person = await personOf(userId);
    if (person === undefined) return;
    const stop = new AbortController();
    const aborted = AbortSignal.any([signal, stop.signal]);
    try {
      const rowsExpected = (await counts(person)).reduce((sum, { rows }) => sum + rows, 0);
      const begun = await db.tx((tx) =>
        repo.change(tx, id, ["waiting", "running"], { state: "running", rows: 0, rowsExpected }),
      );
      if (begun === undefined) return;
      const tell = progress(async (rows) => {
        const changed = await db.tx((tx) => repo.change(tx, id, ["running"], { rows }));
        if (changed === undefined) stop.abort(new Error("The export was removed while it was made."));
      });
      const archiveKey = randomBytes(32);
      let bytes = 0;
      const madeAt = now();
      const manifest = await writeArchive(
        parts,
        {
          id,
          person,
          madeAt,
          onRows(rows) {
            aborted.throwIfAborted();
            tell.now(rows);
          },
        },
        async (zip) => {
          bytes = await store.write(row, archiveKey, zip, aborted);
        },
      );
      await tell.settled();
      aborted.throwIfAborted();
      await finish(async (tx) => {
        const readyAt = now();
        const expiresAt = new Date(readyAt.getTime() + KEPT_MS);
        const change = { rows: manifest.rows, rowsExpected: manifest.rows, bytes, readyAt, expiresAt };
        const ready = await repo.change(tx, id, ["running"], {
          ...change,
          state: "ready",
          sealedKey: sealKey(id, archiveKey),
        });
        if (ready === undefined) throw new Error("The export was removed while it was made.");
        if (row.requestId !== null) {
          await requests?.fulfilled(tx, row.requestId, `A copy of the data was made: ${manifest.rows} records.`);
        }
        const recipient = (await people.findIn(tx, userId))?.emailShown ?? person.email;
        const data = {
          at: momentWords(row.askedAt),
          link: new URL(DATA_PATH, publicUrl).href,
          expiresAt: momentWords(expiresAt),
        };
        await mail.queue(tx, { kind: "export_ready", recipient, userId, data, dedupeKey: `export:${id}` });
      });
      mail.wake();
    } catch (error) {
      await store.remove(row);
      if (stop.signal.aborted) return;
      if (isLastAttempt && !signal.aborted) {
        await db.tx((tx) =>
          repo.change(tx, id, ["waiting", "running"], {
            state: "failed",
            failure: "It could not be made. Try again, or write to us.",
          }),
        );
      } else await db.tx((tx) => repo.change(tx, id, ["running"], { state: "waiting", rows: 0 }));
      throw error;
    }
  };

  function sealKey(id: DataExportId, archiveKey: Buffer): string {
    return seal(key, id, archiveKey.toString("base64url"));
  }

  async function end(tx: Writer, row: ExportRow): Promise<void> {
    const { id, userId, requestId, state } = row;
    await repo.change(tx, id, ["waiting", "running", "ready"], { state: "revoked", sealedKey: null, ticketHash: null });
    if (requestId !== null && state !== "ready") await requests?.revoked(tx, requestId);
    await record(tx, userId, "privacy.export_revoked", id);
  }

  return {
    async estimate(userId) {
      const person = await personOf(userId);
      if (person === undefined) throw noSuchExport();
      const found = await counts(person);
      const rows = found.reduce((sum, one) => sum + one.rows, 0);
      const files = await parts.files.size(person);
      const seconds = 1 + rows / ROWS_A_SECOND + files.bytes / BYTES_A_SECOND;
      return {
        rows,
        bytes: rows * BYTES_A_ROW + files.bytes,
        seconds: Math.ceil(seconds),
        parts: [...found, ...(files.files > 0 ? [{ id: "files", label: "Files", rows: files.files }] : [])],
      };
    },
    list: async (userId) => (await repo.list(userId)).map((row) => exportView(row, clock.now())),
    async start({ userId }, idempotencyKey) {
      const row = await db.tx(
        async (tx) => (await repo.findByKey(tx, userId, idempotencyKey)) ?? startIn(tx, userId, idempotencyKey),
      );
      jobs.wake();
      return exportView(row, clock.now());
    },
    async startFor(tx, { id, userId }) {
      await startIn(tx, userId, `request:${id}`, id);
      return () => jobs.wake();
    },
    async revoke({ userId }, id) {
      await db.tx(async (tx) => {
        const row = await repo.find(tx, userId, id);
        if (row === undefined) throw noSuchExport();
        if (row.state === "waiting" || row.state === "running" || row.state === "ready") await end(tx, row);
      });
      await store.remove({ id, userId });
    },
    async download({ userId }, id) {
      const ticket = newSecret();
      const at = now();
      const expiresAt = new Date(at.getTime() + TICKET_MS);
      await db.tx(async (tx) => {
        const row = await repo.find(tx, userId, id);
        if (row === undefined) throw noSuchExport();
        if (row.state === "waiting" || row.state === "running") {
          throw new PerchError("conflict", "This copy is still being made. Wait until it is ready.");
        }
        if (row.state !== "ready" || row.expiresAt === null || row.expiresAt <= at) {
          throw new PerchError("conflict", "This copy is gone. Make a new one.");
        }
        if (row.downloads >= MOST_DOWNLOADS) {
          throw new PerchError(
            "limit_reached",
            `A copy is downloaded at most ${MOST_DOWNLOADS} times. Make a new one.`,
          );
        }
        await repo.change(tx, id, ["ready"], { ticketHash: hashSecret(ticket), ticketExpiresAt: expiresAt });
        await record(tx, userId, "privacy.export_downloaded", id);
      });
      return { url: new URL(`/exports/${ticket}`, publicUrl).href, expiresAt: expiresAt.toISOString() };
    },
    async redeem(ticket, passphrase) {
      const row = isSecret(ticket)
        ? await db.tx((tx) => repo.redeem(tx, hashSecret(ticket), now(), MOST_DOWNLOADS))
        : undefined;
      if (row === undefined) throw usedUp();
      const opened = unseal(key, row.id, row.sealedKey ?? "");
      if (opened === undefined) throw new Error("An archive's key does not open with this server's key.");
      const archive = await store.read(row, Buffer.from(opened, "base64url"));
      if (archive === undefined) throw new PerchError("not_found", "This copy is gone. Make a new one.");
      const { bytes: length, content } = archive;
      const name = `perch-data-${(row.readyAt ?? row.askedAt).toISOString().slice(0, 10)}.zip`;
      const zip = streamOf(content);
      if (passphrase === undefined) return { fileName: name, bytes: length, mimeType: "application/zip", content: zip };
      const sealed = await options.age.withPassphrase(zip, passphrase);
      return { fileName: `${name}.age`, mimeType: "application/octet-stream", content: sealed };
    },
    async removeAllOf(userId) {
      const rows = (await repo.list(userId)).filter(({ state }) => state !== "revoked" && state !== "expired");
      await db.tx(async (tx) => {
        for (const row of rows) {
          await repo.change(tx, row.id, ["waiting", "running", "ready"], {
            state: "revoked",
            sealedKey: null,
            ticketHash: null,
          });
        }
      });
      for (const row of rows) await store.remove(row);
      return rows.length;
    },
    sweep,
    jobs: {
      [EXPORT_JOB]: make,
      [EXPORT_SWEEP_JOB]: sweep,
    },
  };

  async function sweep(): Promise<void> {
    await db.tx(async (tx) => {
      await repo.expire(tx, now());
      await repo.sweep(tx, new Date(clock.now() - KEPT_MS));
    });
    const there = await store.shelf.kept(now());
    const keeping = await repo.keeping(there.map(({ id }) => id));
    await store.shelf.remove(there.filter(({ id }) => !keeping.has(id)));
  }
}

function streamOf(pieces: AsyncGenerator<Buffer, void, undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await pieces.return();
    },
  });
}

/** Writes progress down now and then, one write at a time. */
function progress(write: (rows: number) => Promise<void>): { now(rows: number): void; settled(): Promise<void> } {
  let last = performance.now();
  let writing: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  return {
    now(rows) {
      if (failure !== undefined) throw failure.error;
      if (writing !== undefined || performance.now() - last < TELL_EVERY_MS) return;
      last = performance.now();
      writing = write(rows)
        .catch((error: unknown) => {
          failure = { error };
        })
        .finally(() => {
          writing = undefined;
        });
    },
    async settled() {
      await writing;
      if (failure !== undefined) throw failure.error;
    },
  };
}

function noSuchExport(): PerchError {
  return new PerchError("not_found", "You have no such copy of your data.");
}

function usedUp(): PerchError {
  return new PerchError("not_found", "This link was used already or is older than a minute. Start the download again.");
}

function exportView(row: ExportRow, at: number): ExportView {
  const isOver = row.state === "ready" && row.expiresAt !== null && row.expiresAt.getTime() <= at;
  return {
    id: row.id,
    state: isOver ? "expired" : row.state,
    askedAt: row.askedAt.toISOString(),
    ...(row.readyAt !== null && { readyAt: row.readyAt.toISOString() }),
    ...(row.expiresAt !== null && { expiresAt: row.expiresAt.toISOString() }),
    rows: row.rows,
    rowsExpected: row.rowsExpected,
    ...(row.bytes !== null && { bytes: row.bytes }),
    downloads: row.downloads,
    ...(row.failure !== null && { failure: row.failure }),
  };
}
