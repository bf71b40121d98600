/** Deleting the account: what goes, what stays with teams, what the law keeps and until when, and then the person's word. */
import { useRef, useState } from "react";
import type { Me } from "../../../../shared/accounts.ts";
import type { DeletePreview } from "../../../../shared/privacy.ts";
import type { Api } from "../../../api/client.ts";
import { Button } from "../../../components/button.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { Notice, Skeleton } from "../../../components/notice.tsx";
import { useToast } from "../../../components/toast.tsx";
import { usePhones } from "../../../state/app-context.tsx";
import { AT_ONCE, goneFrom, privacyMark } from "../../../state/privacy-mark.ts";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { refusalSentence } from "../../panel/refusal-sentence.ts";
import { useCall } from "../../panel/use-call.ts";
import { useRemote } from "../../panel/use-remote.ts";
import { calendarDate } from "../../phone/model/run-time.ts";
import { itemWords } from "../model/privacy-words.ts";

const readPreview = (api: Api): Promise<DeletePreview> => api.privacy.deletePreview.query();
const CLOSE = "close";

export interface DeleteDialogProps {
  readonly me: Me | undefined;
  readonly onDownload: () => void;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function DeleteDialog({ me, onDownload, onClose, onChanged }: DeleteDialogProps) {
  const { server } = usePhones();
  const { value: preview, failure, reload } = useRemote(readPreview);
  const calls = useCall();
  const toast = useToast();
  const key = useRef(crypto.randomUUID());
  const [now, setNow] = useState(false);
  const [address, setAddress] = useState("");
  const [choices, setChoices] = useState<Readonly<Record<string, string>>>({});
  const [error, setError] = useState<string>();
  const email = me?.user.email ?? "";
  /** A team goes on unless the person says otherwise. */
  const chosen = ({ teamId, heirs }: DeletePreview["teams"][number]) => choices[teamId] ?? heirs[0]?.userId ?? CLOSE;

  const submit = async () => {
    if (preview === undefined) return;
    const same = address.trim().toLowerCase() === email.toLowerCase() && email !== "";
    setError(same ? undefined : `Type ${email} to confirm.`);
    if (!same) return;
    const teams = preview.teams.map((team) => {
      const { teamId, heirs } = team;
      const heir = heirs.find(({ userId }) => userId === chosen(team));
      return heir === undefined
        ? ({ teamId, choice: "close" } as const)
        : ({ teamId, choice: "transfer", to: heir.userId } as const);
    });
    const result = await calls.run(
      "delete",
      (api) => api.privacy.delete.mutate({ idempotencyKey: key.current, confirmation: address.trim(), now, teams }),
      (refused) => {
        setError(refusalSentence(refused));
        return refusalSentence(refused) !== undefined;
      },
    );
    if (result?.ok !== true) {
      if (result?.failure.kind === "refused") key.current = crypto.randomUUID();
      return;
    }
    const gone = goneFrom(result.value);
    // Known before the session ends, so that this browser keeps nothing then.
    if (server !== undefined) {
      await privacyMark().update((before) => ({ read: [], ...before, server, hold: "closing", purgeAt: gone }));
    }
    toast({
      text:
        gone === AT_ONCE
          ? "Your account is being deleted."
          : `Your account is deleted on ${calendarDate(gone, Date.now())}. Until then one click undoes it.`,
    });
    onClose();
    onChanged();
  };

  const grace = preview?.graceDays ?? 7;
  return (
    <FormDialog
      title="Delete your account?"
      verb={now ? "Delete now" : `Delete in ${grace} days`}
      icon="trash"
      stay="Keep it"
      danger
      busy={calls.busy("delete") || preview === undefined}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {preview === undefined && failure === undefined && <Skeleton label="Counting what would go" rows={5} />}
      {preview !== undefined && (
        <>
          <Preview preview={preview} />
          {preview.teams.map((team) => (
            <SelectField
              key={team.teamId}
              label={`You alone own ${team.name}`}
              options={[
                ...team.heirs.map(({ userId, name }) => ({
                  value: userId as string,
                  label: `Hand it over to ${name}`,
                })),
                { value: CLOSE, label: "Close it, for everybody in it" },
              ]}
              hint={
                chosen(team) === CLOSE
                  ? "Its phones, automations and rules are deleted for all its members."
                  : "The team goes on as it is, under its new owner."
              }
              value={chosen(team)}
              onChange={({ target }) => setChoices({ ...choices, [team.teamId]: target.value })}
            />
          ))}
          <fieldset className="plain-fields">
            <legend>When?</legend>
            <label className="choice">
              <input type="radio" name="when" checked={!now} onChange={() => setNow(false)} />
              <span>In {grace} days, and you can undo it until then</span>
              <span className="secondary">Phones park at once, and nothing runs meanwhile.</span>
            </label>
            <label className="choice">
              <input type="radio" name="when" checked={now} onChange={() => setNow(true)} />
              <span>Now</span>
              <span className="secondary">There is no undo. You are signed out everywhere.</span>
            </label>
          </fieldset>
          <Notice
            tone={now ? "warn" : "info"}
            action={
              <Button size="small" icon="download" onClick={onDownload}>
                Download a copy first
              </Button>
            }
          >
            Asked for now, everything is gone by {calendarDate(preview.goneBy, Date.now())}, backups included. You get a
            signed certificate of it.
          </Notice>
          <TextField
            label={`Type ${email} to confirm`}
            type="email"
            autoComplete="off"
            spellCheck={false}
            maxLength={254}
            value={address}
            {...(error !== undefined && { error })}
            onChange={(event) => setAddress(event.target.value)}
          />
        </>
      )}
    </FormDialog>
  );
}

function Preview({ preview: { goes, staysWithTeams, kept } }: { readonly preview: DeletePreview }) {
  const total = goes.reduce((sum, { items }) => sum + items, 0);
  return (
    <>
      <Counts title={`This goes: ${itemWords(total)}`} rows={goes} />
      {staysWithTeams.length > 0 && (
        <Counts title="This stays with your teams, without your name" rows={staysWithTeams} />
      )}
      {kept.length > 0 && (
        <section className="dialog-part">
          <h3>The law makes us keep this</h3>
          <ul className="bullets">
            {kept.map(({ label, items, until, law }) => (
              <li key={label}>
                {label} ({itemWords(items)}), until {calendarDate(until, Date.now())}: {law}. Nobody can find it by your
                address.
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

interface CountsProps {
  readonly title: string;
  readonly rows: readonly { readonly label: string; readonly items: number }[];
}

function Counts({ title, rows }: CountsProps) {
  return (
    <section className="dialog-part">
      <h3>{title}</h3>
      <dl className="facts tabular">
        {rows
          .filter(({ items }) => items > 0)
          .map(({ label, items }) => (
            <div key={label} className="facts-row">
              <dt>{label}</dt>
              <dd>{items.toLocaleString()}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
