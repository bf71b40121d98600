/** Automations: the list, one automation with its text, or one run, whichever the person left open. */
import { useEffect, useState } from "react";
import { Skeleton } from "../../components/notice.tsx";
import { type AutomationsPlace, automationsPlace, HOME } from "../../state/automations-place.ts";
import { AutomationsHome } from "./automations-home.tsx";
import { FlowPage } from "./flow-page.tsx";
import type { LastAutomations } from "./last-automations.ts";
import { emptyRule } from "./rules/model/rule-draft.ts";
import { isRulesPlace, RulesView } from "./rules/rules-view.tsx";
import { putRuleDraft } from "./rules/use-rule-draft.ts";
import { RunPage } from "./run-page.tsx";
import { useFlowDrafts } from "./use-flow-drafts.ts";
import "./automations.css";

export interface AutomationsScreenProps {
  readonly last: LastAutomations;
  readonly mayControl: boolean;
  /** Shows the Phone tab. */
  readonly onPhone: () => void;
}

const place = automationsPlace();

export function AutomationsScreen({ last, mayControl, onPhone }: AutomationsScreenProps) {
  const [at, setAt] = useState<AutomationsPlace>();
  const drafts = useFlowDrafts();
  useEffect(() => {
    void place.get().then((stored) => setAt((shown) => shown ?? stored));
  }, []);
  /** A line to begin at is for now: who comes back later begins where they like. */
  const [line, setLine] = useState<number>();
  const go = (next: AutomationsPlace, atLine?: number) => {
    setAt(next);
    setLine(atLine);
    void place.set(next);
  };
  const all = drafts.drafts;
  if (at === undefined || all === undefined) {
    return (
      <div className="screen">
        <Skeleton label="Loading automations" rows={4} />
      </div>
    );
  }
  if (isRulesPlace(at)) return <RulesView at={at} mayControl={mayControl} go={go} />;
  if (at.view === "flow") {
    return (
      <FlowPage
        flowKey={at.key}
        line={line}
        drafts={drafts}
        mayControl={mayControl}
        onBack={() => go(HOME)}
        onSaved={(id) => go({ view: "flow", key: id })}
        onRun={(runId, from) => go({ view: "run", runId, from })}
        onPhone={onPhone}
        onRule={(flowId) => {
          const rule = emptyRule(flowId);
          void putRuleDraft({ rule }).then(() => go({ view: "rule", key: rule.id }));
        }}
      />
    );
  }
  if (at.view === "run") {
    const { from } = at;
    return (
      <RunPage
        key={at.runId}
        runId={at.runId}
        mayControl={mayControl}
        onBack={() => go(from === undefined ? HOME : { view: "flow", key: from })}
        onFlow={(key, atLine) => go({ view: "flow", key }, atLine)}
        onRun={(runId) => go({ ...at, runId })}
        onPhone={onPhone}
      />
    );
  }
  return (
    <AutomationsHome
      last={last}
      drafts={all}
      mayControl={mayControl}
      onNew={(key, draft) => {
        drafts.put(key, draft);
        go({ view: "flow", key });
      }}
      onFlow={(key) => go({ view: "flow", key })}
      onRun={(runId) => go({ view: "run", runId })}
      onRules={() => go({ view: "rules" })}
    />
  );
}
