/** The panel's frame: the tabs, what shows in each, and the states in which none of them can. */
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import type { PrivacyOverview } from "../../../shared/privacy.ts";
import type { Api } from "../../api/client.ts";
import { isRefused } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { TabBar, type TabItem, tabId, tabPanelId } from "../../components/tabs.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";
import { clockWords } from "../../state/privacy-clock-words.ts";
import { usePrivacyMark } from "../../state/use-privacy-mark.ts";
import { useActivity } from "../activity/use-activity.ts";
import { useLastAutomations } from "../automations/last-automations.ts";
import { PhoneScreen } from "../phone/phone-screen.tsx";
import { PanelWaysProvider } from "./confirm-identity.tsx";
import type { PanelPlace } from "./panel-place.ts";
import type { AccountView } from "./panel-ways.ts";
import { SignedOut } from "./signed-out.tsx";
import { useFarewell } from "./use-farewell.ts";
import { useKeptSession } from "./use-kept-session.ts";
import { usePanelMessages } from "./use-panel-messages.ts";
import { useRemote } from "./use-remote.ts";
import "./panel.css";

const TABS = [
  { id: "phone", label: "Phone", icon: "phone" },
  { id: "automations", label: "Automations", icon: "automation" },
  { id: "activity", label: "Activity", icon: "activity" },
  { id: "privacy", label: "Privacy", icon: "shield" },
  { id: "account", label: "Account", icon: "user" },
] as const satisfies readonly TabItem<string>[];
type TabName = (typeof TABS)[number]["id"];

const AUTOMATIONS = lazyModule(() => import("../automations/automations-screen.tsx"));
const ACTIVITY = lazyModule(() => import("../activity/activity-screen.tsx"));
const ACCOUNT = lazyModule(() => import("../account/account-screen.tsx"));
const PRIVACY = lazyModule(() => import("../privacy/privacy-screen.tsx"));
const HOLD = lazyModule(() => import("../privacy/hold-gate.tsx"));
const SECOND_FACTOR = lazyModule(() => import("../team/second-factor-gate.tsx"));

/** Without it the panel does all else. */
const Announcements = lazy(async () => {
  const part = await import("./announcements.tsx").catch(() => undefined);
  return { default: part?.Announcements ?? (() => null) };
});

const readMe = (api: Api): Promise<Me> => api.account.me.query();

export function Panel({ place }: { readonly place: PanelPlace }) {
  const { status, failure } = usePhones();
  // Kept here, so that the tab stays while everything in it is read anew for another team.
  const [tab, setTab] = useState<TabName>(place.tab === "billing" ? "account" : (place.tab ?? "phone"));
  usePanelMessages(place.full);
  const gone = useFarewell(failure);
  if (gone) {
    return (
      <main className="panel-gate">
        <h1 className="sr-only">Perch</h1>
        <EmptyState icon="check" title="Your account is deleted">
          <p>
            You are signed out, and everything Perch kept in this browser is gone. A mail says when the last copy will
            be.
          </p>
        </EmptyState>
      </main>
    );
  }
  if (status === "loading" && failure === undefined) {
    return (
      <main className="panel-gate">
        <Skeleton label="Loading" rows={4} />
      </main>
    );
  }
  if (status === "no_server") {
    return (
      <main className="panel-gate">
        <h1 className="sr-only">Perch</h1>
        <EmptyState
          icon="phone"
          title="Phones, beside the page"
          action={
            <Button kind="primary" icon="server" onClick={() => void openTab("/welcome.html")}>
              Connect to a server
            </Button>
          }
        >
          Perch opens any page on a cloud phone that you drive right here. First say which server runs your phones.
        </EmptyState>
      </main>
    );
  }
  if (failure?.kind === "signed_out") {
    return <SignedOut why={failure.why} />;
  }
  return <SignedInPanel place={place} tab={tab} onTab={setTab} />;
}

interface SignedInPanelProps {
  readonly place: PanelPlace;
  readonly tab: TabName;
  readonly onTab: (tab: TabName) => void;
}

function SignedInPanel({ place, tab, onTab: setTab }: SignedInPanelProps) {
  const { failure } = usePhones();
  const [recordWish, setRecordWish] = useState(0);
  const me = useRemote(readMe);
  useKeptSession(me.value);
  const [account, setAccount] = useState<AccountView>(place.tab === "billing" ? "billing" : "home");
  const toAccount = useCallback(
    (view: AccountView) => {
      setAccount(view);
      setTab("account");
    },
    [setTab],
  );
  const toPrivacy = useCallback(() => setTab("privacy"), [setTab]);
  const mark = usePrivacyMark();
  const hold = isRefused(failure, "account_closing")
    ? "closing"
    : isRefused(failure, "processing_restricted")
      ? "restricted"
      : undefined;
  const clock = mark?.clock?.urgent === true ? clockWords(mark.clock, Date.now()) : undefined;
  const tabs = TABS.map((each) => (each.id === "privacy" && clock !== undefined ? { ...each, notice: clock } : each));
  const activity = useActivity();
  const automations = useLastAutomations();
  const overview = useRef<PrivacyOverview>(undefined);
  const billing = useRef<BillingSummary>(undefined);
  const role = me.value?.team.role;
  const mayControl = me.value === undefined || allowed(me.value);
  const mayPay = role !== undefined && roleMay(role, "billing:manage");
  const seesPhones = role === undefined || roleMay(role, "phones:view");
  const untouched = useRef(place.tab === undefined);
  // Who sees bills and no phones begins with the bills.
  useEffect(() => {
    if (!seesPhones && untouched.current) toAccount("billing");
    if (role !== undefined) untouched.current = false;
  }, [seesPhones, role, toAccount]);
  /** Counts how often the popup or the worker led to a place in Automations: the screen then begins there anew. */
  const [led, setLed] = useState(0);
  const lead = () => {
    setLed((count) => count + 1);
    setTab("automations");
  };
  useEffect(() => {
    document.documentElement.classList.toggle("panel-full", place.full);
  }, [place.full]);
  const gate = !seesPhones ? (
    <div className="panel-gate">
      <EmptyState
        icon="card"
        title="Your role sees bills, not phones"
        action={
          <Button kind="primary" icon="card" onClick={() => toAccount("billing")}>
            Open Billing
          </Button>
        }
      >
        An owner or admin of {me.value?.team.name} can give you a role that sees phones and automations too.
      </EmptyState>
    </div>
  ) : hold !== undefined ? (
    <LazyPart module={HOLD} loading="Loading" failed="Use of your data rests. See Privacy.">
      {({ HoldGate }) => <HoldGate hold={hold} mark={mark} />}
    </LazyPart>
  ) : (
    isRefused(failure, "second_factor_required") && (
      <LazyPart module={SECOND_FACTOR} loading="Loading" failed="This part could not be loaded.">
        {({ SecondFactorGate }) => <SecondFactorGate team={me.value?.team.name} />}
      </LazyPart>
    )
  );
  return (
    <PanelWaysProvider me={me.value} toAccount={toAccount} toPrivacy={toPrivacy}>
      <main className="panel">
        <Suspense fallback={null}>
          <Announcements />
        </Suspense>
        {/* The phone stays mounted under the other tabs, so that coming back shows the last picture at once. */}
        <TabPanel id="phone" current={tab} fill>
          <h1 className="sr-only">Phone</h1>
          {gate || (
            <PhoneScreen
              place={place}
              active={tab === "phone"}
              mayControl={mayControl}
              mayPay={mayPay}
              onShow={() => setTab("phone")}
              recordWish={recordWish}
              onAutomations={lead}
            />
          )}
        </TabPanel>
        {tab === "automations" && (
          <TabPanel id="automations" current={tab}>
            {gate || (
              <LazyPart
                module={AUTOMATIONS}
                heading="Automations"
                loading="Loading automations"
                failed="Automations could not be loaded."
              >
                {({ AutomationsScreen }) => (
                  <AutomationsScreen
                    key={led}
                    last={automations}
                    mayControl={mayControl}
                    onPhone={() => setTab("phone")}
                    onRecord={() => {
                      setTab("phone");
                      setRecordWish((before) => before + 1);
                    }}
                  />
                )}
              </LazyPart>
            )}
          </TabPanel>
        )}
        {tab === "activity" && (
          <TabPanel id="activity" current={tab}>
            {(seesPhones && gate) || (
              <LazyPart
                module={ACTIVITY}
                heading="Activity"
                loading="Loading activity"
                failed="Activity could not be loaded."
              >
                {({ ActivityScreen }) => <ActivityScreen me={me.value} here={activity} />}
              </LazyPart>
            )}
          </TabPanel>
        )}
        {tab === "privacy" && (
          <TabPanel id="privacy" current={tab}>
            <LazyPart
              module={PRIVACY}
              heading="Privacy"
              loading="Loading what is held"
              failed="Privacy could not be loaded."
              rows={6}
            >
              {({ PrivacyScreen }) => <PrivacyScreen me={me} last={overview} />}
            </LazyPart>
          </TabPanel>
        )}
        {tab === "account" && (
          <TabPanel id="account" current={tab}>
            <LazyPart
              module={ACCOUNT}
              heading="Account"
              loading="Loading account"
              failed="Account could not be loaded."
            >
              {({ AccountScreen }) => <AccountScreen me={me} billing={billing} view={account} onView={setAccount} />}
            </LazyPart>
          </TabPanel>
        )}
        <TabBar label="Perch" tabs={tabs} current={tab} onChange={setTab} />
      </main>
    </PanelWaysProvider>
  );
}

function allowed(me: Me): boolean {
  return roleMay(me.team.role, "phones:control") && me.session.scopes.includes("phones:control");
}

interface TabPanelProps {
  readonly id: TabName;
  readonly current: TabName;
  /** The screen uses exactly the room there is; others scroll. */
  readonly fill?: boolean;
  readonly children: React.ReactNode;
}

function TabPanel({ id, current, fill = false, children }: TabPanelProps) {
  return (
    <div
      className={fill ? "tab-panel tab-panel-fill" : "tab-panel"}
      role="tabpanel"
      id={tabPanelId(id)}
      aria-labelledby={tabId(id)}
      hidden={id !== current}
      // A region that scrolls must be reachable by keyboard.
      tabIndex={fill ? -1 : 0}
    >
      {children}
    </div>
  );
}
