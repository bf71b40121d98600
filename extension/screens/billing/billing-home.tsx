/** The overview: what is wrong, what runs, the plan, what is left, and everything that can be changed. */
import { type ReactNode, useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import type { Api } from "../../api/client.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { useToast } from "../../components/toast.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { type LastRead, useRemote } from "../panel/use-remote.ts";
import { AddOnsFold } from "./add-ons-fold.tsx";
import { BalanceCard } from "./balance-card.tsx";
import type { OpenBilling } from "./billing-dialogs.tsx";
import type { BillingView } from "./billing-screen.tsx";
import { BudgetsFold } from "./budgets-fold.tsx";
import { BurnCard } from "./burn-card.tsx";
import { CheckoutCard } from "./checkout-card.tsx";
import { DedicatedFold } from "./dedicated-fold.tsx";
import { InvoicesFold } from "./invoices-fold.tsx";
import { MinutesCard } from "./minutes-card.tsx";
import { PlanCard } from "./plan-card.tsx";
import { Problems } from "./problems.tsx";
import { NoBills, UsageRow, useWhoPays } from "./usage-only.tsx";
import { useBurn } from "./use-burn.ts";
import { useCheckout } from "./use-checkout.ts";

const readSummary = (api: Api): Promise<BillingSummary> => api.billing.summary.query();
const DIALOGS = lazyModule(() => import("./billing-dialogs.tsx"));

export interface BillingHomeProps {
  readonly me: Me;
  readonly last: LastRead<BillingSummary>;
  readonly onBack: () => void;
  readonly onView: (view: BillingView) => void;
}

export function BillingHome({ me, last, onBack, onView }: BillingHomeProps) {
  const { status } = usePhones();
  const { value, failure, reload } = useRemote(readSummary, last);
  return (
    <div className="screen billing">
      <PageHead back="Account" onBack={onBack} title="Billing" detail={me.team.name} />
      <ClockNotice />
      {value?.mode === "sandbox" && <Sandbox />}
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading billing" rows={6} />}
      {value !== undefined && (
        <Overview
          key={me.team.id}
          summary={value}
          me={me}
          stale={failure !== undefined || status === "stale"}
          onView={onView}
          onChanged={reload}
        />
      )}
    </div>
  );
}

function Sandbox() {
  return (
    <p className="sandbox" role="note">
      <b>Sandbox billing: no money moves.</b> Everything works as it would, with cards that are made up.
    </p>
  );
}

interface OverviewProps {
  readonly summary: BillingSummary;
  readonly me: Me;
  /** What is shown is the last known state. */
  readonly stale: boolean;
  readonly onView: (view: BillingView) => void;
  readonly onChanged: () => void;
}

function Overview({ summary, me, stale, onView, onChanged }: OverviewProps) {
  const { role } = me.team;
  const mayManage = roleMay(role, "billing:manage") && !stale;
  const calls = useCall();
  const toast = useToast();
  const burn = useBurn(!stale) ?? summary.burn;
  const [open, setOpen] = useState<OpenBilling>();
  const [budgetsOpened, setBudgetsOpened] = useState(0);
  const checkout = useCheckout(calls, mayManage, () => {
    toast({ text: "Paid. It counts from now on." });
    onChanged();
  });
  const portal = async () => {
    const result = await calls.run("portal", (api) => api.billing.portal.mutate());
    if (result?.ok === true) await openTab(result.value.url);
  };
  const keep = async () => {
    const idempotencyKey = crypto.randomUUID();
    const result = await calls.run("keep", (api) => api.billing.act.mutate({ act: "keep", idempotencyKey }));
    if (result?.ok === true) toast({ text: `${summary.plan.name} stays and renews.` });
    onChanged();
  };
  const plans = () => onView("plans");
  const running = <BurnCard burn={burn} mayStop={roleMay(role, "phones:control") && !stale} onChanged={onChanged} />;
  if (summary.mode === "off") {
    return (
      <>
        <NoBills />
        {running}
        <UsageRow onOpen={() => onView("usage")} />
      </>
    );
  }
  return (
    <>
      <CheckoutCard checkout={checkout} />
      <Problems
        problems={summary.problems}
        mayManage={mayManage}
        busy={calls.busy}
        onStep={(step) => {
          if (step === "portal") void portal();
          else if (step === "keep") void keep();
          else if (step === "top_up") setOpen({ kind: "top_up" });
          else if (step === "budgets") setBudgetsOpened((count) => count + 1);
          else plans();
        }}
      />
      {running}
      <PlanCard
        summary={summary}
        mayManage={mayManage}
        calls={calls}
        onKeep={() => void keep()}
        onPlans={plans}
        onPortal={() => void portal()}
        onChanged={onChanged}
      />
      <MinutesCard summary={summary} mayManage={mayManage} onAdd={() => onView("packs")} />
      <BalanceCard
        summary={summary}
        mayManage={mayManage}
        onTopUp={() => setOpen({ kind: "top_up" })}
        onRefund={() => setOpen({ kind: "refund" })}
        onOverage={() => setOpen({ kind: "overage" })}
      />
      <UsageRow onOpen={() => onView("usage")} />
      <div className="folds">
        <BudgetsFold
          key={budgetsOpened}
          summary={summary}
          mayManage={mayManage}
          calls={calls}
          opened={budgetsOpened > 0}
          onEdit={(budget) => setOpen({ kind: "budget", budget })}
          onChanged={onChanged}
        />
        <AddOnsFold
          summary={summary}
          mayManage={mayManage}
          onChange={(addOn) => setOpen({ kind: "add_on", addOn })}
          onPlans={plans}
        />
        <DedicatedFold summary={summary} mayManage={mayManage} calls={calls} onChanged={onChanged} />
        <InvoicesFold />
      </div>
      <p className="secondary billing-foot">
        Days and daily caps are those of {summary.timeZone}.{" "}
        {mayManage && (
          <button type="button" className="text-button" onClick={() => setOpen({ kind: "time_zone" })}>
            Change
          </button>
        )}
      </p>
      {!roleMay(role, "billing:manage") && <WhoChanges />}
      {open !== undefined && (
        <LazyPart module={DIALOGS} loading="Loading" failed="This part could not be loaded." rows={1}>
          {({ BillingDialog }) => (
            <BillingDialog
              open={open}
              summary={summary}
              checkout={checkout}
              onClose={() => setOpen(undefined)}
              onChanged={onChanged}
            />
          )}
        </LazyPart>
      )}
    </>
  );
}

function WhoChanges(): ReactNode {
  const who = useWhoPays();
  return <Notice>Your role sees billing and does not change it. {who}</Notice>;
}
