/** Screenshots of a run: small beside each other, large on a click. */
import { useState } from "react";
import type { RunArtifact, RunDetail } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Card } from "../../components/surface.tsx";
import { saveBlob } from "../phone/save-blob.ts";
import { keepsFailure } from "./failure-view.tsx";
import { useRunFile } from "./use-run-file.ts";

export interface RunPicturesProps {
  readonly run: RunDetail;
  /** Makes a picture the file it was compared with; undefined for who may not. */
  readonly onAccept: ((name: string, baseline: string) => void) | undefined;
}

export function RunPictures({ run, onAccept }: RunPicturesProps) {
  // The failure's picture is shown with what was looked for on it.
  const pictures = run.artifacts.filter(
    ({ kind, mimeType }) =>
      mimeType === "image/png" && kind !== "thumbnail" && !(kind === "failure_screenshot" && keepsFailure(run)),
  );
  if (pictures.length === 0) return null;
  return (
    <Card title="Pictures">
      <ul className="run-pictures" aria-label="Pictures">
        {pictures.map((picture) => (
          <li key={picture.name}>
            <Picture runId={run.id} picture={picture} words={pictureWords(run, picture)} />
          </li>
        ))}
      </ul>
      {onAccept !== undefined &&
        pictures.map(({ name, baseline }) =>
          baseline === undefined ? null : (
            <div key={name} className="run-baseline">
              <span className="secondary import-path">{baseline}</span>
              <Button size="small" onClick={() => onAccept(name, baseline)}>
                Use {name.replace(/\.png$/i, "")} as baseline
              </Button>
            </div>
          ),
        )}
    </Card>
  );
}

interface PictureProps {
  readonly runId: RunId;
  readonly picture: RunArtifact;
  readonly words: string;
}

function Picture({ runId, picture, words }: PictureProps) {
  const [open, setOpen] = useState(false);
  const file = useRunFile(runId, picture.name);
  return (
    <>
      <button type="button" className="run-picture" disabled={file.blob === undefined} onClick={() => setOpen(true)}>
        <span className="run-picture-frame">
          {file.url !== undefined && <img src={file.url} alt="" />}
          {file.lost && <span className="secondary">Not available</span>}
        </span>
        <span className="secondary truncate">{words}</span>
      </button>
      {open && file.url !== undefined && (
        <Dialog
          title={words}
          onClose={() => setOpen(false)}
          actions={
            <Button
              kind="primary"
              icon="download"
              onClick={() => file.blob !== undefined && saveBlob(file.blob, pngName(picture.name))}
            >
              Save PNG
            </Button>
          }
        >
          <img className="screenshot" src={file.url} alt={`The phone's screen: ${words}`} />
        </Dialog>
      )}
    </>
  );
}

function pictureWords(run: RunDetail, picture: RunArtifact): string {
  if (picture.kind === "failure_screenshot") return "When it failed";
  if (picture.kind === "difference") return "Where it differs";
  const step = run.steps.find(({ seq }) => seq === picture.step);
  return picture.name.replace(/\.png$/i, "") || step?.label || "Picture";
}

function pngName(name: string): string {
  const plain = name.split("/").at(-1) ?? name;
  return /\.png$/i.test(plain) ? plain : `${plain}.png`;
}
