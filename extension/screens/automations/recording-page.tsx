/** One unfinished recording away from its phone: look through its steps, save it, or go on with it on the phone. */
import { useState } from "react";
import type { RecordingId } from "../../../shared/id-values.ts";
import { Button } from "../../components/button.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { useCall } from "../panel/use-call.ts";
import { FinishDialog } from "./recording-finish.tsx";
import { RecordingSteps } from "./recording-steps.tsx";
import { useRecording } from "./use-recording.ts";
import "./recording.css";

export interface RecordingPageProps {
  readonly recordingId: RecordingId;
  readonly onBack: () => void;
  readonly onPhone: () => void;
  /** Saved: the flow it became. */
  readonly onFlow: (key: string) => void;
}

export function RecordingPage({ recordingId, onBack, onPhone, onFlow }: RecordingPageProps) {
  const { app } = usePage();
  const { phones } = usePhones();
  const calls = useCall();
  const { recording, act } = useRecording({ recordingId }, calls);
  const [finishing, setFinishing] = useState(false);
  if (recording === undefined) {
    return (
      <div className="screen">
        <PageHead back="All automations" onBack={onBack} title="Recording" />
        <Skeleton label="Loading the recording" rows={5} />
      </div>
    );
  }
  const phone = phones.find(({ id }) => id === recording.phoneId);
  const goOn = () => {
    void app.intents.put({ type: "show", phoneId: recording.phoneId });
    onPhone();
  };
  const save = async () => {
    if (await act("pause", (api) => api.recordings.pause.mutate({ recordingId }))) setFinishing(true);
  };
  const { flowId } = recording;
  return (
    <div className="screen recording-page">
      <PageHead
        back="All automations"
        onBack={onBack}
        title={`Recording on ${phone?.name ?? "a removed phone"}`}
        detail={recording.state === "recording" ? "Going on" : recording.state === "paused" ? "Paused" : "Saved"}
      />
      {recording.note !== undefined && <Notice>{recording.note}</Notice>}
      {flowId !== undefined ? (
        <Notice action={<Button onClick={() => onFlow(flowId)}>Open the automation</Button>}>
          This recording is an automation now.
        </Notice>
      ) : (
        <div className="recording-actions">
          {phone !== undefined && (
            <Button icon="phone" onClick={goOn}>
              Go on, on the phone
            </Button>
          )}
          <Button kind="primary" busy={calls.busy("pause")} onClick={() => void save()}>
            Save…
          </Button>
        </div>
      )}
      <Card title="Steps">
        <RecordingSteps recording={recording} act={act} busy={calls.busy} />
      </Card>
      {finishing && (
        <FinishDialog
          recording={recording}
          calls={calls}
          onClose={() => setFinishing(false)}
          onSaved={(key) => onFlow(key)}
          onDiscarded={onBack}
        />
      )}
    </div>
  );
}
