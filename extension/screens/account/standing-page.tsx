/** What the rules against abuse decided about the person: the reasons, and a way to say that it is wrong. */
import { useState } from "react";
import type { DecisionView } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { TextArea } from "../../components/field.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { refusalSentence } from "../panel/refusal-sentence.ts";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { decisionState, decisionTitle } from "./model/account-words.ts";

const readStanding = (api: Api): Promise<readonly DecisionView[]> => api.account.standing.query();

export function StandingPage({ onBack }: { readonly onBack: () => void }) {
  const standing = useRemote(readStanding);
  const [contested, setContested] = useState<DecisionView>();
  const toast = useToast();
  const { value, failure, reload } = standing;
  return (
    <div className="screen">
      <PageHead back="Account" onBack={onBack} title="Standing" detail="What was decided about your account, and why" />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading standing" rows={3} />}
      {value?.length === 0 && (
        <EmptyState icon="shield" title="Nothing holds you up">
          When rules against abuse slow something down, it says so here with the reasons, and you can say that it is
          wrong.
        </EmptyState>
      )}
      {value?.map((decision) => (
        <Decision key={decision.id} decision={decision} onContest={() => setContested(decision)} />
      ))}
      {contested !== undefined && (
        <ContestDialog
          decision={contested}
          onClose={() => setContested(undefined)}
          onSent={() => {
            setContested(undefined);
            toast({ text: "Sent. A person looks at it, and you get a mail." });
            reload();
          }}
        />
      )}
    </div>
  );
}

function Decision({ decision, onContest }: { readonly decision: DecisionView; readonly onContest: () => void }) {
  const state = decisionState(decision, Date.now());
  return (
    <Card title={decisionTitle(decision)}>
      <div className="decision">
        <p>
          <Badge tone={state.tone}>{state.words}</Badge>
        </p>
        <ul className="reasons" aria-label="Reasons">
          {decision.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
        {decision.contest !== undefined && (
          <blockquote className="contest">
            <span className="secondary">You wrote</span>
            <p>{decision.contest}</p>
          </blockquote>
        )}
        {decision.state === "in_force" && (
          <div>
            <Button size="small" onClick={onContest}>
              Say that it is wrong
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}

interface ContestDialogProps {
  readonly decision: DecisionView;
  readonly onClose: () => void;
  readonly onSent: () => void;
}

function ContestDialog({ decision, onClose, onSent }: ContestDialogProps) {
  const calls = useCall();
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  const submit = async () => {
    setError(text.trim() === "" ? "Write why this is wrong." : undefined);
    if (text.trim() === "") return;
    const result = await calls.run(
      "contest",
      (api) => api.account.contest.mutate({ decisionId: decision.id, text: text.trim() }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onSent();
  };
  return (
    <FormDialog
      title="Say that it is wrong"
      verb="Send"
      busy={calls.busy("contest")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>A person reads this, and can lift the decision. It was made by rules, not by a person.</p>
      <TextArea
        label="What is wrong?"
        rows={5}
        maxLength={2000}
        value={text}
        autoFocus
        {...(error !== undefined && { error })}
        onChange={(event) => setText(event.target.value)}
      />
    </FormDialog>
  );
}
