/** One automation: its name and text, the values it asks for, saving, running and deleting it. */
import { useMemo, useRef, useState } from "react";
import type { FlowPart } from "../../../shared/automation-model.ts";
import type { Diagnostic } from "../../../shared/flows/model.ts";
import type { FlowId, RunId } from "../../../shared/id-values.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { usePhones } from "../../state/app-context.tsx";
import { flowIdOf } from "../../state/flow-drafts.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { DeleteFlowDialog } from "./delete-flow-dialog.tsx";
import type { WorkbenchHandle } from "./editor/flow-workbench.tsx";
import { InputsCard, missingInput } from "./inputs-card.tsx";
import { MatchLine } from "./match-line.tsx";
import { MoveFlowDialog } from "./move-flow-dialog.tsx";
import { RunBar } from "./run-bar.tsx";
import { RunLine } from "./run-line.tsx";
import { RunsList } from "./runs-list.tsx";
import { ScreenPeek } from "./screen-peek.tsx";
import { SecretsCard } from "./secrets-card.tsx";
import { useFlowCheck } from "./use-flow-check.ts";
import type { DraftsState } from "./use-flow-drafts.ts";
import { useMatches, useScreenWords } from "./use-matches.ts";
import { useMedia } from "./use-media.ts";
import { useRecordingExport } from "./use-recording-export.tsx";
import { useRun } from "./use-run.ts";
import { useRunPhone } from "./use-run-phone.ts";
import { useRunsOf } from "./use-runs-of.ts";
import { useSaveFlow, useSaveKey } from "./use-save-flow.ts";
import { useSavedFlow } from "./use-saved-flow.ts";
import { useStartRun, useStartShared } from "./use-start-run.ts";
import { VersionsDialog } from "./versions-dialog.tsx";
import { WebhooksCard } from "./webhooks-card.tsx";

export interface FlowPageProps {
  /** As in `flow-drafts.ts`. */
  readonly flowKey: string;
  /** The line to begin at, counting from 1. */
  readonly line: number | undefined;
  readonly drafts: DraftsState;
  /** Paths of the team's flows, for runFlow. */
  readonly files: readonly string[];
  readonly mayControl: boolean;
  readonly onBack: () => void;
  /** A new automation was saved for the first time. */
  readonly onSaved: (id: FlowId) => void;
  readonly onRun: (id: RunId, from: string) => void;
  readonly onSecrets: () => void;
  readonly onPhone: () => void;
  /** Makes a rule that runs this automation. */
  readonly onRule: (id: FlowId) => void;
}

const NO_DIAGNOSTICS: readonly Diagnostic[] = [];
const WORKBENCH = lazyModule(() => import("./editor/flow-workbench.tsx"));

export function FlowPage(props: FlowPageProps) {
  const { flowKey, line, drafts, files, mayControl, onBack, onSaved, onRun, onSecrets, onPhone, onRule } = props;
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
  const editor = useRef<WorkbenchHandle>(null);
  const [deleting, setDeleting] = useState(false);
  const [moving, setMoving] = useState(false);
  const recording = useRecordingExport(calls);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [asked, setAsked] = useState<string>();
  const runs = useRunsOf(id);
  const check = useFlowCheck(shown?.source ?? "", id);
  const wide = useMedia("(min-width: 820px)");
  const [cursor, setCursor] = useState(line ?? 1);
  const [peeking, setPeeking] = useState(false);
  const [comparing, setComparing] = useState(false);
  /** A run of some steps, watched from here, and the text it runs. */
  const [watched, setWatched] = useState<{ readonly runId: RunId; readonly source: string }>();
  const watch = useRun(watched?.runId);
  const matches = useMatches(mayControl ? phone.chosen : undefined, shown?.source ?? "", cursor);
  const words = useScreenWords(mayControl ? phone.chosen : undefined, cursor);
  const world = useMemo(() => ({ ...words, files }), [words, files]);

  const changed = draft !== undefined;
  const diagnostics = check.result?.diagnostics ?? (changed ? NO_DIAGNOSTICS : (saved?.diagnostics ?? NO_DIAGNOSTICS));
  const nameless = shown?.name.trim() === "";

  const edit = (change: { name?: string; source?: string }) => {
    if (shown === undefined) return;
    const next = { name: shown.name, source: shown.source, ...change };
    const same = saved !== undefined && next.name === saved.name && next.source === saved.source;
    const base = draft?.base ?? saved?.updatedAt;
    drafts.put(flowKey, same ? undefined : { ...next, ...(base !== undefined && { base }) });
  };

  const save = useSaveFlow({ flowKey, flow, drafts, calls, onSaved });

  const run = async (part?: FlowPart) => {
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
    if (part !== undefined) {
      const again = watched?.runId ?? "";
      // Some steps are tried again and again: each time is a wish of its own.
      const some = { ...wish, part, version: `${kept.updatedAt} ${again}` };
      const runId = await startRun({ ...some, phoneId: phone.chosen.id });
      if (runId !== undefined) setWatched({ runId, source: kept.source });
      return;
    }
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

  useSaveKey(save, mayControl);

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
    ...(id !== undefined && saved !== undefined
      ? [
          { id: "rule", label: "When a page calls for it…", icon: "globe", onSelect: () => onRule(id) } as const,
          { id: "move", label: "Move…", icon: "edit", onSelect: () => setMoving(true) } as const,
          {
            id: "recording",
            label: "Save as Recorder JSON",
            icon: "download",
            onSelect: () => void recording.save(id),
          } as const,
        ]
      : []),
    ...(changed && saved !== undefined
      ? [{ id: "discard", label: "Discard changes", icon: "refresh", onSelect: discard } as const]
      : []),
    { id: "delete", label: "Delete…", icon: "trash", danger: true, onSelect: () => setDeleting(true) },
  ];
  const mayRun = check.result?.ok !== false && !nameless;
  const starting = id !== undefined && calls.busy(`run ${id}`);
  const ran = watched && { source: watched.source, steps: watch.log?.run.steps ?? [] };
  const peek = phone.chosen !== undefined && (
    <section className="peek-part" aria-label="On the phone">
      {phone.chosen.state === "running" && <MatchLine matches={matches} phoneName={phone.chosen.name} />}
      <ScreenPeek phone={phone.chosen} matches={matches} mayControl={mayControl} />
    </section>
  );
  const overtaken = draft?.base !== undefined && saved !== undefined && draft.base !== saved.updatedAt;

  return (
    <div className="flow-page">
      <div className="screen">
        <PageHead
          back="All automations"
          onBack={onBack}
          title={shown.name.trim() || "Without a name"}
          detail={[
            !mayControl ? "You can watch, not change" : changed ? "Not saved yet, kept here" : "Saved",
            ...(saved?.path === undefined ? [] : [saved.path]),
          ].join(" · ")}
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
          <Notice
            tone="warn"
            title="Someone saved this automation after you began."
            action={
              <Button size="small" onClick={() => setComparing(true)}>
                Compare the two
              </Button>
            }
          >
            Yours is kept here. Look at both, then keep one.
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
        <LazyPart module={WORKBENCH} loading="Loading the editor" failed="The editor could not be loaded." rows={6}>
          {({ FlowWorkbench }) => (
            <FlowWorkbench
              ref={editor}
              startLine={line}
              source={shown.source}
              readOnly={!mayControl}
              mayRun={mayRun && phone.chosen !== undefined && !starting}
              diagnostics={diagnostics}
              world={world}
              ran={ran}
              runLine={
                watched !== undefined && <RunLine log={watch.log} onOpen={() => onRun(watched.runId, flowKey)} />
              }
              side={wide && mayControl && peek}
              onChange={(source) => edit({ source })}
              onCursor={setCursor}
              onRunPart={(part) => void run(part)}
            />
          )}
        </LazyPart>
        {saved !== undefined && saved.inputs.length > 0 && mayControl && (
          <InputsCard inputs={saved.inputs} values={values} missing={asked} onChange={setValues} />
        )}
        {saved !== undefined && saved.secrets.length > 0 && (
          <SecretsCard flow={saved} changed={changed} mayControl={mayControl} onSecrets={onSecrets} />
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
          mayRun={mayRun}
          saving={calls.busy("save")}
          starting={starting}
          phone={phone}
          look={
            !wide &&
            phone.chosen !== undefined && (
              <>
                {phone.chosen.state === "running" && (
                  <MatchLine
                    matches={matches}
                    phoneName={phone.chosen.name}
                    open={peeking}
                    onToggle={() => setPeeking(!peeking)}
                  />
                )}
                {(peeking || phone.chosen.state !== "running") && (
                  <ScreenPeek phone={phone.chosen} matches={matches} mayControl={mayControl} />
                )}
              </>
            )
          }
          onGoTo={(place) => editor.current?.goTo(place)}
          onSave={() => void save()}
          onRun={() => void run()}
          onPhone={onPhone}
        />
      )}
      {recording.dialog}
      {moving && saved !== undefined && (
        <MoveFlowDialog
          flow={saved}
          calls={calls}
          onMoved={(moved) => {
            flow.put(moved);
            if (draft !== undefined) drafts.put(moved.id, { ...draft, base: moved.updatedAt });
            setMoving(false);
          }}
          onClose={() => setMoving(false)}
        />
      )}
      {comparing && draft !== undefined && saved !== undefined && (
        <VersionsDialog
          theirs={saved}
          mine={draft}
          onKeepMine={() => {
            setComparing(false);
            drafts.put(flowKey, { ...draft, base: saved.updatedAt });
          }}
          onTakeTheirs={() => {
            setComparing(false);
            discard();
          }}
          onClose={() => setComparing(false)}
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
