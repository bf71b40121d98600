/** Putting right what is wrong: fields at once, disputed facts by a statement beside them, anything else in words. */
import { useRef, useState } from "react";
import type { Me } from "../../../../shared/accounts.ts";
import type { PrivacyOverview, StatementView } from "../../../../shared/privacy.ts";
import type { Api } from "../../../api/client.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { SelectField, TextArea } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { Icon } from "../../../components/icon.tsx";
import { Notice } from "../../../components/notice.tsx";
import { List, ListRow } from "../../../components/surface.tsx";
import { useToast } from "../../../components/toast.tsx";
import { TextDialog } from "../../account/text-dialog.tsx";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { refusalSentence } from "../../panel/refusal-sentence.ts";
import { useCall } from "../../panel/use-call.ts";
import { useRemote } from "../../panel/use-remote.ts";
import { calendarDate } from "../../phone/model/run-time.ts";
import type { OpenDialog } from "../privacy-dialogs.tsx";

const readStatements = (api: Api): Promise<readonly StatementView[]> => api.privacy.statements.query();

export interface CorrectDialogProps {
  readonly open: Extract<OpenDialog, { kind: "correct" }>;
  readonly overview: PrivacyOverview;
  readonly me: Me | undefined;
  readonly onOpen: (next: OpenDialog) => void;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

type Part = "name" | "email" | "dispute" | "ask";

export function CorrectDialog({ open, overview, me, onClose, onChanged }: CorrectDialogProps) {
  const [part, setPart] = useState<Part | undefined>(
    open.ask === true ? "ask" : open.dispute === undefined ? undefined : "dispute",
  );
  const statements = useRemote(readStatements);
  const calls = useCall();
  const toast = useToast();
  const [said, setSaid] = useState<string>();
  /** Where the dialog began there is nothing to go back to. */
  const begins = open.ask === true || open.dispute !== undefined;
  const back = () => (begins ? onClose() : setPart(undefined));
  /** Said in the dialog where it stays open, for messages of the page lie under it. */
  const done = (words: string) => {
    if (begins) toast({ text: words });
    else setSaid(words);
    statements.reload();
    onChanged();
    back();
  };
  const remove = async ({ id }: StatementView) => {
    const result = await calls.run(id, (api) => api.privacy.removeStatement.mutate({ statementId: id }));
    if (result?.ok === true) setSaid("Your statement is removed.");
    statements.reload();
  };
  switch (part) {
    case "name":
      return (
        <TextDialog
          title="Correct your name"
          label="Name"
          initial={me?.user.name ?? ""}
          hint="It changes everywhere it is shown, and whoever works for us is told."
          maxLength={100}
          autoComplete="name"
          optional
          verb="Correct"
          save={(value) => (api) => api.privacy.rectify.mutate({ field: "fullName", value })}
          onClose={back}
          onSaved={() => done("Your name is corrected.")}
        />
      );
    case "email":
      return (
        <TextDialog
          title="Correct your address"
          label="New e-mail address"
          type="email"
          initial=""
          hint="We send a link there. The address changes once you open it, and the present one is told."
          maxLength={254}
          autoComplete="email"
          verb="Send the link"
          save={(value) => (api) => api.privacy.rectify.mutate({ field: "email", value })}
          onClose={back}
          onSaved={(email) => done(`We sent a link to ${email}.`)}
        />
      );
    case "dispute":
      return <DisputeDialog overview={overview} category={open.dispute} onClose={back} onDone={done} />;
    case "ask":
      return <AskUsDialog onClose={back} onDone={done} />;
    case undefined:
      return (
        <Dialog title="Correct your data" onClose={onClose} actions={<Button onClick={onClose}>Close</Button>}>
          {said !== undefined && <Notice>{said}</Notice>}
          <List label="What can be corrected">
            <ListRow
              lead={<Icon name="user" size={20} />}
              title={me?.user.name ?? "No name yet"}
              detail="Name, as your team sees it"
              trail={
                <Button size="small" aria-label="Correct the name" onClick={() => setPart("name")}>
                  Correct
                </Button>
              }
            />
            <ListRow
              lead={<Icon name="mail" size={20} />}
              title={me?.user.email ?? "Your address"}
              detail="Signs you in, and gets alerts"
              trail={
                <Button size="small" aria-label="Correct the address" onClick={() => setPart("email")}>
                  Correct
                </Button>
              }
            />
            <ListRow
              lead={<Icon name="hand" size={20} />}
              title="A fact you dispute"
              detail="Your statement stands beside it from then on"
              trail={
                <Button size="small" aria-label="Dispute a fact" onClick={() => setPart("dispute")}>
                  Dispute
                </Button>
              }
            />
            <ListRow
              lead={<Icon name="edit" size={20} />}
              title="Anything else"
              detail="A person reads it and answers within 30 days"
              trail={
                <Button size="small" aria-label="Write to us about a correction" onClick={() => setPart("ask")}>
                  Write
                </Button>
              }
            />
          </List>
          <p className="secondary">Names of phones, automations and teams are changed where they are shown.</p>
          {statements.failure !== undefined && (
            <FailureNotice failure={statements.failure} onRetry={statements.reload} />
          )}
          {statements.value !== undefined && statements.value.length > 0 && (
            <section className="dialog-part" aria-label="Your statements">
              <h3>Your statements</h3>
              {statements.value.map((statement) => (
                <div key={statement.id} className="statement">
                  <span className="secondary tabular">
                    {statement.label}, {calendarDate(statement.at, Date.now())}
                  </span>
                  <p>{statement.text}</p>
                  <Button
                    size="small"
                    kind="quiet"
                    busy={calls.busy(statement.id)}
                    aria-label={`Remove the statement about ${statement.label}`}
                    onClick={() => void remove(statement)}
                  >
                    Remove
                  </Button>
                </div>
              ))}
            </section>
          )}
        </Dialog>
      );
  }
}

interface PartProps {
  readonly onClose: () => void;
  readonly onDone: (words: string) => void;
}

function DisputeDialog({
  overview,
  category: first,
  onClose,
  onDone,
}: PartProps & { readonly overview: PrivacyOverview; readonly category: string | undefined }) {
  const options = overview.categories.map(({ category, label }) => ({ value: category, label }));
  const [category, setCategory] = useState(first ?? options[0]?.value ?? "");
  const words = useWords("Write what is wrong.");
  const calls = useCall();
  const submit = async () => {
    const text = words.checked();
    if (text === undefined) return;
    const send = (api: Api) => api.privacy.dispute.mutate({ category, text });
    const result = await calls.run("dispute", send, words.refused);
    if (result?.ok === true) onDone("Your statement stands beside it now, and goes along with every copy.");
  };
  return (
    <FormDialog
      title="Dispute a fact"
      verb="Attach"
      busy={calls.busy("dispute")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>What happened cannot be rewritten, but what you say about it is kept with it.</p>
      <SelectField
        label="About"
        options={options}
        value={category}
        onChange={(event) => setCategory(event.target.value)}
      />
      <TextArea label="Your statement" rows={4} maxLength={2000} autoFocus {...words.field} />
    </FormDialog>
  );
}

function AskUsDialog({ onClose, onDone }: PartProps) {
  const key = useRef(crypto.randomUUID());
  const words = useWords("Write what should be corrected.");
  const calls = useCall();
  const submit = async () => {
    const text = words.checked();
    if (text === undefined) return;
    const send = (api: Api) => api.privacy.request.mutate({ kind: "rectify", text, idempotencyKey: key.current });
    const result = await calls.run("ask", send, words.refused);
    if (result?.ok === true) {
      const { number, dueAt } = result.value;
      onDone(`Asked as ${number}. The answer comes by ${calendarDate(dueAt, Date.now())} at the latest.`);
    } else if (result?.failure.kind === "refused") key.current = crypto.randomUUID();
  };
  return (
    <FormDialog
      title="Ask for something else"
      verb="Send"
      busy={calls.busy("ask")}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>A person reads it. You get a mail that it arrived, and the answer within 30 days.</p>
      <TextArea label="What should be put right?" rows={5} maxLength={2000} autoFocus {...words.field} />
    </FormDialog>
  );
}

/** A text that must be there, with what is wrong with it beside it. */
function useWords(missing: string) {
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  return {
    field: {
      value: text,
      ...(error !== undefined && { error }),
      onChange: (event: { readonly target: { readonly value: string } }) => setText(event.target.value),
    },
    checked(): string | undefined {
      setError(text.trim() === "" ? missing : undefined);
      return text.trim() === "" ? undefined : text.trim();
    },
    refused(failure: Parameters<typeof refusalSentence>[0]): boolean {
      setError(refusalSentence(failure));
      return refusalSentence(failure) !== undefined;
    },
  };
}
