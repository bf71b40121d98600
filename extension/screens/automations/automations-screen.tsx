/** Automations: the list, one automation with its text, or one run, whichever the person left open. */
import { useEffect, useState } from "react";
import type { MenuItem } from "../../components/menu.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { type AutomationsPlace, automationsPlace, HOME } from "../../state/automations-place.ts";
import { newDraftKey } from "../../state/flow-drafts.ts";
import { AutomationsHome } from "./automations-home.tsx";
import { FilePage } from "./file-page.tsx";
import { FlowPage } from "./flow-page.tsx";
import { ImportPage } from "./import-page.tsx";
import type { LastAutomations } from "./last-automations.ts";
import type { FlowTemplate } from "./model/templates.ts";
import { NewPage, type NewWay } from "./new-page.tsx";
import { RecordingPage } from "./recording-page.tsx";
import { emptyRule } from "./rules/model/rule-draft.ts";
import { isRulesPlace, RulesView } from "./rules/rules-view.tsx";
import { putRuleDraft } from "./rules/use-rule-draft.ts";
import { RunPage } from "./run-page.tsx";
import { RunsPage } from "./runs-page.tsx";
import { SecretsPage } from "./secrets-page.tsx";
import { useFlowDrafts } from "./use-flow-drafts.ts";
import "./automations.css";

export interface AutomationsScreenProps {
  readonly last: LastAutomations;
  readonly mayControl: boolean;
  /** Shows the Phone tab. */
  readonly onPhone: () => void;
  /** Shows the Phone tab and begins to record there. */
  readonly onRecord: () => void;
}

const place = automationsPlace();

export function AutomationsScreen({ last, mayControl, onPhone, onRecord }: AutomationsScreenProps) {
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
        <h1 className="sr-only">Automations</h1>
        <Skeleton label="Loading automations" rows={4} />
      </div>
    );
  }
  const start = ({ name, source }: FlowTemplate) => {
    const key = newDraftKey();
    drafts.put(key, { name, source });
    go({ view: "flow", key });
  };
  const toImport = () => go({ view: "import" });
  const ways: readonly NewWay[] = [
    {
      id: "record",
      label: "Record it",
      detail: "Use the phone as usual; each tap, swipe and text becomes a step",
      icon: "record",
      onSelect: onRecord,
    },
    {
      id: "import",
      label: "Import",
      detail: "Maestro flows, a folder or zip of them, or a recording of Chrome DevTools",
      icon: "upload",
      onSelect: toImport,
    },
  ];
  const menu: readonly MenuItem[] = [
    { id: "runs", label: "All runs", icon: "activity", onSelect: () => go({ view: "runs", filter: {} }) },
    ...(mayControl ? [{ id: "import", label: "Import…", icon: "upload", onSelect: toImport } as const] : []),
    { id: "secrets", label: "Secrets", icon: "key", onSelect: () => go({ view: "secrets" }) },
  ];
  if (isRulesPlace(at)) return <RulesView at={at} mayControl={mayControl} go={go} />;
  if (at.view === "flow") {
    return (
      <FlowPage
        flowKey={at.key}
        line={line}
        drafts={drafts}
        files={(last.flows.current ?? []).flatMap(({ path }) => path ?? [])}
        mayControl={mayControl}
        onBack={() => go(HOME)}
        onSaved={(id) => go({ view: "flow", key: id })}
        onRun={(runId, from) => go({ view: "run", runId, from })}
        onSecrets={() => go({ view: "secrets" })}
        onPhone={onPhone}
        onRule={(flowId) => {
          const rule = emptyRule(flowId);
          void putRuleDraft({ rule }).then(() => go({ view: "rule", key: rule.id }));
        }}
      />
    );
  }
  if (at.view === "run") {
    const { from, list } = at;
    return (
      <RunPage
        key={at.runId}
        runId={at.runId}
        mayControl={mayControl}
        onBack={() => {
          if (list !== undefined) go({ view: "runs", filter: list });
          else go(from === undefined ? HOME : { view: "flow", key: from });
        }}
        onFlow={(key, atLine) => go({ view: "flow", key }, atLine)}
        onRun={(runId) => go({ ...at, runId })}
        onPhone={onPhone}
      />
    );
  }
  if (at.view === "runs") {
    const { filter } = at;
    return (
      <RunsPage
        filter={filter}
        last={last}
        onFilter={(next) => go({ view: "runs", filter: next })}
        onRun={(runId) => go({ view: "run", runId, list: filter })}
        onBack={() => go(HOME)}
      />
    );
  }
  if (at.view === "import") return <ImportPage onBack={() => go(HOME)} />;
  if (at.view === "file") {
    return <FilePage key={at.path} path={at.path} mayControl={mayControl} onBack={() => go(HOME)} />;
  }
  if (at.view === "secrets") {
    const onFlow = (key: string) => go({ view: "flow", key });
    return <SecretsPage mayControl={mayControl} onBack={() => go(HOME)} onFlow={onFlow} />;
  }
  if (at.view === "recording") {
    return (
      <RecordingPage
        key={at.recordingId}
        recordingId={at.recordingId}
        onBack={() => go(HOME)}
        onPhone={onPhone}
        onFlow={(key) => go({ view: "flow", key })}
      />
    );
  }
  if (at.view === "new") return <NewPage ways={ways} onStart={start} onBack={() => go(HOME)} />;
  return (
    <AutomationsHome
      last={last}
      drafts={all}
      mayControl={mayControl}
      ways={ways}
      menu={menu}
      onNew={() => go({ view: "new" })}
      onStart={start}
      onFlow={(key) => go({ view: "flow", key })}
      onFile={(path) => go({ view: "file", path })}
      onRun={(runId) => go({ view: "run", runId })}
      onRecording={(recordingId) => go({ view: "recording", recordingId })}
      onRuns={() => go({ view: "runs", filter: {} })}
      onRules={() => go({ view: "rules" })}
    />
  );
}
