/** One automation in the list: what it is, how it went last, and running it. */
import { type FlowSummary, hasEnded, type RunSummary } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import { useCall } from "../panel/use-call.ts";
import { timeAgo } from "../phone/model/run-time.ts";
import { commandWords, RUN_STATE_LOOK } from "./model/run-words.ts";
import { useStartRun } from "./use-start-run.ts";

export interface FlowRowProps {
  readonly flow: FlowSummary;
  readonly lastRun: RunSummary | undefined;
  readonly changed: boolean;
  /** Unix milliseconds. */
  readonly now: number;
  readonly mayControl: boolean;
  readonly onOpen: () => void;
  readonly onRun: (id: RunId) => void;
}

export function FlowRow({ flow, lastRun, changed, now, mayControl, onOpen, onRun }: FlowRowProps) {
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
