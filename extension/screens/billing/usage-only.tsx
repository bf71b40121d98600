/** Billing for roles that see no money, and on servers that send no bills: what runs, and how long phones ran. */
import type { ReactNode } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { UsageSummary } from "../../../shared/billing/billing.ts";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import type { TeamView } from "../../../shared/teams.ts";
import type { Api } from "../../api/client.ts";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { NavRow } from "../account/nav-row.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { BurnCard } from "./burn-card.tsx";
import { askWords } from "./model/billing-words.ts";
import { useBurn } from "./use-burn.ts";

export interface UsageOnlyProps {
  readonly me: Me;
  readonly onBack: () => void;
  readonly onUsage: () => void;
}

export function UsageOnly({ me, onBack, onUsage }: UsageOnlyProps) {
  const burn = useBurn(true);
  return (
    <div className="screen billing">
      <PageHead back="Account" onBack={onBack} title="Billing and usage" detail={me.team.name} />
      {burn?.mode === "off" ? <NoBills /> : <WhoPays />}
      {burn === undefined ? (
        <Skeleton label="Loading what runs" rows={2} />
      ) : (
        <BurnCard burn={burn} mayStop={roleMay(me.team.role, "phones:control")} onChanged={() => {}} />
      )}
      <UsageRow onOpen={onUsage} />
    </div>
  );
}

export function NoBills() {
  return (
    <Notice title="This server sends no bills">
      Phones cost nothing here. Usage is still counted, so that you see who used what.
    </Notice>
  );
}

const readTeam = (api: Api): Promise<TeamView> => api.teams.get.query();

function WhoPays() {
  const who = useWhoPays();
  return (
    <Notice title="Your role sees usage, not money">
      Prices, balance and invoices are for owners, admins and billing. {who}
    </Notice>
  );
}

/** Whom to ask for what only `billing:manage` may do. */
export function useWhoPays(): ReactNode {
  const { value } = useRemote(readTeam);
  const members = value?.members ?? [];
  return askWords(members.filter(({ role }) => roleMay(role, "billing:manage")).map(({ name }) => name));
}

const readUsage = (api: Api): Promise<UsageSummary> => api.usage.summary.query({});

/** The line that leads to usage, with the month so far. */
export function UsageRow({ onOpen }: { readonly onOpen: () => void }) {
  const { value } = useRemote(readUsage);
  return (
    <Card>
      <ul className="list" aria-label="Usage">
        <NavRow
          icon="chart"
          title="Usage"
          detail={value === undefined ? "By day, phone, member and automation" : usageWords(value)}
          onOpen={onOpen}
        />
      </ul>
    </Card>
  );
}

export function usageWords({ phoneMs, amount, currency }: UsageSummary): string {
  const cost = amount === undefined || amount === 0 ? "" : `, ${moneyWords(amount, currency)}`;
  return phoneMs === 0 ? "Nothing ran this month" : `${durationWords(phoneMs)} this month${cost}`;
}
