/** What a person is told: a policy that is going to change, and what happened to their data. */
import { useState } from "react";
import type { PolicyNotice, PrivacyOverview } from "../../../../shared/privacy.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { useToast } from "../../../components/toast.tsx";
import { usePhones } from "../../../state/app-context.tsx";
import { privacyMark } from "../../../state/privacy-mark.ts";
import { AskDialog } from "../../account/ask-dialog.tsx";
import { useCall } from "../../panel/use-call.ts";
import { calendarDate, clockTime } from "../../phone/model/run-time.ts";
import { serverAddress } from "../model/privacy-words.ts";
import type { OpenDialog } from "../privacy-dialogs.tsx";

export interface PolicyDialogProps {
  readonly notice: PolicyNotice | undefined;
  readonly onOpen: (next: OpenDialog) => void;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function PolicyDialog({ notice, onOpen, onClose, onChanged }: PolicyDialogProps) {
  const { server } = usePhones();
  const calls = useCall();
  const toast = useToast();
  const [objecting, setObjecting] = useState(false);
  if (notice === undefined) return null;
  const { version, effectiveAt, summary, url } = notice;
  const from = calendarDate(effectiveAt, Date.now());
  const whole = serverAddress(url, server);
  const acknowledge = async () => {
    const result = await calls.run("read", (api) => api.privacy.acknowledgePolicy.mutate({ version }));
    if (result?.ok !== true) return;
    toast({ text: `Version ${version} applies from ${from}.` });
    onChanged();
    onClose();
  };
  const object = async () => {
    const result = await calls.run("object", (api) => api.privacy.objectToPolicy.mutate({ version }));
    if (result?.ok !== true) return;
    toast({ text: `Noted. You can leave before ${from}; what you paid ahead is given back.` });
    onChanged();
    onOpen({ kind: "delete" });
  };
  if (objecting) {
    return (
      <AskDialog
        title="You do not agree?"
        verb="I do not agree"
        stay="Back"
        busy={calls.busy("object")}
        onClose={() => setObjecting(false)}
        onYes={() => void object()}
      >
        <p>
          You can leave before {from}: your account is deleted, and what you paid ahead is given back. Until then the
          present version holds for you, and nothing new is done with your data.
        </p>
        <p>What would be deleted is shown next. Nothing is deleted by this alone.</p>
      </AskDialog>
    );
  }
  return (
    <Dialog
      title={`Policy version ${version}, from ${from}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={() => setObjecting(true)}>I do not agree</Button>
          <Button kind="primary" icon="check" busy={calls.busy("read")} onClick={() => void acknowledge()}>
            I have read it
          </Button>
        </>
      }
    >
      <p>{summary}</p>
      {whole !== undefined && (
        <p>
          <a href={whole} target="_blank" rel="noreferrer">
            Every change, clause by clause
          </a>
        </p>
      )}
      <p className="secondary">Until {from} the present version holds, and nothing of the new one is done.</p>
    </Dialog>
  );
}

export interface IncidentDialogProps {
  readonly overview: PrivacyOverview;
  readonly onClose: () => void;
  /** It is read now, and another clock is the nearest. */
  readonly onChanged: () => void;
}

export function IncidentDialog({ overview, onClose, onChanged }: IncidentDialogProps) {
  const { server } = usePhones();
  const { incidents, categories, supportUrl } = overview;
  const labels = new Map(categories.map(({ category, label }) => [category, label]));
  const support = serverAddress(supportUrl, server);
  const read = async () => {
    const ids = incidents.map(({ id }) => id as string);
    if (server !== undefined) {
      await privacyMark().update((before) => ({
        ...before,
        server,
        read: [...new Set([...(before?.read ?? []), ...ids])],
      }));
    }
    onChanged();
    onClose();
  };
  return (
    <Dialog
      title="What happened to your data"
      onClose={onClose}
      actions={
        <Button kind="primary" icon="check" onClick={() => void read()}>
          I have read it
        </Button>
      }
    >
      {incidents.map(({ id, at, what, todo, categories: kinds }) => (
        <section key={id} className="dialog-part">
          <h3 className="tabular">
            {calendarDate(at, Date.now())}, {clockTime(at)}
          </h3>
          <p>{what}</p>
          {kinds.length > 0 && (
            <>
              <h3>What of yours</h3>
              <ul className="bullets">
                {kinds.map((kind) => (
                  <li key={kind}>{labels.get(kind) ?? kind}</li>
                ))}
              </ul>
            </>
          )}
          <h3>What to do</h3>
          <p>{todo}</p>
        </section>
      ))}
      {support !== undefined && (
        <p>
          <a href={support} target="_blank" rel="noreferrer">
            Ask us about it
          </a>
        </p>
      )}
    </Dialog>
  );
}
