/**
 * Money that goes back, and money that somebody wants back: refunds and disputes. While a dispute is open, or Stripe warns of
 * fraud, the balance may not be used; the plan's phone time is not touched.
 */
import type Stripe from "stripe";
import type { TeamId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Writer } from "../../db/database.ts";
import type { Ledger } from "../ports.ts";
import type { FindingsRepo } from "./findings.repo.ts";
import type { Letters } from "./letters.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import { backKey, REFUND_KEY } from "./refunds.service.ts";
import { isOpenDispute, type MoneyBackRow } from "./stripe-objects.ts";

export interface MoneyBackEffects {
  /** In the transaction that mirrored it. `topUp`: what the payment put into the balance; 0 for any other payment. */
  refund(tx: Writer, refund: Stripe.Refund, row: MoneyBackRow, topUp: number): Promise<void>;
  /** `topUp`: what the disputed payment put into the balance; 0 for any other payment. */
  dispute(tx: Writer, row: MoneyBackRow, topUp: number): Promise<void>;
  /** Stripe heard from a bank that a payment was fraud, before anybody disputes it. */
  warning(tx: Writer, teamId: TeamId, warning: Stripe.Radar.EarlyFraudWarning): Promise<void>;
}

const FAILED: ReadonlySet<string> = new Set(["failed", "canceled"]);

export function createMoneyBackEffects(options: {
  repo: MirrorRepo;
  ledger: Pick<Ledger, "credit" | "debit">;
  letters: Letters;
  findings: Pick<FindingsRepo, "add">;
  audit: Audit;
  clock: Clock;
}): MoneyBackEffects {
  const { repo, ledger, letters, findings, audit, clock } = options;

  async function freeze(tx: Writer, teamId: TeamId, frozen: "dispute" | "fraud_warning", objectId: string) {
    const account = await repo.account(tx, teamId);
    if (account === undefined) return;
    if (account.frozen === null) {
      await repo.setAccount(tx, teamId, { frozen, frozenAt: new Date(clock.now()) });
      await audit.record(tx, {
        ...{ chain: teamId, actor: "server", action: "billing.frozen", object: teamId },
        detail: { why: frozen },
      });
    }
    await letters.balanceFrozen(tx, teamId, objectId, WHY[frozen]);
  }

  /** Once nothing is undecided; what an operator froze, an operator frees. */
  async function thaw(tx: Writer, teamId: TeamId): Promise<void> {
    const account = await repo.account(tx, teamId);
    if (account === undefined || account.frozen === null || account.frozen === "operator") return;
    const disputes = await repo.disputesOf(tx, teamId);
    if (disputes.some(isOpenDispute)) return;
    await repo.setAccount(tx, teamId, { frozen: null, frozenAt: null });
    await audit.record(tx, {
      ...{ chain: teamId, actor: "server", action: "billing.unfrozen", object: teamId },
      detail: { why: account.frozen },
    });
  }

  return {
    async refund(tx, refund, row, topUp) {
      const asked = refund.metadata?.[REFUND_KEY];
      if (!FAILED.has(row.status)) {
        await letters.refund(tx, row.teamId, row.id, row);
        if (asked !== undefined || topUp === 0) return;
        const words = "A top-up was refunded at Stripe; the balance still has it. Take it out with a correction.";
        await findings.add(tx, { kind: "amount_differs", objectId: row.id, words, teamId: row.teamId });
      } else if (asked !== undefined) {
        // It was taken out of the balance before Stripe was asked.
        const source = { source: "refund", sourceId: backKey(asked) } as const;
        const reason = "A refund could not be paid out and is back in the balance.";
        await ledger.credit(tx, { ...source, teamId: row.teamId, amount: row.amount, reason });
      }
    },
    async dispute(tx, row, topUp) {
      if (isOpenDispute(row)) return freeze(tx, row.teamId, "dispute", row.id);
      if (row.status === "lost" && topUp > 0) {
        const source = { source: "dispute", sourceId: row.id } as const;
        const reason = "The payment of a top-up was disputed and taken back.";
        const amount = Math.min(row.amount, topUp);
        await ledger.debit(tx, { ...source, teamId: row.teamId, amount, whole: false, reason });
      }
      await thaw(tx, row.teamId);
    },
    warning: (tx, teamId, warning) => freeze(tx, teamId, "fraud_warning", warning.id),
  };
}

const WHY = {
  dispute: "A payment is disputed at the bank.",
  fraud_warning: "The bank reported a payment as fraud.",
} as const;
