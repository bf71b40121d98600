/** Sessions and devices, on a page of their own. */
import { PageHead } from "../../components/page-head.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { SessionsCard } from "./sessions-card.tsx";

export function SessionsPage({ onBack }: { readonly onBack: () => void }) {
  return (
    <div className="screen">
      <PageHead back="Account" onBack={onBack} title="Sessions and devices" detail="Where you are signed in" />
      <ClockNotice />
      <SessionsCard titled={false} />
      <p className="secondary">
        Do you not know one of them? End it, then change the password under Security. It ends within a second.
      </p>
    </div>
  );
}
