/** The team's rules: what runs by itself and where, how each stands in this browser, and what waits for a yes. */
import { useState } from "react";
import type { RunId } from "../../../../shared/id-values.ts";
import type { RuleInput } from "../../../../shared/rules/model.ts";
import { READY_MADE, type ReadyMade } from "../../../../shared/rules/ready-made.ts";
import { Button } from "../../../components/button.tsx";
import { Switch } from "../../../components/check-field.tsx";
import { Icon } from "../../../components/icon.tsx";
import { EmptyState, Skeleton } from "../../../components/notice.tsx";
import { PageHead } from "../../../components/page-head.tsx";
import { Badge } from "../../../components/state-dot.tsx";
import { Card } from "../../../components/surface.tsx";
import { useNow } from "../../../components/use-now.ts";
import { isKnownRule, rememberConsent } from "../../../rules/site-consent.ts";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { type Calls, useCall } from "../../panel/use-call.ts";
import { timeAgo } from "../../phone/model/run-time.ts";
import { emptyRule, NO_FLOW, readyMadeRule, siteNames } from "./model/rule-draft.ts";
import { consentNotice, startWords } from "./model/rule-words.ts";
import { putRuleDraft, useNewRuleDrafts } from "./use-rule-draft.ts";
import { flowNameOf, type RulesRead, type RuleView, records, useRules, useRulesChanged } from "./use-rules.ts";
import { WaitingOffers } from "./waiting-offers.tsx";

export interface RulesPageProps {
  readonly mayControl: boolean;
  readonly onBack: () => void;
  readonly onRule: (key: string) => void;
  readonly onLog: () => void;
  readonly onSite: (host: string) => void;
  readonly onRun: (id: RunId) => void;
}

export function RulesPage(props: RulesPageProps) {
  const { mayControl, onBack, onRule, onLog } = props;
  const remote = useRules();
  const changed = useRulesChanged(remote.reload);
  const calls = useCall();
  const begin = async (rule: RuleInput) => {
    await putRuleDraft({ rule });
    onRule(rule.id);
  };
  const start = async (readyMade: ReadyMade) => {
    const flowId = readyMade.flow === undefined ? NO_FLOW : await flowFor(readyMade, remote.value, calls);
    if (flowId !== undefined) await begin(readyMadeRule(readyMade, flowId));
  };
  const { value, failure } = remote;
  return (
    <div className="screen">
      <PageHead
        back="All automations"
        onBack={onBack}
        title="Rules"
        detail="When a page calls for it"
        actions={
          mayControl &&
          value !== undefined &&
          value.rules.length > 0 && (
            <Button kind="primary" icon="plus" onClick={() => void begin(emptyRule())}>
              New
            </Button>
          )
        }
      />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={remote.reload} />}
      {value === undefined ? (
        failure === undefined && <Skeleton label="Loading rules" rows={4} />
      ) : (
        <>
          <WaitingOffers rules={value.rules} flows={value.flows} onRun={props.onRun} />
          <RulesList {...props} read={value} calls={calls} onChanged={changed} onNew={() => void begin(emptyRule())} />
          {mayControl && (
            <ReadyMadeRules open={value.rules.length === 0} calls={calls} onStart={(one) => void start(one)} />
          )}
          <div className="rule-foot">
            <Button kind="quiet" icon="activity" onClick={onLog}>
              Why did a rule (not) run
            </Button>
            <p className="secondary">
              Rules are judged in this browser. The server gets which rule it is and the values the rule names, as you
              see them before a run. No other address you visit is sent, and nothing is read in private windows.
            </p>
          </div>
        </>
      )}
    </div>
  );
}

interface RulesListProps extends RulesPageProps {
  readonly read: RulesRead;
  readonly calls: Calls;
  readonly onChanged: () => Promise<void>;
  readonly onNew: () => void;
}

function RulesList({ read: { rules, flows }, calls, onChanged, onNew, onRule, onSite, mayControl }: RulesListProps) {
  const now = useNow(true);
  const drafts = useNewRuleDrafts(rules.map(({ rule }) => rule.id));
  const sites = [...new Set(rules.flatMap(({ rule }) => siteNames(rule)))].sort();
  const turn = async ({ rule }: RuleView, enabled: boolean) => {
    const known = isKnownRule(await records.get("consents"), rule);
    const next = { ...rule, enabled };
    const result = await calls.run(`turn ${rule.id}`, (api) => api.rules.save.mutate({ rule: next }));
    if (result?.ok !== true) return;
    if (known) await rememberConsent(records, next);
    await onChanged();
  };
  const resume = async ({ rule }: RuleView) => {
    const result = await calls.run(`resume ${rule.id}`, (api) => api.rules.resume.mutate({ ruleId: rule.id }));
    if (result?.ok === true) await onChanged();
  };
  if (rules.length === 0 && drafts.length === 0) {
    return (
      <EmptyState
        icon="automation"
        title="Let a page start it"
        action={
          mayControl && (
            <Button kind="primary" icon="plus" onClick={onNew}>
              New rule
            </Button>
          )
        }
      >
        A rule runs an automation when a page you visit calls for it: a product, an app, a link. It asks first unless
        you say otherwise, and sees nothing but the sites you name.
      </EmptyState>
    );
  }
  return (
    <>
      <Card>
        <ul className="list" aria-label="Rules">
          {drafts.map(({ rule }) => (
            <li key={rule.id} className="automation-row">
              <button type="button" className="row-button" onClick={() => onRule(rule.id)}>
                <span className="list-title">{rule.name.trim() || "Without a name"}</span>
                <span className="automation-facts">
                  <Badge tone="warn">Not saved</Badge>
                </span>
              </button>
            </li>
          ))}
          {rules.map((view) => (
            <RuleRow
              key={view.rule.id}
              view={view}
              flowName={flowNameOf(flows, view)}
              now={now}
              mayControl={mayControl}
              busy={calls.busy(`turn ${view.rule.id}`) || calls.busy(`resume ${view.rule.id}`)}
              onOpen={() => onRule(view.rule.id)}
              onTurn={(on) => void turn(view, on)}
              onResume={() => void resume(view)}
            />
          ))}
        </ul>
      </Card>
      {sites.length > 0 && (
        <Card title="Sites">
          <ul className="list" aria-label="Sites">
            {sites.map((site) => (
              <li key={site} className="automation-row">
                <button type="button" className="row-button row-button-icon" onClick={() => onSite(site)}>
                  <Icon name="shield" />
                  <span className="list-text">{site}</span>
                  <Icon name="chevronRight" />
                </button>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

interface RuleRowProps {
  readonly view: RuleView;
  readonly flowName: string;
  /** Unix ms. */
  readonly now: number;
  readonly mayControl: boolean;
  readonly busy: boolean;
  readonly onOpen: () => void;
  readonly onTurn: (on: boolean) => void;
  readonly onResume: () => void;
}

function RuleRow({ view, flowName, now, mayControl, busy, onOpen, onTurn, onResume }: RuleRowProps) {
  const { rule, paused, consent, lastStartedAt, nextAt, refusal } = view;
  const notice = consentNotice(consent);
  return (
    <li className="automation-row">
      <button type="button" className="row-button" onClick={onOpen}>
        <span className="list-title">{rule.name}</span>
        <span className="secondary">
          {startWords(rule)} → {flowName}
        </span>
        <span className="automation-facts secondary tabular">
          {lastStartedAt !== undefined && <span>ran {timeAgo(lastStartedAt, now)}</span>}
          {nextAt !== undefined && <span>next {dayAndTime(nextAt)}</span>}
          {paused && <Badge tone="bad">Paused: its last runs failed</Badge>}
          {rule.dryRun && <Badge>Dry run</Badge>}
          {rule.enabled && notice !== undefined && <Badge tone="warn">{notice}</Badge>}
        </span>
        {refusal !== undefined && <span className="tone-warn">{refusal.message}</span>}
      </button>
      <span className="rule-row-end">
        {paused && mayControl && (
          <Button size="small" busy={busy} onClick={onResume} aria-label={`Resume ${rule.name}`}>
            Resume
          </Button>
        )}
        <Switch label={`${rule.name} is on`} on={rule.enabled} disabled={!mayControl || busy} onChange={onTurn} />
      </span>
    </li>
  );
}

/** In the person's own time, as the clock beside them shows it. */
function dayAndTime(at: string): string {
  return new Date(at).toLocaleString(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
}

interface ReadyMadeRulesProps {
  readonly open: boolean;
  readonly calls: Calls;
  readonly onStart: (readyMade: ReadyMade) => void;
}

function ReadyMadeRules({ open, calls, onStart }: ReadyMadeRulesProps) {
  const [shown, setShown] = useState(open);
  return (
    <details className="disclosure" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <Icon name="chevronRight" />
        Start from a ready-made rule
      </summary>
      <ul className="list" aria-label="Ready-made rules">
        {READY_MADE.map((readyMade) => (
          <li key={readyMade.key} className="automation-row">
            <button
              type="button"
              className="row-button"
              disabled={calls.busy("flow")}
              onClick={() => onStart(readyMade)}
            >
              <span className="list-title">{readyMade.title}</span>
              <span className="secondary">{readyMade.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The ready-made rule's own flow: the one saved for it earlier, or a new one. Undefined when it could not be saved. */
async function flowFor({ title, flow = "" }: ReadyMade, read: RulesRead | undefined, calls: Calls) {
  const known = read?.flows.find(({ name }) => name === title);
  if (known !== undefined) return known.id;
  const result = await calls.run("flow", (api) => api.flows.save.mutate({ name: title, source: flow }));
  return result?.ok === true ? result.value.id : undefined;
}
