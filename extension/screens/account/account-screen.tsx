/** Account: the overview, or the one part of it the person went to. */
import { useEffect, useRef } from "react";
import type { Me } from "../../../shared/accounts.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { tabPanelId } from "../../components/tabs.tsx";
import type { AccountView } from "../panel/panel-ways.ts";
import type { LastRead, Remote } from "../panel/use-remote.ts";
import { TeamPage } from "../team/team-page.tsx";
import { AccountHome } from "./account-home.tsx";
import { useLastAccount } from "./last-account.ts";
import { SecurityActivityPage } from "./security-activity-page.tsx";
import { SecurityPage } from "./security-page.tsx";
import { SessionsPage } from "./sessions-page.tsx";
import { StandingPage } from "./standing-page.tsx";
import { TokensPage } from "./tokens-page.tsx";
import "./account.css";

const BILLING = lazyModule(() => import("../billing/billing-screen.tsx"));

export interface AccountScreenProps {
  readonly me: Remote<Me>;
  readonly billing: LastRead<BillingSummary>;
  readonly view: AccountView;
  readonly onView: (view: AccountView) => void;
}

export function AccountScreen({ me, billing, view, onView }: AccountScreenProps) {
  const last = useLastAccount(billing);
  const shown = useRef(view);
  useEffect(() => {
    if (shown.current === view) return;
    shown.current = view;
    // The line that led here is gone, and with it where the keyboard was.
    const panel = document.getElementById(tabPanelId("account"));
    panel?.scrollTo(0, 0);
    panel?.focus({ preventScroll: true });
  }, [view]);
  const onBack = () => onView("home");
  switch (view) {
    case "home":
      return <AccountHome me={me} last={last} onView={onView} />;
    case "security":
      return <SecurityPage last={last.security} onBack={onBack} />;
    case "sessions":
      return <SessionsPage onBack={onBack} />;
    case "tokens":
      return <TokensPage me={me.value} onBack={onBack} />;
    case "team":
      return <TeamPage me={me} last={last.team} onBack={onBack} />;
    case "billing":
      return (
        <LazyPart module={BILLING} heading="Billing" loading="Loading billing" failed="Billing could not be loaded.">
          {({ BillingScreen }) => <BillingScreen me={me.value} last={last.billing} onBack={onBack} />}
        </LazyPart>
      );
    case "activity":
      return <SecurityActivityPage onBack={onBack} />;
    case "standing":
      return <StandingPage onBack={onBack} />;
  }
}
