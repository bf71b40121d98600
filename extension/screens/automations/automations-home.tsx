/** The team's automations and what ran lately; before there are any, what this is and where to start. */
import { useEffect } from "react";
import { type FlowSummary, hasEnded, type RunSummary } from "../../../shared/automation-model.ts";
import type { RecordingId, RunId } from "../../../shared/id-values.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useNow } from "../../components/use-now.ts";
import { type FlowDrafts, flowIdOf } from "../../state/flow-drafts.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { FlowRow } from "./flow-row.tsx";
import { FolderGroup } from "./folder-group.tsx";
import type { LastAutomations } from "./last-automations.ts";
import { byFolder, pathIn } from "./model/folders.ts";
import { EMPTY_FLOW, type FlowTemplate } from "./model/templates.ts";
import { Choices, type NewWay, Templates } from "./new-page.tsx";
import { RecordingsCard } from "./recordings-card.tsx";
import { WaitingNotice } from "./rules/waiting-notice.tsx";
import { RunsList } from "./runs-list.tsx";
import { useExport, useWorkspaceFiles } from "./use-workspace-files.ts";

export interface AutomationsHomeProps {
  readonly last: LastAutomations;
  readonly drafts: FlowDrafts;
  readonly mayControl: boolean;
  /** Ways to make an automation other than writing it. */
  readonly ways: readonly NewWay[];
  /** Further pages of this screen. */
  readonly menu: readonly MenuItem[];
  readonly onNew: () => void;
  readonly onStart: (template: FlowTemplate) => void;
  readonly onFlow: (key: string) => void;
  readonly onFile: (path: string) => void;
  readonly onRun: (id: RunId) => void;
  readonly onRuns: () => void;
  readonly onRecording: (id: RecordingId) => void;
  readonly onRules: () => void;
}

/** Enough to say of most automations how they went last. */
const READ_RUNS = 50;
const SHOWN_RUNS = 6;
/** While a run goes on, how often the list asks how it is. */
const POLL_MS = 2_000;

const readFlows = (api: Api): Promise<readonly FlowSummary[]> => api.flows.list.query();
const readRuns = (api: Api): Promise<readonly RunSummary[]> => api.runs.list.query({ limit: READ_RUNS });

export function AutomationsHome(props: AutomationsHomeProps) {
  const { last, drafts, mayControl, ways, menu, onNew, onStart, onFlow, onFile, onRun, onRuns } = props;
  const { onRecording, onRules } = props;
  const flows = useRemote(readFlows, last.flows);
  const runs = useRemote(readRuns, last.runs);
  const files = useWorkspaceFiles(last.files);
  const exporting = useExport();
  const now = useNow(true);
  const going = runs.value?.some((run) => !hasEnded(run.state)) === true;
  const { reload } = runs;
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [going, reload]);
  const unsaved = Object.entries(drafts).filter(([key]) => flowIdOf(key) === undefined);
  const failure = flows.failure ?? runs.failure ?? files.failure;
  const { apart, folders } = byFolder(flows.value ?? [], files.value?.files ?? []);

  if (flows.value === undefined && failure === undefined) {
    return (
      <div className="screen">
        <h1 className="sr-only">Automations</h1>
        <Skeleton label="Loading automations" rows={4} />
      </div>
    );
  }
  const again = () => {
    flows.reload();
    runs.reload();
    files.reload();
  };
  const mayExport = folders.length > 0 || apart.some(({ path }) => path !== undefined);
  const exportItems: readonly MenuItem[] = mayExport
    ? [{ id: "export", label: "Export all as zip", icon: "download", onSelect: () => void exporting.save("") }]
    : [];
  const row = (flow: FlowSummary, where?: string) => (
    <FlowRow
      key={flow.id}
      flow={flow}
      where={where}
      lastRun={runs.value?.find((run) => run.flowId === flow.id)}
      changed={drafts[flow.id] !== undefined}
      now={now}
      mayControl={mayControl}
      onOpen={() => onFlow(flow.id)}
      onRun={onRun}
    />
  );
  if (flows.value?.length === 0 && folders.length === 0 && unsaved.length === 0 && (runs.value?.length ?? 0) === 0) {
    return <FirstUse {...{ mayControl, ways, menu, onStart, onRecording, onRules }} />;
  }
  return (
    <div className="screen">
      <header className="screen-head automations-head">
        <h1>Automations</h1>
        <div className="automations-bar">
          <Button kind="quiet" icon="globe" onClick={onRules}>
            Rules
          </Button>
          <HomeMenu items={[...menu, ...exportItems]} />
          {mayControl && (
            <Button kind="primary" icon="plus" onClick={onNew}>
              New
            </Button>
          )}
        </div>
      </header>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={again} />}
      <WaitingNotice onShow={onRules} />
      {(unsaved.length > 0 || apart.length > 0 || (flows.value?.length === 0 && folders.length === 0)) && (
        <Card>
          <ul className="list" aria-label="Automations">
            {unsaved.map(([key, draft]) => (
              <li key={key} className="automation-row">
                <button type="button" className="row-button" onClick={() => onFlow(key)}>
                  <span className="list-title">{draft.name.trim() || "Without a name"}</span>
                  <span className="automation-facts">
                    <Badge tone="warn">Not saved</Badge>
                  </span>
                </button>
              </li>
            ))}
            {apart.map((flow) => row(flow))}
            {flows.value?.length === 0 && unsaved.length === 0 && (
              <li className="secondary row-note">No automation yet. Runs of deleted ones are below.</li>
            )}
          </ul>
        </Card>
      )}
      {folders.map((folder) => (
        <FolderGroup
          key={folder.name}
          folder={folder}
          mayControl={mayControl}
          onFile={onFile}
          onRuns={onRuns}
          onDeleted={again}
        >
          {folder.flows.map((flow) => row(flow, pathIn(folder.name, flow.path ?? "")))}
        </FolderGroup>
      ))}
      {mayControl && <RecordingsCard onOpen={onRecording} />}
      {runs.value !== undefined && runs.value.length > 0 && (
        <Card
          title="Runs"
          action={
            <Button kind="quiet" size="small" onClick={onRuns}>
              All runs
            </Button>
          }
        >
          <RunsList runs={runs.value.slice(0, SHOWN_RUNS)} onRun={onRun} />
        </Card>
      )}
    </div>
  );
}

function HomeMenu({ items }: { readonly items: readonly MenuItem[] }) {
  if (items.length === 0) return null;
  return (
    <Menu
      label="Automations: more"
      items={items}
      trigger={(props) => <IconButton {...props} icon="more" label="More about automations" tooltip="left" />}
    />
  );
}

interface FirstUseProps
  extends Pick<AutomationsHomeProps, "mayControl" | "ways" | "menu" | "onStart" | "onRecording" | "onRules"> {}

function FirstUse({ mayControl, ways, menu, onStart, onRecording, onRules }: FirstUseProps) {
  return (
    <div className="screen">
      <header className="screen-head automations-head">
        <h1 className="sr-only">Automations</h1>
        <span />
        <HomeMenu items={menu} />
      </header>
      <EmptyState
        icon="automation"
        title="Let the phone do it"
        action={
          mayControl && (
            <Button kind="primary" size="large" icon="plus" onClick={() => onStart(EMPTY_FLOW)}>
              New automation
            </Button>
          )
        }
      >
        {mayControl
          ? "An automation taps, types and checks on a phone for you, step by step. Write it once, run it any time. Flows written for Maestro work too."
          : "Your team has no automation yet. Your role lets you watch; ask the team's owner to write one."}
      </EmptyState>
      {mayControl && <RecordingsCard onOpen={onRecording} />}
      {mayControl && ways.length > 0 && (
        <Card>
          <Choices label="Ways to begin" choices={ways} />
        </Card>
      )}
      {mayControl && (
        <Card title="Or start from one of these">
          <Templates onStart={onStart} />
        </Card>
      )}
      <Button kind="quiet" icon="automation" onClick={onRules}>
        Rules: when a page calls for it
      </Button>
    </div>
  );
}
