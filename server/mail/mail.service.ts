/**
 * Mail goes through an outbox: a row (and the job that sends it) is written in the transaction that makes the mail
 * true, so none is lost and none is sent for something that did not happen. Without a mail server rows stay and the
 * local preview page shows them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { z } from "zod";
import type { UserId } from "../../shared/ids.ts";
import type { Writer } from "../db/database.ts";
import type { JobHandler, Jobs } from "../jobs/jobs.service.ts";
import type { MailRepo, OutboxMail } from "./mail.repo.ts";
import type { MailKind } from "./mail.tables.ts";
import { type MailData, type RenderedMail, renderMail } from "./mail.templates.ts";
import type { MailTransport } from "./smtp.ts";

export type NewMail = {
  readonly [K in MailKind]: {
    readonly kind: K;
    readonly recipient: string;
    readonly userId?: UserId | undefined;
    readonly data: MailData[K];
  };
}[MailKind];

export interface PreviewMail extends RenderedMail {
  readonly id: string;
  readonly recipient: string;
  readonly createdAt: Date;
}

export const MAIL_JOB = "mail.send";
const MOST_ATTEMPTS = 8;
const PREVIEWED = 50;

export interface Mail {
  /** Writes the mail in the caller's transaction; call `wake` after the commit. */
  queue(tx: Writer, mail: NewMail): Promise<void>;
  wake(): void;
  /** Sends one queued mail; the job system repeats it after a failure. */
  readonly send: JobHandler;
  /** Whether mail stays here, to be read on the preview page. */
  readonly staysLocal: boolean;
  preview(): Promise<PreviewMail[]>;
}

export function createMail(options: {
  repo: MailRepo;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  /** 32 bytes; seals the single-use links that wait in the outbox. */
  key: Buffer;
  /** Without one, mail stays local. */
  transport?: MailTransport | undefined;
}): Mail {
  const { repo, jobs, key, transport } = options;
  const rendered = (mail: OutboxMail) => (mail.data ? renderSealed(key, mail.id, mail.kind, mail.data) : undefined);
  return {
    staysLocal: transport === undefined,
    async queue(tx, { kind, recipient, userId, data }) {
      const id = randomBytes(16).toString("base64url");
      await repo.insert(tx, { id, userId, recipient, kind, data: seal(key, id, JSON.stringify(data)) });
      if (transport !== undefined) {
        await jobs.enqueue(tx, {
          kind: MAIL_JOB,
          input: { mailId: id },
          dedupeKey: `mail:${id}`,
          maxAttempts: MOST_ATTEMPTS,
        });
      }
    },
    wake() {
      if (transport !== undefined) jobs.wake();
    },
    async send(input, context) {
      const { mailId } = z.object({ mailId: z.string() }).parse(input);
      const mail = await repo.find(mailId);
      if (transport === undefined || mail === undefined || mail.state !== "waiting") return;
      const content = rendered(mail);
      if (content === undefined) return;
      const outcome = await transport.send({ ...content, to: mail.recipient, id: mail.id });
      await context.finish((tx) => repo.settle(tx, mail.id, outcome));
    },
    async preview() {
      const mails = await repo.listWaiting(PREVIEWED);
      return mails.flatMap((mail) => {
        const content = rendered(mail);
        return content ? [{ ...content, id: mail.id, recipient: mail.recipient, createdAt: mail.createdAt }] : [];
      });
    },
  };
}

/** AES-256-GCM with the mail's id as associated data, so that one mail's links cannot be moved into another. */
function seal(key: Buffer, id: string, text: string): Record<string, string> {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(id));
  const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { sealed: sealed.toString("base64") };
}

function open(key: Buffer, id: string, data: Readonly<Record<string, string>>): string {
  const sealed = Buffer.from(data["sealed"] ?? "", "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12)).setAAD(Buffer.from(id));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString("utf8");
}

/** The seal guarantees that the data is what `queue` was given for this kind. */
function renderSealed<K extends MailKind>(
  key: Buffer,
  id: string,
  kind: K,
  data: Readonly<Record<string, string>>,
): RenderedMail {
  return renderMail(kind, JSON.parse(open(key, id, data)) as MailData[K]);
}
