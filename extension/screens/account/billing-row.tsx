/** The line that leads to Billing: the plan and how it stands, as far as the role may see it. */
import { type Role, roleMay } from "../../../shared/access.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { minutesWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { Badge } from "../../components/state-dot.tsx";
import { type LastRead, useRemote } from "../panel/use-remote.ts";
import { NavRow } from "./nav-row.tsx";

export interface BillingRowProps {
  readonly role: Role;
  readonly last: LastRead<BillingSummary>;
  readonly onOpen: () => void;
}

const readSummary = (api: Api): Promise<BillingSummary> => api.billing.summary.query();

export function BillingRow({ role, last, onOpen }: BillingRowProps) {
  if (roleMay(role, "billing:view")) return <WithMoney last={last} onOpen={onOpen} />;
  return <NavRow icon="card" title="Billing and usage" detail="How long phones ran" onOpen={onOpen} />;
}

function WithMoney({ last, onOpen }: Omit<BillingRowProps, "role">) {
  const { value } = useRemote(readSummary, last);
  const urgent = value?.problems.some(({ severity }) => severity !== "info");
  return (
    <NavRow
      icon="card"
      title="Billing and usage"
      detail={value === undefined ? "Plan, minutes, invoices" : detailOf(value)}
      note={urgent === true && <Badge tone="warn">Look</Badge>}
      onOpen={onOpen}
    />
  );
}

function detailOf({ mode, plan, minutesLeftMs }: BillingSummary): string {
  return mode === "off" ? "This server sends no bills" : `${plan.name} · ${minutesWords(minutesLeftMs)} left`;
}
