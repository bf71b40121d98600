/**
 * Mail goes through an outbox: a row (and the job that sends it) is written in the transaction that makes the mail
 * true, so none is lost and none is sent for something that did not happen. Without a mail server rows stay and the
 * local preview page shows them.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { UserId } from "../../shared/ids.ts";
import type { Audit, AuditEntry } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { JobHandler, Jobs } from "../jobs/jobs.service.ts";
import { seal, unseal } from "../seal.ts";
import { type RenderedMail, renderMail } from "./mail.render.ts";
import type { FailedMail, MailRepo, OutboxMail } from "./mail.repo.ts";
import type { MailKind, MailState } from "./mail.tables.ts";
import { letterOf, linksOf, type MailData } from "./mail.templates.ts";
import type { MailTransport } from "./smtp.ts";

export type NewMail = {
  readonly [K in MailKind]: {
    readonly kind: K;
    readonly recipient: string;
    readonly userId?: UserId | undefined;
    readonly data: MailData[K];
    /** Names the event: queued twice, it is one mail. */
    readonly dedupeKey?: string | undefined;
  };
}[MailKind];

export interface PreviewMail extends RenderedMail {
  readonly id: string;
  readonly recipient: string;
  readonly createdAt: Date;
}

export const MAIL_JOB = "mail.send";
/** With the back-off of the job system about half a day: longer than a mail server is usually away. */
const MOST_ATTEMPTS = 150;
const LISTED = 50;

export interface Mail {
  /** Writes the mail in the caller's transaction; call `wake` after the commit. */
  queue(tx: Writer, mail: NewMail): Promise<void>;
  wake(): void;
  /**
   * Sends one queued mail; the job system repeats it after a failure. A process that dies after the mail server took a
   * mail and before that is written down sends it again, under the same Message-ID.
   */
  readonly send: JobHandler;
  /** Whether mail stays here, to be read on the preview page. */
  readonly staysLocal: boolean;
  /** The newest mails that wait here. Each look is recorded, for everybody it shows mail of. */
  preview(): Promise<PreviewMail[]>;
  /** One of them, recorded too. */
  previewOne(id: string): Promise<PreviewMail | undefined>;
  /** The newest mails that failed for good. Recorded, for everybody it names. */
  failed(reason: string): Promise<FailedMail[]>;
  counts(): Promise<Readonly<Record<MailState, number>>>;
  /** When the mail that waits longest was written. */
  oldestWaiting(): Promise<Date | undefined>;
}

export function createMail(options: {
  db: Database;
  repo: MailRepo;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  audit: Audit;
  /** Every link leads there. */
  publicUrl: URL;
  /** 32 bytes; seals the single-use links that wait in the outbox. */
  key: Buffer;
  /** Without one, mail stays local. */
  transport?: MailTransport | undefined;
}): Mail {
  const { db, repo, jobs, audit, publicUrl, key, transport } = options;

  async function rendered({ id, kind, data }: OutboxMail): Promise<RenderedMail | undefined> {
    if (data === null) return undefined;
    const text = unseal(key, id, data["sealed"] ?? "");
    if (text === undefined) throw new Error("A mail of the outbox does not open with this server's key.");
    return renderSealed(kind, text);
  }

  /** One entry for each person, whose it is to see; one without a person for mail to addresses that have no account. */
  /** Gives what may be read: nothing is written any more about a person who is being erased, so theirs stays closed. */
  async function recordReading<M extends { readonly userId: UserId | null }>(
    mails: readonly M[],
    reason: string,
  ): Promise<readonly M[]> {
    const closing = new Set<UserId | null>();
    for (const userId of [...new Set(mails.map((mail) => mail.userId))].sort()) {
      const count = mails.filter((mail) => mail.userId === userId).length;
      const look: AuditEntry = {
        chain: "server",
        actor: "operator",
        action: "admin.mail_read",
        ...(userId !== null && { object: userId }),
        detail: { reason, count },
      };
      try {
        await db.tx((tx) => audit.record(tx, look));
      } catch (error) {
        if (!(error instanceof PerchError) || error.code !== "account_closing") throw error;
        closing.add(userId);
      }
    }
    return mails.filter(({ userId }) => !closing.has(userId));
  }

  async function shown(mails: readonly OutboxMail[]): Promise<PreviewMail[]> {
    const open = await recordReading(mails, "shown on the mail page, at the machine itself");
    const letters = await Promise.all(
      open.map(async (mail) => {
        const content = await rendered(mail);
        return content && { ...content, id: mail.id, recipient: mail.recipient, createdAt: mail.createdAt };
      }),
    );
    return letters.filter((letter) => letter !== undefined);
  }

  return {
    staysLocal: transport === undefined,
    async queue(tx, mail) {
      const { recipient, userId, dedupeKey } = mail;
      demandOwnLinks(mail, publicUrl);
      const id = randomBytes(16).toString("base64url");
      const data = { sealed: seal(key, id, JSON.stringify(mail.data)) };
      const isNew = await repo.insert(tx, { id, userId, recipient, kind: mail.kind, data, dedupeKey });
      if (!isNew || transport === undefined) return;
      await jobs.enqueue(tx, {
        kind: MAIL_JOB,
        input: { mailId: id },
        dedupeKey: `mail:${id}`,
        maxAttempts: MOST_ATTEMPTS,
      });
    },
    wake() {
      if (transport !== undefined) jobs.wake();
    },
    async send(input, { finish, isLastAttempt, log }) {
      const { mailId } = z.object({ mailId: z.string() }).parse(input);
      const mail = await repo.find(mailId);
      if (transport === undefined || mail === undefined || mail.state !== "waiting") return;
      const { id, kind, recipient } = mail;
      let failure: string | undefined;
      try {
        const content = await rendered(mail);
        if (content === undefined) return;
        failure = (await transport.send({ ...content, to: recipient, id })).refused;
      } catch (error) {
        if (!isLastAttempt) throw error;
        failure = "gave up";
      }
      await finish((tx) => repo.settle(tx, id, failure));
      if (failure !== undefined) log.warn("A mail failed for good", { kind, reason: failure });
    },
    async preview() {
      return shown(await repo.listWaiting(LISTED));
    },
    async previewOne(id) {
      const mail = await repo.find(id);
      return mail?.state === "waiting" ? (await shown([mail]))[0] : undefined;
    },
    async failed(reason) {
      return [...(await recordReading(await repo.listFailed(LISTED), reason))];
    },
    counts: () => repo.counts(),
    oldestWaiting: () => repo.oldestWaiting(),
  };
}

/** A letter leads to this server and nowhere else, whoever made its links. Throws for one that lacks a value, too. */
function demandOwnLinks({ kind, data }: NewMail, publicUrl: URL): void {
  const letter = letterOf(kind, asDataOf(kind, data));
  const foreign = linksOf(letter).some((link) => !URL.canParse(link) || new URL(link).origin !== publicUrl.origin);
  if (foreign) throw new Error(`A mail of kind ${kind} has a link that does not lead to this server.`);
}

/** `NewMail` pairs each kind with its data; TypeScript loses the pair when they are read one by one. */
function asDataOf<K extends MailKind>(_kind: K, data: MailData[MailKind]): MailData[K] {
  return data as MailData[K];
}

/** The seal guarantees that the data is what `queue` was given for this kind. */
function renderSealed<K extends MailKind>(kind: K, text: string): Promise<RenderedMail> {
  return renderMail(kind, JSON.parse(text) as MailData[K]);
}
