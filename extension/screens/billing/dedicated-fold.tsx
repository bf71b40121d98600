/** Which phones are the dedicated ones: they run at no cost by time. */
import { useMemo } from "react";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import type { Api } from "../../api/client.ts";
import { Switch } from "../../components/check-field.tsx";
import { Fold } from "../../components/fold.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import type { Calls } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";

export interface DedicatedFoldProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly calls: Calls;
  readonly onChanged: () => void;
}

export function DedicatedFold({ summary, mayManage, calls, onChanged }: DedicatedFoldProps) {
  const allowed = summary.addOns.find(({ id }) => id === "dedicated")?.quantity ?? 0;
  const chosen = summary.dedicatedPhones.length;
  if (allowed === 0 && chosen === 0) return null;
  return (
    <Fold icon="phone" title="Dedicated phones" glance={`${chosen} of ${allowed} chosen`}>
      {() => (
        <Chooser
          chosen={summary.dedicatedPhones}
          full={chosen >= allowed}
          mayManage={mayManage}
          calls={calls}
          onChanged={onChanged}
        />
      )}
    </Fold>
  );
}

interface NamedPhone {
  readonly id: string;
  readonly name: string;
}

/** Who may not see phones knows their names from their usage, as bills name them. */
export function usePhoneNames() {
  const read = useMemo(
    () =>
      async (api: Api): Promise<readonly NamedPhone[]> => {
        try {
          return (await api.phones.list.query()).map(({ id, name }) => ({ id, name }));
        } catch {
          return (await api.usage.days.query({ by: "phone" })).series.map(({ id, name }) => ({ id, name }));
        }
      },
    [],
  );
  return useRemote(read);
}

interface ChooserProps {
  readonly chosen: readonly string[];
  readonly full: boolean;
  readonly mayManage: boolean;
  readonly calls: Calls;
  readonly onChanged: () => void;
}

function Chooser({ chosen, full, mayManage, calls, onChanged }: ChooserProps) {
  const { value, failure, reload } = usePhoneNames();
  const choose = async (phoneId: string, dedicated: boolean) => {
    await calls.run(`dedicate ${phoneId}`, (api) => api.billing.dedicate.mutate({ phoneId, dedicated }));
    onChanged();
  };
  if (failure !== undefined) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Skeleton label="Loading phones" rows={2} />;
  if (value.length === 0) return <p className="secondary">There is no phone yet. Make one, then choose it here.</p>;
  return (
    <List label="Dedicated phones">
      {value.map(({ id, name }) => {
        const on = chosen.includes(id);
        return (
          <ListRow
            key={id}
            title={name}
            detail={on ? "Runs at no cost by time" : full ? "All are chosen: take one back, or add another" : undefined}
            trail={
              <Switch
                label={`${name} is dedicated`}
                on={on}
                disabled={!mayManage || (!on && full) || calls.busy(`dedicate ${id}`)}
                onChange={(next) => void choose(id, next)}
              />
            }
          />
        );
      })}
    </List>
  );
}
