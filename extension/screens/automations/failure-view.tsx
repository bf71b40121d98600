/** Why a step did not find its target: what it looked for, what was on the screen instead, and where. */
import { useState } from "react";
import type { FailureCandidate, FailureDetail, RunDetail } from "../../../shared/automation-model.ts";
import { Dialog } from "../../components/dialog.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Card } from "../../components/surface.tsx";
import { ScreenTree } from "./screen-tree.tsx";
import { useRunFile, useRunJson } from "./use-run-file.ts";
import "./failure-view.css";

/** Whether a run kept what its failure looked for; without it there is only the picture. */
export function keepsFailure({ artifacts }: RunDetail): boolean {
  return artifacts.some(({ kind }) => kind === "failure");
}

export function FailureView({ run }: { readonly run: RunDetail }) {
  const named = (kind: "failure" | "failure_screenshot" | "failure_tree") =>
    run.artifacts.find((artifact) => artifact.kind === kind)?.name;
  const { value: failure, lost } = useRunJson(run.id, named("failure"), isFailureDetail);
  const [shown, setShown] = useState<string>();
  if (!keepsFailure(run)) return null;
  if (failure === undefined) {
    return (
      <Card title="When it failed">{lost ? <p>Not available.</p> : <Skeleton label="Loading failure" rows={4} />}</Card>
    );
  }
  const { lookedFor, candidates } = failure;
  const gone = lookedFor?.wanted === "gone";
  return (
    <Card title="When it failed">
      <div className="failure-room">
        <div className="failure">
          <FailurePicture run={run} name={named("failure_screenshot")} failure={failure} shown={shown} />
          {lookedFor !== undefined && (
            <div className="failure-words">
              <h3>{gone ? "Should have been gone" : "Looked for"}</h3>
              <p className="failure-selector mono">{lookedFor.written}</p>
              {lookedFor.resolved !== lookedFor.written && (
                <p className="failure-selector mono">
                  <span className="secondary">that is </span>
                  {lookedFor.resolved}
                </p>
              )}
              <h3>{gone ? "Still there" : "Found instead"}</h3>
              {candidates.length === 0 ? (
                <p className="secondary">{gone ? "Nothing any more." : "Nothing on the screen comes near."}</p>
              ) : (
                <ol className="candidates">
                  {candidates.map((candidate, at) => (
                    <Candidate
                      key={candidate.ref}
                      number={at + 1}
                      candidate={candidate}
                      shown={shown === candidate.ref}
                      onShow={() => setShown(shown === candidate.ref ? undefined : candidate.ref)}
                    />
                  ))}
                </ol>
              )}
            </div>
          )}
        </div>
      </div>
      <ScreenTree runId={run.id} name={named("failure_tree")} marks={candidates.map(({ ref }) => ref)} />
    </Card>
  );
}

interface CandidateProps {
  readonly number: number;
  readonly candidate: FailureCandidate;
  readonly shown: boolean;
  readonly onShow: () => void;
}

function Candidate({ number, candidate, shown, onShow }: CandidateProps) {
  const { text, id, role, why } = candidate;
  return (
    <li>
      <button type="button" className="candidate" aria-pressed={shown} onClick={onShow}>
        <span className="candidate-number tabular">{number}</span>
        <span className="list-text">
          <span className="candidate-text">{text === "" ? role : `“${text}”`}</span>
          <span className="secondary">
            {[text === "" ? "" : role, id === "" ? "" : `id ${id}`].filter((word) => word !== "").join(" · ")}
          </span>
          <span>{why}</span>
        </span>
      </button>
    </li>
  );
}

interface FailurePictureProps {
  readonly run: RunDetail;
  readonly name: string | undefined;
  readonly failure: FailureDetail;
  readonly shown: string | undefined;
}

function FailurePicture({ run, name, failure, shown }: FailurePictureProps) {
  const [open, setOpen] = useState(false);
  const { url, lost } = useRunFile(run.id, name);
  const { width, height } = failure.screen;
  const outlined = url !== undefined && (
    <>
      <img src={url} alt="" />
      {failure.candidates.map(({ ref, bounds }, at) => (
        <span
          key={ref}
          className="failure-outline"
          data-number={at + 1}
          data-shown={shown === ref || undefined}
          style={{
            left: percent(bounds.x),
            top: percent(bounds.y),
            width: percent(bounds.width),
            height: percent(bounds.height),
          }}
        />
      ))}
    </>
  );
  if (name === undefined) return null;
  return (
    <>
      <button
        type="button"
        className="failure-picture"
        style={{ aspectRatio: `${width} / ${height}` }}
        aria-label="The phone's screen when it failed, larger"
        disabled={url === undefined}
        onClick={() => setOpen(true)}
      >
        {lost ? <span className="secondary">Not available</span> : outlined}
      </button>
      {open && (
        <Dialog title="When it failed" onClose={() => setOpen(false)}>
          <div className="failure-picture failure-picture-large" style={{ aspectRatio: `${width} / ${height}` }}>
            {outlined}
          </div>
        </Dialog>
      )}
    </>
  );
}

const percent = (fraction: number) => `${Math.round(fraction * 10_000) / 100}%`;

/** A `failure` file is written by the server as a `FailureDetail`; this keeps another file from breaking the page. */
function isFailureDetail(value: unknown): value is FailureDetail {
  return (
    typeof value === "object" &&
    value !== null &&
    "screen" in value &&
    "candidates" in value &&
    Array.isArray(value.candidates)
  );
}
