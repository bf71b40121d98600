/** Billing: the overview, the plans or the usage, as far as the person's role may see them. */
import { useEffect, useRef, useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { tabPanelId } from "../../components/tabs.tsx";
import type { LastRead } from "../panel/use-remote.ts";
import { BillingHome } from "./billing-home.tsx";
import { UsageOnly } from "./usage-only.tsx";
import "./billing.css";

const PLANS = lazyModule(() => import("./plans-page.tsx"));
const USAGE = lazyModule(() => import("./usage-page.tsx"));

/** `packs`: the plans, from where minutes are sold. */
export type BillingView = "home" | "plans" | "packs" | "usage";

export interface BillingScreenProps {
  readonly me: Me | undefined;
  readonly last: LastRead<BillingSummary>;
  readonly onBack: () => void;
}

export function BillingScreen({ me, last, onBack }: BillingScreenProps) {
  const [view, setView] = useState<BillingView>("home");
  const shown = useRef(view);
  useEffect(() => {
    if (shown.current === view) return;
    shown.current = view;
    const panel = document.getElementById(tabPanelId("account"));
    panel?.scrollTo(0, 0);
    panel?.focus({ preventScroll: true });
  }, [view]);
  if (me === undefined) {
    return (
      <div className="screen billing">
        <PageHead back="Account" onBack={onBack} title="Billing" />
        <Skeleton label="Loading billing" rows={6} />
      </div>
    );
  }
  const home = () => setView("home");
  const { role } = me.team;
  const sees = roleMay(role, "billing:view");
  if (view === "usage") {
    return (
      <LazyPart module={USAGE} heading="Usage" loading="Loading usage" failed="Usage could not be loaded.">
        {({ UsagePage }) => <UsagePage onBack={home} />}
      </LazyPart>
    );
  }
  if (!sees) return <UsageOnly me={me} onBack={onBack} onUsage={() => setView("usage")} />;
  if (view === "plans" || view === "packs") {
    return (
      <LazyPart module={PLANS} heading="Plans" loading="Loading plans" failed="Plans could not be loaded.">
        {({ PlansPage }) => (
          <PlansPage mayManage={roleMay(role, "billing:manage")} last={last} packs={view === "packs"} onBack={home} />
        )}
      </LazyPart>
    );
  }
  return <BillingHome me={me} last={last} onBack={onBack} onView={setView} />;
}
