/** One run: how it is, every step as it happens, pictures, and what can be done with it. */
import { useEffect, useRef } from "react";
import { hasEnded, type RunDetail, type RunReport } from "../../../shared/automation-model.ts";
import { partWords } from "../../../shared/flows/part.ts";
import type { FlowId, RunId, SuiteId } from "../../../shared/id-values.ts";
import { readRunFile } from "../../api/run-files.ts";
import { readSuiteReport } from "../../api/workspace-files.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { clockTime } from "../phone/model/run-time.ts";
import { saveBlob } from "../phone/save-blob.ts";
import { FailureView } from "./failure-view.tsx";
import { HealingProposals } from "./healing-proposals.tsx";
import { RUN_STATE_LOOK, runDuration, triggerWords } from "./model/run-words.ts";
import { RunOutcome } from "./run-outcome.tsx";
import { RunPictures } from "./run-pictures.tsx";
import { RunRecordings } from "./run-recordings.tsx";
import { RunSteps } from "./run-steps.tsx";
import { useRun } from "./use-run.ts";
import { useStartRun } from "./use-start-run.ts";

export interface RunPageProps {
  readonly runId: RunId;
  readonly mayControl: boolean;
  readonly onBack: () => void;
  /** Opens the automation, at a line of its text where one is meant. */
  readonly onFlow: (key: string, line?: number) => void;
  /** Another run was started from this one. */
  readonly onRun: (id: RunId) => void;
  readonly onPhone: () => void;
}

const REPORTS: readonly { readonly id: RunReport; readonly label: string; readonly detail: string }[] = [
  { id: "report.html", label: "Save the report", detail: "One page with pictures" },
  { id: "junit.xml", label: "Save as JUnit XML", detail: "For build servers" },
  { id: "run.json", label: "Save as JSON", detail: "Everything, for scripts" },
];

export function RunPage({ runId, mayControl, onBack, onFlow, onRun, onPhone }: RunPageProps) {
  const { log, failure, reload } = useRun(runId);
  const { app } = usePage();
  const { server, phones } = usePhones();
  const toast = useToast();
  const calls = useCall();
  const startRun = useStartRun(calls);
  const run = log?.run;
  const going = run !== undefined && !hasEnded(run.state);
  const now = useNow(going);
  const bottom = useFollowedEnd(going ? (run?.steps.length ?? 0) : 0);

  if (run === undefined || log === undefined) {
    return (
      <div className="screen">
        <PageHead back="Back" onBack={onBack} title="Run" />
        {failure === undefined ? (
          <Skeleton label="Loading run" rows={6} />
        ) : (
          <FailureNotice failure={failure} onRetry={reload} />
        )}
      </div>
    );
  }
  const phone = phones.find(({ id }) => id === run.phoneId);
  const look = RUN_STATE_LOOK[run.state];
  const duration = runDuration(run, now);
  const { flowId, suiteId } = run;

  const save = async (report: RunReport) => {
    if (server === undefined) return;
    const blob = await readRunFile(app, server, { kind: "report", runId, report });
    // Saved, never opened here: a page made by a server must not run inside the extension.
    if (blob !== undefined) saveBlob(blob, reportName(run, report));
    else toast({ text: "The report could not be saved: the server did not give it. Try again.", tone: "error" });
  };
  const again = async () => {
    if (flowId === undefined) return;
    const { phoneId, inputs, part } = run;
    const id = await startRun({ flowId, phoneId, inputs, version: run.id, ...(part && { part }) });
    if (id !== undefined) onRun(id);
  };
  /** The automation itself, or the one that stands at the file's path now. */
  const edit = async (id: FlowId, line: number, file: string | undefined) => {
    if (file === undefined) return onFlow(id, line);
    const result = await calls.run("find", (api) => api.flows.list.query());
    const found = result?.ok === true ? result.value.find(({ path }) => path === file) : undefined;
    if (found !== undefined) onFlow(found.id, line);
    else if (result?.ok === true) toast({ text: `There is no automation at ${file} any more.`, tone: "error" });
  };
  const accept = async (name: string, baseline: string) => {
    const result = await calls.run(`accept ${name}`, (api) => api.workspaces.acceptBaseline.mutate({ runId, name }));
    if (result?.ok === true) toast({ text: `${baseline} is the baseline now. Run again to compare with it.` });
  };
  const saveSuite = async (suiteId: SuiteId) => {
    const blob = server === undefined ? undefined : await readSuiteReport(app, server, suiteId);
    if (blob !== undefined) saveBlob(blob, `${run.name} and its folder.xml`);
    else toast({ text: "The report could not be saved: the server did not give it. Try again.", tone: "error" });
  };
  const goOn = async (from: "after" | "again") => {
    const result = await calls.run("resume", (api) => api.runs.resume.mutate({ runId, from }));
    if (result?.ok === true) reload();
  };
  const showPhone = () => {
    void app.intents.put({ type: "show", phoneId: run.phoneId });
    onPhone();
  };

  return (
    <div className="screen">
      <PageHead
        back="Back"
        onBack={onBack}
        title={run.name}
        detail={[
          ...(run.part === undefined ? [] : [partWords(run.part)]),
          run.anyPhone === true ? "The first free phone" : (phone?.name ?? "A removed phone"),
          clockTime(run.createdAt),
          triggerWords(run),
        ]
          .filter((part) => part !== undefined)
          .join(" · ")}
        actions={
          <Menu
            label="Run: more"
            items={[
              ...REPORTS.map(({ id, label, detail }) => ({
                id,
                label,
                detail,
                icon: "download" as const,
                onSelect: () => void save(id),
              })),
              ...(suiteId === undefined
                ? []
                : [
                    {
                      id: "suite",
                      label: "Save JUnit of the folder",
                      detail: "All runs that were started with this one",
                      icon: "download" as const,
                      onSelect: () => void saveSuite(suiteId),
                    },
                  ]),
              ...(flowId === undefined
                ? []
                : [
                    "separator" as const,
                    { id: "edit", label: "Open the automation", icon: "edit" as const, onSelect: () => onFlow(flowId) },
                  ]),
            ]}
            trigger={(props) => <IconButton {...props} icon="more" label="More about this run" tooltip="left" />}
          />
        }
      />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      <div className={`run-status run-status-${look.tone}`}>
        <span className={`run-state run-status-words tone-${look.tone}`} role="status">
          {look.tone === "busy" ? <span className="spinner" aria-hidden="true" /> : <Icon name={look.icon} size={20} />}
          {look.words}
        </span>
        {duration !== undefined && <span className="tabular">{duration}</span>}
      </div>
      <div className="run-actions">
        {going && mayControl && (
          <Button
            icon="stop"
            busy={calls.busy("cancel")}
            onClick={() => void calls.run("cancel", (api) => api.runs.cancel.mutate({ runId }))}
          >
            Cancel
          </Button>
        )}
        {going && mayControl && suiteId !== undefined && (
          <Button
            busy={calls.busy("cancel all")}
            title="Ends all runs that were started with this one"
            onClick={() => void calls.run("cancel all", (api) => api.workspaces.cancelSuite.mutate({ suiteId }))}
          >
            Cancel all
          </Button>
        )}
        {!going && mayControl && flowId !== undefined && phone !== undefined && run.detailsGone !== true && (
          <Button icon="refresh" busy={calls.busy(`run ${flowId}`)} onClick={() => void again()}>
            Run again
          </Button>
        )}
        {phone !== undefined && run.anyPhone !== true && (
          <Button icon="phone" onClick={showPhone}>
            Show the phone
          </Button>
        )}
      </div>
      {run.detailsGone === true && (
        <Notice>
          What this run did in detail was removed after 30 days: its steps, its pictures and what it was started with.
        </Notice>
      )}
      <RunOutcome
        run={run}
        mayControl={mayControl}
        resuming={calls.busy("resume")}
        onGoOn={(from) => void goOn(from)}
        onEdit={flowId === undefined ? undefined : (line, file) => void edit(flowId, line, file)}
      />
      <FailureView run={run} />
      <HealingProposals run={run} mayControl={mayControl} />
      <RunRecordings run={run} />
      <RunPictures run={run} onAccept={mayControl ? (name, baseline) => void accept(name, baseline) : undefined} />
      {run.detailsGone !== true && <RunSteps log={log} />}
      <div ref={bottom} />
    </div>
  );
}

/** Keeps the end of the page in view while it grows, unless the person scrolled up to read. */
function useFollowedEnd(length: number): React.RefObject<HTMLDivElement | null> {
  const end = useRef<HTMLDivElement>(null);
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const scroller = end.current?.closest(".tab-panel");
    if (scroller === null || scroller === undefined) return;
    const onScroll = () => {
      wasAtEnd.current = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
    };
    scroller.addEventListener("scroll", onScroll, { passive: true });
    return () => scroller.removeEventListener("scroll", onScroll);
  });
  useEffect(() => {
    if (length > 0 && wasAtEnd.current) end.current?.scrollIntoView({ block: "end" });
  }, [length]);
  return end;
}

/** `Fill in a form 2026-01-31 14.05 report.html`, in the computer's own time. */
function reportName(run: RunDetail, report: RunReport): string {
  const at = new Date(run.createdAt);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${run.name} ${day} ${two(at.getHours())}.${two(at.getMinutes())} ${report}`;
}
