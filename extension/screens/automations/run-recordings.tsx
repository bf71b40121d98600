/** Recordings of a run: read when they are asked for, played in place, saved as a file. */
import { useState } from "react";
import type { RunArtifact, RunDetail } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/surface.tsx";
import { saveBlob } from "../phone/save-blob.ts";
import { useRunFile } from "./use-run-file.ts";

export function RunRecordings({ run }: { readonly run: RunDetail }) {
  const recordings = run.artifacts.filter(({ kind }) => kind === "recording");
  if (recordings.length === 0) return null;
  return (
    <Card title={recordings.length === 1 ? "Recording" : "Recordings"}>
      <ul className="recordings">
        {recordings.map((recording) => (
          <li key={recording.name} className="recording-row">
            <Recording runId={run.id} recording={recording} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Recording({ runId, recording }: { readonly runId: RunId; readonly recording: RunArtifact }) {
  const [wanted, setWanted] = useState(false);
  const { blob, url, lost } = useRunFile(runId, recording.name, recording.mimeType, wanted);
  const { name } = recording;
  if (url === undefined) {
    return (
      <Button icon="start" busy={wanted && !lost} onClick={() => setWanted(true)}>
        {lost ? `${name} is not available` : `Play ${name} (${size(recording.bytes)})`}
      </Button>
    );
  }
  return (
    <>
      <video className="recording" src={url} controls autoPlay muted aria-label={`Recording ${name}`} />
      <Button size="small" icon="download" onClick={() => blob !== undefined && saveBlob(blob, name)}>
        Save {name}
      </Button>
    </>
  );
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
