/** The plan: its price, until when, what it allows, and everything that can be done with it. */
import { useState } from "react";
import type { BillingSummary, subscriptionActInput } from "../../../shared/billing/billing.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { AskDialog } from "../account/ask-dialog.tsx";
import type { Calls } from "../panel/use-call.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { planPrice, planState, storageWords } from "./model/billing-words.ts";

type Act = (typeof subscriptionActInput)["_zod"]["input"]["act"];

export interface PlanCardProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly calls: Calls;
  readonly onKeep: () => void;
  readonly onPlans: () => void;
  readonly onPortal: () => void;
  readonly onChanged: () => void;
}

export function PlanCard({ summary, mayManage, calls, onKeep, onPlans, onPortal, onChanged }: PlanCardProps) {
  const { plan, phonesAtOnce, seats, storage } = summary;
  const [asking, setAsking] = useState<"cancel" | "pause">();
  const toast = useToast();
  const now = Date.now();
  const state = planState(plan, now);
  // A plan that is paused gives what Free gives, and is there all the same.
  const paid = plan.status !== undefined || plan.id !== "free";
  // What is wrong has its own button, and one is enough.
  const ending = summary.problems.some(({ kind }) => kind === "ends");
  const urgent = summary.problems.some(({ severity }) => severity !== "info");
  const act = async (name: Act, said: string) => {
    const result = await calls.run(name, (api) =>
      api.billing.act.mutate({ act: name, idempotencyKey: crypto.randomUUID() }),
    );
    setAsking(undefined);
    if (result?.ok === true) toast({ text: said });
    onChanged();
  };
  const resume = () => void act("resume", "The plan runs again.");
  const items: (MenuItem | "separator")[] = [
    { id: "portal", label: "Payment methods and tax details", icon: "card", onSelect: onPortal },
    ...(plan.pausedAt === undefined && plan.endsAt === undefined
      ? ([
          { id: "pause", label: "Pause the plan…", icon: "park", onSelect: () => setAsking("pause") },
          "separator",
          { id: "cancel", label: "Cancel the plan…", icon: "close", danger: true, onSelect: () => setAsking("cancel") },
        ] as const)
      : []),
  ];
  return (
    <Card>
      <div className="plan-head">
        <div className="list-text">
          <h2 className="plan-name">{plan.name}</h2>
          <span className="secondary tabular">{planPrice(plan)}</span>
        </div>
        {state !== undefined && <Badge tone={state.tone}>{state.words}</Badge>}
        {paid && mayManage && (
          <Menu
            label="The plan"
            items={items}
            trigger={(props) => (
              <IconButton {...props} icon="more" label="More about the plan" size="small" tooltip="left" />
            )}
          />
        )}
      </div>
      <dl className="limits tabular">
        <Limit words="Phones at once" used={phonesAtOnce.used} of={String(phonesAtOnce.allowed)} />
        <Limit words="Seats" used={seats.used} of={String(seats.allowed)} />
        <Limit words="Storage" used={storageWords(storage.usedMb)} of={storageWords(storage.allowedMb)} />
      </dl>
      {mayManage && (
        <div className="card-actions">
          {plan.endsAt !== undefined && !ending && (
            <Button size="small" kind="primary" busy={calls.busy("keep")} onClick={onKeep}>
              Keep {plan.name}
            </Button>
          )}
          {plan.pausedAt !== undefined && (
            <Button size="small" kind="primary" busy={calls.busy("resume")} onClick={resume}>
              Resume the plan
            </Button>
          )}
          <Button size="small" kind={paid || urgent ? "secondary" : "primary"} onClick={onPlans}>
            {paid ? "Change plan" : "See plans"}
          </Button>
        </div>
      )}
      {asking === "cancel" && (
        <AskDialog
          title={`Cancel ${plan.name}?`}
          verb={`Cancel ${plan.name}`}
          stay={`Keep ${plan.name}`}
          danger
          busy={calls.busy("cancel_at_period_end")}
          onYes={() => void act("cancel_at_period_end", `${plan.name} ends and does not renew.`)}
          onClose={() => setAsking(undefined)}
        >
          <p>
            It runs until {plan.renewsAt === undefined ? "the end of what is paid" : calendarDate(plan.renewsAt, now)},
            and is not charged again. Then the team is on Free: its minutes, phones at once and seats are fewer, and
            add-ons end.
          </p>
          <p>Phones, what is on them, packs and the balance stay. Until then you can take it back.</p>
        </AskDialog>
      )}
      {asking === "pause" && (
        <AskDialog
          title={`Pause ${plan.name}?`}
          verb="Pause"
          busy={calls.busy("pause")}
          onYes={() => void act("pause", "The plan is paused.")}
          onClose={() => setAsking(undefined)}
        >
          <p>
            Nothing is charged while it is paused, and its minutes, slots and dedicated phones rest too. Phones and what
            is on them are kept. Packs and the balance still work.
          </p>
        </AskDialog>
      )}
    </Card>
  );
}

interface LimitProps {
  readonly words: string;
  readonly used: number | string;
  readonly of: string;
}

function Limit({ words, used, of }: LimitProps) {
  return (
    <div>
      <dt className="secondary">{words}</dt>
      <dd>
        {used} <span className="secondary">of {of}</span>
      </dd>
    </div>
  );
}
