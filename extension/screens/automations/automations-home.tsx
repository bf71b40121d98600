/** The team's automations and what ran lately; before there are any, what this is and where to start. */
import { useEffect } from "react";
import type { FlowSummary, RunSummary } from "../../../shared/automation-model.ts";
import { hasEnded } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import { type FlowDraft, type FlowDrafts, flowIdOf, newDraftKey } from "../../state/flow-drafts.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { timeAgo } from "../phone/model/run-time.ts";
import type { LastAutomations } from "./last-automations.ts";
import { commandWords, RUN_STATE_LOOK } from "./model/run-words.ts";
import { EMPTY_FLOW, type FlowTemplate, TEMPLATES } from "./model/templates.ts";
import { WaitingNotice } from "./rules/waiting-notice.tsx";
import { RunsList } from "./runs-list.tsx";
import { useStartRun } from "./use-start-run.ts";

export interface AutomationsHomeProps {
  readonly last: LastAutomations;
  readonly drafts: FlowDrafts;
  readonly mayControl: boolean;
  readonly onNew: (key: string, draft: FlowDraft) => void;
  readonly onFlow: (key: string) => void;
  readonly onRun: (id: RunId) => void;
  readonly onRules: () => void;
}

const SHOWN_RUNS = 50;
/** While a run goes on, how often the list asks how it is. */
const POLL_MS = 2_000;

const readFlows = (api: Api): Promise<readonly FlowSummary[]> => api.flows.list.query();
const readRuns = (api: Api): Promise<readonly RunSummary[]> => api.runs.list.query({ limit: SHOWN_RUNS });

export function AutomationsHome({ last, drafts, mayControl, onNew, onFlow, onRun, onRules }: AutomationsHomeProps) {
  const flows = useRemote(readFlows, last.flows);
  const runs = useRemote(readRuns, last.runs);
  const now = useNow(true);
  const going = runs.value?.some((run) => !hasEnded(run.state)) === true;
  const { reload } = runs;
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [going, reload]);
  const unsaved = Object.entries(drafts).filter(([key]) => flowIdOf(key) === undefined);
  const start = ({ name, source }: FlowTemplate) => onNew(newDraftKey(), { name, source });
  const failure = flows.failure ?? runs.failure;

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
  };
  if (flows.value?.length === 0 && unsaved.length === 0 && (runs.value?.length ?? 0) === 0) {
    return <FirstUse mayControl={mayControl} onStart={start} onRules={onRules} />;
  }
  return (
    <div className="screen">
      <header className="screen-head automations-head">
        <h1>Automations</h1>
        <Button kind="quiet" icon="automation" onClick={onRules}>
          Rules
        </Button>
        {mayControl && (
          <Button kind="primary" icon="plus" onClick={() => start(EMPTY_FLOW)}>
            New
          </Button>
        )}
      </header>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={again} />}
      <WaitingNotice onShow={onRules} />
      {(unsaved.length > 0 || flows.value !== undefined) && (
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
            {flows.value?.map((flow) => (
              <FlowRow
                key={flow.id}
                flow={flow}
                lastRun={runs.value?.find((run) => run.flowId === flow.id)}
                changed={drafts[flow.id] !== undefined}
                now={now}
                mayControl={mayControl}
                onOpen={() => onFlow(flow.id)}
                onRun={onRun}
              />
            ))}
            {flows.value?.length === 0 && unsaved.length === 0 && (
              <li className="secondary row-note">No automation yet. Runs of deleted ones are below.</li>
            )}
          </ul>
        </Card>
      )}
      {mayControl && flows.value !== undefined && (
        <details className="disclosure">
          <summary>
            <Icon name="chevronRight" />
            Start from a template
          </summary>
          <Templates onStart={start} />
        </details>
      )}
      {runs.value !== undefined && runs.value.length > 0 && (
        <Card title="Runs">
          <RunsList runs={runs.value} onRun={onRun} />
        </Card>
      )}
    </div>
  );
}

interface FlowRowProps {
  readonly flow: FlowSummary;
  readonly lastRun: RunSummary | undefined;
  readonly changed: boolean;
  /** Unix milliseconds. */
  readonly now: number;
  readonly mayControl: boolean;
  readonly onOpen: () => void;
  readonly onRun: (id: RunId) => void;
}

function FlowRow({ flow, lastRun, changed, now, mayControl, onOpen, onRun }: FlowRowProps) {
  const { phones } = usePage();
  const calls = useCall();
  const startRun = useStartRun(calls);
  const all = usePhones();
  const phone = defaultPhone(all.phones, all.defaultPhoneId);
  const run = async () => {
    // One that asks for values, or has no phone yet, is started on its own page.
    const read = await phones.call((api) => api.flows.get.query({ flowId: flow.id }));
    if (!read.ok || read.value.inputs.length > 0 || phone === undefined) return onOpen();
    const id = await startRun({ flowId: flow.id, phoneId: phone.id, inputs: {}, version: read.value.updatedAt });
    if (id !== undefined) onRun(id);
  };
  const look = lastRun && RUN_STATE_LOOK[lastRun.state];
  return (
    <li className="automation-row">
      <button type="button" className="row-button" onClick={onOpen}>
        <span className="list-title">{flow.name}</span>
        <span className="automation-facts secondary tabular">
          {flow.runnable ? (
            <span>{commandWords(flow.commands)}</span>
          ) : (
            <span className="tone-bad">Has mistakes, cannot run</span>
          )}
          {lastRun !== undefined && look !== undefined && (
            <span className={`run-state tone-${look.tone}`}>
              <Icon name={look.icon} />
              {hasEnded(lastRun.state)
                ? `${look.words} ${timeAgo(lastRun.finishedAt ?? lastRun.createdAt, now)}`
                : look.words}
            </span>
          )}
          {changed && <Badge tone="warn">Unsaved changes</Badge>}
        </span>
      </button>
      {mayControl && flow.runnable && (
        <IconButton
          icon="start"
          label={phone === undefined ? `Run ${flow.name}` : `Run ${flow.name} on ${phone.name}`}
          tooltip="left"
          busy={calls.busy(`run ${flow.id}`)}
          onClick={() => void run()}
        />
      )}
    </li>
  );
}

interface FirstUseProps {
  readonly mayControl: boolean;
  readonly onStart: (template: FlowTemplate) => void;
  readonly onRules: () => void;
}

function FirstUse({ mayControl, onStart, onRules }: FirstUseProps) {
  return (
    <div className="screen">
      <h1 className="sr-only">Automations</h1>
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

function Templates({ onStart }: { readonly onStart: (template: FlowTemplate) => void }) {
  return (
    <ul className="list" aria-label="Templates">
      {TEMPLATES.map((template) => (
        <li key={template.id} className="automation-row">
          <button type="button" className="row-button row-button-icon" onClick={() => onStart(template)}>
            <Icon name={template.icon} size={20} />
            <span className="list-text">
              <span className="list-title">{template.name}</span>
              <span className="secondary">{template.about}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
