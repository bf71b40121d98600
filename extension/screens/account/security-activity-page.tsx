/** What was done to the person's account, and who read what is held about them and why. */
import { useMemo, useState } from "react";
import type { ActivityGroup } from "../../../shared/activity.ts";
import { Select } from "../../components/field.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { ActivityList } from "../activity/activity-list.tsx";
import { type LogFilter, useActivityLog } from "../activity/use-activity-log.ts";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";

const KINDS = [
  { value: "", label: "Everything" },
  { value: "account", label: "Sign-ins and changes of the account" },
  { value: "operator", label: "Reads and changes by the operator" },
] as const satisfies readonly { value: ActivityGroup | ""; label: string }[];

export function SecurityActivityPage({ onBack }: { readonly onBack: () => void }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]["value"]>("");
  const filter = useMemo<LogFilter>(() => (kind === "" ? {} : { group: kind }), [kind]);
  const log = useActivityLog("mine", filter);
  const { entries, failure, reload } = log;
  return (
    <div className="screen">
      <PageHead
        back="Account"
        onBack={onBack}
        title="Security activity"
        detail="What concerns your account, the newest first"
      />
      <ClockNotice />
      <Select
        aria-label="Kind"
        options={KINDS}
        value={kind}
        onChange={({ target }) => setKind(KINDS.find(({ value }) => value === target.value)?.value ?? "")}
      />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {entries === undefined && failure === undefined && <Skeleton label="Loading security activity" rows={5} />}
      {entries?.length === 0 && (
        <EmptyState icon="shield" title="Nothing to tell">
          {kind === "operator"
            ? "The operator read and changed nothing of yours. When they do, it says so here, with their reason."
            : "Sign-ins, changes of your account and reads by the operator are listed here."}
        </EmptyState>
      )}
      {entries !== undefined && <ActivityList entries={entries} log={log} />}
    </div>
  );
}
