/**
 * Append-only audit chains. Each entry commits to its personal part through a salted hash, so that part can be
 * forgotten after 90 days and the chain still verifies (`research/accounts-security.md` §5, case 40).
 */
import { createHash, randomBytes } from "node:crypto";
import { and, asc, desc, eq, getTableColumns, isNotNull, lt, sql } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { canonicalJson } from "../limits/idempotency.ts";

/** Everything that may stand in the audit log; an unknown action does not compile. */
export type AuditAction =
  | "account.created"
  | "account.password_changed"
  | "account.profile_changed"
  | "account.email_change_asked"
  | "account.email_changed"
  | "account.email_change_undone"
  | "account.totp_added"
  | "account.totp_removed"
  | "account.backup_codes_made"
  | "account.backup_code_used"
  | "account.passkey_added"
  | "account.passkey_renamed"
  | "account.passkey_removed"
  | "account.stepped_up"
  | "account.recovered"
  | "account.second_factor_failed"
  | "account.unusual_use"
  | "account.held"
  | "account.contested"
  | "account.released"
  | "account.signed_in"
  | "account.sign_in_failed"
  | "account.signed_out"
  | "account.connected"
  | "session.revoked"
  | "token.created"
  | "token.revoked"
  | "team.created"
  | "team.renamed"
  | "team.closed"
  | "team.second_factor_required"
  | "team.invited"
  | "team.invitation_resent"
  | "team.invitation_withdrawn"
  | "team.invitation_declined"
  | "team.joined"
  | "team.role_changed"
  | "team.member_removed"
  | "team.left"
  | "team.ownership_transferred"
  | "phone.launched"
  | "phone.started"
  | "phone.parked"
  | "phone.removed"
  | "phone.renamed"
  | "phone.configured"
  | "phone.tagged"
  | "phone.opened"
  | "phone.web_app_installed"
  | "phone.screenshot_taken"
  | "phone.file_removed"
  | "phone.file_read"
  | "phone.watched"
  | "phone.driven"
  | "phone.taken"
  | "flow.saved"
  | "flow.removed"
  | "run.started"
  | "run.cancelled"
  | "run.resumed"
  | "run.file_read"
  | "secret.set"
  | "secret.removed"
  | "secret.granted"
  | "secret.revoked"
  | "rule.saved"
  | "rule.removed"
  | "rule.started"
  | "rule.paused"
  | "rule.resumed"
  | "webhook.created"
  | "webhook.removed"
  | "webhook.rotated"
  | "webhook.called"
  | "workspace.file_saved"
  | "workspace.file_removed"
  | "workspace.folder_removed"
  | "workspace.imported"
  | "workspace.baseline_accepted"
  | "recording.started"
  | "recording.saved"
  | "recording.discarded"
  | "support.received"
  | "privacy.viewed"
  | "admin.users_listed"
  | "admin.account_read"
  | "admin.mail_read"
  | "admin.decision_reviewed"
  | "admin.key_rotated"
  | "server.started";

export interface AuditEntry {
  /** A team id, or `server`. */
  readonly chain: string;
  readonly actor: string;
  readonly action: AuditAction;
  readonly object?: string;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

export interface Audit {
  /** Writes the entry in the caller's transaction: the change and its record land together or not at all. */
  record(tx: Writer, entry: AuditEntry): Promise<void>;
  /** Walks a chain; names the first entry that does not fit. */
  verify(chain: string): Promise<{ entries: number; brokenAt?: number }>;
  chains(): Promise<string[]>;
  /** Forgets the personal part of entries older than `before`. */
  anonymise(tx: Writer, before: Date): Promise<number>;
}

const digest = (text: string) => createHash("sha256").update(text).digest("base64url");
const GENESIS = digest("perch audit");

export function createAudit(db: Database, clock: Clock): Audit {
  const { auditLog } = db.t;
  const link = (prev: string, seq: number, action: string, commitment: string) =>
    digest([prev, String(seq), action, commitment].join("\n"));
  const commit = (entry: { at: Date; actor: string; object: string | null; detail: unknown; salt: string }) =>
    digest(canonicalJson([entry.salt, entry.at.toISOString(), entry.actor, entry.object, entry.detail ?? null]));
  /** Either all of it is there and fits its commitment, or all of it was forgotten. */
  const personalPartFits = (row: {
    at: Date | null;
    actor: string | null;
    object: string | null;
    detail: unknown;
    salt: string | null;
    commitment: string;
  }): boolean => {
    const { at, actor, object, salt } = row;
    if (at === null || actor === null || salt === null) {
      return [at, actor, object, row.detail, salt].every((part) => part === null);
    }
    const detail = parsedDetail(row.detail);
    const isMoment = !Number.isNaN(at.getTime());
    return detail !== undefined && isMoment && commit({ at, actor, object, detail, salt }) === row.commitment;
  };
  return {
    async record(tx, entry) {
      const [last] = await tx
        .select({ seq: auditLog.seq, hash: auditLog.hash })
        .from(auditLog)
        .where(eq(auditLog.chain, entry.chain))
        .orderBy(desc(auditLog.seq))
        .limit(1);
      const seq = (last?.seq ?? 0) + 1;
      const prev = last?.hash ?? GENESIS;
      const personalPart = {
        at: new Date(clock.now()),
        actor: entry.actor,
        object: entry.object ?? null,
        detail: entry.detail ?? null,
        salt: randomBytes(16).toString("base64url"),
      };
      const commitment = commit(personalPart);
      await tx.insert(auditLog).values({
        chain: entry.chain,
        seq,
        action: entry.action,
        ...personalPart,
        commitment,
        prev,
        hash: link(prev, seq, entry.action, commitment),
      });
    },
    async verify(chain) {
      // The detail is read as it is stored: text that is no longer JSON is a broken entry, not a failed query.
      const stored = { ...getTableColumns(auditLog), detail: sql<unknown>`${auditLog.detail}` };
      const rows = await db.read
        .select(stored)
        .from(auditLog)
        .where(eq(auditLog.chain, chain))
        .orderBy(asc(auditLog.seq));
      let prev = GENESIS;
      for (const [index, row] of rows.entries()) {
        const intact =
          row.seq === index + 1 &&
          row.prev === prev &&
          row.hash === link(prev, row.seq, row.action, row.commitment) &&
          personalPartFits(row);
        if (!intact) return { entries: rows.length, brokenAt: index + 1 };
        prev = row.hash;
      }
      return { entries: rows.length };
    },
    async chains() {
      const rows = await db.read.selectDistinct({ chain: auditLog.chain }).from(auditLog);
      return rows.map((row) => row.chain);
    },
    async anonymise(tx, before) {
      const rows = await tx
        .update(auditLog)
        .set({ at: null, actor: null, object: null, detail: null, salt: null })
        .where(and(isNotNull(auditLog.at), lt(auditLog.at, before)))
        .returning({ seq: auditLog.seq });
      return rows.length;
    },
  };
}

/** SQLite stores JSON as text, PostgreSQL gives it parsed; undefined for text that is not JSON. */
function parsedDetail(stored: unknown): unknown {
  if (typeof stored !== "string") return stored;
  try {
    return JSON.parse(stored);
  } catch {
    return undefined;
  }
}
