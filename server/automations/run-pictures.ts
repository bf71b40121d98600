/** Pictures, trees and failures of one run: kept as encrypted files, named in the journal. */
import type { ArtifactKind } from "../../shared/automation-model.ts";
import { failureDetail } from "./engine/candidates.ts";
import type { FlowFailure } from "./engine/context.ts";
import type { FindElements, PhoneHands, ScreenshotSink } from "./engine/ports.ts";
import type { JournalRepo } from "./journal.repo.ts";
import type { ArtifactStore, RunHome } from "./run-artifacts.ts";
import type { Lease, RunsRepo } from "./runs.repo.ts";
import type { Redactor } from "./secrets/redact.ts";

export interface RunPictures {
  readonly screenshot: ScreenshotSink;
  /** A small picture of a step's end; `same` names the file that holds the same picture already. Gives its file. */
  thumbnail(step: number, picture: Uint8Array, same: string | undefined): Promise<string>;
  recording(name: string, video: Uint8Array, step: number): Promise<void>;
  /** What the screen showed when the run failed, and what on it could have been meant. A phone that is gone gives none. */
  failure(hands: PhoneHands, failure: FlowFailure): Promise<void>;
}

export async function openPictures(options: {
  run: RunHome;
  lease: Lease;
  artifacts: ArtifactStore;
  journal: JournalRepo;
  runs: RunsRepo;
  find: FindElements;
  redactor: Redactor;
  /** Whether a picture of the run may become a file of the team. */
  mayBecomeFiles: boolean;
}): Promise<RunPictures> {
  const { lease, artifacts, journal, runs, redactor } = options;
  const earlier = await runs.artifacts(lease.runId);
  const names = new Set(earlier.map(({ name }) => name));
  const unique = (name: string): string => {
    const dot = name.lastIndexOf(".");
    let found = name;
    for (let n = 2; names.has(found); n += 1) found = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    names.add(found);
    return found;
  };
  /** Everything of a run that becomes a file passes here. */
  const keep = async (
    kind: ArtifactKind,
    name: string,
    bytes: Uint8Array,
    step: number | undefined,
    more: { same?: string | undefined; baseline?: string | undefined } = {},
  ) => {
    const file = more.same ?? (await artifacts.write(options.run, bytes));
    await journal.artifact(lease, {
      kind,
      name: unique(name),
      bytes: bytes.length,
      file,
      step: step ?? null,
      baseline: (options.mayBecomeFiles ? more.baseline : undefined) ?? null,
    });
    return file;
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(redactor.data(value)));
  return {
    screenshot: async (name, png, step, { difference = false, baseline } = {}) =>
      void (await keep(difference ? "difference" : "screenshot", name, png, step, { baseline })),
    thumbnail: (step, picture, same) =>
      keep("thumbnail", `step-${step}.${isPng(picture) ? "png" : "jpg"}`, picture, step, { same }),
    recording: async (name, video, step) => void (await keep("recording", name, video, step)),
    async failure(hands, failure) {
      // A run that goes on after a crash fails again where it had failed; the screen is another one by then.
      if (earlier.some(({ kind }) => kind === "failure_screenshot")) return;
      const { step, code } = failure;
      const seen = await hands.look().catch(() => undefined);
      if (seen === undefined) return;
      await keep("failure_screenshot", "failure.png", seen.png, step);
      await keep("failure_tree", "failure-tree.json", json(seen.tree), step);
      if (code === "assertion" || code === "element_not_found" || code === "element_covered") {
        await keep(
          "failure",
          "failure.json",
          json(options.redactor.data(failureDetail(failure, seen.tree, options.find))),
          step,
        );
      }
    },
  };
}

/** Phones send their pictures as JPEG or as PNG; only a PNG begins like this. */
function isPng(picture: Uint8Array): boolean {
  return picture[0] === 0x89 && picture[1] === 0x50;
}
