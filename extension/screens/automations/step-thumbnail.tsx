/** The screen at a step's end: small beside the step, read once it comes into view, large on a click. */
import { useEffect, useRef, useState } from "react";
import type { RunArtifact } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { Dialog } from "../../components/dialog.tsx";
import { useRunFile } from "./use-run-file.ts";

export interface StepThumbnailProps {
  readonly runId: RunId;
  /** Undefined: there is none (yet), and its place stays free. */
  readonly picture: RunArtifact | undefined;
  readonly label: string;
}

export function StepThumbnail({ runId, picture, label }: StepThumbnailProps) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  const seen = useSeen(place, picture !== undefined);
  const file = useRunFile(runId, picture?.name, "image/jpeg", seen);
  return (
    <span className="step-thumbnail" ref={place}>
      {picture !== undefined && !file.lost && (
        <button
          type="button"
          aria-label={`Screen after “${label}”`}
          disabled={file.url === undefined}
          onClick={() => setOpen(true)}
        >
          {file.url !== undefined && <img src={file.url} alt="" />}
        </button>
      )}
      {open && file.url !== undefined && (
        <Dialog title={label} onClose={() => setOpen(false)}>
          <img className="thumbnail-large" src={file.url} alt={`The phone's screen after “${label}”`} />
        </Dialog>
      )}
    </span>
  );
}

/** True from the moment it first comes near the view. */
function useSeen(place: React.RefObject<Element | null>, watch: boolean): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (!watch || seen || element === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting === true) setSeen(true);
      },
      { rootMargin: "200px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [place, watch, seen]);
  return seen;
}
