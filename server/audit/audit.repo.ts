/**
 * Audit chains. Each entry commits to its personal part through a salted hash, so that part can be forgotten with its
 * person and the chain still verifies (`research/accounts-security.md` §5, case 40). Each chain has a head, sealed with a
 * key, that says where it begins and ends: entries of 90 days ago become counts and leave at its beginning
 * (`docs/decisions/what-becomes-of-activity.md`).
 */
import { randomBytes } from "node:crypto";
import { and, asc, desc, eq, gt, lte, ne } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import { ALL_CHAINS, commit, entryColumns, follows, GENESIS, type Head, link, sealOf, WHOLE } from "./chain.repo.ts";

const PAGE = 1_000;

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
  | "account.shut_out"
  | "account.moved"
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
  | "phone.file_added"
  | "phone.app_installed"
  | "phone.app_opened"
  | "phone.app_stopped"
  | "phone.app_cleared"
  | "phone.app_removed"
  | "phone.hidden"
  | "phone.lost"
  | "phone.found"
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
  | "privacy.requested"
  | "privacy.request_verified"
  | "privacy.request_revoked"
  | "privacy.request_answered"
  | "privacy.statement_added"
  | "privacy.statement_removed"
  | "privacy.restricted"
  | "privacy.unrestricted"
  | "privacy.metrics_left"
  | "privacy.metrics_joined"
  | "privacy.export_asked"
  | "privacy.export_downloaded"
  | "privacy.export_revoked"
  | "privacy.imported"
  | "privacy.deletion_asked"
  | "privacy.deletion_undone"
  | "privacy.erased"
  | "privacy.policy_acknowledged"
  | "privacy.policy_objected"
  | "admin.requests_read"
  | "admin.request_entered"
  | "admin.request_verified"
  | "admin.request_answered"
  | "admin.erasure_asked"
  | "admin.incident_opened"
  | "admin.incident_described"
  | "admin.incident_scoped"
  | "admin.incident_notified"
  | "admin.incident_authority_told"
  | "admin.incident_closed"
  | "admin.policy_announced"
  | "admin.desk_opened"
  | "admin.android_device_added"
  | "admin.android_device_removed"
  | "admin.phone_host_added"
  | "admin.phone_host_changed"
  | "admin.phone_host_removed"
  | "admin.phone_stopped"
  | "admin.job_run"
  | "admin.audit_read"
  | "admin.announced"
  | "admin.node_changed"
  | "admin.node_forgotten"
  | "admin.backup_made"
  | "admin.backup_restored"
  | "admin.database_moved"
  | "admin.database_move_undone"
  | "admin.billing_records_read"
  | "billing.checkout_opened"
  | "billing.purchased"
  | "billing.subscription_changed"
  | "billing.subscription_acted"
  | "billing.portal_opened"
  | "billing.overage_set"
  | "billing.settings_changed"
  | "billing.phone_dedicated"
  | "billing.budget_set"
  | "billing.budget_removed"
  | "billing.refund_asked"
  | "billing.phones_parked"
  | "billing.frozen"
  | "billing.unfrozen"
  | "admin.billing_read"
  | "admin.billing_credited"
  | "admin.billing_corrected"
  | "admin.billing_refunded"
  | "admin.billing_reconciled"
  | "admin.billing_synced"
  | "admin.billing_sandbox_told"
  | "admin.users_listed"
  | "admin.account_read"
  | "admin.mail_read"
  | "admin.decision_reviewed"
  | "admin.suspended"
  | "admin.suspension_lifted"
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

export interface ChainState {
  /** Number of the last entry that fits. */
  readonly entries: number;
  /** Entries that went after 90 days, when some did. */
  readonly left?: number;
  /** The first entry that does not fit; left out for an intact chain. */
  readonly brokenAt?: number;
  /** `cut_off`: entries from there on are gone. `head`: the chain's sealed end is gone or was changed. */
  readonly how?: "changed" | "cut_off" | "head";
}

export interface Audit {
  /** Writes the entry in the caller's transaction: the change and its record land together or not at all. */
  record(tx: Writer, entry: AuditEntry): Promise<void>;
  /** Walks a chain, a page at a time; names the first entry that does not fit. May run beside writers. */
  verify(chain: string): Promise<ChainState>;
  /** Chains that have entries or a head, in order. */
  chains(): Promise<string[]>;
  /** False when a whole chain was taken away, or the count of chains was changed. */
  hasEveryChain(): Promise<boolean>;
}

/**
 * Seals the ends of chains that were begun before ends were sealed. Only for the one moment at which a database gets its
 * master key: later, an end that is missing was taken away.
 */
export async function sealEarlierChains(db: Database, tx: Writer, key: Buffer): Promise<void> {
  const { auditLog, auditHeads } = db.t;
  const chains = await tx.selectDistinct({ chain: auditLog.chain }).from(auditLog);
  if (chains.length === 0) return;
  const heads: Head[] = [{ chain: ALL_CHAINS, entries: chains.length, hash: GENESIS, ...WHOLE }];
  for (const { chain } of chains) {
    const [last] = await tx
      .select({ entries: auditLog.seq, hash: auditLog.hash })
      .from(auditLog)
      .where(eq(auditLog.chain, chain))
      .orderBy(desc(auditLog.seq))
      .limit(1);
    if (last !== undefined) heads.push({ chain, ...last, ...WHOLE });
  }
  for (const head of heads) await tx.insert(auditHeads).values({ ...head, mac: sealOf(key, head) });
}

/**
 * `key`: 32 bytes that seal each chain's head. Whoever can write the database and has no key can neither shorten a
 * chain nor add to it unnoticed; putting back an older copy of both chain and head is seen only beside a backup.
 */
export function createAudit(db: Database, clock: Clock, key: Buffer): Audit {
  const { auditLog, auditHeads } = db.t;
  /** `sealed` is false for a head that somebody without the key wrote. */
  async function headOf(reader: Reader, chain: string): Promise<(Head & { readonly sealed: boolean }) | undefined> {
    const [row] = await reader.select().from(auditHeads).where(eq(auditHeads.chain, chain));
    return row && { ...row, sealed: row.mac === sealOf(key, row) };
  }

  async function writeHead(tx: Writer, head: Head, isFirst: boolean): Promise<void> {
    const mac = sealOf(key, head);
    if (isFirst) await tx.insert(auditHeads).values({ ...head, mac });
    else
      await tx
        .update(auditHeads)
        .set({ ...head, mac })
        .where(eq(auditHeads.chain, head.chain));
  }

  /**
   * Where the next entry goes: after the head, or after the last entry where somebody put more than the head knows of, so
   * that what was done to the log never stops the work it records. A head that is gone, was changed or does not know the
   * last entry is not mended: `verify` has to find it.
   */
  async function endOf(tx: Writer, chain: string): Promise<Head & { readonly headed: boolean }> {
    const head = await headOf(tx, chain);
    const [last] = await tx
      .select({ seq: auditLog.seq, hash: auditLog.hash })
      .from(auditLog)
      .where(eq(auditLog.chain, chain))
      .orderBy(desc(auditLog.seq))
      .limit(1);
    if (head?.sealed === true && head.entries >= (last?.seq ?? 0)) return { ...head, headed: true };
    const isNew = last === undefined && head === undefined;
    return { chain, entries: last?.seq ?? 0, hash: last?.hash ?? GENESIS, ...WHOLE, headed: isNew };
  }

  async function countChain(tx: Writer): Promise<void> {
    const count = await headOf(tx, ALL_CHAINS);
    if (count?.sealed === false) return;
    const entries = (count?.entries ?? 0) + 1;
    await writeHead(tx, { chain: ALL_CHAINS, entries, hash: GENESIS, ...WHOLE }, count === undefined);
  }

  return {
    async record(tx, entry) {
      const { chain, action } = entry;
      const end = await endOf(tx, chain);
      const seq = end.entries + 1;
      const personalPart = {
        at: new Date(clock.now()),
        actor: entry.actor,
        object: entry.object ?? null,
        detail: entry.detail ?? null,
        salt: randomBytes(16).toString("base64url"),
      };
      const commitment = commit(personalPart);
      const hash = link(end.hash, seq, action, commitment);
      await tx.insert(auditLog).values({ chain, seq, action, ...personalPart, commitment, prev: end.hash, hash });
      if (!end.headed) return;
      const { start, startHash } = end;
      await writeHead(tx, { chain, entries: seq, hash, start, startHash }, seq === 1);
      if (seq === 1) await countChain(tx);
    },
    async verify(chain) {
      let known = await headOf(db.read, chain);
      let at = known?.sealed === true ? known.start : 0;
      let prev = (known?.sealed === true ? known.startHash : null) ?? GENESIS;
      let promised = known?.entries ?? 0;
      const told = (state: Omit<ChainState, "left">): ChainState =>
        known?.sealed === true && known.start > 0 ? { ...state, left: known.start } : state;
      const [early] = await db.read
        .select({ seq: auditLog.seq })
        .from(auditLog)
        .where(and(eq(auditLog.chain, chain), lte(auditLog.seq, at)))
        .orderBy(asc(auditLog.seq))
        .limit(1);
      // What left the chain came back, or was never of it.
      if (early !== undefined) return told({ entries: at, brokenAt: early.seq, how: "changed" });
      for (;;) {
        const rows = await db.read
          .select(entryColumns(auditLog))
          .from(auditLog)
          .where(and(eq(auditLog.chain, chain), gt(auditLog.seq, at)))
          .orderBy(asc(auditLog.seq))
          .limit(PAGE);
        let isWhole = true;
        for (const row of rows) {
          isWhole = follows(row, at, prev);
          if (!isWhole) break;
          at = row.seq;
          prev = row.hash;
        }
        if (isWhole && rows.length === PAGE) continue;
        const head = await headOf(db.read, chain);
        // Meanwhile more entries left at the beginning: it goes on behind them.
        if (head?.sealed === true && head.start > at) {
          known = head;
          at = head.start;
          prev = head.startHash ?? GENESIS;
          continue;
        }
        if (!isWhole) return told({ entries: at, brokenAt: at + 1, how: "changed" });
        if (head?.sealed !== true) return told({ entries: at, brokenAt: at + 1, how: "head" });
        if (head.entries < at) return told({ entries: at, brokenAt: head.entries + 1, how: "changed" });
        if (head.entries === at) {
          return told(head.hash === prev ? { entries: at } : { entries: at, brokenAt: at, how: "changed" });
        }
        // The head is read after the rows: a writer may have added some. Those a head told of before the rows were read are gone.
        if (promised > at) return told({ entries: at, brokenAt: at + 1, how: "cut_off" });
        promised = head.entries;
      }
    },
    async chains() {
      const [logged, headed] = await Promise.all([
        db.read.selectDistinct({ chain: auditLog.chain }).from(auditLog),
        db.read.select({ chain: auditHeads.chain }).from(auditHeads).where(ne(auditHeads.chain, ALL_CHAINS)),
      ]);
      return [...new Set([...logged, ...headed].map((row) => row.chain))].sort();
    },
    async hasEveryChain() {
      const heads = await db.read.select().from(auditHeads);
      const count = heads.find(({ chain }) => chain === ALL_CHAINS);
      if (count === undefined) return heads.length === 0;
      return count.mac === sealOf(key, count) && count.entries === heads.length - 1;
    },
  };
}
