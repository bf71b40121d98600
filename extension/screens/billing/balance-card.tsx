/** The prepaid balance, and what may be charged by invoice when it is empty. */
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { Button } from "../../components/button.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";

export interface BalanceCardProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly onTopUp: () => void;
  readonly onRefund: () => void;
  readonly onOverage: () => void;
}

export function BalanceCard({ summary, mayManage, onTopUp, onRefund, onOverage }: BalanceCardProps) {
  const { wallet, overage, currency, plan } = summary;
  const money = (amount: number) => moneyWords(amount, currency);
  return (
    <Card
      title="Balance"
      action={
        mayManage && (
          <Button size="small" onClick={onTopUp}>
            Top up
          </Button>
        )
      }
    >
      <div className="balance-head">
        <p className="figure tabular">{money(wallet.balance)}</p>
        {wallet.frozen && <Badge tone="bad">Frozen</Badge>}
        {mayManage && wallet.refundable > 0 && (
          <Button size="small" kind="quiet" onClick={onRefund}>
            Refund up to {money(wallet.refundable)}
          </Button>
        )}
      </div>
      <div className="overage">
        <div className="list-text">
          <span>After the balance</span>
          <span className="secondary tabular">
            {overage.allowed
              ? `By invoice, ${money(overage.spent)} of at most ${money(overage.cap)} a month`
              : plan.id === "free"
                ? "Phones are parked. A paid plan can go on by invoice."
                : "Phones are parked, nothing is charged by invoice"}
          </span>
        </div>
        {mayManage && plan.id !== "free" && (
          <Button size="small" kind="quiet" aria-label="Change what is charged after the balance" onClick={onOverage}>
            {overage.allowed ? "Change" : "Allow"}
          </Button>
        )}
      </div>
    </Card>
  );
}
