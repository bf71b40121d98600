/** One automation: its name and text, the values it asks for, saving, running and deleting it. */
import { useEffect, useRef, useState } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import type { FlowId, RunId } from "../../../shared/id-values.ts";
import { IconButton } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { usePhones } from "../../state/app-context.tsx";
import { flowIdOf } from "../../state/flow-drafts.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { DeleteFlowDialog } from "./delete-flow-dialog.tsx";
import { type EditorHandle, FlowEditor } from "./flow-editor.tsx";
import { InputsCard, missingInput } from "./inputs-card.tsx";
import { PageHead } from "./page-head.tsx";
import { RunBar } from "./run-bar.tsx";
import { RunsList } from "./runs-list.tsx";
import { useFlowCheck } from "./use-flow-check.ts";
import type { DraftsState } from "./use-flow-drafts.ts";
import { useRunPhone } from "./use-run-phone.ts";
import { useRunsOf } from "./use-runs-of.ts";
import { useSavedFlow } from "./use-saved-flow.ts";
import { useStartRun, useStartShared } from "./use-start-run.ts";
import { WebhooksCard } from "./webhooks-card.tsx";

export interface FlowPageProps {
  /** As in `flow-drafts.ts`. */
  readonly flowKey: string;
  /** The line to begin at, counting from 1. */
  readonly line: number | undefined;
  readonly drafts: DraftsState;
  readonly mayControl: boolean;
  readonly onBack: () => void;
  /** A new automation was saved for the first time. */
  readonly onSaved: (id: FlowId) => void;
  readonly onRun: (id: RunId, from: string) => void;
  readonly onPhone: () => void;
  /** Makes a rule that runs this automation. */
  readonly onRule: (id: FlowId) => void;
}

export function FlowPage(props: FlowPageProps) {
  const { flowKey, line, drafts, mayControl, onBack, onSaved, onRun, onPhone, onRule } = props;
  const id = flowIdOf(flowKey);
  const flow = useSavedFlow(id);
  const { saved } = flow;
  const draft = drafts.drafts?.[flowKey];
  const shown = draft ?? saved;
  const { status } = usePhones();
  const calls = useCall();
  const startRun = useStartRun(calls);
  const startShared = useStartShared(calls);
  const toast = useToast();
  const phone = useRunPhone();
  const editor = useRef<EditorHandle>(null);
  const [deleting, setDeleting] = useState(false);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [asked, setAsked] = useState<string>();
  const runs = useRunsOf(id);
  const check = useFlowCheck(shown?.source ?? "");
  /** What is on the screen right now, for answers that come later. */
  const latest = useRef({ draft, saved });
  latest.current = { draft, saved };

  const changed = draft !== undefined;
  const diagnostics = check.result?.diagnostics ?? (changed ? [] : (saved?.diagnostics ?? []));
  const nameless = shown?.name.trim() === "";

  const edit = (change: { name?: string; source?: string }) => {
    if (shown === undefined) return;
    const next = { name: shown.name, source: shown.source, ...change };
    const same = saved !== undefined && next.name === saved.name && next.source === saved.source;
    const base = draft?.base ?? saved?.updatedAt;
    drafts.put(flowKey, same ? undefined : { ...next, ...(base !== undefined && { base }) });
  };

  const save = async (): Promise<FlowDetail | undefined> => {
    const sent = latest.current.draft;
    if (sent === undefined) return latest.current.saved;
    if (sent.name.trim() === "") return undefined;
    const result = await calls.run("save", (api) =>
      api.flows.save.mutate({ ...(id !== undefined && { flowId: id }), name: sent.name, source: sent.source }),
    );
    if (result?.ok !== true) return undefined;
    const { draft: now } = latest.current;
    // What was typed while it was on its way is a change of its own.
    const typed = now !== undefined && (now.name !== sent.name || now.source !== sent.source);
    flow.put(result.value);
    if (id === undefined) drafts.put(flowKey, undefined);
    drafts.put(result.value.id, typed ? { ...now, base: result.value.updatedAt } : undefined);
    if (id === undefined) onSaved(result.value.id);
    return result.value;
  };

  const run = async () => {
    if (phone.chosen === undefined) return;
    const kept = await save();
    if (kept === undefined) return;
    const missing = missingInput(kept.inputs, values);
    setAsked(missing);
    if (missing !== undefined) return;
    const inputs = Object.fromEntries(
      kept.inputs.flatMap(({ name }) => {
        const value = values[name];
        return value === undefined || value === "" ? [] : [[name, value]];
      }),
    );
    const wish = { flowId: kept.id, inputs, version: kept.updatedAt };
    if (phone.many === undefined) {
      const runId = await startRun({ ...wish, phoneId: phone.chosen.id });
      if (runId !== undefined) onRun(runId, kept.id);
      return;
    }
    const runIds = await startShared({ ...wish, target: phone.many });
    const [only, ...others] = runIds ?? [];
    if (only !== undefined && others.length === 0) return onRun(only, kept.id);
    if (only === undefined) return;
    toast({ text: `${others.length + 1} runs are on their way.` });
    runs.reload();
  };

  const ready = shown !== undefined;
  useEffect(() => {
    if (ready && line !== undefined) editor.current?.goTo({ line, column: 1 });
  }, [ready, line]);

  const saveByKey = useRef(save);
  saveByKey.current = save;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      if (mayControl) void saveByKey.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [mayControl]);

  if (shown === undefined) {
    return (
      <div className="screen">
        <PageHead back="All automations" onBack={onBack} title="Automation" />
        {flow.failure === undefined ? (
          <Skeleton label="Loading automation" rows={6} />
        ) : (
          <FailureNotice failure={flow.failure} onRetry={flow.reload} />
        )}
      </div>
    );
  }

  const remove = async () => {
    if (id !== undefined) {
      const result = await calls.run("remove", (api) => api.flows.remove.mutate({ flowId: id }));
      if (result?.ok !== true) return setDeleting(false);
    }
    drafts.put(flowKey, undefined);
    onBack();
    toast({ text: `${shown.name.trim() || "The automation"} is deleted.` });
  };
  const discard = () => {
    if (draft === undefined) return;
    drafts.put(flowKey, undefined);
    toast({
      text: "Your changes are discarded.",
      action: { label: "Undo", onSelect: () => drafts.put(flowKey, draft) },
    });
  };
  const menu: readonly MenuItem[] = [
    ...(id !== undefined
      ? [{ id: "rule", label: "When a page calls for it…", icon: "globe", onSelect: () => onRule(id) } as const]
      : []),
    ...(changed && saved !== undefined
      ? [{ id: "discard", label: "Discard changes", icon: "refresh", onSelect: discard } as const]
      : []),
    { id: "delete", label: "Delete…", icon: "trash", danger: true, onSelect: () => setDeleting(true) },
  ];
  const overtaken = draft?.base !== undefined && saved !== undefined && draft.base !== saved.updatedAt;

  return (
    <div className="flow-page">
      <div className="screen">
        <PageHead
          back="All automations"
          onBack={onBack}
          title={shown.name.trim() || "Without a name"}
          detail={!mayControl ? "You can watch, not change" : changed ? "Not saved yet, kept here" : "Saved"}
          actions={
            mayControl && (
              <Menu
                label="Automation: more"
                items={menu}
                trigger={(props) => (
                  <IconButton {...props} icon="more" label="More about this automation" tooltip="left" />
                )}
              />
            )
          }
        />
        {status !== "live" && flow.failure !== undefined && (
          <FailureNotice failure={flow.failure} onRetry={flow.reload} />
        )}
        {!mayControl && (
          <Notice>Your role lets you read automations and watch their runs. Ask the team's owner to change it.</Notice>
        )}
        {overtaken && (
          <Notice tone="warn" title="Someone saved this automation after you began.">
            Saving replaces their version. To see theirs, discard your changes in the ⋯ menu.
          </Notice>
        )}
        {drafts.unkept && (
          <Notice tone="warn" title="The browser has no room for this draft.">
            Save before you close the panel.
          </Notice>
        )}
        <TextField
          label="Name"
          value={shown.name}
          maxLength={100}
          readOnly={!mayControl}
          {...(nameless && { error: "Give it a name, then save." })}
          onChange={(event) => edit({ name: event.target.value })}
        />
        <FlowEditor
          ref={editor}
          source={shown.source}
          readOnly={!mayControl}
          diagnostics={diagnostics}
          onChange={(source) => edit({ source })}
        />
        {saved !== undefined && saved.inputs.length > 0 && mayControl && (
          <InputsCard inputs={saved.inputs} values={values} missing={asked} onChange={setValues} />
        )}
        {runs.list.length > 0 && (
          <Card title="Runs">
            <RunsList runs={runs.list} unnamed onRun={(runId) => onRun(runId, flowKey)} />
          </Card>
        )}
        {saved !== undefined && <WebhooksCard flow={saved} mayControl={mayControl} />}
      </div>
      {mayControl && (
        <RunBar
          check={check}
          diagnostics={diagnostics}
          changed={changed}
          mayRun={check.result?.ok !== false && !nameless}
          saving={calls.busy("save")}
          starting={id !== undefined && calls.busy(`run ${id}`)}
          phone={phone}
          onGoTo={(place) => editor.current?.goTo(place)}
          onSave={() => void save()}
          onRun={() => void run()}
          onPhone={onPhone}
        />
      )}
      {deleting && (
        <DeleteFlowDialog
          name={shown.name.trim() || "this automation"}
          saved={saved !== undefined}
          changed={changed}
          busy={calls.busy("remove")}
          onDelete={() => void remove()}
          onClose={() => setDeleting(false)}
        />
      )}
    </div>
  );
}
