/** All runs of the team: the newest first, by automation, phone and how they went, as far back as the server keeps them. */
import type { FlowSummary } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { usePhones } from "../../state/app-context.tsx";
import type { RunsFilter } from "../../state/automations-place.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { sortedPhones } from "../phone/model/phone-list.ts";
import type { LastAutomations } from "./last-automations.ts";
import { isRunGroup, RUN_GROUPS } from "./model/runs-list-model.ts";
import { RunsList } from "./runs-list.tsx";
import { useRuns } from "./use-runs.ts";

export interface RunsPageProps {
  readonly filter: RunsFilter;
  readonly last: LastAutomations;
  readonly onFilter: (filter: RunsFilter) => void;
  readonly onRun: (id: RunId) => void;
  readonly onBack: () => void;
}

const readFlows = (api: Api): Promise<readonly FlowSummary[]> => api.flows.list.query();

export function RunsPage({ filter, last, onFilter, onRun, onBack }: RunsPageProps) {
  const flows = useRemote(readFlows, last.flows);
  const { phones } = usePhones();
  const { runs, failure, more, loadingMore, loadMore, reload } = useRuns(filter);
  const filtered = Object.keys(filter).length > 0;
  return (
    <div className="screen">
      <PageHead back="All automations" onBack={onBack} title="Runs" />
      <div className="runs-filter">
        <Select
          aria-label="Automation"
          value={filter.flowId ?? ""}
          options={[
            { value: "", label: "All automations" },
            ...(flows.value ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={({ target }) => {
            const { flowId: _, ...rest } = filter;
            const flow = flows.value?.find(({ id }) => id === target.value);
            onFilter(flow === undefined ? rest : { ...rest, flowId: flow.id });
          }}
        />
        <Select
          aria-label="Phone"
          value={filter.phoneId ?? ""}
          options={[
            { value: "", label: "All phones" },
            ...sortedPhones(phones).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={({ target }) => {
            const { phoneId: _, ...rest } = filter;
            const phone = phones.find(({ id }) => id === target.value);
            onFilter(phone === undefined ? rest : { ...rest, phoneId: phone.id });
          }}
        />
        <Select
          aria-label="How they went"
          value={filter.group ?? ""}
          options={[{ value: "", label: "All outcomes" }, ...RUN_GROUPS.map(({ id, label }) => ({ value: id, label }))]}
          onChange={({ target }) => {
            const { group: _, ...rest } = filter;
            onFilter(isRunGroup(target.value) ? { ...rest, group: target.value } : rest);
          }}
        />
      </div>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {runs === undefined && failure === undefined && <Skeleton label="Loading runs" rows={6} />}
      {runs?.length === 0 && (
        <EmptyState
          icon="activity"
          title={filtered ? "No such run" : "Nothing ran yet"}
          action={filtered && <Button onClick={() => onFilter({})}>Show all runs</Button>}
        >
          {filtered
            ? "No run fits all of what is chosen above."
            : "Runs appear here as soon as an automation is started."}
        </EmptyState>
      )}
      {runs !== undefined && runs.length > 0 && (
        <Card>
          <RunsList runs={runs} onRun={onRun} />
        </Card>
      )}
      {more && (
        <Button busy={loadingMore} onClick={loadMore}>
          Load older runs
        </Button>
      )}
    </div>
  );
}
