/** What runs now, what covers each, what it costs, and the way to stop all of it. */
import { useState } from "react";
import type { BurnView, RunningCost } from "../../../shared/billing/billing.ts";
import { durationWords } from "../../../shared/billing/words.ts";
import { Button } from "../../components/button.tsx";
import { StateDot } from "../../components/state-dot.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { AskDialog } from "../account/ask-dialog.tsx";
import { useCall } from "../panel/use-call.ts";
import { momentWords } from "./model/billing-words.ts";

export interface BurnCardProps {
  readonly burn: BurnView;
  /** Whether the person may park phones. */
  readonly mayStop: boolean;
  readonly onChanged: () => void;
}

export function BurnCard({ burn, mayStop, onChanged }: BurnCardProps) {
  const { running, words, coveredUntil, mode } = burn;
  const now = useNow(running.length > 0);
  const [asking, setAsking] = useState(false);
  const calls = useCall();
  const toast = useToast();
  const stop = async () => {
    const result = await calls.run("stop", (api) => api.billing.stopAll.mutate());
    setAsking(false);
    if (result?.ok !== true) return;
    const { parked } = result.value;
    toast({ text: parked === 1 ? "One phone is parked." : `${parked} phones are parked.` });
    onChanged();
  };
  if (running.length === 0) {
    return (
      <Card>
        <p className="burn-none">
          <b>Nothing is running.</b>{" "}
          <span className="secondary">{mode === "off" ? "Phones rest." : "Parked phones are free."}</span>
        </p>
      </Card>
    );
  }
  return (
    <Card
      title={words}
      action={
        mayStop && (
          <Button size="small" icon="park" onClick={() => setAsking(true)}>
            Stop all
          </Button>
        )
      }
    >
      <List label="Running now">
        {running.map((phone) => (
          <ListRow
            key={phone.phoneId}
            lead={<StateDot state="running" />}
            title={<span className="burn-name truncate">{phone.name}</span>}
            detail={phone.words}
            trail={<RunningFor phone={phone} now={now} />}
          />
        ))}
      </List>
      {coveredUntil !== undefined && (
        <p className="secondary tabular card-words">
          As things run now, nothing covers {running.length === 1 ? "it" : "them"} after{" "}
          {momentWords(coveredUntil, now)}.
        </p>
      )}
      {asking && (
        <AskDialog
          title={running.length === 1 ? `Stop ${running[0]?.name}?` : `Stop all ${running.length} phones?`}
          verb={running.length === 1 ? "Stop it" : `Stop all ${running.length}`}
          stay="Let them run"
          danger
          busy={calls.busy("stop")}
          onYes={() => void stop()}
          onClose={() => setAsking(false)}
        >
          <p>
            Whoever uses {running.length === 1 ? "it" : "one of them"} is interrupted, and automations on{" "}
            {running.length === 1 ? "it" : "them"} end. The phones are parked: what is on them is kept, and nothing is
            counted from then on.
          </p>
        </AskDialog>
      )}
    </Card>
  );
}

function RunningFor({ phone, now }: { readonly phone: RunningCost; readonly now: number }) {
  return (
    <span className="secondary tabular">
      <span className="sr-only">for </span>
      {durationWords(now - Date.parse(phone.since))}
    </span>
  );
}
